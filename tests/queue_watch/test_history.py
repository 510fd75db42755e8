"""What is concluded from what is seen on one queue."""

import pytest

from jobs_kit.queue_watch.history import History

ONE, TWO, THREE, FOUR = (f'"{word}"'.encode() for word in ("one", "two", "three", "four"))
SHOWN = ['"one"', '"two"', '"three"']


@pytest.fixture
def history():
    """A queue on which three messages of ana's wait."""
    history = History()
    history.put([ONE], "ana")
    history.put([TWO, THREE], "ana")
    return history


def shown(history, *names):
    summary = history.summary()
    return tuple(summary[name] for name in names)


def take(history, by, times=3, **options):
    for _ in range(times):
        history.take(by, **options)


def test_what_waits_is_counted(history):
    assert shown(history, "waited", "most", "taken", "all_taken") == (SHOWN, 3, [], False)
    assert shown(history, "waiting", "length") == (SHOWN, 3)


def test_messages_are_taken_in_order_by_another(history):
    take(history, "ben")
    assert shown(history, "taken", "all_taken", "in_order", "by_another") == (SHOWN, *[True] * 3)


def test_the_other_end_is_another_order(history):
    take(history, "ben", from_the_end=True)
    assert shown(history, "taken", "in_order") == (SHOWN[::-1], False)


def test_messages_put_in_front_are_not_taken_in_the_order_of_putting():
    history = History()
    for value in (ONE, TWO, THREE):
        history.put([value], "ana", in_front=True)
    take(history, "ben")
    assert shown(history, "waited", "in_order") == (SHOWN[::-1], True)  # the queue's own order


def test_who_takes_its_own_messages_is_not_another(history):
    history.take("ana")
    take(history, "ben", 2)
    assert shown(history, "all_taken", "by_another") == (True, False)


def test_who_waits_gets_what_comes_at_once():
    history = History()
    history.wait("ben")
    history.put([ONE, TWO], "ana")
    history.take("ben")
    history.look([("ben", False)])
    assert shown(history, "at_once", "most", "length") == (SHOWN[:2], 0, 0)


@pytest.mark.parametrize(("when", "at_once"), [(7.5, ['"four"']), (99, [])])
def test_a_consumer_on_its_way_back_takes_at_once_what_it_takes_soon(history, when, at_once):
    history.take("ben", 3, when=6)
    history.put([FOUR], "ana", when=7)
    history.take("ben", when=when)
    history.look([])
    assert shown(history, "at_once") == (at_once,)


def test_who_begins_to_consume_takes_nothing_at_once(history):
    history.put([FOUR], "ana", when=7)
    history.take("ben", 4, when=7.5)
    history.look([])
    assert shown(history, "at_once") == ([],)


def test_who_waits_for_its_own_message_is_nobody_else():
    history = History()
    history.wait("ana")
    history.put([ONE], "ana")
    history.look([])
    assert shown(history, "at_once") == ([],)


def test_a_client_that_had_gone_has_got_nothing():
    history = History()
    history.wait("ben")
    history.put([ONE], "ana")
    history.correct([ONE], [])
    assert shown(history, "at_once", "waiting", "waited") == ([], SHOWN[:1], SHOWN[:1])
    history.put([TWO, THREE], "ana")
    take(history, "cem")
    history.correct([], [("cem", False)])
    assert shown(history, "taken", "in_order", "at_once", "settled") == (SHOWN, True, [], True)


def test_what_vanishes_was_removed_and_not_taken(history):
    history.take("ben")
    history.correct([THREE], [])
    assert shown(history, "removed", "all_taken", "taken") == (1, False, SHOWN[:1])


def test_what_was_there_before_belongs_to_nobody():
    history = History()
    history.correct([ONE, TWO, THREE], [])
    take(history, "ben")
    assert shown(history, "waited", "all_taken", "by_another") == (SHOWN, True, True)


def test_a_good_try_counts_whatever_comes_before_or_after(history):
    take(history, "ana")
    assert shown(history, "by_another") == (False,)
    history.put([ONE, TWO, THREE], "ana")
    take(history, "ben")
    history.put([FOUR], "ana")
    assert shown(history, "waited", "all_taken", "by_another") == (SHOWN, True, True)


def test_settled_is_a_drained_queue_at_which_somebody_waits(history):
    take(history, "ben")
    history.correct([], [])
    assert shown(history, "settled") == (False,)
    history.correct([], [("ben", False)])
    history.correct([], [])
    assert shown(history, "settled") == (True,)


def looked_at(*looks, **options):
    """Return the History of a queue of which only this was seen, each of it for a while."""
    history = History()
    for values in looks:
        for _ in range(2):
            history.compare(list(values), **({"putter": "ana", "taker": "ben"} | options))
    return history


def test_what_is_seen_twice_has_waited():
    history = looked_at([ONE, TWO, THREE], [])
    assert shown(history, "waited", "taken", "in_order", "by_another") == (SHOWN, SHOWN, True, True)


def test_what_is_seen_once_may_have_been_passing():
    history = History()
    history.compare([ONE, TWO, THREE], "ana", "ben")
    history.compare([], "ana", "ben")
    assert shown(history, "most", "length") == (0, 0)


@pytest.mark.parametrize(
    ("looks", "in_order"),
    [
        ([[ONE, TWO, THREE], [TWO, THREE], [THREE, FOUR], []], True),
        ([[ONE, TWO, THREE], [ONE, TWO], [ONE], []], False),
        ([[ONE, TWO, THREE], [ONE, FOUR], []], False),
    ],
)
def test_the_order_shows_in_what_is_left(looks, in_order):
    assert shown(looked_at(*looks), "in_order") == (in_order,)


def test_the_order_of_what_goes_unseen_is_that_of_the_command():
    history = looked_at([ONE, TWO, THREE], [], from_the_end=True)
    assert shown(history, "taken", "in_order") == (SHOWN[::-1], False)


def test_a_queue_that_was_cleared_gave_nothing():
    history = looked_at([ONE, TWO, THREE], [], cleared=True)
    assert shown(history, "removed", "taken") == (3, [])


def test_messages_that_cannot_be_read_are_counted():
    history = looked_at([None] * 3, [None], [])
    assert shown(history, "most", "all_taken", "in_order") == (3, True, True)
    assert history.summary()["waited"] == ["(a message)"] * 3
