"""What the board makes of commands that it hears, and of looks at Redis, one after the other."""

import pytest

from jobs_kit.queue_watch.client_names import Names
from jobs_kit.queue_watch.command_interpreter import CommandInterpreter
from jobs_kit.queue_watch.comparison import compare, runs_short
from jobs_kit.queue_watch.picture import MOST_WAITING, depth, empty_picture
from jobs_kit.queue_watch.queue_tracker import QueueTracker
from jobs_kit.queue_watch.recording import Recording
from jobs_kit.redis_server.monitor import Command

KEY = "hotqueue:q"
BLOCKED, FREE = {"flags": "b"}, {"flags": "N"}


class Ear:
    """A trace, and a short way to say what it hears."""

    def __init__(self):
        self.notes = QueueTracker(Recording(empty_picture("q")), "job.", Names())
        self.trace = CommandInterpreter(self.notes, KEY, db=1)
        self.now = self.notes.now
        compare(self.notes, 1.0, 0, [], is_first=True)

    def hear(self, client, text, at=2.0, db=1):
        name, *words = text.split()
        self.trace.hear(Command(at, db, client, name, [word.encode() for word in words]))

    def texts(self, place):
        worker = self.now["workers"].get(place, {"holds": []})
        return [self.notes.text(message) for message in self.now.get(place, worker["holds"])]

    def look(self, *texts, length=None, clients=None, at=3.0):
        length = len(texts) if length is None else length
        self.notes.resolve(at, length, clients or {})
        compare(self.notes, at, length, [text.encode() for text in texts])
        if clients is not None:
            self.notes.see_clients(at, clients)


def events(ear, kind):
    return [event for event in ear.notes.recording.events if event["did"] == kind]


@pytest.fixture
def ear():
    return Ear()


def test_the_first_client_is_served_first(ear):
    for client in ("a", "b", "c"):
        ear.hear(client, f"BLPOP {KEY} 0")
    ear.hear("p", f"RPUSH {KEY} 1 2")
    ear.trace.settle()
    assert [ear.texts(f"worker-{n}") for n in (1, 2, 3)] == [["1"], ["2"], []]


def test_a_worker_that_asks_again_has_got_what_was_pushed_before(ear):
    ear.hear("a", f"BLPOP {KEY} 0")
    ear.hear("p", f"RPUSH {KEY} 1")
    ear.hear("a", f"BLPOP {KEY} 0")
    assert ear.texts("done") == ["1"]


def test_whose_time_is_over_is_not_served(ear):
    ear.hear("a", f"BLPOP {KEY} 1", at=2.0)
    ear.hear("b", f"BLPOP {KEY} 5", at=2.5)
    ear.hear("p", f"RPUSH {KEY} 1", at=4.0)
    ear.trace.settle()
    assert (ear.texts("worker-1"), ear.texts("worker-2")) == ([], ["1"])


def test_a_waiting_client_is_served_when_the_script_has_ended(ear):
    ear.hear("a", f"BLPOP {KEY} 0")
    ear.hear("p", f"EVALSHA 0 1 {KEY}")
    ear.hear("lua", f"RPUSH {KEY} 1")
    ear.hear("lua", f"LMOVE {KEY} {KEY}:held:eve-01234567 LEFT RIGHT")
    ear.trace.settle()
    assert (ear.texts("worker-1"), ear.texts("eve")) == ([], ["1"])


def test_several_can_be_taken_at_once_and_from_the_head(ear):
    ear.hear("p", f"RPUSH {KEY} 1 2 3")
    ear.hear("p", f"LPUSH {KEY} 0")
    ear.hear("a", f"LPOP {KEY} 3")
    assert (ear.texts("worker-1"), ear.texts("waiting")) == (["0", "1", "2"], ["3"])
    ear.hear("a", f"LPOP {KEY} 9")
    assert (ear.texts("done"), ear.texts("worker-1")) == (["0", "1", "2"], ["3"])


