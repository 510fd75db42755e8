"""Set up an experiment on a page: an API, a Redis, a Celery worker; wait for it, kill it, measure it.

api, url = start_api(folder=service.folder)
wait_until(lambda: status_of(jid) == "complete")
kill_at_work(worker, "at work on 2013-01-01")
"""

import contextlib
import os
import re
import signal
import threading
import time
from pathlib import Path

import requests

from jobs_kit.lab.programs import start_program
from jobs_kit.redis_server.server import start_server

POLL_SECONDS = 0.02
PROCESS = re.compile(r"process (\d+) ([^\n]*)")
FLASK = "from flask.cli import main; main()"
CELERY = "from celery.__main__ import main; main()"


def wait_until(condition, seconds=60):
    """Wait until condition() is true; return what it returned.

    Raises TimeoutError when it is still false after so many seconds.
    """
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"still not true after {seconds} s")
        time.sleep(POLL_SECONDS)
    return value


def wait_for_waiting(redis, count, seconds=60):
    """Wait until so many programs wait at a queue, as in BLPOP, of the Redis of a connection.

    Raises TimeoutError when they still don't after so many seconds.
    """
    wait_until(lambda: _count_waiting(redis) == count, seconds)


def _count_waiting(redis):
    return sum("b" in client["flags"] for client in redis.client_list())


def interrupt_after(seconds):
    """Press Ctrl-C in this process after so many seconds; return the Timer, to cancel it."""
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
    timer.daemon = True
    timer.start()
    return timer


def start_redis(append_only=False, use=False):
    """Start a Redis for this page alone; return its Server, which ends with the page.

    append_only: keep every change in a file, so that stop(keep=True) and start() lose nothing.
    use: let REDIS_HOST, REDIS_PORT and REDIS_URL name it, here and in programs started from here.
    """
    server = start_server(append_only=append_only)
    if use:
        os.environ.update(REDIS_HOST=server.host, REDIS_PORT=str(server.port))
        os.environ.update(REDIS_URL=server.url, JOBS_KIT_PREFIX="")
    return server


def start_api(file=None, folder=None):
    """Start a Flask API on a free port; return (its Program, its URL).

    file: a program that calls app.run(port=0); by default the application in api.py is served, as
    `flask --app api run --port 0` does. folder: where it runs. Raises TimeoutError.
    """
    if file is None:
        options = ("--app", "api", "run", "--port", "0")
        api = start_program(None, *options, code=FLASK, name="api", folder=folder)
    else:
        api = start_program(file, name="api", folder=folder)
    api.wait_for("Press CTRL+C", timeout=60)
    return api, re.search(r"http://\S+", api.text)[0]


def start_celery(module, folder):
    """Start a Celery worker, as `celery -A module worker` does in a folder; return its Program."""
    options = ("-A", module, "worker", "--concurrency=1", "--loglevel=INFO", "--without-mingle")
    worker = start_program(None, *options, code=CELERY, name="Celery worker", folder=folder)
    worker.wait_for("ready.", timeout=60)
    return worker


def kill_at_work(program, text):
    """Kill the process that printed "process NUMBER …text…" last, as soon as one has printed it.

    program: the Program in whose output it appears; the process may be one of its children.
    """

    def killed():
        numbers = [number for number, rest in PROCESS.findall(program.text) if text in rest]
        if not numbers:
            return not program.running
        with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
            os.kill(int(numbers[-1]), signal.SIGKILL)
        return True

    wait_until(killed)


def nearest(value, options):
    """Return the option that a measured value is closest to, by its ratio to it."""
    return min(options, key=lambda option: max(option / value, value / option))


class WorkerCrew:
    """Workers of one Jobs service, and a stopwatch.

    service: what prepare_service() returned. queue: its HotQueue. redis: the connection to the
    database with its jobs.
    """

    def __init__(self, service, queue, redis):
        self._folder, self._queue, self._redis = service.folder, queue, redis
        self._workers, self._program = [], None
        self._others = _count_waiting(redis)  # programs that wait at queues of other pages

    def add_jobs(self, count):
        """Post so many jobs to the service's API; return their ids. The queue is empty afterwards."""
        api, url = start_api(folder=self._folder)
        dates = {"start": "2012-01-01", "end": "2012-12-31"}
        responses = [requests.post(f"{url}/jobs", json=dates, timeout=30) for _ in range(count)]
        api.stop()
        self._queue.clear()
        return [response.json()["id"] for response in responses]

    def throughput(self, jids, workers, file="worker.py", at_most=15):
        """Let so many workers do these jobs again; return how many they complete in a second.

        file: the program of the workers. at_most: seconds after which the clock stops anyway.
        """
        self._set(workers, file)
        for jid in jids:
            self._redis.hset(f"job.{jid}", "status", "submitted")
        started = time.perf_counter()
        self._queue.put(*jids)
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: not len(self._queue) and self._complete(jids) == len(jids), at_most)
        seconds, done = time.perf_counter() - started, self._complete(jids)
        self._queue.clear()
        return done / seconds

    def stop(self):
        """End all workers."""
        while self._workers:
            self._workers.pop().stop()

    def _set(self, count, file):
        """Have exactly so many workers that run this file, all of them waiting at the queue.

        They start again when the text of the file has changed: they would run the old one.
        """
        program = file, Path(self._folder, file).read_bytes()
        if program != self._program:
            self.stop()
            self._program = program
        while len(self._workers) > count:
            self._workers.pop().stop()
        while len(self._workers) < count:
            name = f"worker {len(self._workers) + 1}"
            self._workers.append(start_program(file, name=name, folder=self._folder))
        wait_for_waiting(self._redis, self._others + count)

    def _complete(self, jids):
        return sum(self._redis.hget(f"job.{jid}", "status") == b"complete" for jid in jids)
