"""`jobs-kit run` becomes a command; a Redis is beside it, and ends when the command does."""

import os
import signal

import psutil
import pytest
import redis

from jobs_kit import cli
from jobs_kit.lab import command

RUN = ("-m", "jobs_kit.cli", "run")
# it starts a program that outlives it, and prints who keeps Redis, and where Redis is
COMMAND = "sleep 60 & echo $REDIS_URL $!; wait"


@pytest.fixture(autouse=True)
def fresh_terminal(monkeypatch):
    """No Redis in the environment."""
    for name in [name for name in os.environ if name.startswith(("REDIS_", "JOBS_KIT_"))]:
        monkeypatch.delenv(name)


@pytest.fixture
def running(run):
    """A shell that runs, the psutil.Process of its Redis, and that of the companion."""
    shell = run(*RUN, "sh", "-c", COMMAND)
    url, sleep = shell.stdout.readline().split()
    server = psutil.Process(redis.Redis.from_url(url).info("server")["process_id"])
    yield shell, server, server.parent()
    psutil.Process(int(sleep)).kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_redis_ends_with_the_command_though_its_children_go_on(running, until, number):
    shell, server, companion = running
    assert psutil.Process(shell.pid).name() == "sh"
    shell.send_signal(number)
    assert shell.wait() == -number
    until(lambda: not server.is_running() and not companion.is_running())


def test_redis_ends_with_its_companion(running, until):
    _, server, companion = running
    companion.kill()
    until(lambda: not server.is_running())


def test_the_command_gets_its_arguments_and_ordinary_signals(run):
    # the first command of a pipe that ends early fails quietly
    script = 'yes -- "$1" | head -1; exit 7'
    shell = run(*RUN, "--", "bash", "-o", "pipefail", "-c", script, "bash", "--help")
    assert shell.stdout.read() == "--help\n"
    assert shell.wait() == 7


@pytest.mark.parametrize(
    ("words", "variables", "code", "message"),
    [
        ([], {}, 2, "name a command"),
        (["no-such-command", "x"], {}, 127, "there is no command 'no-such-command'"),
        (["true"], {"REDIS_URL": "redis://127.0.0.1:1"}, 1, "no Redis lets us in there"),
        (["true"], {"REDIS_PORT": "six"}, 2, "REDIS_PORT is 'six'"),
    ],
)
def test_a_command_that_cannot_run_says_why(words, variables, code, message, monkeypatch, capfd):
    for name, value in {"PATH": os.environ["PATH"], **variables}.items():
        monkeypatch.setenv(name, value)
    assert cli.main(["run", *words]) == code
    output = capfd.readouterr().err
    assert message in output and "Traceback" not in output


def test_an_editor_waits_for_its_window(tmp_path, run):
    (tmp_path / "code").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "code").chmod(0o755)
    editor = run(*RUN, "code", "folder", PATH=f"{tmp_path}:{os.environ['PATH']}")
    notice, words = editor.stdout.read().splitlines()
    assert notice.startswith("added --wait: ") and words == "--wait folder"


@pytest.mark.parametrize("text", ["code -w folder", "code folder --wait", "python x", "/bin/ls"])
def test_other_commands_stay_as_they_are(text, capsys):
    assert command.with_wait(text.split()) == text.split()
    assert capsys.readouterr().err == ""
