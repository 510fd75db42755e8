"""Build the site of a course: run its pages, write the source, let Sphinx build it, check the result."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from jobs_kit.publish.site.built_pages import faults_of
from jobs_kit.publish.site.notebook_runs import run_pages
from jobs_kit.publish.site.source_folder import course_sections, write_source

OPTIONS = (
    "--fail-on-warning",
    "--keep-going",
    "--quiet",
    "--no-color",
    "--builder",
    "html",
    "--jobs",
    "auto",
)


class BrokenSiteError(Exception):
    """The site has faults; the message names them, one a line."""


def build_site(course, out, sphinx, address="", report=print):
    """Build the site of a course (Path) in the folder out (Path), which is replaced.

    sphinx: the Python that has Sphinx. address: of the repository on the web, "" if it has none.
    Raises BrokenPageError for a page that fails, and BrokenSiteError for a warning of Sphinx, a broken
    link, or a page that loads something from elsewhere; then out stays as it was. Raises FileExistsError
    where out holds anything else.
    """
    if out.is_dir() and any(out.iterdir()) and not (out / "searchindex.js").exists():
        raise FileExistsError(f"{out} holds something other than a site; name another folder")
    names = [name for section in course_sections(course) for name in section.names]
    runs = run_pages(names, course, report)
    with tempfile.TemporaryDirectory(prefix="jobs-kit-site-") as place:
        source, pages = Path(place, "source"), Path(place, "pages")
        source.mkdir()
        write_source(source, course, runs, address)
        run_sphinx(sphinx, source, pages)
        if faults := faults_of(pages):
            raise BrokenSiteError("\n".join(faults))
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(pages, out)


def run_sphinx(sphinx, source, pages):
    """Let Sphinx build the pages. Raises BrokenSiteError with its warnings."""
    command = [
        Path(sphinx).absolute(),
        "-m",
        "sphinx",
        *OPTIONS,
        "--doctree-dir",
        f"{source}-doctrees",
        source,
        pages,
    ]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True)
    if done.returncode:
        raise BrokenSiteError(done.stderr.strip().replace(f"{source}/", ""))
    for template in (pages / "_static").glob("*.html"):  # of the theme; they are no pages
        template.unlink()
