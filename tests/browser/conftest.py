"""A real JupyterLab in a real browser: open_lab(folder) copies a folder and opens its notebooks.

    def test_it(open_lab):
        notebook = open_lab("notebooks").open("00_start_here.ipynb")
        notebook.run_all()
        assert notebook.errors() == []

Without a browser these tests are skipped; with JOBS_KIT_REQUIRE_BROWSER=1 they fail.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HERE_ONLY = re.compile(r"(http|ws)://127\.0\.0\.1[:/]|data:|blob:|about:|chrome")
READY_SECONDS = 60

# they are for the browser: one of them blocks until somebody types
collect_ignore = ["notebooks"]


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def browser():
    """A Playwright browser. It ends with the module, for its event loop disturbs other tests."""
    api = _or_skip(_import_playwright, "Playwright is not installed: pip install playwright")
    path = _or_skip(find_browser, "no Chromium on the PATH: apt-get install chromium")
    api.expect.set_options(timeout=READY_SECONDS * 1000)  # a busy machine is no failure
    with api.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def open_lab(browser, tmp_path_factory):
    """open_lab(folder, theme="JupyterLab Light") copies the folder and starts a Lab on it."""
    with contextlib.ExitStack() as ending:

        def start(folder, theme="JupyterLab Light"):
            home = tmp_path_factory.mktemp("lab")
            shutil.copytree(folder, home / "root", ignore=shutil.ignore_patterns(".*"))
            lab = Lab(home, browser, theme)
            ending.callback(lab.close)
            return lab

        yield start


class Lab:
    """A JupyterLab with settings of its own, and a browser context to look at it.

    root (Path): the copied folder. page_errors, outside_requests (lists): both should stay empty.
    """

    def __init__(self, home, browser, theme="JupyterLab Light", width=1280, scale=1):
        self.root, self.page_errors, self.outside_requests = home / "root", [], []
        size = {"width": width, "height": 1000}
        self._context = browser.new_context(viewport=size, device_scale_factor=scale)
        self._context.set_default_timeout(READY_SECONDS * 1000)
        self._log = home / "lab.log"
        _write_settings(home / "settings", theme)
        port = _free_port()
        self._server = _start_server(home, port, self._log)
        self._url = f"http://127.0.0.1:{port}"
        self._wait_for_server()

    def open(self, name):
        """Open a notebook by its path in the folder; return it when its kernel is ready."""
        page = self._context.new_page()
        page.on("pageerror", lambda error: self.page_errors.append(str(error)))
        page.on("request", self._note_request)
        page.goto(f"{self._url}/doc/workspaces/{Path(name).stem}/tree/{name}?reset")
        page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        # the toolbar says idle before there is a session; the status bar does not
        status = page.locator("#jp-bottom-panel").get_by_text(re.compile(r"\| Idle$"))
        status.first.wait_for()
        return Notebook(page)

    def close(self):
        """End the browser's pages, the server and its kernels."""
        self._context.close()
        self._server.send_signal(signal.SIGTERM)
        try:
            self._server.wait(20)
        except subprocess.TimeoutExpired:
            self._server.kill()

    def _note_request(self, request):
        if not HERE_ONLY.match(request.url):
            self.outside_requests.append(request.url)

    def _wait_for_server(self):
        for _ in range(READY_SECONDS * 10):
            with contextlib.suppress(OSError):
                return urllib.request.urlopen(f"{self._url}/api/status", timeout=1).close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._server.wait(0.1)
                break
        pytest.fail(f"JupyterLab does not answer; its log ends:\n{self._log.read_text()[-2000:]}")


