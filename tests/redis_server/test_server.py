"""How a server is started, who may do what on it, and that it ends with its owner."""

import gc
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import redis

from jobs_kit.redis_server import server as module
from jobs_kit.redis_server.address import RedisNotFoundError
from jobs_kit.redis_server.server import find_programs, program_version, start_server

pytestmark = pytest.mark.redis_server

*_, WHEEL = find_programs()  # the server inside the wheel comes last


@pytest.fixture
def on_path(tmp_path, monkeypatch):
    """on_path("redis-server", "7.0.15") puts a program on the PATH that says it is that version."""

    def put(name, version, text='exec "{real}" "$@"'):
        program = tmp_path / name
        real = WHEEL
        reply = f'[ "$1" = --version ] && echo "Redis server v={version} sha=0" && exit'
        program.write_text(f"#!/bin/sh\n{reply}\n{text.format(real=real)}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        return str(program)

    return put


def test_a_new_enough_program_on_the_path_wins(on_path):
    program = on_path("redis-server", "6.2.0")
    started = start_server()
    assert started.program == program
    assert program in repr(started)
    started.stop()


def test_an_old_program_on_the_path_is_passed_over(on_path):
    on_path("redis-server", "6.0.16")
    assert next(find_programs()) == WHEEL
    newer = on_path("valkey-server", "8.0.1")  # found before the wheel's
    assert next(find_programs()) == newer


@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 1", "#!/nowhere/at/all", "\x7fELF of another"])
def test_a_program_that_does_not_run_is_passed_over(tmp_path, text):
    program = tmp_path / "redis-server"
    program.write_text(text)
    program.chmod(0o755)
    assert program_version(str(program)) == ()


def test_a_program_that_does_not_start_is_passed_over(on_path):
    on_path("redis-server", "7.0.0", text="echo '*** FATAL CONFIG FILE ERROR ***'; exit 1")
    started = start_server()
    assert started.program == WHEEL
    started.stop()


def test_a_program_that_does_not_start_is_quoted_if_there_is_no_other(on_path, monkeypatch):
    program = on_path("redis-server", "7.0.0", text="echo '*** FATAL CONFIG FILE ERROR ***'")
    monkeypatch.setattr(module, "find_programs", lambda: iter([program]))
    with pytest.raises(RedisNotFoundError, match="FATAL CONFIG FILE ERROR"):
        start_server()


ADMINISTER = """
CONFIG GET dir|SHUTDOWN|DEBUG SLEEP 0|MODULE LIST|ACL SETUSER x|MONITOR|SAVE|BGREWRITEAOF
REPLICAOF 127.0.0.1 1|MIGRATE 127.0.0.1 1 k 0 1|CLIENT KILL 127.0.0.1:1|SWAPDB 0 1
"""


@pytest.mark.parametrize("command", re.split("[|\n]", ADMINISTER.strip()))
def test_student_code_may_not_administer(server, command):
    with pytest.raises(redis.ResponseError):
        redis.Redis.from_url(server.url).execute_command(*command.split())


def test_the_kit_may_administer(server):
    admin = server.connect()
    assert Path(admin.config_get("dir")["dir"]) == server.directory
    assert admin.acl_whoami() == "kit"
    assert admin.client_list()


def test_it_listens_on_loopback_only(server, process_id):
    listening = psutil.Process(process_id(server)).net_connections("inet")
    assert {at.laddr.ip for at in listening if at.status == "LISTEN"} == {"127.0.0.1"}


def test_a_private_socket_and_no_port(process_id):
    started = start_server(unix_socket=True)
    assert psutil.Process(process_id(started)).net_connections("inet") == []
    assert started.directory.stat().st_mode & 0o077 == 0
    client = redis.Redis.from_url(started.url)
    assert client.ping() and redis.Redis(**started.address).ping()
    client.close()
    started.stop()
    assert not started.directory.exists()


def test_a_requested_port_that_is_taken_is_reported(server):
    with pytest.raises(RedisNotFoundError, match=f"port {server.port} is taken"):
        start_server(port=server.port)


def test_two_kits_never_meet(server, monkeypatch, process_id):
    """Another kit took the free port after we had looked: we look again."""
    ports = iter([server.port, server.port, module._free_port()])
    monkeypatch.setattr(module, "_free_port", lambda: next(ports))
    started = start_server()
    assert started.port != server.port
    assert process_id(started) != process_id(server)
    started.stop()
    assert server.answers()


def test_stop_and_start_keep_the_data():
    started = start_server(append_only=True)
    client = redis.Redis.from_url(started.url)
    client.rpush("hotqueue:q", "1", "2")
    started.stop(keep=True)
    assert not started.answers()
    started.start()
    assert client.lrange("hotqueue:q", 0, -1) == [b"1", b"2"]
    started.stop()
    started.stop()  # twice is as good as once
    assert not started.directory.exists()


@pytest.mark.parametrize("fsync", ["everysec", "always"])
def test_the_file_is_forced_onto_the_disk_as_asked(fsync):
    started = start_server(append_only=True, fsync=fsync)
    assert started.connect().config_get("append*")["appendfsync"] == fsync
    started.stop()


def test_it_ends_while_a_script_never_does(process_id):
    started = start_server()
    pid = process_id(started)
    with socket.create_connection((started.host, started.port)) as student:
        student.sendall(b'EVAL "while true do end" 0\r\n')
        started.stop()
    assert not psutil.pid_exists(pid)


OWNER = """
import os, signal, time
from jobs_kit.redis_server.server import start_server
started = start_server(append_only=True)
client = started.connect()
print(client.info("server")["process_id"], started.directory, flush=True)
{then}
"""


@pytest.mark.parametrize(
    "then",
    [
        "",
        "raise RuntimeError('as students do')",
        "os._exit(0)",
        "os.kill(os.getpid(), signal.SIGTERM)",
        "os.kill(os.getpid(), signal.SIGKILL)",
        "started.stop(keep=True)",
    ],
)
def test_it_ends_however_its_owner_does(run, until, then):
    owner = run("-c", OWNER.format(then=then))
    pid, directory = owner.stdout.readline().split()
    owner.wait()
    until(lambda: not psutil.pid_exists(int(pid)) and not Path(directory).exists())


def test_it_ends_with_its_object(until, process_id):
    started = start_server()
    pid, directory = process_id(started), started.directory
    del started
    gc.collect()
    until(lambda: not psutil.pid_exists(pid) and not directory.exists())


def test_ctrl_c_does_not_end_it_before_its_owner():
    then = "try: print('ready', flush=True); time.sleep(60)\n"
    then += "except KeyboardInterrupt: print(client.ping())"
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER.format(then=then)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    pid, _ = owner.stdout.readline().split()
    assert os.getpgid(int(pid)) != owner.pid  # the group that a terminal sends Ctrl-C to
    owner.stdout.readline()  # "ready": a Ctrl-C is expected from now on
    os.killpg(owner.pid, signal.SIGINT)
    assert owner.communicate() == ("True\n", None)


def test_it_can_be_stopped_while_a_fork_of_its_owner_lives(run):
    then = """
fork = os.fork()
if fork == 0: time.sleep(60); os._exit(0)
started.stop(); os.kill(fork, signal.SIGKILL); print("stopped")
"""
    owner = run("-c", OWNER.format(then=then))
    assert owner.stdout.read().endswith("stopped\n")


def test_no_import_opens_a_connection(run):
    text = """
import sys
sys.addaudithook(lambda event, _: event in ("socket.connect", "socket.bind") and print(event))
import jobs_kit, jobs_kit.api, jobs_kit.worker, jobs_kit.cli, jobs_kit.redis_server.server
print("imported")
"""
    assert run("-c", text).stdout.read() == "imported\n"
