"""Check the built pages in a real browser.

Nothing may be fetched from elsewhere, no script may fail, every page must fit on a phone, and axe-core,
a program for accessibility checks that is among the site's tools, must find nothing serious.
"""

import functools
import http.server
import shutil
import threading
from contextlib import contextmanager

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
VIEWS = {"desktop": (1280, 900, "light"), "phone": (390, 800, "dark")}
GRAVE = ("serious", "critical")
# without preload: false axe fetches style sheets again, some from wrong addresses
OPTIONS = "{preload: false, resultTypes: ['violations']}"
AXE = f"axe.run(document, {OPTIONS}).then((result) => result.violations)"
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
    from playwright.sync_api import sync_playwright  # only maintainers have it

    names = names or sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))
    with _served(folder) as address, sync_playwright() as api:
        browser = api.chromium.launch(executable_path=find_browser(), args=FLAGS)
        faults = []
        for view, (width, height, theme) in VIEWS.items():
            size = {"width": width, "height": height}
            context = browser.new_context(
                viewport=size, color_scheme=theme, reduced_motion="reduce"
            )
            for name in names:
                faults += [
                    f"{name} ({view}): {fault}" for fault in _look(context, address, name, axe)
                ]
            context.close()
            report(f"{len(names)} pages looked at: {view}, {theme}")
        browser.close()
    return faults


def _look(context, address, name, axe):
    """Return the faults of one page, in sentences."""
    page, faults = context.new_page(), []

    def note_request(request):
        if not request.url.startswith((address, "data:", "blob:", "about:")):
            faults.append(f"requests {request.url}")

    page.on("request", note_request)
    page.on("pageerror", lambda error: faults.append(f"a script fails: {error}"))
    page.on(
        "response",
        lambda response: (
            response.status >= 400 and faults.append(f"{response.status} for {response.url}")
        ),
    )
    page.goto(f"{address}/{name}", wait_until="load")
    if (surplus := page.evaluate(IS_TOO_WIDE)) > 0:
        faults.append(f"is {surplus} pixels too wide")
    page.add_script_tag(path=axe)
    for violation in page.evaluate(AXE):
        if violation["impact"] in GRAVE:
            places = "; ".join(
                " ".join(map(str, node["target"])) for node in violation["nodes"][:3]
            )
            faults.append(
                f"{violation['id']}, {violation['help']}: {len(violation['nodes'])} × {places}"
            )
    page.close()
    return faults


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
