"""The programs that commands start: real processes, one for each terminal."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest
import redis

from jobs_kit import cli
from jobs_kit.course.places import MATERIAL

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def fresh_terminal(monkeypatch, tmp_path):
    """No Redis and no setting in the environment, and no settings of JupyterLab at home."""
    for name in [name for name in os.environ if name.startswith(("REDIS_", "JOBS_KIT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))


@pytest.fixture
def terminal(run):
    """terminal("redis", "--port", "0") types `jobs-kit redis --port 0` in a separate terminal."""
    return lambda *words, **environment: run("-m", "jobs_kit.cli", *words, **environment)


@pytest.fixture
def taken():
    """A port on which another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def line_with(process, text):
    """Return the next line of a terminal that has this text in it."""
    seen = []
    for line in process.stdout:
        seen.append(line)
        if text in line:
            return line
    raise AssertionError(f"{text!r} is not in {''.join(seen)}")


def ask(url, body=None, token=None):
    """Return (status, body as bytes) of a GET, or of a POST of the body as JSON."""
    headers = {"Authorization": f"token {token}"} if token else {}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=20) as answer:
        return answer.status, answer.read()


def end(process, number=signal.SIGINT):
    """Press Ctrl-C; return (exit code, what was printed since the last line that was read)."""
    process.send_signal(number)
    output = process.stdout.read()
    return process.wait(), output


def test_three_terminals_serve_a_job(terminal, until):
    server = terminal("redis", "--port", "0")
    url = line_with(server, "redis://").strip()
    assert "Press Ctrl-C to stop it" in line_with(server, "127.0.0.1")
    assert f"export REDIS_URL={url}" in line_with(server, "other terminals")
    port = url.rpartition(":")[2]
    api = terminal("api", "--port", "0", REDIS_PORT=port)
    jobs = line_with(api, "Jobs API at").split()[-1]
    worker = terminal("worker", "--name", "worker-a", REDIS_PORT=port)
    assert "worker-a waits for jobs" in line_with(worker, "waits")

    status, body = ask(jobs, {"start": "2012-01-01", "end": "2012-12-31"})
    job = f"{jobs}/{json.loads(body)['id']}"
    assert status == 202
    until(lambda: json.loads(ask(job)[1])["status"] == "complete")
    assert json.loads(ask(f"{job}/results")[1])["days"] == 366
    assert ask(f"{job}/plot")[1].startswith(PNG)

    assert "worker-a ends" in end(worker)[1]
    assert (worker.returncode, end(api)[0]) == (0, 0)
    assert end(server) == (0, "")
    with pytest.raises(redis.ConnectionError):
        redis.Redis.from_url(url).ping()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_api_ends_cleanly(terminal, number):
    api = terminal("api", "--port", "0")
    line_with(api, "Jobs API at")
    assert end(api, number) == (0, "")


def test_without_any_environment_all_use_the_same_port():
    assert cli._parser().parse_args(["redis"]).port == 6379


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_redis_ends_with_its_terminal(terminal, until, number):
    server = terminal("redis", "--port", "0")
    url = line_with(server, "redis://").strip()
    pid = redis.Redis.from_url(url).info("server")["process_id"]
    code, _ = end(server, number)
    assert code == (-number if number == signal.SIGKILL else 0)
    until(lambda: not psutil.pid_exists(pid))


def test_a_killed_redis_is_reported(terminal):
    server = terminal("redis", "--port", "0")
    url = line_with(server, "redis://").strip()
    os.kill(redis.Redis.from_url(url).info("server")["process_id"], signal.SIGKILL)
    assert "ended unexpectedly" in server.stdout.read()
    assert server.wait() == 1


@pytest.mark.parametrize("fsync", ["everysec", "always"])
def test_redis_keeps_its_data_where_it_is_told(terminal, tmp_path, fsync):
    words = ("redis", "--port=0", "--append-only", str(tmp_path / "data"), "--fsync", fsync)
    for expected in (1, 2):
        server = terminal(*words)
        client = redis.Redis.from_url(line_with(server, "redis://").strip())
        assert client.info("persistence")["aof_enabled"]
        assert client.rpush("hotqueue:q", "message") == expected
        assert end(server)[0] == 0


def test_a_burst_worker_ends_when_nothing_waits(terminal, server):
    worker = terminal("worker", "--burst", REDIS_URL=f"{server.url}/13")
    assert "ends" in worker.stdout.read()
    assert worker.wait() == 0


@pytest.mark.parametrize("command", ["api", "redis", "start"])
def test_a_taken_port_is_reported_in_one_line(terminal, taken, command):
    more = ["--no-browser"] if command == "start" else []
    process = terminal(command, *more, "--port", str(taken))
    output = process.stdout.read()
    assert process.wait() == 1
    assert len(output.strip().splitlines()) == 1 and str(taken) in output


