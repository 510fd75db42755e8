"""A ReliableQueue delivers every message at least once, whatever happens to its workers."""

import json
import os
import signal
import threading
import time

import pytest
import redis
from faulty_proxy import FaultyProxy
from hotqueue import HotQueue

from jobs_kit.queues import Consumer, ReliableQueue
from jobs_kit.redis_server.server import start_server

pytestmark = pytest.mark.redis_server

# A worker in a separate process; argv: name, lease, seconds of work for each message.
WORKER = """
import os, sys, time
from jobs_kit.queues import ReliableQueue
import redis
parts = redis.connection.parse_url(os.environ["REDIS_URL"])
q = ReliableQueue(sys.argv[1], lease=float(sys.argv[2]), **parts)
print("ready")
for message in q.consume():
    print("got", message)
    if message == "poison":
        os.kill(os.getpid(), 9)
    time.sleep(float(sys.argv[3]))
    print("done", message)
"""


@pytest.fixture
def q(address):
    return ReliableQueue("q", **address)


@pytest.fixture
def worker(run_and_read):
    """Return a function that starts a real worker of the queue `q`.

    worker(6, 0.5) has a lease of 6 seconds and works for 0.5 seconds on each message.
    """
    return lambda lease, seconds: run_and_read("-c", WORKER, "q", str(lease), str(seconds))


def test_messages_come_in_the_order_in_which_they_were_put(q):
    messages = ["a", 1, {"deep": [1, None]}, ["x"], "", 0, False]
    q.put(*messages[:3])
    for message in messages[3:]:
        q.put(message)
    assert len(q) == 7
    assert list(q.consume(block=False)) == messages
    assert len(q) == 0


def test_one_put_takes_ten_thousand_messages(q):
    q.put(*range(10_000))
    assert len(q) == 10_000


@pytest.mark.parametrize("messages", [(), (None,), ("good", None)])
def test_none_is_refused_and_nothing_is_put(q, messages):
    with pytest.raises(ValueError, match="None is not one"):
        q.put(*messages)
    assert len(q) == 0


def test_a_message_that_json_cannot_express_is_refused_and_nothing_is_put(q):
    with pytest.raises(TypeError):
        q.put("good", object())
    assert len(q) == 0


def test_a_queue_connects_when_it_is_used_and_not_before():
    q = ReliableQueue("q", host="127.0.0.1", port=1)
    with pytest.raises(redis.ConnectionError):
        q.put("x")


def test_consuming_from_a_wrong_address_is_an_error_and_no_endless_wait():
    with pytest.raises(redis.ConnectionError):
        next(ReliableQueue("q", host="127.0.0.1", port=1).consume())


def test_it_shares_a_queue_with_plain_hotqueue(q, address):
    plain = HotQueue("q", serializer=json, **address)
    plain.put("from plain")
    assert list(q.consume(block=False)) == ["from plain"]
    q.put("to plain")
    assert plain.get() == "to plain"


def test_it_works_on_the_pool_of_a_client(q, address):
    q.put("x")
    pooled = ReliableQueue("q", connection_pool=redis.Redis(**address).connection_pool)
    assert list(pooled.consume(block=False)) == ["x"]


def test_a_message_is_held_until_the_loop_comes_back_for_more(q):
    q.put("a", "b")
    consumer = q.consume()
    assert next(consumer) == "a"
    assert held(q) == ["a"]
    assert next(consumer) == "b"
    assert held(q) == ["b"]


def test_leaving_the_loop_requeues_the_current_message_in_its_place(q):
    q.put("a", "b", "c")
    for message in q.consume():
        if message == "b":
            break
    assert waiting(q) == ["b", "c"]
    assert held(q) == []


def test_an_exception_in_the_loop_requeues_the_current_message(q):
    q.put("a", "b")
    with pytest.raises(ZeroDivisionError):
        for message in q.consume():
            1 / (message != "a")
    assert waiting(q) == ["a", "b"]


@pytest.mark.parametrize("form", ["bare", "called"])
def test_a_decorated_function_acknowledges_each_message_that_it_handled(q, form):
    done = []
    decorator = q.worker(block=False) if form == "called" else q.worker

    @decorator
    def do_work(item):
        done.append(item)
        if form == "bare" and item == "b":
            raise KeyboardInterrupt

    q.put("a", "b")
    if form == "bare":
        with pytest.raises(KeyboardInterrupt):
            do_work()
        assert waiting(q) == ["b"]
    else:
        do_work()
        assert waiting(q) == []
    assert done == ["a", "b"]
    assert held(q) == []


def test_a_timeout_ends_the_loop_when_nothing_comes(q):
    q.put("a")
    assert list(q.consume(timeout=0.3)) == ["a"]


