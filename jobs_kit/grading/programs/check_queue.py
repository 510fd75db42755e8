"""Follow the queue of a check: the messages, the jobs that they name, and the programs that end."""

import itertools
from dataclasses import replace

from jobs_kit.grading.programs.formats import read_message
from jobs_kit.queue_watch.command_interpreter import CommandInterpreter
from jobs_kit.queue_watch.picture import empty_picture
from jobs_kit.queue_watch.queue_address import HOTQUEUE
from jobs_kit.queue_watch.queue_tracker import LOST, QueueTracker
from jobs_kit.queue_watch.record_tracker import RecordTracker
from jobs_kit.queue_watch.recording import Recording
from jobs_kit.redis_server.monitor import BLOCKING, HASH_WRITES, MOVES, OTHER_WRITES, POPS, PUSHES
from jobs_kit.redis_server.text import cut, message_text, one_line, text

ADDS = PUSHES | HASH_WRITES | OTHER_WRITES | {"ZADD", "SADD", "XADD", "LINSERT"}
EXPIRIES = {"EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"}
PICKLE = "(a pickle"  # what message_text() calls one
LONGEST = 80  # characters of a message, or of the name of the queue
NOTES = b"check:"  # what the lists begin with in which the programs of WorkerScenario note events


class CheckQueue:
    """Builds the recording of a queue. place: (db, key). programs: _Programs."""

    def __init__(self, place, programs):
        (self.db, self.key), self._programs = place, programs
        self.recording = Recording(empty_picture(cut(self.key.removeprefix(HOTQUEUE), LONGEST)))
        self._tracker = _Tracker(self.recording, programs)
        self._interpreter = _Interpreter(self._tracker, self.key, self.db)
        self._elsewhere = set()  # (who, db, key) of those that wait at another list
        self._is_filled = False  # whether anything is put on the queue

    @property
    def shows_something(self):
        """Whether a message or a job was seen."""
        shown = {"put", "take", "store"}
        return any(event["did"] in shown for event in self.recording.events)

    def hear(self, heard, senders):
        """Hear commands, [(place, Command)], and note the ends of programs in between."""
        ends, last = self._ends(), -1
        places = ((command.db, command.keys) for _, command in heard if command.name in PUSHES)
        self._is_filled = (self.db, [self.key]) in places
        for place, command in heard:
            for ended in range(max(last, 0), place):
                self._end_waits(senders, ended, command.time)
            while ends and ends[0][0] < command.time:
                self._end(*ends.pop(0))
            command = replace(command, client=senders.clients[place])
            who = self._programs.label(command)
            self._note_elsewhere(command, who)
            self._interpreter.hear(command)
            last = place
        self._interpreter.settle()
        for end in ends:
            self._end(*end)

    def _end_waits(self, senders, place, at):
        for pop in senders.ended.get(place, ()):
            self._interpreter.end_wait(at, senders.clients[pop])

    def _ends(self):
        """Return [(when, name, Process)] of the programs that have ended, in order."""
        ended = (item for item in self._programs.processes.items() if item[1].ended_at)
        return sorted((process.ended_at, name, process) for name, process in ended)

    def _end(self, at, name, process):
        self._interpreter.settle()
        was_stopped = bool(process.events("time_limit"))
        for who in list(self.recording.now["workers"]):
            label = self._programs.labels[name]
            if who == label or who.startswith(f"{label} ("):
                self._tracker.end_worker(at, who, _reason(process), is_lost=not was_stopped)

    def _note_elsewhere(self, command, who):
        """Note that a program asks another list for messages, once."""
        key = next(iter(command.keys), NOTES.decode())
        is_known = key.startswith(NOTES.decode()) or self._interpreter.is_held(key)
        is_here = command.db == self.db and self.key in command.keys
        place = who, command.db, key
        if command.name in BLOCKING and not (is_known or is_here or place in self._elsewhere):
            self._elsewhere.add(place)
            words = f"{who} waits at {key} in database {command.db}"
            words += (
                f", but the queue is {self.key} in database {self.db}" if self._is_filled else ""
            )
            self._tracker.say(command.time, "note", text=words)


