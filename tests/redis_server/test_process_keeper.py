"""What a keeper keeps ends with its owner, at whatever moment that one ends, and no sooner."""

from jobs_kit.redis_server.process_keeper import Keeper


def test_the_directory_goes_with_the_process(tmp_path):
    directory = tmp_path / "an apostrophe's [directory]"
    directory.mkdir()
    keeper = Keeper(directory)
    process = keeper.start(["sleep", "600"])
    keeper.end()
    keeper.end()  # twice is as good as once
    assert process.returncode == -9 and not directory.exists()


def test_a_stopped_process_leaves_the_directory_and_the_next_is_kept(tmp_path):
    keeper = Keeper(tmp_path)
    first = keeper.start(["sleep", "600"])
    keeper.stop()
    assert first.returncode == -15 and tmp_path.exists()
    second = keeper.start(["sleep", "600"])
    keeper.end()
    assert second.returncode == -9 and not tmp_path.exists()


def test_an_owner_killed_before_its_process_is_kept_starts_none(run):
    code = """
import os, signal
from jobs_kit.redis_server.process_keeper import Keeper
Keeper.keep = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
Keeper().start(["echo", "started"])
"""
    assert run("-c", code).stdout.read() == ""  # read to its end, which the program holds open


FORK = """
import gc, os, psutil, signal, time
from jobs_kit.redis_server.server import start_server
started = start_server()
client = started.connect()
pid = client.info("server")["process_id"]
if (fork := os.fork()) == 0:
    {in_fork}
{in_owner}
"""


def test_a_server_ends_with_its_object_while_a_fork_lives(run):
    in_owner = "del started; gc.collect(); print(psutil.pid_exists(pid))"
    in_owner += "; os.kill(fork, signal.SIGKILL)"
    code = FORK.format(in_fork="time.sleep(60)", in_owner=in_owner)
    assert run("-c", code).stdout.read() == "False\n"


def test_a_fork_that_drops_the_object_ends_no_server(run):
    in_fork = "del started; gc.collect(); os._exit(0)"
    code = FORK.format(in_fork=in_fork, in_owner="os.waitpid(fork, 0); print(client.ping())")
    assert run("-c", code).stdout.read() == "True\n"
