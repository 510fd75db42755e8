"""Real clients, workers and a real Redis, while faults happen: is every accepted job done once?

    python tests/faults/harness.py --jobs 10000 --seed 1              all faults at once
    python tests/faults/harness.py --jobs 3000 --fault kill_worker    only this one

The API, the workers and Redis are processes that are really killed. The same seed plans the same
faults at the same moments; how far the programs are by then differs.
"""

import argparse
import contextlib
import dataclasses
import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from faulty_proxy import FaultyProxy

from jobs_kit.redis_server.server import start_server

LEASE = 1.0
WORKERS = 4
CLIENTS = 8
STALL_SECONDS = 60  # without any job that ends, the run is over
POISON = "1666-01-01"  # the start of a job that kills its worker
WORKER = Path(__file__).with_name("faulty_worker.py")


@dataclasses.dataclass
class Result:
    """The numbers of jobs that met each fate, named by the fields."""

    accepted: int = 0
    poison: int = 0
    lost: int = 0
    ended_twice: int = 0
    wrongly_failed: int = 0
    poison_that_lives: int = 0
    keys_left: int = 0
    faults: int = 0
    seconds: float = 0.0

    @property
    def good(self):
        """Whether every accepted job ended once and as it should, and nothing is left in Redis."""
        wrong = (self.lost, self.ended_twice, self.wrongly_failed, self.poison_that_lives)
        return self.accepted > 0 and not any(wrong) and not self.keys_left


