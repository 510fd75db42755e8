"""The service beside other engines: the same job, on one Redis, in one run. `make bench` prints it.

drain: jobs a second from a full queue. end to end: jobs a second while they are enqueued one after
the other. enqueue: milliseconds for one. round trips and Redis calls: for one job, enqueued and
done. MB: of an idle worker. Medians of RUNS; the ratio is to redis-py's BLPOP in the same run.
keeps: what Redis knows about a job that is done.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import psutil
from engine_jobs import ENGINES
from faulty_proxy import FaultyProxy

from jobs_kit.redis_server.server import start_server

RUNS = 5
SLOW = {"rq": 300, "dramatiq": 300, "celery": 800}  # fewer jobs, so that a run takes seconds
JOBS = 3000
COUNTED = 50  # jobs whose round trips and calls are counted
KEEPS = {
    "jobs_kit": "status, times, result",
    "unit": "status, result",
    "redis_py": "nothing",
    "huey": "result",
    "arq": "status, result",
    "celery": "status, result",
    "dramatiq": "nothing",
    "rq": "status, result",
}
COLUMNS = (
    "drain, jobs/s",
    "ratio",
    "2, 4, 8 workers",
    "end to end, jobs/s",
    "enqueue, ms",
    "round trips",
    "Redis calls",
    "idle worker, MB",
)
PROGRAM = str(Path(__file__).with_name("engine_jobs.py"))


class Bench:
    """One engine on a Redis."""

    def __init__(self, name, server, python):
        self.name, self.server, self.python = name, server, python
        self.client, self.jobs = server.connect(), SLOW.get(name, JOBS)
        self.file = Path(tempfile.mkdtemp()) / "done"

    def program(self, *words, url=None, **options):
        folder = str(Path(__file__).parent)
        paths = os.pathsep.join([str(Path(__file__).parents[2]), folder])
        environment = os.environ | {
            "ENGINE": self.name,
            "REDIS_URL": url or self.server.url,
            "DONE_FILE": str(self.file),
            "PYTHONPATH": paths,
        }
        command = [self.python, PROGRAM, *words]
        return subprocess.Popen(
            command, env=environment, cwd=folder, stderr=subprocess.DEVNULL, **options
        )

    def enqueue(self, count, url=None):
        """Enqueue jobs; return (median seconds of one, seconds of all)."""
        process = self.program("enqueue", str(count), url=url, stdout=subprocess.PIPE, text=True)
        return tuple(map(float, process.communicate()[0].split()))

    def start_workers(self, count=1, url=None):
        return [self.program("worker", url=url, stdout=subprocess.DEVNULL) for _ in range(count)]

    def done(self):
        return self.file.stat().st_size if self.file.exists() else 0

    def wait(self, count):
        deadline = time.monotonic() + 120
        while self.done() < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name}: {self.done()} of {count} jobs done")
            time.sleep(0.0005)
        return time.perf_counter()

    def clear(self):
        # behind the proxy a killed worker still waits, and would take the first job
        self.client.client_kill_filter(_type="normal", skipme=True)
        self.client.flushall()
        self.file.unlink(missing_ok=True)

    def drain(self, workers=1):
        """Return jobs a second from a full queue."""
        self.clear()
        self.enqueue(self.jobs)
        processes = self.start_workers(workers)
        first = self.jobs // 10  # all workers have started by then
        begun = self.wait(first)
        seconds = self.wait(self.jobs) - begun
        end(processes)
        return (self.jobs - first) / seconds

    def end_to_end(self):
        """Return (jobs a second while they are enqueued, seconds of one enqueue)."""
        self.clear()
        processes = self.start_workers()
        self.enqueue(1)
        self.wait(1)
        begun = time.perf_counter()
        median, _ = self.enqueue(self.jobs)
        rate = self.jobs / (self.wait(self.jobs + 1) - begun)
        end(processes)
        return rate, median

    def idle(self):
        """Return the MB of a worker that has done a job and waits."""
        self.clear()
        processes = self.start_workers()
        self.enqueue(1)
        self.wait(1)
        time.sleep(0.5)
        process = psutil.Process(processes[0].pid)
        size = sum(p.memory_info().rss for p in (process, *process.children(recursive=True)))
        end(processes)
        return size / 1e6

    def count(self):
        """Return (round trips, Redis calls) of one job, enqueued and done."""
        self.clear()
        proxy = FaultyProxy(self.server.host, self.server.port)
        url = f"redis://127.0.0.1:{proxy.port}"
        self.enqueue(1, url=url)
        processes = self.start_workers(url=url)
        self.wait(1)
        end(processes)
        counts = []
        for jobs in (COUNTED, 2 * COUNTED):  # the difference leaves out starting and ending
            self.clear()
            requests, calls = len(proxy.requests), self.calls()
            self.enqueue(jobs, url=url)
            processes = self.start_workers(url=url)
            self.wait(jobs)
            time.sleep(0.2)
            counts.append((len(proxy.requests) - requests, self.calls() - calls))
            end(processes)
        proxy.close()
        return [(more - less) / COUNTED for less, more in zip(*counts, strict=True)]

    def calls(self):
        return sum(entry["calls"] for entry in self.client.info("commandstats").values())


def end(processes):
    """Kill these workers."""
    for process in processes:
        process.kill()
        process.wait()


def machine(server):
    """Return when and where this runs, one line."""
    info = server.connect().info("server")
    redis = next(key for key in ("valkey_version", "redis_version") if key in info)
    memory = psutil.virtual_memory().total / 1e9
    return (
        f"{date.today()}, {platform.platform()}, {os.cpu_count()} processors, {memory:.0f} GB, "
        f"{redis.replace('_version', '')} {info[redis]}, Python {platform.python_version()}"
    )


def measure(names, server, python, runs):
    """Return {engine: its row}; each run measures all engines, so noise meets them alike."""
    benches = {name: Bench(name, server, python) for name in names}
    samples = {name: [] for name in names}
    for _ in range(runs):
        for name, bench in benches.items():
            samples[name].append((bench.drain(), *bench.end_to_end()))
    rows = {}
    for name, bench in benches.items():
        drain, rate, enqueue = (
            statistics.median(column) for column in zip(*samples[name], strict=True)
        )
        more = [bench.drain(workers) for workers in (2, 4, 8)]
        rows[name] = [drain, *more, rate, enqueue * 1000, *bench.count(), bench.idle()]
    return rows


def main():
    """Print the machine and a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", action="append", choices=list(ENGINES))
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--python", default=sys.executable, help="of the other engines")
    options = parser.parse_args()
    names = options.engine or list(ENGINES)
    server = start_server()
    print(machine(server), end="\n\n")
    rows = measure(names, server, options.python, options.runs)
    server.stop()
    print_table(rows)


def print_table(rows):
    """Print the rows, the fastest first."""
    base = rows.get("redis_py", next(iter(rows.values())))[0]
    print("| engine | keeps | " + " | ".join(COLUMNS) + " |\n" + "|---" * (2 + len(COLUMNS)) + "|")
    for name, row in sorted(rows.items(), key=lambda item: -item[1][0]):
        drain, two, four, eight, rate, enqueue, trips, calls, size = row
        several = ", ".join(f"{value:,.0f}" for value in (two, four, eight))
        print(
            f"| {name} | {KEEPS[name]} | {drain:,.0f} | {drain / base:.2f} | {several} | {rate:,.0f} "
            f"| {enqueue:.2f} | {trips:.1f} | {calls:.1f} | {size:.0f} |"
        )


if __name__ == "__main__":
    main()