def test_a_client_that_polls_an_empty_queue_is_no_worker(ear):
    ear.hear("a", f"LPOP {KEY}")
    assert ear.now["workers"] == {}


@pytest.mark.parametrize(
    ("command", "taken"),
    [("RPOP {}", ["3"]), ("BRPOP {} 0", ["3"]), ("LMPOP 1 {} RIGHT COUNT 2", ["3", "2"])],
)
def test_a_worker_may_take_from_the_end(ear, command, taken):
    ear.hear("p", f"RPUSH {KEY} 1 2 3")
    ear.hear("a", command.format(KEY))
    ear.trace.settle()
    assert ear.texts("worker-1") == taken and not ear.trace.unsure


def test_a_deleted_message_is_not_taken(ear):
    ear.hear("p", f"RPUSH {KEY} 1 2")
    ear.hear("p", f"DEL {KEY}")
    assert ear.texts("waiting") == ear.texts("taken") == [] and not ear.now["messages"]


def test_a_producer_may_ask_how_many_messages_wait(ear):
    ear.hear("b", f"LLEN {KEY}")
    ear.hear("p", f"RPUSH {KEY} 1")
    ear.hear("p", f"LLEN {KEY}")
    assert [event["who"] for event in events(ear, "length")] == ["producer-1"]


@pytest.mark.parametrize("command", ["BLPOP {} soon", "BLPOP {}", "LMOVE {}", "LPOP {} many"])
def test_a_command_that_redis_refuses_makes_it_unsure(ear, command):
    ear.hear("p", f"RPUSH {KEY} 1")
    ear.hear("a", command.format(KEY))
    assert ear.trace.unsure


def test_a_client_that_says_its_name_is_called_so(ear):
    ear.hear("a", "CLIENT SETNAME ana")
    ear.hear("a", f"BLPOP {KEY} 0")
    assert list(ear.now["workers"]) == ["ana"]


def test_a_name_is_free_again_when_its_worker_is_gone(ear):
    for client in ("a", "b"):
        ear.hear(client, "CLIENT SETNAME ana")
        ear.hear(client, f"BLPOP {KEY} 0")
        ear.look(clients={})
    assert list(ear.now["workers"]) == ["ana"]
    for client in ("c", "d"):
        ear.hear(client, "CLIENT SETNAME ben")
        ear.hear(client, f"BLPOP {KEY} 0")
    assert list(ear.now["workers"]) == ["ana", "ben", "ben-2"]


def test_a_lost_message_that_is_put_again_is_the_same(ear):
    ear.hear("p", f"RPUSH {KEY} 1")
    ear.hear("a", f"BLPOP {KEY} 0")
    ear.trace.settle()
    ear.look(clients={})
    assert ear.texts("failed") == ["1"]
    ear.hear("p", f"RPUSH {KEY} 1")
    assert (ear.texts("failed"), ear.texts("waiting")) == ([], ["1"])
    assert len(ear.now["messages"]) == 1


def test_a_list_of_their_own_keeps_a_message_for_a_dead_worker(ear):
    """As students write it: BLMOVE to a list, LREM from it when it is done."""
    ear.hear("p", f"RPUSH {KEY} 1 2")
    ear.hear("a", f"BLMOVE {KEY} processing LEFT RIGHT 0")
    ear.trace.settle()
    ear.hear("a", "LREM processing 1 1")
    ear.hear("a", f"BLMOVE {KEY} processing LEFT RIGHT 0")
    ear.trace.settle()
    assert (ear.texts("done"), ear.texts("worker-1")) == (["1"], ["2"])
    ear.look(clients={})
    assert (ear.texts("worker-1"), ear.texts("failed")) == (["2"], [])
    ear.hear("p", f"LMOVE processing {KEY} RIGHT LEFT")
    assert ear.trace.unsure
    ear.look("2")
    assert (ear.texts("waiting"), ear.texts("worker-1")) == (["2"], [])


