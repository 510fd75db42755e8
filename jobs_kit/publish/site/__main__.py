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

NO_BROWSER = "no Chromium on the PATH: install it, or leave its check out with --no-browser"


def main(arguments=None):
    """Build the site; return 0, or 1 if it has faults or something is missing."""
    options = _parser().parse_args(arguments)
    began = time.monotonic()
    try:
        axe = find_axe(options.tools)  # before the pages run, which takes minutes
        if not options.no_browser and not find_browser():
            raise FileNotFoundError(NO_BROWSER)
        _build(options)
        faults = [] if options.no_browser else browser_faults(options.out, axe)
    except (BrokenPageError, BrokenSiteError, OSError) as problem:
        return _fail(problem)
    if faults:
        return _fail("\n".join(faults))
    seconds = time.monotonic() - began
    print(f"The site is in {options.out} ({seconds:.0f} s). Begin with {options.out}/index.html")
    return 0


def _build(options):
    address = options.repository or origin_address(MATERIAL)
    if not address:
        print("The pages get no links to Binder: no repository is known. --repository names one.")
    build_site(MATERIAL, options.out, options.tools / "bin" / "python", address)


def _parser():
    parser = argparse.ArgumentParser(description="Build the lessons as a website.")
    add = parser.add_argument
    add("out", type=Path, help="the folder of the site, which is replaced")
    add("--tools", type=Path, required=True, help="the environment with Sphinx in it")
    address = "its address, for the links to Binder; by default that of the git remote origin"
    add("--repository", type=_address, help=address)
    add("--no-browser", action="store_true", help="don't look at the pages in a browser")
    return parser


def _address(text):
    """Return the address that an argument names."""
    if address := web_address(text):
        return address
    raise argparse.ArgumentTypeError(f"{text!r} is no address such as https://github.com/ana/kit")


def _fail(problem):
    print(f"make site: {problem}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
