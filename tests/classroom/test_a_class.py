"""A class works on one Redis: a lesson, both exercises, and a pair on two computers."""

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from hotqueue import HotQueue
from nbclient import NotebookClient
from sessions import Session

from jobs_kit.course.exercise import find_exercise
from jobs_kit.grading.judge import Judge
from jobs_kit.redis_server import find
from jobs_kit.redis_server.address import Server
from jobs_kit.redis_server.clients import is_waiting

pytestmark = pytest.mark.redis_server
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LESSON, PAGE = NOTEBOOKS / "02_consume_messages.ipynb", NOTEBOOKS / "class_redis.ipynb"
ADDRESS = r'"(\w+)", host=os\.environ\["REDIS_HOST"\], port=os\.environ\["REDIS_PORT"\]'
STEPS = (
    {"shell": "producer", "type": 'q.put("one", "two", "three")'},
    {"shell": "producer", "type": "len(q)"},
    {
        "shell": "consumer",
        "type": "for m in q.consume(): print(m)",
        "prints": "three",
        "waiting": 1,
    },
    {"shell": "producer", "type": 'q.put("four")'},
    {"shell": "producer", "type": 'q.put("five", "six")'},
)
ECHO = """import json
from hotqueue import HotQueue
q = {line}

@q.worker
def echo(item):
    print(item, flush=True)

echo()
"""
PARTNER = """import json, sys
from hotqueue import HotQueue
from jobs_kit.redis_server.find import find_redis
q = eval(find_redis().constructor("shared"))
"""
PRODUCER = PARTNER + 'q.put("from ana", None)'
CONSUMER = PARTNER + "print(list(q.consume(timeout=30)))"


@pytest.fixture
def members(class_redis, classroom, students):
    """{user: REDIS_URL} of a class with a pair; no command of theirs may be refused in the end."""
    assert classroom("init --roster roster.csv") == 0
    assert classroom("add ana+ben") == 0
    yield students()
    log = class_redis.connect().acl_log()
    refused = {entry["object"] for entry in log if entry["reason"] == "command"}
    # LRANGE: asked for once, to show messages where that is allowed; CLIENT: by redis-py, before 7.0
    assert refused <= {"lrange", "client"}


@pytest.fixture
def become(members, monkeypatch):
    """become(user): let the environment name a student's URL; return the Server."""

    def become(user):
        for name in (*find.NAMES, "JOBS_KIT_PREFIX"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("REDIS_URL", members[user])
        return Server(members[user])

    return become


@pytest.fixture(scope="module")
def judge():
    """A Judge for submissions that are not contained."""
    with Judge() as judge:
        yield judge


class ClassSession(Session):
    """A student in two shells on the class's Redis. own: its Server."""

    def __init__(self, own, user, become, folder, monkeypatch, shells):
        self._class, self._user, self._become = own, user, become
        folder.mkdir(parents=True)
        table = {"step": STEPS, "redis": "class", "shells": shells}
        super().__init__(SimpleNamespace(table=table), folder, monkeypatch)

    def _start_redis(self):
        return self._class

    def _named(self, monkeypatch):
        return self._become(self._user)

    def _waiting(self):
        clients = self._admin.client_list()
        return sum(one["user"] == self._user and is_waiting(one) for one in clients)


def test_a_lesson_runs_on_the_class_redis(become, tmp_path):
    server = become("siobhan")
    lesson = nbformat.read(LESSON, as_version=4)
    where = f"'{server.prefix}\\1', **{server.address}"
    # the checks of its gaps need no Redis, and a second judge takes a second
    lesson.cells = [cell for cell in lesson.cells if not cell.source.startswith("check(")]
    lesson.cells.append(nbformat.v4.new_code_cell('print(q.key, shells["consumer"].text)'))
    for cell in lesson.cells:
        cell.source = re.sub(ADDRESS, where, cell.source)
    NotebookClient(lesson, timeout=60, resources={"metadata": {"path": tmp_path}}).execute()
    printed = lesson.cells[-1].outputs[0].text
    assert "hotqueue:siobhan.page_queue" in printed and "\nfifth\n" in printed


def test_two_students_do_two_shells_at_once(class_redis, become, tmp_path, monkeypatch, judge):
    kinds = {"siobhan": "ipython", "lukasz-zizek": "live"}
    with contextlib.ExitStack() as stack:
        for user, shells in kinds.items():
            folder = tmp_path / user / "two_shells"
            session = ClassSession(class_redis, user, become, folder, monkeypatch, shells)
            stack.callback(session.leave)
            session.play()
        for user in kinds:
            become(user)
            verdict = judge.check(find_exercise("two_shells"), tmp_path / user / "two_shells")
            assert verdict.passed, str(verdict)


def test_an_echo_worker_of_the_class_redis_is_right(become, tmp_path, run_and_read, until, judge):
    server = become("bob")
    (tmp_path / "echo.py").write_text(ECHO.format(line=server.constructor("echo")))
    worker = run_and_read(str(tmp_path / "echo.py"))
    HotQueue(server.queue_name("echo"), serializer=json, db=1, **server.address).put("hello", 42)
    until(lambda: worker.lines == ["hello", "42"])
    verdict = judge.check(find_exercise("echo_worker"), tmp_path)
    assert verdict.passed, str(verdict)


def test_a_pair_shares_a_queue_from_two_computers(members, tmp_path):
    def computer(user, code):
        (tmp_path / user).mkdir()
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / user), "USER": user}
        environment |= {"REDIS_URL": members["ana-ben"], "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", code]
        return subprocess.Popen(
            command, cwd=tmp_path / user, env=environment, stdout=subprocess.PIPE, text=True
        )

    ben, ana = computer("ben", CONSUMER), computer("ana", PRODUCER)
    assert ben.communicate(timeout=60)[0] == "['from ana']\n"
    assert ana.wait(60) == 0


def test_the_page_for_students_works_on_the_class_redis(become, run, tmp_path):
    become("bob")
    cells = {cell.id: cell.source for cell in nbformat.read(PAGE, as_version=4).cells}
    names = ("find", "prefix", "refused", "channel", "line")
    (tmp_path / "page.py").write_text("\n".join(cells[name] for name in names))
    printed = run(str(tmp_path / "page.py")).communicate(timeout=60)[0].splitlines()
    assert printed[0] == "hotqueue:bob.hello has 1 message: hello, class"
    assert printed[1].startswith("refused: ")
    assert printed[2] == "b'train 1 leaves'"
    assert printed[3].startswith("q = HotQueue('bob.some_queue', ")