def test_a_job_that_is_complete_and_still_waits_is_not_done(ear):
    ear.hear("p", "HSET job.1 id 1 status submitted", db=0)
    ear.hear("p", f"RPUSH {KEY} 1")
    ear.hear("p", "HSET job.1 status complete", db=0)
    assert (ear.texts("waiting"), ear.texts("done")) == (["1"], [])
    ear.hear("a", f"LPOP {KEY}")
    ear.hear("a", "HSET job.1 status failed error why", db=0)
    assert ear.texts("failed") == ["1"]


# Who was waiting before the board came


def test_a_presumed_waiter_that_stopped_took_the_missing_message(ear):
    ear.notes.assume_waiting(2.0, "a")
    ear.notes.assume_waiting(2.0, "b")
    ear.hear("c", f"BLPOP {KEY} 0")
    ear.hear("p", f"RPUSH {KEY} 1")
    ear.trace.settle()
    assert ear.notes.is_uncertain and not events(ear, "take")
    ear.look(clients={"a": FREE, "b": BLOCKED, "c": BLOCKED})
    assert [event["who"] for event in events(ear, "take")] == ["worker-1"]
    assert ear.now["workers"]["worker-2"]["waits"] and not ear.notes.is_uncertain


def test_a_presumed_waiter_that_asks_again_took_the_message(ear):
    ear.notes.assume_waiting(2.0, "a")
    ear.hear("p", f"RPUSH {KEY} 1")
    ear.hear("a", f"BLPOP {KEY} 0")
    assert ear.texts("done") == ["1"] and not ear.notes.is_uncertain


def test_a_client_that_waits_despite_a_message_waits_elsewhere(ear):
    ear.notes.assume_waiting(2.0, "a")
    ear.hear("b", f"BLPOP {KEY} 0")
    ear.hear("p", f"RPUSH {KEY} 1 2")
    ear.trace.settle()
    ear.look("2", clients={"a": BLOCKED, "b": FREE})
    assert list(ear.now["workers"]) == ["worker-2"]


# Looks


def test_equal_messages_are_told_apart(ear):
    ear.hear("p", f"RPUSH {KEY} same same")
    ear.hear("a", f"BLPOP {KEY} 0")
    ear.trace.settle()
    ear.look("same", "same")  # a third one was put, and its command was missed
    assert (ear.texts("worker-1"), ear.texts("waiting")) == (["same"], ["same", "same"])


def test_what_a_worker_did_not_get_after_all_is_on_the_queue(ear):
    ear.hear("a", f"BLPOP {KEY} 0")
    ear.hear("p", f"RPUSH {KEY} 1")
    ear.trace.settle()
    ear.look("1", clients={})  # it had died a moment before
    assert (ear.texts("waiting"), ear.texts("failed")) == (["1"], [])


def test_a_message_that_vanishes_unheard_is_taken_by_an_unknown_client(ear):
    ear.hear("p", f"RPUSH {KEY} 1 2 3")
    ear.look("1", "3", "4")
    assert (ear.texts("taken"), ear.texts("waiting")) == (["2"], ["1", "3", "4"])


def test_of_a_long_queue_more_is_looked_up_when_few_are_known(ear):
    texts = [str(number) for number in range(MOST_WAITING)]
    ear.look(*texts, length=10_000)
    assert depth(ear.now) == 10_000 and not runs_short(ear.notes)
    for _ in range(MOST_WAITING - 10):
        ear.hear("a", f"LPOP {KEY}")
    assert runs_short(ear.notes)
    ear.look(*texts[-10:], *texts[:-10], length=10_000 - MOST_WAITING + 10)
    assert len(ear.now["waiting"]) == MOST_WAITING and not runs_short(ear.notes)


def test_a_look_that_tells_nothing_new_is_no_event(ear):
    ear.hear("p", f"RPUSH {KEY} 1 2")
    count = ear.notes.recording.count
    ear.look("1", "2")
    assert ear.notes.recording.count == count