@pytest.mark.parametrize(
    "words, setting, message",
    [
        (["worker"], {"JOBS_KIT_LEASE": "soon"}, "JOBS_KIT_LEASE is 'soon'; it must be a number"),
        (["api"], {"JOBS_KIT_API_PORT": "http"}, "JOBS_KIT_API_PORT is 'http'"),
        (["start", "--no-browser"], {"REDIS_PORT": "six"}, "REDIS_PORT is 'six'"),
        (["worker"], {"REDIS_URL": "localhost:6379"}, "must specify one of the following schemes"),
        (["api", "--port", "http"], {}, "'http' is not a port"),
    ],
)
def test_an_unusable_setting_is_reported(terminal, words, setting, message):
    process = terminal(*words, **setting)
    output = process.stdout.read()
    assert message in output and "Traceback" not in output
    assert process.wait() == 2


def test_a_missing_redis_is_reported(terminal):
    process = terminal("start", "--no-browser", REDIS_URL="redis://127.0.0.1:1")
    assert "no Redis lets us in there" in process.stdout.read()
    assert process.wait() == 1


def test_no_command_says_which_there_are(terminal):
    process = terminal()
    output = process.stdout.read()
    assert all(name in output for name in ("start", "redis", "api", "worker", "doctor"))
    assert process.wait() == 2


@pytest.fixture
def lab(terminal, monkeypatch, tmp_path):
    """A JupyterLab that `jobs-kit start --no-browser` has opened: (process, base URL, token)."""
    monkeypatch.chdir(tmp_path)  # and not in the course
    process = terminal("start", "--no-browser", SHELL="/bin/sh")
    url = line_with(process, "JupyterLab: ").split()[-1]
    base, _, token = url.replace("/lab/tree/notebooks/00_start_here.ipynb?token=", " ").partition(
        " "
    )
    assert ask(url)[0] == 200
    yield process, base, token


def descendants(process):
    return psutil.Process(process.pid).children(recursive=True)


def command_of(process):
    """Return how a process was started, a list; [] once it has ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def all_gone(processes):
    """Tell whether all have ended; a zombie has, and waits for its parent to notice."""
    _, alive = psutil.wait_procs(processes, timeout=0)
    return all(command_of(p) == [] for p in alive)


def test_start_needs_no_home_that_can_be_written(terminal, monkeypatch):
    monkeypatch.delenv("JUPYTER_CONFIG_DIR")
    process = terminal("start", "--no-browser", SHELL="/bin/sh", HOME="/dev/null")
    url = line_with(process, "JupyterLab: ").split()[-1]
    base, _, token = url.partition("?token=")
    base = base.partition("/lab/")[0]
    assert ask(f"{base}/api/kernels", {}, token)[0] == 201
    assert "Errno" not in end(process)[1]


def test_a_terminal_that_lacks_a_character_shows_a_question_mark(terminal):
    process = terminal("doctor", PYTHONIOENCODING="ascii")
    output = process.stdout.read()
    assert "packages" in output and " ?)" in output and "Traceback" not in output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_start_opens_jupyterlab_and_leaves_nothing_behind(lab, until, number):
    process, base, token = lab
    with pytest.raises(urllib.error.HTTPError, match="403"):
        ask(f"{base}/api/contents")
    assert json.loads(ask(f"{base}/api/contents/notebooks/00_start_here.ipynb", token=token)[1])
    listed = json.loads(ask(f"{base}/api/contents", token=token)[1])["content"]
    assert not {"tests", "jobs_kit", "Makefile"} & {entry["name"] for entry in listed}
    ask(f"{base}/api/kernels", {}, token)
    ask(f"{base}/api/terminals", {}, token)

    kernel = until(
        lambda: [p for p in descendants(process) if "ipykernel_launcher" in str(command_of(p))]
    )
    shell = until(lambda: [p for p in descendants(process) if command_of(p) == ["/bin/sh"]])
    assert shell[0].cwd() == str(MATERIAL)
    for inside in (kernel[0].environ(), shell[0].environ()):
        assert redis.Redis.from_url(inside["REDIS_URL"]).ping()
        assert redis.Redis(inside["REDIS_HOST"], int(inside["REDIS_PORT"])).ping()
        assert inside["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)

    started = descendants(process)
    code, output = end(process, number)
    assert code == 0 and "[y/n]" not in output.lower()
    until(lambda: all_gone(started))


def test_start_killed_leaves_nothing_behind(lab, until):
    process, base, token = lab
    ask(f"{base}/api/kernels", {}, token)
    started = until(lambda: (found := descendants(process)) and len(found) >= 3 and found)
    end(process, signal.SIGKILL)
    until(lambda: all_gone(started))


def test_the_command_is_installed():
    command = Path(sys.executable).with_name("jobs-kit")
    run = subprocess.run([command, "--help"], capture_output=True, text=True)
    assert run.returncode == 0 and "doctor" in run.stdout
