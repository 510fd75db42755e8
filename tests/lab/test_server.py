"""Which Redis is found, who may do what on it, and that it ends with its owner."""

import gc
import json
import os
import re
import signal
import socket
import socketserver
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
import redis
from class_server import set_user
from hotqueue import HotQueue

from jobs_kit.redis_server import find
from jobs_kit.redis_server import server as module
from jobs_kit.redis_server.address import RedisNotFoundError, Server, server_version
from jobs_kit.redis_server.find import find_redis
from jobs_kit.redis_server.server import find_programs, program_version, start_server

# A class server's user: reads and writes what starts with its name, and may not even PING.
ANA = "on >secret ~ana.* ~hotqueue:ana.* resetchannels -@all +rpush +blpop +lpop +llen +select"


*_, WHEEL = find_programs()  # the server inside the wheel comes last


@pytest.fixture(autouse=True)
def nothing_named():
    """No Redis is named in the environment and none was found; afterwards all is as before."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(("REDIS_", "JOBS_KIT_")):
            del os.environ[name]
    find._found = None
    yield
    find._found = None
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def on_path(tmp_path, monkeypatch):
    """on_path("redis-server", "7.0.15") puts a program on the PATH that says it is that version."""

    def put(name, version, text='exec "{real}" "$@"'):
        program = tmp_path / name
        real = WHEEL
        said = f'[ "$1" = --version ] && echo "Redis server v={version} sha=0" && exit'
        program.write_text(f"#!/bin/sh\n{said}\n{text.format(real=real)}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        return str(program)

    return put


@pytest.fixture
def class_server(server):
    """The URL of ana on a server that is not hers."""
    admin = server.connect()
    set_user(admin, "ana", ANA)
    yield f"redis://ana:secret@127.0.0.1:{server.port}"
    admin.execute_command("ACL", "DELUSER", "ana")


@pytest.fixture
def old_server():
    """The port of something that answers like Redis 5: it knows INFO, but not HELLO."""

    class Old(socketserver.StreamRequestHandler):
        def handle(self):
            while line := self.rfile.readline():
                words = []
                for _ in range(int(line[1:])):
                    size = int(self.rfile.readline()[1:])
                    words.append(self.rfile.read(size + 2)[:-2].upper())
                text = b"redis_version:5.0.7\r\n"
                known = b"$%d\r\n%s\r\n" % (len(text), text)
                self.wfile.write(known if words[0] == b"INFO" else b"-ERR unknown command\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Old) as old:
        old.daemon_threads = True
        threading.Thread(target=old.serve_forever, daemon=True).start()
        yield old.server_address[1]
        old.shutdown()


def pid_of(started):
    """Return the process of a server, an int."""
    return started.connect().info("server")["process_id"]


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


def test_the_named_server_wins(server):
    os.environ["REDIS_URL"] = server.url
    assert find_redis().port == server.port
    assert find_redis().origin == "named by REDIS_URL or REDIS_HOST"


@pytest.mark.parametrize(
    "url, message",
    [
        ("redis://127.0.0.1:1", "no Redis lets us in there.*refused.*Unset the variable"),
        ("localhost:6379", "must specify one of the following schemes.*redis://"),
        ("redis://127.0.0.1:port", "could not be cast.*Is the address right"),
    ],
)
def test_a_named_server_that_is_not_there_is_said(url, message):
    os.environ["REDIS_URL"] = url
    with pytest.raises(RedisNotFoundError, match=message):
        find_redis()


def test_a_wrong_password_is_said_and_not_shown(class_server):
    os.environ["REDIS_URL"] = class_server.replace("secret", "guessed")
    with pytest.raises(RedisNotFoundError, match=r"ana:\*\*\*@.*password pair") as why:
        find_redis()
    assert "guessed" not in str(why.value)


def test_a_named_server_that_is_too_old_is_said(old_server):
    os.environ["REDIS_HOST"], os.environ["REDIS_PORT"] = "127.0.0.1", str(old_server)
    with pytest.raises(RedisNotFoundError, match=r"is Redis 5\.0\.7; the kit needs Redis 6\.2"):
        find_redis()


def test_on_a_class_server_all_is_yours_and_your_services_get_their_own(class_server, server):
    os.environ["REDIS_URL"] = class_server
    found = find_redis()
    name, version = server_version(server.connect())
    assert repr(found).startswith(f"{name} {version} at") and "secret" not in repr(found)
    assert (found.prefix, found.queue_name("some_queue")) == ("ana.", "ana.some_queue")
    own = redis.Redis(os.environ["REDIS_HOST"], int(os.environ["REDIS_PORT"]))
    assert own.ping() and os.environ["REDIS_PORT"] != str(found.port)
    assert find_redis() is found  # it may refuse a PING and be there all the same


def test_the_constructor_can_be_typed(class_server):
    os.environ["REDIS_URL"] = class_server
    names = {"HotQueue": HotQueue, "json": json}
    q = eval(find_redis().constructor("some_queue"), names)
    q.put("hello")
    assert q.key == "hotqueue:ana.some_queue"
    assert list(zip(q.consume(timeout=1), "1", strict=False)) == [("hello", "1")]


def test_on_another_machine_a_user_without_a_name_of_their_own_gets_the_login_s(monkeypatch):
    monkeypatch.setattr(find.getpass, "getuser", lambda: "ben")
    far = Server("redis://redis.class.example")
    find._name_in_environment(far)
    assert far.prefix == "ben."
    assert os.environ["REDIS_HOST"] == "127.0.0.1"


def test_on_this_machine_a_named_server_serves_all_and_needs_no_prefix(server):
    """As in a second terminal beside `jobs-kit redis --port N`."""
    os.environ["REDIS_PORT"] = str(server.port)
    assert find_redis().prefix == ""
    assert (os.environ["REDIS_HOST"], os.environ["REDIS_URL"]) == ("127.0.0.1", server.url)


def test_a_server_that_is_named_later_replaces_the_first(server):
    find_redis()
    os.environ["REDIS_URL"] = server.url
    assert find_redis().port == server.port


def test_a_prefix_that_was_chosen_stays():
    os.environ["JOBS_KIT_PREFIX"] = ""
    far = Server("redis://redis.class.example")
    find._name_in_environment(far)
    assert far.prefix == ""


def test_a_program_started_later_finds_the_same_server_and_may_administer_it():
    found = find_redis()
    assert found.prefix == ""
    find._found = None  # as in a kernel that inherits our environment
    inherited = find_redis()
    assert inherited.is_the_kits and inherited.url == found.url
    assert inherited.connect().config_get("dir")
    assert (inherited.prefix, os.environ["REDIS_PORT"]) == ("", str(found.port))


def test_it_is_found_once_and_replaced_when_it_died(until):
    found = find_redis()
    assert find_redis() is found
    os.kill(pid_of(found), signal.SIGKILL)
    until(lambda: not found.answers())
    assert "does not answer" in repr(found)
    again = find_redis()
    assert again is not found and again.answers()
    assert os.environ["REDIS_URL"] == again.url


def test_a_kernel_whose_kit_has_lost_its_redis_says_what_to_do():
    find_redis().stop()
    find._found = None  # as in a kernel that inherits our environment
    with pytest.raises(RedisNotFoundError, match=r"own Redis .* has ended .* then `make lab`"):
        find_redis()


def test_the_stand_in_works_and_says_that_it_is_one(monkeypatch):
    monkeypatch.setattr(module, "find_programs", lambda: iter([]))
    found = find_redis()
    assert "a stand-in written in Python" in repr(found)
    q = HotQueue("q", serializer=json, host=found.host, port=found.port, socket_timeout=None)
    q.put(1, 2)
    assert len(q) == 2
    assert [item for item, _ in zip(q.consume(timeout=1), "12", strict=False)] == [1, 2]
    find._found = None
    assert find_redis().is_the_kits and find_redis().prefix == ""  # in a kernel, too
    found.stop()


def test_without_any_redis_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setattr(module, "find_programs", lambda: iter([]))
    monkeypatch.setitem(sys.modules, "fakeredis", None)
    with pytest.raises(RedisNotFoundError, match=r"install redis-server 6\.2 or later"):
        find_redis()


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


def test_it_listens_on_loopback_only(server):
    listening = psutil.Process(pid_of(server)).net_connections("inet")
    assert {at.laddr.ip for at in listening if at.status == "LISTEN"} == {"127.0.0.1"}


def test_a_private_socket_and_no_port():
    started = start_server(unix_socket=True)
    assert psutil.Process(pid_of(started)).net_connections("inet") == []
    assert started.directory.stat().st_mode & 0o077 == 0
    client = redis.Redis.from_url(started.url)
    assert client.ping() and redis.Redis(**started.address).ping()
    client.close()
    started.stop()
    assert not started.directory.exists()


def test_a_port_that_was_asked_for_and_is_taken_is_said(server):
    with pytest.raises(RedisNotFoundError, match=f"port {server.port} is taken"):
        start_server(port=server.port)


def test_two_kits_never_meet(server, monkeypatch):
    """Another kit took the free port after we had looked: we look again."""
    ports = iter([server.port, server.port, module._free_port()])
    monkeypatch.setattr(module, "_free_port", lambda: next(ports))
    started = start_server()
    assert started.port != server.port
    assert pid_of(started) != pid_of(server)
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


def test_it_ends_while_a_script_never_does():
    started = start_server()
    pid = pid_of(started)
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


def test_it_ends_with_the_object_that_stands_for_it(until):
    started = start_server()
    pid, directory = pid_of(started), started.directory
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
