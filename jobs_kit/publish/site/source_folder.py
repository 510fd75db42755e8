"""Write the folder that Sphinx turns into the site: pages, pictures, scripts, styles, settings."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from jobs_kit.course.lessons import ROWS, all_lessons
from jobs_kit.publish.site.page_links import Links, linked_pages
from jobs_kit.publish.site.repository import binder_link
from jobs_kit.publish.site.static_outputs import static_notebook
from jobs_kit.queue_watch.player.page import SCRIPT, STYLE

HERE = Path(__file__).parent
ASSETS = HERE / "assets"
LAB = HERE.parents[1] / "lab"
WIDGETS = {
    "board": SCRIPT,
    "pane": (LAB / "pane.js").read_text("utf-8"),
    "prediction": (LAB / "prediction.js").read_text("utf-8"),
}
# of README.md: what follows its title; a section, down to its first table
INTRODUCTION = re.compile(r"\A.*?\n(.*?)(?=^```|^## |\Z)", re.MULTILINE | re.DOTALL)
BUILDING = re.compile(r"^## What you will build\n.*?(?=^\||^## |\Z)", re.MULTILINE | re.DOTALL)
EXPORT = "export default { render };"
SPOILERS = """```{{admonition}} Spoilers
:class: warning

This page shows a solution. Try [the exercise]({exercise}) first.
```

"""
RUN_IT = """You are reading what one run of this page printed. To change and run it, {binder}[install
the kit]({readme})."""
ON_BINDER = '<a class="site-button" href="{}">Open on Binder</a> or '


@dataclass(frozen=True)
class Section:
    """A part of the site. caption: its name. names: paths of its pages in the course, as text."""

    caption: str
    names: list


def course_sections(course):
    """Return the Sections of a course's notebooks: lessons, exercises, appendices, walk-throughs.

    Pages are in the order of README.md's tables; those that it does not name come last.
    """
    readme = (course / "README.md").read_text(encoding="utf-8")

    def pages(pattern):
        names = [path.relative_to(course).as_posix() for path in course.glob(pattern)]
        places = {
            name: readme.find(f"({name.replace('solutions/', 'exercises/')})") for name in names
        }
        return sorted(names, key=lambda name: (places[name] < 0, places[name], name))

    lessons = [lesson.path.relative_to(course).as_posix() for lesson in all_lessons(course)]
    others = [name for name in pages("notebooks/*.ipynb") if name not in lessons]
    return [
        Section("Lessons", lessons),
        Section("Exercises", pages("exercises/*/*.ipynb")),
        Section("More", others),
        Section("Walk-throughs (spoilers)", pages("solutions/*/*.ipynb")),
    ]


def write_source(folder, course, runs, address=""):
    """Write the source of the site into an empty folder. runs: {name: PageRun} of all notebooks.

    address: of the repository on the web; without it there are no links to Binder.
    """
    sections = course_sections(course)
    texts = linked_pages(course, "README.md")
    links = Links(course, [*runs, *texts], address)
    for name, run in runs.items():
        notebook = _with_links(with_doors(static_notebook(run), name, address), name, links)
        _write(folder / name, json.dumps(notebook, ensure_ascii=False))
    for name in texts:
        _write(folder / name, links.rewritten((course / name).read_text(encoding="utf-8"), name))
    _write(folder / "index.md", landing_page(course, sections, texts, links, address))
    for name in links.files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(course / name, folder / name)
    _write_assets(folder, address)


def _with_links(notebook, name, links):
    """Return a notebook (dict) whose links work on the site."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = links.rewritten("".join(cell["source"]), name)
    return notebook


def with_doors(notebook, name, address):
    """Return a notebook (dict) whose first cell also says where to run it, and what it gives away."""
    depth = "../" * name.count("/")
    binder = binder_link(address, name)
    doors = RUN_IT.format(
        readme=f"{depth}README.md", binder=ON_BINDER.format(binder) if binder else ""
    )
    first = notebook["cells"][0]
    title, _, rest = "".join(first["source"]).partition("\n")
    if name.startswith("solutions/"):
        title = title.replace("# ", "# Walk-through: ", 1)
        exercise = depth + name.replace("solutions/", "exercises/", 1)
        doors = SPOILERS.format(exercise=exercise) + doors
    first["source"] = f"{title}\n\n{doors}\n{rest}"
    return notebook


def landing_page(course, sections, texts, links, address):
    """Return the first page of the site, made from README.md and the sections, as Markdown."""
    readme = (course / "README.md").read_text(encoding="utf-8")
    parts = [*(section for section in sections if section.names), Section("About the kit", texts)]
    start = sections[0].names[0]
    binder = binder_link(address, start)
    page = (ASSETS / "landing.txt").read_text(encoding="utf-8")
    page = page.format(
        introduction=INTRODUCTION.search(readme)[1].strip(),
        building="".join(BUILDING.findall(readme)).strip(),
        rows=ROWS.search(readme)[0],
        start=start,
        binder=f'<a class="site-button" href="{binder}">Open on Binder</a>' if binder else "",
        contents="\n".join(_toctree(section, course) for section in parts),
    )
    return links.rewritten(page, "index.md")


def _toctree(section, course):
    """Return the part of the navigation with a section's pages; lessons show their numbers."""
    entries = [name.rpartition(".")[0] for name in section.names]
    if "README" in entries:  # its title is the kit's name
        entries[entries.index("README")] = "The guide <README>"
    if section.caption == "Lessons":
        entries = [
            f"{lesson.number} {lesson.title} <{entry}>"
            for lesson, entry in zip(all_lessons(course), entries, strict=True)
        ]
    lines = [f":caption: {section.caption}", ":hidden:", "", *entries]
    return "\n".join(["```{toctree}", *lines, "```", ""])


def _write_assets(folder, address):
    for path in ASSETS.glob("*.py"):
        shutil.copyfile(path, folder / path.name)
    _write(folder / "settings.json", json.dumps({"repository": address}))
    style = [
        STYLE,
        (LAB / "prediction.css").read_text("utf-8"),
        (ASSETS / "site.css").read_text("utf-8"),
    ]
    _write(folder / "_static" / "site.css", "\n".join(style))
    _write(folder / "_static" / "site.js", site_script())


def site_script():
    """Return the one script of the site: the kit's widgets, and what gives each of them its traits."""
    widgets = [
        f"const {name} = (() => {{\n{script.replace(EXPORT, 'return { render };')}\n}})();"
        for name, script in WIDGETS.items()
    ]
    return "\n".join([*widgets, (ASSETS / "site.js").read_text("utf-8")])


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
