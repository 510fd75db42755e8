"""Build the site and check it: python -m jobs_kit.publish.site --tools FOLDER OUT."""

import argparse
import sys
import time
from pathlib import Path

from jobs_kit.course.places import MATERIAL
from jobs_kit.publish.site.browser_check import browser_faults, find_axe, find_browser
from jobs_kit.publish.site.build import BrokenSiteError, build_site
from jobs_kit.publish.site.notebook_runs import BrokenPageError
from jobs_kit.publish.site.repository import origin_address, web_address


def main(arguments=None):
    """Build the site; return 0, or 1 if it has faults or something is missing."""
    options = _parser().parse_args(arguments)
    address = web_address(options.repository) or origin_address(MATERIAL)
    if not options.no_browser and not find_browser():
        return _fail(
            "no Chromium on the PATH: apt-get install chromium, or leave it out: --no-browser"
        )
    if not address:
        print(
            "No repository is known, so the pages get no links to Binder; --repository names one."
        )
    began = time.monotonic()
    try:
        build_site(MATERIAL, options.out, options.tools / "bin" / "python", address, print)
        faults = [] if options.no_browser else browser_faults(options.out, find_axe(options.tools))
    except (BrokenPageError, BrokenSiteError, OSError) as problem:
        return _fail(problem)
    if faults:
        return _fail("\n".join(faults))
    seconds = time.monotonic() - began
    print(
        f"The site is in {options.out} ({seconds:.0f} s). To read it, open {options.out}/index.html"
    )
    return 0


def _parser():
    parser = argparse.ArgumentParser(description="Build the lessons as a website.")
    add = parser.add_argument
    add("out", type=Path, help="the folder of the site, which is replaced")
    add("--tools", type=Path, required=True, help="the environment with Sphinx in it")
    address = "its address, for the links to Binder; by default that of the git remote origin"
    add("--repository", default="", help=address)
    add("--no-browser", action="store_true", help="don't look at the pages in a browser")
    return parser


def _fail(problem):
    print(f"make site: {problem}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
