"""Experiments of the lessons: interrupt the page, wait for waiting programs, restart workers."""

import json
import time
from types import SimpleNamespace

import pytest
import redis
from hotqueue import HotQueue

from jobs_kit.lab import (
    WorkerCrew,
    interrupt_after,
    start_program,
    wait_for_waiting,
    watch_statuses,
)

WAITS = """
import sys, redis
redis.Redis(host=sys.argv[1], port=int(sys.argv[2]), socket_timeout=None).blpop("nothing")
"""
WORKER = """
import json, redis
from hotqueue import HotQueue

where = {where}
rd = redis.Redis(**where)
for jid in HotQueue("crew", serializer=json, socket_timeout=None, **where).consume():
    rd.hset("job." + jid, mapping={{"status": "complete", "version": "{version}"}})
"""


@pytest.fixture
def connection(address):
    """Return a Redis connection to the database of the test."""
    return redis.Redis(socket_timeout=None, **address)


@pytest.fixture
def start():
    """start_program(...), each program ended after the test."""
    programs = []

    def start(*arguments, **options):
        programs.append(start_program(*arguments, **options))
        return programs[-1]

    yield start
    for program in programs:
        program.kill()


def test_the_page_is_interrupted():
    with pytest.raises(KeyboardInterrupt):
        interrupt_after(0.1)
        time.sleep(30)


def test_a_cancelled_interrupt_never_comes():
    interrupt_after(0.2).cancel()
    time.sleep(0.4)


def test_it_returns_when_so_many_programs_wait(connection, address, start):
    others = sum("b" in client["flags"] for client in connection.client_list())
    with pytest.raises(TimeoutError):
        wait_for_waiting(connection, others + 1, seconds=0.1)
    start(None, address["host"], address["port"], code=WAITS, name="waits")
    wait_for_waiting(connection, others + 1)


def test_each_change_of_a_status_is_a_row(capsys):
    moments = [("submitted", "submitted"), ("submitted", "in progress")]
    moments += [("in progress", "complete"), ("complete", "complete")]
    answers = iter([status for moment in moments for status in reversed(moment)])
    assert watch_statuses(["first", "second"], lambda jid: next(answers)) == 1
    assert capsys.readouterr().out.split() == ["··", "·▶", "▶■", "■■"]


def test_a_changed_program_is_started_again(connection, address, tmp_path):
    queue = HotQueue("crew", serializer=json, socket_timeout=None, **address)
    crew = WorkerCrew(SimpleNamespace(folder=tmp_path), queue, connection)
    program = tmp_path / "own.py"
    try:
        for version in ("old", "new"):
            program.write_text(WORKER.format(where=address, version=version))
            assert crew.throughput(["one"], workers=1, file="own.py") > 0
            assert connection.hget("job.one", "version") == version.encode()
    finally:
        crew.stop()