class _Tracker(QueueTracker):
    """Tracks a check's queue. is_noted: whether its programs note themselves what is done."""

    def __init__(self, recording, programs):
        super().__init__(recording, "job.", programs, text_of=_text_of)
        self.jobs, self.is_noted = RecordTracker(recording, programs), False

    def finish(self, at, message, failure=""):
        """Record that a worker is done with a message, unless its program notes that itself."""
        if not self.is_noted:
            super().finish(at, message, failure)

    def find(self, text, *places):
        """Return the first message with this text that is in one of the places, or None."""
        messages = itertools.chain(*places)
        return next((message for message in messages if self.text(message) == text), None)

    def begin(self, at, who, text):
        """Record that a worker works on a message, unless it was seen to take it."""
        if self.find(text, self.holds(who)):
            return
        held = [worker["holds"] for worker in self.now["workers"].values()]
        places = [*held, self.now["waiting"], self.now["failed"], self.now["done"]]
        message = self.find(text, *places) or self.number(text)
        self.say(at, "take", message=message, text=text, who=who)

    def end_job(self, at, who, text):
        """Record that a worker is done with a message."""
        if message := self.find(text, self.holds(who)):
            self.say(at, "done", message=message)

    def take(self, at, who="", keeps=False, from_the_end=False):
        """Give the next message to a worker; keeps: the key where Redis keeps it for the worker."""
        super().take(at, who, keeps, from_the_end)
        if keeps:
            self.say(at, "keep", message=self.holds(who)[-1], who=who, key=keeps)

    def keep(self, at, who, texts, key):
        """Record that Redis keeps what a worker holds, if that is one of the texts.

        The record of a job holds its id, but keeps it for no worker.
        """
        held = [message for message in self.holds(who) if self.jobs.status(message) is None]
        for message in held:
            if message not in self._kept and self.text(message) in texts:
                self._kept.add(message)
                self.say(at, "keep", message=message, who=who, key=key)

    def let_go(self, at, message, who, key):
        """Record that Redis keeps a message no longer for the worker that holds it."""
        holder = self.holder(message)
        if message in self._kept:
            self._kept.discard(message)
            self.say(at, "release", message=message, who=who, key=key)
        if holder and self.now["workers"][holder]["gone"]:
            self.lost_messages[self.text(message)] = message

    def end_worker(self, at, who, why, is_lost):
        """Record the end of a worker. is_lost: whether that loses the message that it holds."""
        lost = [message for message in self.holds(who) if is_lost and message not in self._kept]
        for message in lost:
            self.lost_messages[self.text(message)] = message
            self.say(at, "fail", message=message, why=f"{LOST.format(who)} ({why})")
        self.say(at, "gone", who=who, why=None if lost else why)


class _Interpreter(CommandInterpreter):
    """Follows a check's queue, and the lists on which workers keep what they hold."""

    def is_held(self, key):
        """Tell whether a worker has moved messages to this list."""
        return key.encode() in self._consumers

    def end_wait(self, at, client):
        """End the wait of a client, which has its message now or gave up."""
        self.settle()
        self._tracker.stop_waiting(at, client)

    def _hear(self, command):
        name, words = command.name, command.arguments
        if words and words[0].startswith(NOTES):
            self._hear_note(command)
        elif name in MOVES and self._key not in words[:2] and words[0] in self._consumers:
            self._hear_handing_over(command)
        elif words and words[0] in self._consumers and name in EXPIRIES:
            self._hear_expiry(command)
        elif words and words[0] in self._consumers and name not in MOVES | PUSHES:
            self._hear_removal(command)
        else:
            super()._hear(command)
        who = self._tracker.names.label(command)
        if name in ADDS and words[0] != self._key and self._tracker.holds(who):
            texts = [self._tracker.text_of(word) for word in words[1:]]
            self._tracker.keep(command.time, who, texts, text(words[0]))

    def _ask(self, at, client, target=b""):
        who = super()._ask(at, client, target)
        if target:
            self._consumers[target] = who
        return who

    def _hear_move(self, command):
        source, target = command.arguments[:2]
        if source == self._key:
            client = self._taker(command)
            who = self._ask(command.time, client, target)
            self._take(command, client, who, keeps=text(target))
        else:
            self._hear_return(command.time, source)

    def _hear_handing_over(self, command):
        """Hear that a message goes from the list of one worker to that of another."""
        source, target = command.arguments[:2]
        who = self._consumers[target] = self._tracker.worker(command.time, self._taker(command))
        for message in self._holds(source)[:1]:
            text = self._tracker.text(message)
            self._tracker.say(command.time, "take", message=message, text=text, who=who)

    def _hear_removal(self, command):
        """Hear that a message leaves the list on which Redis keeps it for a worker."""
        held = self._holds(command.arguments[0])
        if command.name == "LREM":
            gone = self._tracker.text_of(command.arguments[-1])
            held = [self._tracker.find(gone, held)] if self._tracker.find(gone, held) else []
        elif command.name in POPS:
            held = held[:1]
        who = self._tracker.names.label(command)
        for message in held:
            self._tracker.let_go(command.time, message, who, text(command.arguments[0]))

    def _hear_expiry(self, command):
        """Hear that a list on which Redis keeps messages is to be deleted after a while."""
        words = f"{text(command.arguments[0])} is to expire, with the messages on it"
        if self._holds(command.arguments[0]):
            self._tracker.say(command.time, "note", text=words)

    def _hear_note(self, command):
        self._tracker.is_noted = True
        who, _, message = text(command.arguments[-1]).partition(" ")
        if command.arguments[0] == NOTES + b"begun":
            self._tracker.begin(command.time, who, message)
        elif command.arguments[0] == NOTES + b"done":
            self._tracker.end_job(command.time, who, message)


def _text_of(message):
    shown = message_text(message)
    if shown.startswith(PICKLE):
        strings = read_message(message, "pickle")  # nothing in it is run
        shown = strings if isinstance(strings, str) else ", ".join(strings or []) or shown
    return cut(one_line(shown.encode(errors="backslashreplace")), LONGEST)


def _reason(process):
    """Return in a few words why a program has ended."""
    if process.events("time_limit"):
        return "the check stopped it"
    if error := process.error:
        return cut(
            one_line(f"{error['type']}: {error['message']}".encode(errors="backslashreplace")),
            LONGEST,
        )
    if process.exit_code == -9:
        return "killed by SIGKILL"
    return f"exit code {process.exit_code}"
