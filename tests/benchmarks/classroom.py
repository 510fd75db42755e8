"""Measure a class on one Redis, beside the same class on a plain one: `make bench-classroom`.

Each student has two connections, a producer and a consumer that waits at the student's queue, as
in lesson 02, and puts a message about once a second. Prints, for a classroom's Redis with its
users, rules and limits and for a plain Redis without any, the time from put to received, how many
messages were lost, and how many crossed (reached another student). A few processes hold the
students' connections; everything runs on this computer.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import random
import statistics
import tempfile
import time
from itertools import chain
from pathlib import Path

import redis.asyncio

from jobs_kit.classroom.roster import Person
from jobs_kit.classroom.setup import find_or_make, set_up
from jobs_kit.redis_server.server import start_server

PROCESSES = 4
ROUNDS = 2  # of each, in turns, because a computer is not always equally fast
PAUSE = 1.0  # seconds between two messages of a student, on average
PATIENCE = 10  # seconds until a message that has not come is lost
AIM = 0.020  # seconds, of the slowest in a hundred


class Student:
    """One student. name (str): of the user and of the queue; seconds: from each put to received."""

    def __init__(self, name, url):
        self.name, self.seconds, self.crossed, self.left = name, [], 0, set()
        self._key = f"hotqueue:{name}.some_queue"
        options = {"db": 1, "single_connection_client": True, "socket_timeout": None}
        self._producer = redis.asyncio.Redis.from_url(url, **options)
        self._consumer = redis.asyncio.Redis.from_url(url, **options)

    async def connect(self):
        """Connect both clients."""
        await self._producer.ping()
        await self._consumer.ping()

    async def work(self, count):
        """Put so many messages, and consume them."""
        consuming = asyncio.create_task(self._consume())
        for number in range(count):
            await asyncio.sleep(random.uniform(0, 2 * PAUSE))
            self.left.add(number)
            message = json.dumps([self.name, number, time.monotonic()])
            await self._producer.rpush(self._key, message)
        deadline = time.monotonic() + PATIENCE
        while self.left and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        consuming.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await consuming
        await self._producer.aclose()
        await self._consumer.aclose()

    async def _consume(self):
        while True:
            _, message = await self._consumer.blpop(self._key)
            name, number, begun = json.loads(message)
            self.seconds.append(time.monotonic() - begun)
            if name == self.name:
                self.left.discard(number)
            else:
                self.crossed += 1


def run_students(urls, count, barrier, results):
    """Run the students of one process, {user: URL}; put (seconds, lost, crossed) into results."""

    async def run():
        students = [Student(*item) for item in urls.items()]
        for student in students:
            await student.connect()
        barrier.wait()  # until all processes have connected
        await asyncio.gather(*(student.work(count) for student in students))
        return students

    students = asyncio.run(run())
    seconds = [one for student in students for one in student.seconds]
    lost = sum(len(student.left) for student in students)
    results.put((seconds, lost, sum(student.crossed for student in students)))


def run_class(urls, seconds):
    """Let a class work for so many seconds; return ([seconds from put to received], lost, crossed)."""
    context = multiprocessing.get_context("fork")
    results, barrier, users = context.Queue(), context.Barrier(PROCESSES), list(urls)
    parts = [{user: urls[user] for user in users[n::PROCESSES]} for n in range(PROCESSES)]
    arguments = (round(seconds / PAUSE), barrier, results)
    processes = [context.Process(target=run_students, args=(p, *arguments)) for p in parts]
    for process in processes:
        process.start()
    answers = [results.get(timeout=seconds * 4 + 120) for _ in processes]
    for process in processes:
        process.join()
    times, lost, crossed = zip(*answers, strict=True)
    return list(chain(*times)), sum(lost), sum(crossed)


def main():
    """Print the two lines and their ratio; return 1 if a message was lost or crossed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=300, help="students (default: 300)")
    parser.add_argument("--seconds", type=int, default=20, help="of each round (default: 20)")
    options = parser.parse_args()
    names = [f"student-{number}" for number in range(options.students)]
    plain, own = start_server(), start_server()
    with tempfile.TemporaryDirectory() as folder:
        room = find_or_make(Path(folder), own.admin_url)
        set_up(room, [Person(name) for name in names])
        urls = {
            "classroom": {student.user: room.url(student) for student in room.students},
            "plain Redis": {name: plain.url for name in names},
        }
        print(f"{own}, {options.students} students, {PROCESSES} processes")
        measured = {kind: [] for kind in urls}
        for kind in list(urls) * ROUNDS:
            measured[kind].append(run_class(urls[kind], options.seconds))
    plain.stop(), own.stop()
    return report(measured)


def report(measured):
    """Print {kind: [(times, lost, crossed) of each round]}; return the exit code."""
    results = {}
    for kind, rounds in measured.items():
        times, lost, crossed = zip(*rounds, strict=True)
        seconds = list(chain(*times))
        cuts = statistics.quantiles(seconds, n=100)
        results[kind] = cuts[49], cuts[98], sum(lost), sum(crossed)
        print(
            f"{kind:12} {len(seconds):,} messages: p50 {cuts[49] * 1000:.2f} ms, "
            f"p99 {cuts[98] * 1000:.2f} ms, lost {sum(lost)}, crossed {sum(crossed)}"
        )
    (p50, p99, lost, crossed), plain = results["classroom"], results["plain Redis"]
    print(f"{'ratio':12} p50 {p50 / plain[0]:.2f}, p99 {p99 / plain[1]:.2f}")
    print(f"{'aim':12} p99 below {AIM * 1000:.0f} ms: {'met' if p99 < AIM else 'missed'}")
    return 1 if lost or crossed else 0


if __name__ == "__main__":
    raise SystemExit(main())
