"""Leases: who counts as dead, and when, whatever Redis's clock and other clients do."""

import os
import signal
import threading
import time

import pytest

from jobs_kit.queues import Consumer, ReliableQueue

pytestmark = pytest.mark.redis_server


@pytest.fixture
def q(address):
    return ReliableQueue("q", **address)


@pytest.fixture
def dead_worker(q):
    """Return the id of a worker that died with a message, and whose lease has a second left."""
    q.put("a")
    consumer = Consumer(q)
    assert consumer.next()[0] == "a"
    consumer._closed.set()
    set_lease(q, consumer.id, 1)
    return consumer.id


def test_a_claim_renews_the_lease_though_the_leases_were_just_looked_at(q):
    slow = Consumer(q)
    for _ in range(4):
        q.put("good")
        slow.next("done")
        slow._closed.set()  # it sends no heartbeat in time
        q.step("heartbeat", "another")  # which looks at all leases
        set_lease(q, slow.id, -1)
        q.put("next")
        slow.next("done")
        assert q.redis.zscore(f"{q.key}:workers", slow.id) > now(q)
    assert q.dead_letters() == []


def test_a_dead_worker_gets_one_more_lease_once_however_rare_the_looks(q, dead_worker):
    for expected in (0, 1):
        set_lease(q, dead_worker, -100)
        q.redis.set(f"{q.key}:last_activity", now(q) - 50)  # nothing happened for some leases
        q.step("look")
        assert len(q) == expected


def test_a_heartbeat_earns_the_next_extra_lease(q, dead_worker):
    for _ in range(3):
        q.step("heartbeat", dead_worker)
        set_lease(q, dead_worker, -100)
        q.redis.set(f"{q.key}:last_activity", now(q) - 50)
        q.step("look")
        assert len(q) == 0


def test_a_clock_set_back_an_hour_prolongs_no_lease(q, dead_worker):
    q.redis.zincrby(f"{q.key}:workers", 3600, dead_worker)
    q.redis.set(f"{q.key}:last_activity", now(q) + 3600)
    q.step("look")
    assert 0 < q.redis.zscore(f"{q.key}:workers", dead_worker) - now(q) < 1.5
    set_lease(q, dead_worker, -0.1)
    q.step("heartbeat", "another")
    assert len(q) == 1


def test_a_waiting_worker_that_redis_forgot_loses_no_message(q, run_and_read, until):
    program = (
        "import os, redis; from jobs_kit.queues import ReliableQueue\n"
        "url = redis.connection.parse_url(os.environ['REDIS_URL'])\n"
        "next(ReliableQueue('q', lease=0.3, **url).consume())"
    )
    worker = run_and_read("-c", program)
    until(lambda: any(client["cmd"] == "blmove" for client in q.redis.client_list()))
    os.kill(worker.pid, signal.SIGSTOP)  # it takes no further step
    q.redis.flushdb()
    q.put("a")
    worker.kill()
    assert list(q.consume(timeout=3)) == ["a"]


def test_reading_writes_nothing(q, dead_worker):
    before = writes(q)
    assert len(q) == 0
    assert q.dead_letters() == []
    assert writes(q) == before


def test_a_worker_of_a_longer_lease_is_not_hurried_by_a_shorter_one(q, address):
    patient = Consumer(ReliableQueue("q", lease=60, **address))
    q.put("a")
    assert patient.next()[0] == "a"
    patient._closed.set()
    hasty = ReliableQueue("q", lease=0.1, **address)
    time.sleep(0.3)
    hasty.put("b")
    assert list(hasty.consume(block=False)) == ["b"]


def test_two_looks_at_once_requeue_a_message_once(q, dead_worker):
    set_lease(q, dead_worker, -1)
    threads = [threading.Thread(target=q.step, args=("heartbeat", f"w{n}")) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(q) == 1


def set_lease(q, worker, seconds):
    q.redis.zadd(f"{q.key}:workers", {worker: now(q) + seconds})


def now(q):
    seconds, microseconds = q.redis.time()
    return seconds + microseconds / 1e6


def writes(q):
    return q.redis.info("persistence")["rdb_changes_since_last_save"]
