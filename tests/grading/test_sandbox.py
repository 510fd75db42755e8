"""Let student code do what it may in its process, and try what it may not."""

import contextlib
import os
import resource
import socket
import sys
import threading
import time
from http.client import HTTPException
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from redis import RedisError

from jobs_kit.grading.limits import OUTPUT_BYTES
from jobs_kit.grading.programs import redis_recorder
from jobs_kit.grading.programs.http_client import Response, _UnixHTTP
from jobs_kit.grading.programs.redis_recorder import RedisRecorder
from jobs_kit.grading.sandbox import containment
from jobs_kit.grading.sandbox.child.system_calls import can_be_refused
from jobs_kit.grading.sandbox.client import Sandbox
from jobs_kit.queue_watch import command_recorder

ROOT = Path(__file__).parents[2]
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux's kernel can refuse this")


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def check_redis():
    redis = RedisRecorder()
    yield redis
    redis.close()


@pytest.fixture
def folder(sandbox):
    """The path of the answer in the sandbox."""
    return Path(sandbox.home, "answer")


@pytest.fixture
def start(sandbox, check_redis, folder, until):
    """start(text) runs a program; with wait=True until it has ended."""
    check_redis.reset()

    def start(text, wait=True, draws=False, slow_word=None, **environment):
        sandbox.write(str(folder), {"program.py": text.encode()})
        task = {"do": "program", "file": "program.py"}
        pace = {"slow_word": slow_word, "turns": None}
        process = sandbox.start(task, folder, check_redis.path, environment, draws, pace)

        def ended():
            process.pump()
            return not process.running

        if wait:
            until(ended)
        return process

    yield start
    sandbox.end_processes()


CLIENTS = {
    "a literal address": 'redis.Redis(host="172.17.0.1", port=1, db=3)',
    "no address": "redis.Redis(db=3)",
    "None": "redis.Redis(host=os.environ.get('NO_SUCH'), db=3)",
    "a URL": 'redis.Redis.from_url("redis://elsewhere:7/3")',
    "the environment's URL": "redis.Redis.from_url(os.environ['REDIS_URL'], db=3)",
    "an encrypted connection": 'redis.Redis(host="elsewhere", ssl=True, db=3)',
    "a socket": 'redis.Redis(unix_socket_path="/nowhere.sock", db=3)',
    "a queue": 'HotQueue("q", host="elsewhere", db=3)._HotQueue__redis',
}


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_every_address_leads_to_the_redis_of_the_check(start, check_redis, client):
    process = start(
        f"import os, redis\nfrom hotqueue import HotQueue\n{client}.set('here', 1)",
        REDIS_URL="redis://there:8",
    )
    assert process.exit_code == 0, process.output
    assert check_redis.client(3).get("here") == b"1"


def test_the_address_that_a_program_uses_is_reported(start):
    process = start('import redis\nredis.Redis(host="172.17.0.1", port=6380, db=3).ping()')
    asked = process.events("redis_connection")[0]
    assert (asked["host"], asked["port"], asked["db"]) == ("172.17.0.1", 6380, 3)


def test_a_queue_is_reported_with_its_serializer(start):
    process = start('from hotqueue import HotQueue\nHotQueue("letters")')
    assert process.events("queue")[0]["name"] == "letters"
    assert process.events("queue")[0]["serializer"] == "pickle"


def test_sleeps_are_short(start):
    process = start(
        "import time\nfrom time import sleep\nsleep(3600); time.sleep(3600)\nprint('awake')"
    )
    assert process.output == "awake\n"


SLEEPERS = """
import asyncio


async def wake(seconds, begin=0):
    await asyncio.sleep(begin)
    await asyncio.sleep(seconds)
    print(begin + seconds)


async def main():
    await asyncio.gather(wake(3600), wake(5), wake(4.9, 0.05), wake(60), wake(6), wake(0.3), wake(1))


asyncio.run(main())
"""


def test_sleeps_end_in_the_order_in_which_they_would(start):
    assert start(SLEEPERS).output.split() == ["0.3", "1", "4.95", "5", "6", "60", "3600"]


def test_a_slow_word_is_overtaken_by_another_thread_and_by_no_other_line(start):
    text = (
        "import threading\nthreading.Thread(target=print, args=(['slow'],)).start()\nprint('fast')"
    )
    assert start(text, slow_word="slow").output.split() == ["fast", "['slow']"]
    assert start("print('slow')\nprint('fast')", slow_word="slow").output == "slow\nfast\n"


DRAWN = "import sys\nprint('matplotlib.figure' in sys.modules)"


def test_only_a_program_that_draws_finds_matplotlib_imported(start):
    assert [start(DRAWN, draws=draws).output for draws in (True, False)] == ["True\n", "False\n"]


