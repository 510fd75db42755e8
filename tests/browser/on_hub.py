"""Two users of a real JupyterHub with a base URL read lesson 02 at the same time.

`make hub-test` runs it. It needs a gigabyte of packages, so `make test` does without.
"""

import subprocess
import sys
from pathlib import Path

import lesson_02
import pytest
from playwright.sync_api import expect

from conftest import free_port
from jobs_kit.redis_server.server import start_server

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / ".venv-hub" / "bin"
EXAMPLE = ROOT / "binder" / "jupyterhub"
PROXY = "configurable-http-proxy@5.3.0"
USERS = "ana", "ben"

sys.path.insert(0, str(EXAMPLE))
from link import FOLDER, link  # noqa: E402


@pytest.fixture(scope="session")
def proxy(tmp_path_factory):
    """Install the proxy that JupyterHub uses; return the path of its program."""
    folder = tmp_path_factory.mktemp("node")
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, PROXY]
    subprocess.run(command, check=True)
    return folder / "node_modules" / ".bin" / "configurable-http-proxy"


@pytest.fixture(scope="session")
def course(tmp_path_factory):
    """Return a clone of this repository, from which users get the course."""
    folder = tmp_path_factory.mktemp("server") / "jobs-kit"
    git("clone", "--quiet", ROOT, folder)
    git("-C", folder, "checkout", "-q", "-B", "main")
    return folder


@pytest.fixture
def start_hub(tmp_path, proxy):
    """Return a function that starts a hub and returns its address; it ends after the test."""
    processes = []

    def start(**names):
        url = f"http://127.0.0.1:{free_port()}/school/"
        process = subprocess.Popen(
            hub_command(url, proxy, tmp_path),
            cwd=tmp_path,
            env=lesson_02.environment(tmp_path, PROGRAMS) | names,
            stdout=(tmp_path / "hub.log").open("w"),
            stderr=subprocess.STDOUT,
        )
        processes.append(process)
        lesson_02.wait_for(f"{url}hub/health", process)
        return url

    for name in USERS:
        (tmp_path / name).mkdir()
        lesson_02.prepare_home(tmp_path / name)
    yield start
    for process in processes:
        process.terminate()
        process.wait(90)  # it ends the users' servers first


def hub_command(url, proxy, folder):
    """Return the command that starts the example's hub, whose users need no password."""
    options = {
        "JupyterHub.bind_url": url,
        "JupyterHub.hub_bind_url": f"http://127.0.0.1:{free_port()}",
        "ConfigurableHTTPProxy.api_url": f"http://127.0.0.1:{free_port()}",
        "ConfigurableHTTPProxy.command": proxy,
        "JupyterHub.authenticator_class": "dummy",
        "Authenticator.allow_all": True,
        "JupyterHub.spawner_class": "simple",
        "SimpleLocalProcessSpawner.home_dir_template": f"{folder}/{{username}}",
        "Spawner.args": "--allow-root",  # without effect for others
    }
    config = EXAMPLE / "jupyterhub_config.py"
    return [PROGRAMS / "jupyterhub", "-f", config, *[f"--{k}={v}" for k, v in options.items()]]


def git(*arguments):
    subprocess.run(["git", *arguments], check=True)


def opened_by(name, browser, hub, course, page=lesson_02.PATH):
    """Follow the course's link as a user who is not logged in; return the Notebook."""
    tab = browser.new_context().new_page()
    tab.goto(link(hub, f"file://{course}", "main", page))
    tab.get_by_label("Username").fill(name)
    tab.get_by_role("button", name="Sign in").click()
    return lesson_02.opened(tab)


def put_one_each(boards):
    """Let each user put a message, and see that one waits on each board: {name: BoardOnPage}."""
    for name, board in boards.items():
        board.put(f"from {name}")
    for board in boards.values():
        expect(board.tokens("waiting")).to_have_count(1)


def test_each_user_has_their_own_redis(browser, start_hub, course):
    hub = start_hub()
    notebooks = {name: opened_by(name, browser, hub, course) for name in USERS}
    boards = {name: lesson_02.read(notebook) for name, notebook in notebooks.items()}
    put_one_each(boards)
    for name, board in boards.items():
        expect(board.tokens("waiting")).to_contain_text(name)
    used = [lesson_02.memory("JUPYTERHUB_USER", name) for name in USERS]
    print(f"\nJupyterHub: lesson 02 with board, shells and a check: {used} MB")
    assert all(100 < megabytes < 600 for megabytes in used)


def test_users_share_the_class_redis(browser, start_hub, course, tmp_path, class_server):
    hub = start_hub(JOBS_KIT_STUDENTS=str(tmp_path / "classroom" / "students.csv"))
    page = "notebooks/class_redis.ipynb"
    notebooks = {name: opened_by(name, browser, hub, course, page) for name in USERS}
    for notebook in notebooks.values():
        notebook.run_all()
        assert notebook.errors() == []
    put_one_each({name: lesson_02.board(notebook) for name, notebook in notebooks.items()})
    with class_server.connect(db=1) as client:
        queues = {key.decode(): client.lrange(key, 0, -1) for key in client.keys("hotqueue:*")}
    assert queues == {f"hotqueue:{name}.some_queue": [f'"from {name}"'.encode()] for name in USERS}


@pytest.fixture
def class_server(tmp_path, monkeypatch):
    """Start a Redis with a class of the two users."""
    server = start_server(port=free_port())
    (tmp_path / "roster.csv").write_text("name,login\nAna Silva,ana\nBen Okafor,ben\n")
    monkeypatch.setenv("REDIS_URL", server.admin_url)
    init = [sys.executable, "-m", "jobs_kit.cli", "classroom", "init", "--roster", "roster.csv"]
    subprocess.run(init, cwd=tmp_path, check=True, capture_output=True)
    yield server
    server.stop()


def test_the_link_brings_news_and_keeps_changes(browser, start_hub, course, tmp_path):
    hub, home = start_hub(), tmp_path / "ana" / FOLDER
    opened_by("ana", browser, hub, course)
    answer = home / "exercises" / "echo_worker" / "echo.py"
    answer.write_text("print('my answer')\n")
    (course / "exercises" / "echo_worker" / "news.txt").write_text("news\n")
    git("-C", course, "add", ".")
    git(
        "-C", course, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "News"
    )
    opened_by("ana", browser, hub, course)
    assert answer.read_text() == "print('my answer')\n"
    assert (answer.parent / "news.txt").read_text() == "news\n"
