"""Fixtures of all tests: a real Redis, started by the kit, with an empty database for each test."""

import contextlib
import importlib
import itertools
import os
import subprocess
import sys
import threading
import time

import pytest
import redis

from jobs_kit.queues import Consumer
from jobs_kit.redis_server.server import find_programs, program_version, start_server


def pytest_report_header():
    """Name the Redis server that the tests start: the first on the PATH, else the wheel's."""
    program = next(find_programs())
    return f"redis_server: {program}, version {'.'.join(map(str, program_version(program)))}"


databases = itertools.cycle(range(1, 16))


@pytest.fixture(scope="session")
def server():
    """Start a Redis server that ends with the tests."""
    server = start_server()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def no_program_outlives_its_test():
    """End the programs that a test started: a worker would take the messages of a later test."""
    yield
    if programs := sys.modules.get("jobs_kit.lab.programs"):
        for program in list(programs._started.values()):
            program.kill()
        programs._started.clear()


@pytest.fixture(autouse=True)
def no_heartbeat_outlives_its_test(monkeypatch):
    """End the heartbeats of consumers that a test left open: a later test reuses their database."""
    consumers, start = set(), Consumer.start

    def remember(consumer):
        consumers.add(consumer)
        start(consumer)

    monkeypatch.setattr(Consumer, "start", remember)
    yield
    for consumer in consumers:
        consumer._closed.set()


@pytest.fixture
def redis_url(server, monkeypatch):
    """Return the URL of an empty database; the environment names it too."""
    for name in [name for name in os.environ if name.startswith(("JOBS_KIT_", "REDIS_"))]:
        if name != "JOBS_KIT_REQUIRE_BROWSER":
            monkeypatch.delenv(name)
    url = f"{server.url}/{next(databases)}"
    redis.Redis.from_url(url).flushdb()
    monkeypatch.setenv("REDIS_URL", url)
    return url


@pytest.fixture
def address(redis_url):
    """Return the same database as keyword arguments for a queue or a client."""
    parts = redis.connection.parse_url(redis_url)
    return {name: parts[name] for name in ("host", "port", "db")}


@pytest.fixture
def service(redis_url):
    """Return a function that imports a module of the service again.

    service("jobs") has new clients, for the database of redis_url.
    """

    def forget():
        for name in ("jobs", "api", "worker"):
            sys.modules.pop(f"jobs_kit.{name}", None)

    forget()
    yield lambda name: importlib.import_module(f"jobs_kit.{name}")
    if jobs := sys.modules.get("jobs_kit.jobs"):
        with contextlib.suppress(redis.RedisError):  # its server may have been stopped
            jobs.stop_working()  # no heartbeat may reach the database of the next test
    forget()


@pytest.fixture
def run():
    """Return a function that starts Python; the process is killed after the test.

    run("-m", "jobs_kit.worker", NAME="value") sets NAME in its environment.
    """
    processes = []

    def start(*arguments, **environment):
        process = subprocess.Popen(
            [sys.executable, "-u", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | environment,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        if hasattr(process, "reader"):
            process.reader.join()
        process.stdout.close()


@pytest.fixture
def run_and_read(run):
    """Return a function like run; process.lines, a list, grows while the process prints."""

    def start(*arguments, **environment):
        process = run(*arguments, **environment)
        process.lines = []

        def read():
            for line in process.stdout:
                process.lines.append(line.strip())

        process.reader = threading.Thread(target=read, daemon=True)
        process.reader.start()
        return process

    return start


def _until(condition, seconds=20):
    """Wait until condition() is true and return what it returns; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"still not true after {seconds} s"
        time.sleep(0.01)
    return value


@pytest.fixture
def until():
    """Return a function that waits for a condition, never for a time.

    until(lambda: len(q) == 3) fails after 20 seconds.
    """
    return _until
