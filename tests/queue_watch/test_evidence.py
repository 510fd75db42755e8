"""What is concluded from what is heard, or seen, on one queue."""

import pytest

from jobs_kit.queue_watch.comparison import Guess, compare
from jobs_kit.queue_watch.queue_recorder import WatchedQueue
from jobs_kit.redis_server.monitor import Command

KEY = "hotqueue:q"
SHOWN = ['"one"', '"two"', '"three"']
FREE, BLOCKED = {"flags": "N"}, {"flags": "b"}


class Ear:
    """A queue, and a short way to write what is heard there."""

    def __init__(self):
        self.queue, self.time = WatchedQueue(1, KEY, is_heard=True), 1.0

    def hear(self, client, name, *words, at=None):
        self.time = at or self.time + 10
        arguments = [KEY.encode(), *(str(word).encode() for word in words)]
        self.queue.interpreter.hear(Command(self.time, 1, client, name, arguments))

    def put(self, client, *words, name="RPUSH", at=None):
        self.hear(client, name, *(f'"{word}"' for word in words), at=at)

    def look(self, *words, **clients):
        messages = [f'"{word}"'.encode() for word in words]
        self.queue.compare(self.time, len(messages), messages, clients)

    def shown(self, *names):
        self.queue.interpreter.settle()
        summary = self.queue.evidence.summary()
        return tuple(summary[name] for name in names)


@pytest.fixture
def ear():
    """A queue of which nothing was heard yet."""
    return Ear()


@pytest.fixture
def three(ear):
    """A queue on which three messages of ana's wait."""
    ear.put("ana", "one")
    ear.put("ana", "two", "three")
    return ear


def take(ear, client, times=3, name="LPOP"):
    for _ in range(times):
        ear.hear(client, name)


def test_waiting_messages_are_counted(three):
    assert three.shown("waited", "most", "taken", "all_taken") == (SHOWN, 3, [], False)
    assert three.shown("waiting", "length") == (SHOWN, 3)


def test_messages_are_taken_in_order_by_another(three):
    take(three, "ben")
    shown = three.shown("taken", "all_taken", "in_order", "by_another")
    assert shown == (SHOWN, *[True] * 3)


def test_the_other_end_is_another_order(three):
    take(three, "ben", name="RPOP")
    assert three.shown("taken", "in_order") == (SHOWN[::-1], False)


def test_messages_put_in_front_are_taken_in_the_queues_own_order(ear):
    for word in ("one", "two", "three"):
        ear.put("ana", word, name="LPUSH")
    take(ear, "ben")
    assert ear.shown("waited", "in_order") == (SHOWN[::-1], True)


def test_a_client_that_takes_its_own_messages_is_not_another(three):
    three.hear("ana", "LPOP")
    take(three, "ben", 2)
    assert three.shown("all_taken", "by_another") == (True, False)


def test_a_waiting_client_gets_a_message_at_once(ear):
    ear.hear("ben", "BLPOP", 0)
    ear.put("ana", "one", "two")
    ear.hear("ben", "BLPOP", 0)
    assert ear.shown("at_once", "most", "length") == (SHOWN[:2], 0, 0)


@pytest.mark.parametrize(("at", "at_once"), [(60.5, ['"four"']), (99, [])])
def test_a_consumer_on_its_way_back_takes_at_once_what_it_takes_soon(three, at, at_once):
    take(three, "ben")
    three.put("ana", "four", at=60)
    three.hear("ben", "LPOP", at=at)
    assert three.shown("at_once") == (at_once,)


def test_a_client_that_begins_to_consume_takes_nothing_at_once(three):
    three.put("ana", "four", at=60)
    three.hear("ben", "LPOP", 4, at=60.5)
    assert three.shown("at_once", "most") == ([], 4)


def test_a_client_that_waits_for_its_own_message_is_one_client(ear):
    ear.hear("ana", "BLPOP", 0)
    ear.put("ana", "one")
    ear.hear("ana", "BLPOP", 0)
    assert ear.shown("at_once") == ([],)


def test_a_client_that_had_gone_has_got_nothing(ear):
    ear.hear("ben", "BLPOP", 0)
    ear.put("ana", "one")
    ear.look("one")
    assert ear.shown("at_once", "waiting", "waited") == ([], SHOWN[:1], SHOWN[:1])
    ear.put("ana", "two", "three")
    take(ear, "cem")
    ear.hear("cem", "BLPOP", 0)
    assert ear.shown("taken", "in_order", "at_once", "settled") == (SHOWN, True, [], True)