def test_a_waiting_consumer_gets_a_later_message(q):
    threading.Timer(0.3, q.put, ["late"]).start()
    assert list(q.consume(timeout=2)) == ["late"]


def test_an_unreadable_message_becomes_a_dead_letter_and_the_next_is_consumed(q, address):
    HotQueue("q", serializer=None, **address).put("{broken", "null", b"\x80\xff")
    q.put("good")
    assert list(q.consume(block=False)) == ["good"]
    letters = q.dead_letters()
    texts = [letter["message"].encode(errors="surrogateescape") for letter in letters]
    assert texts == [b"{broken", b"null", b"\x80\xff"]
    assert "cannot be read" in letters[0]["reason"]
    assert letters[1]["reason"] == "null is not a message"
    assert held(q) == []


def test_get_pops_at_most_once_and_waits_longer_than_a_socket_timeout(q, address):
    q.put("a")
    assert q.get() == "a"
    assert held(q) == [] and q.get() is None
    impatient = ReliableQueue("q", **address, socket_timeout=0.2)
    threading.Timer(0.8, q.put, ["late"]).start()
    assert impatient.get(block=True, timeout=5) == "late"


def test_eight_threads_on_one_queue_get_each_message_once(q):
    q.put(*range(400))
    got = []
    threads = [
        threading.Thread(target=lambda: got.extend(q.consume(block=False))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == list(range(400))


def test_the_message_of_a_killed_worker_goes_to_the_next_at_the_default_lease(q, worker, until):
    q.put("a", "b")
    first = worker(6, 60)
    until(lambda: "got a" in first.lines)
    first.kill()
    second = worker(6, 0)
    until(lambda: "done b" in second.lines, seconds=5)
    until(lambda: "done a" in second.lines, seconds=10)
    until(lambda: held(q) == [])
    assert second.lines.count("got a") == 1


@pytest.mark.parametrize("look", ["get", "put"])
def test_a_put_or_a_get_requeues_the_message_of_a_dead_worker(q, worker, until, look):
    q.put("a")
    victim = worker(6, 60)
    until(lambda: "got a" in victim.lines)
    victim.kill()
    if look == "put":
        until(lambda: q.put("b") or "a" in waiting(q), seconds=10)
        assert waiting(q)[0] == "a"
    else:
        until(lambda: q.get() == "a", seconds=10)


def test_a_slow_living_worker_keeps_what_it_holds(q, worker, until):
    q.put("slow")
    first = worker(0.5, 2)
    until(lambda: "got slow" in first.lines)
    second = worker(0.5, 0)
    until(lambda: "done slow" in first.lines)
    q.put("next")
    until(lambda: "done next" in first.lines + second.lines)
    assert "got slow" not in second.lines
    assert first.lines.count("got slow") == 1


def test_a_message_that_kills_three_workers_becomes_a_dead_letter(q, worker, until):
    q.put("poison")
    for _ in range(3):
        victim = worker(0.3, 0)
        until(lambda: victim.poll() is not None)  # noqa: B023
        assert victim.returncode == -signal.SIGKILL
    survivor = worker(0.3, 0)
    q.put("good")
    until(lambda: "done good" in survivor.lines)
    until(lambda: q.dead_letters())
    assert q.dead_letters() == [
        {"message": '"poison"', "reason": "3 workers died while they held it"}
    ]
    assert "got poison" not in survivor.lines
    assert waiting(q) == []


def test_the_stale_acknowledgement_of_a_frozen_worker_changes_nothing(q, worker, until):
    q.put("a")
    frozen = worker(0.5, 1)
    until(lambda: "got a" in frozen.lines)
    os.kill(frozen.pid, signal.SIGSTOP)
    second = worker(0.5, 3)
    until(lambda: "got a" in second.lines)
    os.kill(frozen.pid, signal.SIGCONT)
    until(lambda: "done a" in frozen.lines)
    q.put("b")
    until(
        lambda: "got b" in frozen.lines
    )  # so the frozen worker has sent its stale acknowledgement
    assert "a" in held(q)
    second.kill()
    until(lambda: frozen.lines.count("done a") == 2)  # second's copy was still there to bring back


@pytest.mark.parametrize("how", ["close", "swallow"])
@pytest.mark.parametrize("lost", range(1, 4))
@pytest.mark.parametrize("step", ["put", "heartbeat", "next", "close", "BLMOVE"])
def test_a_lost_reply_neither_loses_nor_doubles_a_message(address, step, lost, how):
    seen = []

    def lose(request, number):
        if step.encode() in request:
            seen.append(number)
            return how if len(seen) == lost else None

    proxy = FaultyProxy(address["host"], address["port"], lose)
    address = address | {"port": proxy.port}
    q = ReliableQueue("q", lease=0.6, **address, socket_timeout=0.4)
    try:
        for message in "abc":
            q.put(message)
        threading.Timer(0.2, q.put, ["d", "e"]).start()
        got = []
        for message in q.consume(timeout=1):
            got.append(message)
        assert got == list("abcde")
        assert waiting(q) == held(q) == []
        assert not q.dead_letters()
    finally:
        proxy.close()
    if step == "next" or lost == 1:
        assert len(seen) >= lost  # the reply was really lost


def test_a_message_that_reaches_a_closed_worker_is_requeued(q):
    consumer = Consumer(q)
    q.put("a")
    consumer.next()
    consumer.close("done")
    # its last BLMOVE was still on the way
    q.put("late")
    q.redis.blmove(q.key, f"{q.key}:held:{consumer.id}", 1)
    assert list(ReliableQueue("q", lease=0.2, **pool(q)).consume(timeout=1)) == ["late"]


def test_a_message_that_reaches_a_closed_worker_late_is_requeued_too(q):
    quick = ReliableQueue("q", lease=0.2, **pool(q))
    consumer = Consumer(quick)
    q.put("a")
    consumer.next()
    consumer.close("done")
    assert list(quick.consume(timeout=0.5)) == []  # heartbeats of another worker
    q.put("late")
    q.redis.blmove(q.key, f"{q.key}:held:{consumer.id}", 1)
    assert list(quick.consume(timeout=1)) == ["late"]


def test_a_worker_that_was_handed_two_messages_keeps_one(q):
    consumer = Consumer(q)
    q.put("a", "b", "c")
    for _ in range(2):  # the answer to the first BLMOVE was lost
        q.redis.blmove(q.key, f"{q.key}:held:{consumer.id}", 1)
    assert consumer.next()[0] == "a"
    assert (held(q), waiting(q)) == (["a"], ["b", "c"])


def test_a_message_that_was_acknowledged_starts_again_without_deaths(q):
    def die():
        consumer = Consumer(q)
        assert consumer.next()[0] == "again"
        consumer._closed.set()  # no heartbeat any more
        q.redis.zadd(f"{q.key}:workers", {consumer.id: 1})
        other = Consumer(q)
        other.next(block=False)  # its first heartbeat requeues the message
        other.close()

    bystander = Consumer(q)
    assert (
        bystander.next(block=False) is None
    )  # a worker is alive, so Redis was not away and others may be dead
    for _ in range(2):
        q.put("again")
        die()
        die()
        assert list(q.consume(block=False)) == ["again"]
    assert q.dead_letters() == []


def test_a_claim_that_arrives_late_and_out_of_order_changes_nothing(q):
    consumer = Consumer(q)
    q.put("a", "b", "c")
    consumer.next()
    consumer.next("done")
    # the first call again: its claim number is older than the one in force
    assert q.step("next", consumer.id, 1, "", "", "", "") is None
    assert held(q) == ["b"]
    consumer.next("done")
    assert held(q) == ["c"]


def test_an_outage_longer_than_a_lease_takes_no_message_from_a_living_worker(
    worker, until, monkeypatch
):
    server = start_server(append_only=True)
    monkeypatch.setenv("REDIS_URL", server.url)
    q = ReliableQueue("q", lease=0.5, **server.address)
    q.put("a", "b")
    workers = [worker(0.5, 4), worker(0.5, 4)]

    def got():
        return sorted(line for each in workers for line in each.lines if line.startswith("got"))

    until(lambda: len(got()) == 2)
    server.stop(keep=True)
    time.sleep(1)
    server.start()
    workers.append(worker(0.5, 4))  # it would take what the other two no longer held
    until(lambda: "ready" in workers[-1].lines)
    time.sleep(1.5)
    assert got() == ["got a", "got b"]
    q.put("c")
    until(lambda: got() == ["got a", "got b", "got c"])
    until(lambda: held(q) == ["c"])
    server.stop()


def test_two_workers_of_one_name_do_not_share_a_message(q):
    q.put("a", "b")
    assert Consumer(q, "ana").next()[0] == "a"
    assert Consumer(q, "ana").next()[0] == "b"


def test_the_heartbeat_ends_with_the_thread_that_consumes(q):
    quick = ReliableQueue("q", lease=0.3, **pool(q))
    kept = []
    q.put("a")
    thread = threading.Thread(target=lambda: kept.append(Consumer(quick)) or kept[0].next())
    thread.start()
    thread.join()
    assert list(quick.consume(timeout=2)) == ["a"]


def pool(q):
    return {"connection_pool": q.redis.connection_pool}


def waiting(q):
    return [json.loads(text) for text in q.redis.lrange(q.key, 0, -1)]


def held(q):
    keys = q.redis.scan_iter(f"{q.key}:held:*")
    return sorted(json.loads(text) for key in keys for text in q.redis.lrange(key, 0, -1))