class Notebook:
    """An open notebook. page: the Playwright page, for all that has no method here."""

    def __init__(self, page):
        self.page = page

    def cell(self, number):
        """Return the locator of a cell, counted from 0, text cells included."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(number)

    def run(self, number):
        """Run one cell; it may take its time."""
        self.cell(number).locator(".jp-InputPrompt").click()
        self.page.keyboard.press("Control+Enter")

    def start_all(self):
        """Run all cells; return at once."""
        self.page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^Run$")).click()
        entry = self.page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Run All Cells"))
        entry.first.click()

    def run_all(self, seconds=120):
        """Run all cells and wait until they have run, or until one of them raises."""
        self.start_all()
        self._wait(seconds)

    def run_range(self, first, last, seconds=120):
        """Run the cells from first to last at once, and wait as run_all() does."""
        self.cell(first).locator(".jp-InputPrompt").click()
        self.cell(last).locator(".jp-InputPrompt").click(modifiers=["Shift"])
        self.page.keyboard.press("Control+Enter")
        self._wait(seconds, [first, last])

    def _wait(self, seconds, span=None):
        from playwright.sync_api import TimeoutError as WaitedTooLong

        try:
            self.page.wait_for_function(ALL_HAVE_RUN, arg=span, timeout=seconds * 1000)
        except WaitedTooLong:
            prompts = self.page.locator(".jp-CodeCell .jp-InputPrompt").all_inner_texts()
            bar = self.page.locator("#jp-bottom-panel").inner_text()
            pytest.fail(f"after {seconds} s: {' '.join(prompts)}; the status bar: {bar}")

    def errors(self):
        """Return the tracebacks on the page, a list of str."""
        return self.page.locator(
            '[data-mime-type="application/vnd.jupyter.error"]'
        ).all_inner_texts()

    def pane(self, title):
        """Return the locator of a live pane by its title; the first, if a lesson shows it twice."""
        title = self.page.locator(f'.jk-title:text-is("{title}")')
        return self.page.locator(".jk-pane").filter(has=title).first


# Each cell answers with "*", then with a number; after an error the rest is empty.
ALL_HAVE_RUN = """(range) => {
    const cells = [...document.querySelectorAll('.jp-Notebook .jp-Cell')];
    const asked = range ? cells.slice(range[0], range[1] + 1) : cells;
    const filled = asked.filter(cell => cell.matches('.jp-CodeCell')
        && cell.querySelector('.cm-content').textContent.trim());
    const prompts = filled.map(cell => cell.querySelector('.jp-InputPrompt').textContent);
    const failed = document.querySelector('[data-mime-type="application/vnd.jupyter.error"]');
    return !prompts.some(text => text.includes('*'))
        && prompts.every(text => failed || /\\d/.test(text));
}"""


def _or_skip(find, reason):
    found = find()
    if found:
        return found
    if os.environ.get("JOBS_KIT_REQUIRE_BROWSER") == "1":
        pytest.fail(f"{reason} (JOBS_KIT_REQUIRE_BROWSER=1 asks for these tests)")
    pytest.skip(reason)


def _import_playwright():
    try:
        from playwright import sync_api
    except ImportError:
        return None
    return sync_api


def find_browser():
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def _free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _write_settings(folder, theme):
    """No news from the network, no pop-ups, and every cell in the page at all times."""
    settings = {
        "apputils-extension/notification": {
            "fetchNews": "false",
            "checkForUpdates": False,
            "doNotDisturbMode": True,
        },
        "apputils-extension/themes": {"theme": theme},
        "notebook-extension/tracker": {"windowingMode": "none"},
    }
    for name, values in settings.items():
        path = folder / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))


def _start_server(home, port, log):
    # the lessons find or start their own Redis, as on a fresh machine
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("REDIS_", "JOBS_KIT_"))}
    folders = {
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
        "IPYTHONDIR": home / "ipython",
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += ["--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"]
    command += [f"--ServerApp.root_dir={home / 'root'}", "--IdentityProvider.token="]
    command += ["--ServerApp.password=", "--ServerApp.disable_check_xsrf=True"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = kept | {name: str(folder) for name, folder in folders.items()} | {"PATH": path}
    with log.open("w") as output:
        return subprocess.Popen(command, env=environment, stdout=output, stderr=output)