def test_a_program_that_kills_its_parent_leaves_matplotlib_to_the_next(start, until):
    killed = start("import os\nos.kill(os.getppid(), 9)\nprint('done')", wait=False, draws=True)
    until(lambda: killed.pump() or killed.output)
    assert start(DRAWN, draws=True).output == "True\n"


def test_the_kit_cannot_be_imported(start):
    process = start("import jobs_kit.queues")
    assert process.events("error")[0]["type"] == "ModuleNotFoundError"
    assert "an answer consists of its own files" in process.output


@pytest.mark.parametrize(
    "name",
    ["fork_server", "inside", "own_limits", "pace", "redirect", "report", "system_calls"],
)
def test_the_modules_of_the_fork_server_cannot_be_imported(start, name):
    process = start(f"import {name}")
    assert process.events("error")[0]["type"] == "ModuleNotFoundError"


@pytest.mark.parametrize("name", ["jobs_kit/queues.py", "jobs_kit/grading/sandbox/child/inside.py"])
def test_the_kit_cannot_be_read(start, name):
    process = start(f"print(open({str(ROOT / name)!r}).read())")
    assert process.exit_code == 1
    assert "PermissionError" in process.output and "class " not in process.output


@linux
@pytest.mark.parametrize("name", ["jobs_kit/queues.py", "solutions/jobs_service/jobs.py"])
def test_the_kit_cannot_be_read_by_a_child_process(start, name):
    process = start(f"import subprocess\nsubprocess.run(['cat', {str(ROOT / name)!r}])")
    assert "Permission denied" in process.output and "class " not in process.output


@linux
def test_a_program_can_write_into_its_own_folder_only(start, folder, tmp_path):
    outside = tmp_path / "outside.txt"
    process = start(f"open('mine.txt', 'w').write('x')\nopen({str(outside)!r}, 'w')")
    assert process.events("error")[0]["type"] == "PermissionError"
    assert (folder / "mine.txt").read_text() == "x"
    assert not outside.exists()


def test_the_environment_of_the_judge_is_hidden(start, monkeypatch):
    monkeypatch.setenv("JOBS_KIT_SECRET", "hush")
    process = start("import os\nprint(sorted(os.environ))")
    assert "REDIS_HOST" in process.output and "JOBS_KIT" not in process.output


def test_an_endless_loop_is_ended(start):
    process = start("def spin():\n    while True:\n        pass\nspin()")
    assert process.events("time_limit")
    assert process.events("stack")[-1][-1]["name"] == "spin"


@linux
def test_memory_is_limited(start):
    process = start("x = bytearray(1 << 40)")
    assert process.events("error")[0]["type"] == "MemoryError"


def test_the_size_of_a_file_is_limited(start, folder):
    start("f = open('big', 'wb')\nwhile True: f.write(b'x' * (1 << 20))")
    assert (folder / "big").stat().st_size <= 64 << 20


def test_endless_output_is_cut(start):
    process = start("while True: print('x' * 1000)", wait=True)
    assert process.events("time_limit") or process.exit_code
    assert len(process.output) <= OUTPUT_BYTES


def test_the_exit_code_is_reported(start):
    assert start("import os\nos._exit(7)").exit_code == 7
    assert start("raise SystemExit('bye')").exit_code == 1
    assert start("import os\nos.kill(os.getpid(), 9)").exit_code == -9


@linux
@pytest.mark.parametrize("draws", [False, True])
def test_processes_that_a_program_leaves_running_are_ended(start, sandbox, draws):
    process = start(
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        print(os.getpid())\n"
        "        while True: time.sleep(1)\n"
        "    os._exit(0)\n"
        "time.sleep(1)\n",
        draws=draws,
    )
    left = int(process.output)
    assert psutil.pid_exists(left)
    sandbox.end_processes()
    assert not psutil.pid_exists(left)


def test_a_traceback_names_only_the_programs_own_lines(start):
    process = start("import json\ndef read():\n    json.loads('{')\nread()")
    frames = process.events("error")[0]["frames"]
    assert [frame["name"] for frame in frames] == ["<module>", "read"]
    assert {frame["file"] for frame in frames} == {"program.py"}


def test_nonsense_in_a_report_is_ignored(start):
    process = start("import os\nos.write(3, b'[1]\\n{\"exit\": null}\\nnonsense\\n\\xff\\n')")
    assert process.exit_code == 0


def test_the_fork_server_ends_with_its_owner(until):
    sandbox = Sandbox()
    server = psutil.Process(sandbox._server.pid)
    sandbox.close()
    until(lambda: not server.is_running())