def test_a_client_that_stopped_waiting_lets_messages_wait(ear):
    ear.hear("ben", "BLPOP", 1)
    ear.put("ana", "one", "two", "three")
    assert ear.shown("most", "length") == (3, 3)


def test_a_client_at_another_queue_lets_messages_wait(ear):
    ear.queue.tracker.assume_waiting(1.0, "ben")
    ear.put("ana", "one", "two", "three")
    ear.look("one", "two", "three", ben=BLOCKED, ana=FREE)
    assert ear.shown("most", "length", "waiters") == (3, 3, 0)


def test_a_deleted_message_was_removed_and_not_taken(three):
    three.hear("ben", "LPOP")
    three.hear("ana", "DEL")
    assert three.shown("removed", "all_taken", "taken") == (2, False, SHOWN[:1])


def test_a_message_that_an_unknown_command_takes_away_was_removed(three):
    three.hear("ben", "LPOP")
    three.hear("ana", "LTRIM", 1, 1)
    three.look("three")
    assert three.shown("removed", "all_taken", "taken") == (1, False, SHOWN[:1])


def test_an_earlier_message_has_no_owner(ear):
    ear.look("one", "two", "three")
    take(ear, "ben")
    assert ear.shown("waited", "all_taken", "by_another") == (SHOWN, True, True)


def test_a_good_try_counts_whatever_comes_before_or_after(three):
    take(three, "ana")
    assert three.shown("by_another") == (False,)
    three.put("ana", "one", "two", "three")
    take(three, "ben")
    three.put("ana", "four")
    assert three.shown("waited", "all_taken", "by_another") == (SHOWN, True, True)


def test_settled_is_a_drained_queue_at_which_a_client_waits(three):
    take(three, "ben")
    assert three.shown("settled") == (False,)
    three.hear("ben", "BLPOP", 0)
    assert three.shown("settled") == (True,)
    three.look()
    assert three.shown("settled", "waiters") == (True, 0)


def test_a_producer_may_ask_for_the_length(three):
    three.hear("ben", "LLEN")
    assert three.shown("asked_length") == (0,)
    three.hear("ana", "LLEN")
    assert three.shown("asked_length") == (1,)


def looked_at(*looks, times=2, putter="ana", taker="ben", **guess):
    """Return summary() of a queue of which only this was seen, each of it so many times."""
    queue, at = WatchedQueue(1, KEY, is_heard=False), 1.0
    guess = Guess(putter, taker, **guess)
    for look in looks:
        for time in range(times):
            at += 10
            messages = None if None in look else [f'"{word}"'.encode() for word in look]
            compare(queue.tracker, at, len(look), messages, guess=guess)
            if time:
                queue.say_unchanged(at)
    return queue.evidence.summary()


def some(summary, *names):
    return tuple(summary[name] for name in names)


def test_a_message_seen_twice_has_waited():
    seen = looked_at(["one", "two", "three"], [])
    assert some(seen, "waited", "taken", "in_order", "by_another") == (SHOWN, SHOWN, True, True)


def test_a_message_seen_once_may_have_been_passing():
    assert some(looked_at(["one", "two", "three"], [], times=1), "most", "length") == (0, 0)


def test_equal_messages_leave_from_the_head():
    assert some(looked_at(["a", "a", "b"], ["a", "b"], []), "in_order", "all_taken") == (True, True)


@pytest.mark.parametrize(
    ("looks", "in_order"),
    [
        ([["one", "two", "three"], ["two", "three"], ["three", "four"], []], True),
        ([["one", "two", "three"], ["one", "two"], ["one"], []], False),
        ([["one", "two", "three"], ["one", "four"], []], False),
    ],
)
def test_the_order_shows_in_what_is_left(looks, in_order):
    assert some(looked_at(*looks), "in_order") == (in_order,)


def test_the_order_of_what_goes_unseen_is_that_of_the_command():
    seen = looked_at(["one", "two", "three"], [], from_the_end=True)
    assert some(seen, "taken", "in_order") == (SHOWN[::-1], False)


def test_a_queue_that_was_cleared_gave_nothing():
    assert some(looked_at(["one", "two", "three"], [], removed=True), "removed", "taken") == (3, [])


def test_messages_that_cannot_be_read_are_counted():
    seen = looked_at([None] * 3, [None], [])
    assert some(seen, "most", "all_taken", "in_order", "asked_length") == (3, True, True, None)
    assert seen["waited"] == ["(message 1)", "(message 2)", "(message 3)"]