class Service:
    """Redis, an API and workers as processes, with a proxy between them that may lose replies."""

    def __init__(self, seed, lossy):
        self.random = random.Random(seed)
        self.redis = start_server(append_only=True)
        self.client = self.redis.connect()
        self.proxy = FaultyProxy(self.redis.host, self.redis.port, self._lose if lossy else _keep)
        self.environment = os.environ | {
            "REDIS_URL": f"redis://127.0.0.1:{self.proxy.port}",
            "JOBS_KIT_LEASE": str(LEASE),
            "JOBS_KIT_API_PORT": "0",
        }
        self.port = None
        self.api = self.start_api()
        self.workers = [self.start_worker(number) for number in range(WORKERS)]

    def start_api(self):
        environment = self.environment | (
            {"JOBS_KIT_API_PORT": str(self.port)} if self.port else {}
        )
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "jobs_kit.api"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        line = process.stdout.readline()
        self.port = self.port or int(re.search(r":(\d+)/jobs", line)[1])
        return process

    def start_worker(self, number):
        skew = (number % 3 - 1) * 3600  # the clocks of the workers differ by hours
        return subprocess.Popen(
            [sys.executable, WORKER, str(skew), POISON],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def renew_workers(self):
        """Start a worker in the place of each that has ended."""
        for number, worker in enumerate(self.workers):
            if worker.poll() is not None:
                self.workers[number] = self.start_worker(number)

    def stop(self):
        for process in (self.api, *self.workers):
            process.kill()
            process.wait()
        self.proxy.close()
        self.redis.stop()

    def _lose(self, request, number):
        if b"evalsha" not in request.lower():
            return None
        return self.random.choices([None, "close", "swallow"], [300, 1, 1])[0]


def _keep(request, number):
    return None


# Faults: each does something to a Service, and puts it right again.


def kill_worker(service, chance):
    """A worker is killed, and another one started."""
    chance.choice(service.workers).kill()


def freeze_worker(service, chance):
    """A worker stops for longer than its lease, and goes on then."""
    worker = chance.choice(service.workers)
    with contextlib.suppress(ProcessLookupError):
        os.kill(worker.pid, signal.SIGSTOP)
        time.sleep(LEASE * 1.5)
        os.kill(worker.pid, signal.SIGCONT)


def kill_redis(service, chance):
    """Redis is killed, and started again with its append-only file."""
    with contextlib.suppress(Exception):
        os.kill(service.client.info("server")["process_id"], signal.SIGKILL)
    service.redis.stop(keep=True)
    time.sleep(chance.uniform(0, 1.5))
    service.redis.start()


def kill_api(service, chance):
    """The API is killed, and started again at the same port."""
    service.api.kill()
    service.api.wait()
    service.api = service.start_api()


def fill_redis(service, chance):
    """Redis has no memory left for a while."""
    with contextlib.suppress(Exception):
        service.client.config_set("maxmemory", 1)
        time.sleep(chance.uniform(0.2, 1))
        service.client.config_set("maxmemory", 0)


FAULTS = {f.__name__: f for f in (kill_worker, freeze_worker, kill_redis, kill_api, fill_redis)}
NAMES = (*FAULTS, "lose_replies", "poison")


def run(jobs, seed, names=NAMES, pause=0.7):
    """Let clients add jobs while faults happen; return a Result when all have ended.

    jobs: how many are accepted. names: of the faults. pause: seconds between two, on average.
    """
    begun, chance, result = time.monotonic(), random.Random(seed), Result()
    service = Service(seed, "lose_replies" in names)
    try:
        accepted = _add_in_threads(service, jobs, seed, "poison" in names)
        active = [FAULTS[name] for name in names if name in FAULTS]
        while not accepted.done or _open_jobs(service):
            if accepted.stalled(service):
                break
            if active and not accepted.done:
                chance.choice(active)(service, chance)
                result.faults += 1
            service.renew_workers()
            time.sleep(chance.uniform(0, 2 * pause) if not accepted.done else 0.2)
        _let_workers_end(service)
        _count(service, accepted.jobs, result)
    finally:
        service.stop()
    result.seconds = time.monotonic() - begun
    return result


class _Accepted:
    """The ids that clients got with a 202: {id: whether the job is poison}."""

    def __init__(self):
        self.jobs, self.threads = {}, []
        self._open, self._since = None, time.monotonic()

    @property
    def done(self):
        return not any(thread.is_alive() for thread in self.threads)

    def stalled(self, service):
        now_open = (len(self.jobs), _open_jobs(service))
        if now_open != self._open:
            self._open, self._since = now_open, time.monotonic()
        return time.monotonic() - self._since > STALL_SECONDS


def _add_in_threads(service, jobs, seed, poison):
    accepted = _Accepted()
    for number in range(CLIENTS):
        share = jobs // CLIENTS + (number < jobs % CLIENTS)
        chance = random.Random(f"{seed} {number}")
        thread = threading.Thread(
            target=_add, args=(service, share, chance, poison, accepted), daemon=True
        )
        accepted.threads.append(thread)
        thread.start()
    return accepted


def _add(service, share, chance, poison, accepted):
    while share:
        kills = poison and chance.random() < 0.002
        body = {"start": POISON if kills else "2012-01-01", "end": "2012-01-31"}
        request = urllib.request.Request(
            f"http://127.0.0.1:{service.port}/jobs", json.dumps(body).encode()
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                accepted.jobs[json.load(response)["id"]] = kills
                share -= 1
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)  # not accepted: the client tries again


def _open_jobs(service):
    """Return how many messages wait or are held, at least 1 while Redis is away."""
    try:
        held = sum(service.client.llen(key) for key in service.client.scan_iter("*:held:*"))
        return service.client.llen("hotqueue:queue") + held
    except Exception:
        return 1


def _let_workers_end(service):
    for worker in service.workers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker.pid, signal.SIGCONT)
            worker.terminate()
    for worker in service.workers:
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.wait(30)


def _count(service, accepted, result):
    """Compare what clients were promised with what is in Redis."""
    result.accepted, result.poison = len(accepted), sum(accepted.values())
    for jid, kills in accepted.items():
        status, history = service.client.hmget(f"job.{jid}", "status", "history")
        ends = len(re.findall(rb"complete|failed", history or b""))
        result.ended_twice += ends > 1
        if status not in (b"complete", b"failed"):
            result.lost += 1
        elif kills:
            result.poison_that_lives += status == b"complete"
        else:
            result.wrongly_failed += status == b"failed"
    lists = ["hotqueue:queue", *service.client.scan_iter("*:held:*")]
    result.keys_left = sum(service.client.exists(key) for key in (*lists, "hotqueue:queue:deaths"))


def main():
    """Run the harness from the command line; the exit code tells whether all was well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fault", action="append", choices=NAMES)
    options = parser.parse_args()
    result = run(options.jobs, options.seed, options.fault or NAMES)
    for name, value in dataclasses.asdict(result).items():
        print(f"{name.replace('_', ' '):18} {value:,.0f}")
    return 0 if result.good else 1


if __name__ == "__main__":
    sys.exit(main())