CHANGES = {
    "open files": lambda pid: resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, 3)),
    "memory": lambda pid: resource.prlimit(pid, resource.RLIMIT_DATA, (1 << 30, 1 << 30)),
    "niceness": lambda pid: os.setpriority(os.PRIO_PROCESS, pid, 19),
    "scheduler": lambda pid: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0)),
    "processors": lambda pid: os.sched_setaffinity(pid, {min(os.sched_getaffinity(0))}),
}


@linux
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_fork_server_is_not_well_once_its_limits_are_changed(change):
    if change is CHANGES["processors"] and len(os.sched_getaffinity(0)) == 1:
        pytest.skip("a single processor leaves no choice")
    with Sandbox() as sandbox:
        assert sandbox.is_well()
        change(sandbox._server.pid)
        assert not sandbox.is_well()


@linux
def test_a_fork_server_is_not_well_once_the_limits_of_its_fork_are_changed(check_redis, until):
    with Sandbox() as sandbox:
        folder = f"{sandbox.home}/answer"
        sandbox.write(folder, {"draw.py": b""})
        process = sandbox.start({"do": "program", "file": "draw.py"}, folder, "none", draws=True)
        until(lambda: process.pump() or not process.running)
        assert sandbox.is_well()
        (fork,) = psutil.Process(sandbox._server.pid).children()
        os.setpriority(os.PRIO_PROCESS, fork.pid, 1)
        assert not sandbox.is_well()
        sandbox.end_processes()


CALLS = """
import ctypes, errno, os, platform, resource
sys_call = ctypes.CDLL(None, use_errno=True).syscall
column = ["x86_64", "aarch64"].index(platform.machine())
room, user = ctypes.create_string_buffer(256), 0x10000000
for numbers, arguments in {
    (425, 425): (8, room),  # io_uring_setup
    (323, 282): (0,),  # userfaultfd
    (321, 280): (0, room, 0),  # bpf
    (298, 241): (room, 0, -1, -1, 0),  # perf_event_open
    (250, 219): (0, -3, 0),  # keyctl
    (248, 217): (b"user", b"answer", b"42", 2, -3),  # add_key
    (272, 97): (user,),  # unshare
    (56, 220): (user | 17, 0, 0, 0, 0),  # clone
    (319, 279): (room, 0),  # memfd_create
    (447, 447): (0,),  # memfd_secret
    (29, 194): (0, 1 << 32, 0o1600),  # shmget
    (435, 435): (room, 88),  # clone3
    (101, 117): (0, 1, 0, 0),  # ptrace
    (302, 261): (os.getppid(), resource.RLIMIT_NOFILE, 0, room),  # prlimit64
    (141, 140): (os.PRIO_USER, 0, 19),  # setpriority
    (251, 30): (3, 0, 3 << 13),  # ioprio_set
}.items():
    ctypes.set_errno(0)
    sys_call(numbers[column], *arguments)
    print(errno.errorcode.get(ctypes.get_errno(), "allowed"), end=" ")
"""


@pytest.mark.skipif(not can_be_refused(), reason="this system has no filter of system calls")
@pytest.mark.parametrize("draws", [False, True])
def test_system_calls_that_no_answer_needs_are_refused(start, draws):
    assert start(CALLS, draws=draws).output.split() == ["EPERM"] * 11 + ["ENOSYS"] + ["EPERM"] * 4


def test_without_a_filter_of_system_calls_the_report_says_so(monkeypatch):
    monkeypatch.setattr(containment, "can_be_refused", lambda: False)
    assert "not by a filter of system calls" in containment.containment_measures(None)[-1]


LEAVES = """
import ctypes, os
libc = ctypes.CDLL(None)
there = [os.path.exists("../left"), os.path.exists("/dev/shm/left")]
there += [libc.shmget(0x4711, 0, 0) >= 0]
open("/dev/shm/left", "w").close()
libc.shmget(0x4711, 4096, 0o1666)
os.makedirs("locked/in")
for _ in range(1500):
    os.mkdir("d")
    os.chdir("d")
os.chdir(os.environ["HOME"])
os.chmod("locked", 0)
os.chmod(".", 0)
try:
    open("../left", "w").write("x")
except OSError:
    pass
print(there)
"""
INTERRUPTS = """
import os
for number in range(1, 65):
    try:
        if number != 9:
            os.kill(os.getppid(), number)
    except OSError:
        pass
try:
    print(open(f"/proc/{os.getppid()}/mem", "rb+"))
except OSError:
    print("refused")
"""


