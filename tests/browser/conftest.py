"""One real JupyterLab in one real browser page, for all the tests of this folder.

    def test_it(lab):
        notebook = lab.open("notebooks/00_start_here.ipynb")
        notebook.run_all()
        assert notebook.errors() == []

Starting a browser and loading JupyterLab costs more processor time than most lessons, so a page
stays: opening a notebook closes the one before it and ends its kernel.

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

from jobs_kit.publish.site.browser_check import FLAGS, find_browser

HERE_ONLY = re.compile(r"(http|ws)://127\.0\.0\.1[:/]|data:|blob:|about:|chrome")
READY_SECONDS = 60
ROOT = Path(__file__).parents[2]
FOLDERS = {
    "notebooks": ROOT / "notebooks",
    "exercises": ROOT / "exercises",
    "pages": Path(__file__).parent / "notebooks",
}

# they are for the browser: one of them blocks until a user types
collect_ignore = ["notebooks"]


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def browser():
    """A Playwright browser. It ends with the folder, because its event loop disturbs other tests."""
    api = _or_skip(_import_playwright, "Playwright is not installed: pip install playwright")
    path = _or_skip(find_browser, "no Chromium on the PATH: apt-get install chromium")
    api.expect.set_options(timeout=READY_SECONDS * 1000)  # a busy machine is no failure
    with api.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def lab(browser, tmp_path_factory):
    """A Lab on a copy of the lessons, the exercises and the notebooks of these tests."""
    home = tmp_path_factory.mktemp("lab")
    for name, folder in FOLDERS.items():
        shutil.copytree(folder, home / "root" / name, ignore=shutil.ignore_patterns(".*"))
    lab = Lab(home, browser)
    yield lab
    lab.close()


class Lab:
    """A JupyterLab with its own settings, and a page in a browser context that shows it.

    root (Path): the copied folders. page_errors, outside_requests (lists): both should stay empty.
    """

    def __init__(self, home, browser, width=1280, scale=1):
        self.root, self.page_errors, self.outside_requests = home / "root", [], []
        size = {"width": width, "height": 1000}
        self._context = browser.new_context(viewport=size, device_scale_factor=scale)
        self._context.set_default_timeout(READY_SECONDS * 1000)
        self._log = home / "lab.log"
        write_settings(home / "settings")
        port = free_port()
        self._server = _start_server(home, port, self._log)
        self._url = f"http://127.0.0.1:{port}"
        self._wait_for_server()
        self._page = None

    def open(self, name):
        """Open a notebook by its path in the folder; return it when its kernel is ready.

        The notebook that was open before is closed, and its kernel ended.
        """
        if self._page is None:
            self._page = self._load_page(name)
        else:
            self._page.evaluate(OPEN_INSTEAD, name)
        self._page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        # the toolbar says idle before there is a session; the status bar does not
        status = self._page.locator("#jp-bottom-panel").get_by_text(re.compile(r"\| Idle$"))
        status.first.wait_for()
        return Notebook(self._page)

    def use_theme(self, name):
        """Switch the page to a theme: "JupyterLab Light" or "JupyterLab Dark"."""
        self._page.evaluate(CHANGE_THEME, name)
        is_light = str(name.endswith("Light")).lower()
        self._page.locator(f'body[data-jp-theme-light="{is_light}"]').wait_for(state="attached")

    def _load_page(self, name):
        page = self._context.new_page()
        page.on("pageerror", lambda error: self.page_errors.append(str(error)))
        page.on("request", self._note_request)
        page.goto(f"{self._url}/doc/workspaces/tests/tree/{name}?reset")
        return page

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
        self._choose_in_run_menu("Run All Cells")

    def run_below(self, number, seconds=120):
        """Run a cell and all that are below it, and wait as run_all() does."""
        self.cell(number).locator(".jp-InputPrompt").click()
        self._choose_in_run_menu("Run Selected Cell and All Below")
        self._wait(seconds, [number, None])

    def run_all(self, seconds=120):
        """Run all cells and wait until they have run, or until one of them raises."""
        self.start_all()
        self._wait(seconds)

    def run_range(self, first, last, seconds=120):
        """Run the cells from first to last at once, and wait as run_all() does."""
        self.cell(first).locator(".jp-InputPrompt").click()
        self.cell(last).locator(".jp-InputPrompt").click(modifiers=["Shift"])
        self.page.keyboard.press("Control+Enter")
        self._wait(seconds, [first, last + 1])

    def _choose_in_run_menu(self, entry):
        self.page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^Run$")).click()
        entries = self.page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{entry}"))
        entries.first.click()

    def _wait(self, seconds, span=(0, None)):
        from playwright.sync_api import TimeoutError as WaitedTooLong

        try:
            self.page.wait_for_function(
                ALL_HAVE_RUN, arg=list(span), timeout=seconds * 1000, polling=POLL_MILLISECONDS
            )
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
ALL_HAVE_RUN = """([first, end]) => {
    const cells = [...document.querySelectorAll('.jp-Notebook .jp-Cell')];
    const asked = cells.slice(first, end ?? cells.length);
    const filled = asked.filter(cell => cell.matches('.jp-CodeCell')
        && cell.querySelector('.cm-content').textContent.trim());
    const prompts = filled.map(cell => cell.querySelector('.jp-InputPrompt').textContent);
    const failed = document.querySelector('[data-mime-type="application/vnd.jupyter.error"]');
    return !prompts.some(text => text.includes('*'))
        && prompts.every(text => failed || /\\d/.test(text));
}"""

POLL_MILLISECONDS = 50  # at each frame, as is usual, it would cost as much as the page itself

OPEN_INSTEAD = """async (path) => {
    for (const widget of [...jupyterapp.shell.widgets('main')]) {
        await widget.context?.sessionContext.shutdown();
        widget.dispose();
    }
    const opened = await jupyterapp.commands.execute('docmanager:open', {path});
    await opened.context.sessionContext.ready;
}"""

CHANGE_THEME = "(theme) => jupyterapp.commands.execute('apputils:change-theme', {theme})"


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


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def write_settings(folder):
    """No news from the network, no pop-ups, and every cell in the page at all times."""
    settings = {
        "apputils-extension/notification": {
            "fetchNews": "false",
            "checkForUpdates": False,
            "doNotDisturbMode": True,
        },
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
    command += ["--LabApp.expose_app_in_browser=True"]  # window.jupyterapp opens the next notebook
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = kept | {name: str(folder) for name, folder in folders.items()} | {"PATH": path}
    with log.open("w") as output:
        return subprocess.Popen(command, env=environment, stdout=output, stderr=output)
