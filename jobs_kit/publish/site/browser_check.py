"""Check the built pages in a real browser.

Nothing may be fetched from elsewhere, no script may fail, every page must fit on a phone, and axe-core,
a program for accessibility checks that is among the site's tools, must find nothing serious.
"""

import functools
import http.server
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain, repeat

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIEWS = {
    "desktop": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "phone": {"viewport": {"width": 390, "height": 800}, "color_scheme": "dark"},
}
LONGEST_SECONDS = 120
GRAVE = ("serious", "critical")
# A lesson has thousands of coloured words of code, so one of each colour is looked at.
# With preload axe would fetch style sheets again, some from wrong addresses.
AXE = """() => {
  const known = new Set();
  for (const word of document.querySelectorAll(".highlight span")) {
    const colour = `${word.className} in ${word.closest("div[class^=highlight-]")?.className}`;
    if (known.has(colour)) word.setAttribute("data-alike", "");
    known.add(colour);
  }
  return axe.run({ exclude: ["[data-alike]"] }, { preload: false, resultTypes: ["violations"] })
    .then((result) => result.violations);
}"""
IS_TOO_WIDE = "document.scrollingElement.scrollWidth - window.innerWidth"


def find_browser():
    """Return the path of a Chromium or Chrome, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def find_axe(tools):
    """Return the path of axe-core in a virtual environment (Path). Raises FileNotFoundError."""
    for path in tools.glob("lib/python*/site-packages/axe_playwright_python/axe.min.js"):
        return path
    raise FileNotFoundError(f"axe-core is not in {tools}; `make site` installs it")


def browser_faults(folder, axe, report=print, names=None):
    """Return a sentence for each fault that a browser finds in a site's pages, a list.

    folder, axe (Path): the site, and the script of axe-core. report(text): called for each view.
    names: the pages, by default all.
    """
    names = names or sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))

    def look_at_all(view, address):
        faults = _look_at_all(view, address, names, axe)
        report(f"{len(names)} pages looked at: {view}, {VIEWS[view]['color_scheme']}")
        return faults

    with _served(folder) as address, ThreadPoolExecutor() as pool:
        return list(chain.from_iterable(pool.map(look_at_all, VIEWS, repeat(address))))


def _look_at_all(view, address, names, axe):
    """Return the faults of all pages in one view. It has a browser to itself."""
    from playwright.sync_api import sync_playwright  # only maintainers have it

    with sync_playwright() as api:
        browser = api.chromium.launch(executable_path=find_browser(), args=FLAGS)
        context = browser.new_context(**VIEWS[view], reduced_motion="reduce")
        context.set_default_timeout(LONGEST_SECONDS * 1000)  # a busy machine is no fault
        faults = [
            f"{name} ({view}): {fault}"
            for name in names
            for fault in _look(context, address, name, axe)
        ]
        browser.close()
    return faults


def _look(context, address, name, axe):
    """Return the faults of one page, in sentences."""
    page, faults = context.new_page(), []

    def note_request(request):
        if not request.url.startswith((address, "data:", "blob:", "about:")):
            faults.append(f"requests {request.url}")

    def note_response(response):
        if response.status >= 400:
            faults.append(f"{response.status} for {response.url}")

    page.on("request", note_request)
    page.on("response", note_response)
    page.on("pageerror", lambda error: faults.append(f"a script fails: {error}"))
    page.goto(f"{address}/{name}", wait_until="load")
    if (surplus := page.evaluate(IS_TOO_WIDE)) > 0:
        faults.append(f"is {surplus} pixels too wide")
    page.add_script_tag(path=axe)
    faults += [_sentence(one) for one in page.evaluate(AXE) if one["impact"] in GRAVE]
    page.close()
    return faults


def _sentence(violation):
    nodes = violation["nodes"]
    places = "; ".join(" ".join(map(str, node["target"])) for node in nodes[:3])
    return f"{violation['id']}, {violation['help']}: {len(nodes)} × {places}"


@contextmanager
def _served(folder):
    """Serve a folder over HTTP on this machine; give the address."""
    handler = functools.partial(_Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Write no line for each request."""