@pytest.fixture
def contained(tmp_path, check_redis, until):
    """contained(text) runs a program under containment and returns its output."""
    try:
        containment.require()
    except containment.NotContainedError as problem:
        pytest.skip(f"this system cannot contain student code: {problem}")
    user = containment.student_user(1, os.getpid())
    with Sandbox(contained=True, shared=str(tmp_path), user=user) as sandbox:
        folder = f"{sandbox.home}/answer"

        def run(text):
            sandbox.write(folder, {"program.py": text.encode()})
            process = sandbox.start({"do": "program", "file": "program.py"}, folder, "none")
            until(lambda: process.pump() or not process.running)
            return process.output

        run.sandbox, run.folder = sandbox, folder
        yield run


@linux
def test_a_program_finds_nothing_that_an_earlier_one_left(contained):
    for _ in range(3):
        assert contained(LEAVES) == "[False, False, False]\n"
        contained.sandbox.end_processes()


KEYS = """
import ctypes, platform
keyctl, add = {"x86_64": (250, 248), "aarch64": (219, 217)}[platform.machine()]
call, found = ctypes.CDLL(None).syscall, []
for keys in (-3, -4, -5, call(keyctl, 22, -1, -3)):  # session, user, user session, persistent
    found.append(call(keyctl, 10, keys, b"user", b"answer", 0) > 0)
    call(add, b"user", b"answer", b"42", 2, keys)
print(found)
"""


@linux
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give student code another user")
def test_a_key_of_one_program_is_hidden_from_the_next(contained):
    for _ in range(2):
        assert contained(KEYS) == "[False, False, False, False]\n"


POOL = """
import multiprocessing
with multiprocessing.Pool(1) as pool:
    print(pool.map(abs, [-1]))
"""


def test_a_pool_of_processes_works(start):
    assert start(POOL).output == "[1]\n"


@linux
def test_a_pool_of_processes_works_contained(contained):
    assert contained(POOL) == "[1]\n"


@linux
def test_the_fork_server_ignores_signals_and_hides_its_memory(contained):
    assert contained(INTERRUPTS) == "refused\n"
    contained.sandbox.end_processes()
    assert contained("print(1)") == "1\n"


@linux
def test_a_pipe_in_place_of_a_file_does_not_block_the_fork_server(contained):
    contained("import os\nos.mkfifo('jobs.py')\nos.symlink('/tmp', 'sub')")
    contained.sandbox.write(contained.folder, {"jobs.py": b"x = 1"})
    with pytest.raises(OSError, match="leads out of its folder"):
        contained.sandbox.write(contained.folder, {"sub/x.py": b"x = 1"})
    assert contained("print(open('jobs.py').read())") == "x = 1\n"


@pytest.mark.parametrize("piece", [b"HTTP/1.1 100 Continue\r\n\r\n" * 50, b"H"])
def test_a_response_without_end_is_given_up(tmp_path, piece):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "http"))
        listener.listen()

        def answer():
            client = listener.accept()[0]
            with client, contextlib.suppress(OSError):
                while True:
                    client.send(piece)
                    time.sleep(0.001)

        thread = threading.Thread(target=answer)
        thread.start()
        connection = _UnixHTTP(str(tmp_path / "http"))
        connection.request("GET", "/")
        connection.sock.deadline = time.monotonic() + 0.2
        with pytest.raises((OSError, HTTPException)):
            connection.getresponse()
        connection.close()
        thread.join()


def test_resetting_a_redis_frees_its_memory(monkeypatch, until):
    monkeypatch.setattr(redis_recorder, "FORGET_SECONDS", 0.1)
    redis = RedisRecorder()
    try:
        redis.client().rpush("list", *[b"x" * 1000] * 4000)
        with socket.socket(socket.AF_UNIX) as hoarder:  # asks, and never reads what comes
            hoarder.connect(redis.path)
            hoarder.sendall(b"LRANGE list 0 -1\r\n" * 100)
            until(lambda: redis.client().info("memory")["used_memory"] > 256 << 20)
            redis.reset()
            redis.client().rpush("queue", "message")
    finally:
        redis.close()


def test_too_many_commands_end_the_recording(check_redis, monkeypatch):
    monkeypatch.setattr(command_recorder, "MOST_COMMANDS", 100)
    check_redis.reset()
    with socket.socket(socket.AF_UNIX) as sender:
        sender.connect(check_redis.path)
        sender.sendall(b"PING\r\n" * 200)
        answers = sender.makefile("rb")
        for _ in range(200):
            answers.readline()
    with pytest.raises(RedisError, match="more than 100 commands"):
        _ = check_redis.commands
    check_redis.reset()
    _ = check_redis.commands  # it listens again


@pytest.mark.parametrize(
    "body, shows_bytes", [(b"{b'id': b'7a'}", True), (b"{'id': '1f7b', 'a': 1}", False)]
)
def test_an_id_that_ends_with_b_shows_no_bytes(body, shows_bytes):
    assert Response.shows_bytes.fget(SimpleNamespace(body=body)) is shows_bytes
