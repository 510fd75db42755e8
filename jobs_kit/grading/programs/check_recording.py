"""Record what the programs of a submission did to a queue and to its jobs while a check ran.

    record(submission)      the recording as a dict, or None where no queue and no job was touched

MONITOR has noted every command, so that nothing is recorded before a check fails. The check's own
commands are left out, except for the messages that it put.
"""

import itertools
import json

from jobs_kit.grading.programs.check_queue import ADDS, EXPIRIES, NOTES, CheckQueue
from jobs_kit.queue_watch.command_recorder import CHECK
from jobs_kit.queue_watch.recording import Recording
from jobs_kit.queue_watch.story import THE_CHECK, add_story
from jobs_kit.redis_server.monitor import MOVES, POPS, PUSHES, RECORD_READS

HEARD = ADDS | POPS | MOVES | EXPIRIES | RECORD_READS
HEARD |= {"DEL", "UNLINK", "LREM", "LTRIM", "EVAL", "EVALSHA", "FCALL"}
MOST_HEARD = 5_000  # commands; a program that sends more goes round in a circle
MOST_BYTES = 20_000  # of a recording as JSON


def record(submission):
    """Return the recording of a Submission as Recording.as_dict() does, or None.

    Its times are seconds since the first event; add_story() has given the events sentences.
    """
    senders = submission.redis.senders()
    heard = [
        (place, command)
        for place, command in enumerate(senders.commands)
        if command.name in HEARD and not _is_setup(command, senders.names[place])
    ]
    heard, left_out = heard[:MOST_HEARD], len(heard[MOST_HEARD:])
    queue = CheckQueue(_queue_of(command for _, command in heard), _Programs(submission))
    queue.hear(heard, senders)
    return _fitted(queue.recording, left_out) if queue.shows_something else None


def _is_setup(command, name):
    """Tell whether the check sent a command for itself; its programs note there what they do."""
    is_note = bool(command.arguments) and command.arguments[0].startswith(NOTES)
    return name == CHECK and not command.by_check and not (is_note and command.name in PUSHES)


def _queue_of(commands):
    """Return (db, key) of the list that is a queue: put on and, if there is one, asked, too."""
    places = {"put": [], "asked": []}
    for command in commands:
        if command.name in PUSHES | POPS | MOVES:
            kind = "put" if command.name in PUSHES else "asked"
            own = [key for key in command.keys if not key.startswith(NOTES.decode())]
            places[kind] += [(command.db, key) for key in own]
    asked = set(places["asked"])
    both = [place for place in places["put"] if place in asked]
    return (both + places["put"] + places["asked"] + [(0, "")])[0]


class _Programs:
    """The names of the clients of a check: its programs. See client_names.py."""

    role = "worker"

    def __init__(self, submission):
        self.labels, counts = {}, {}
        self.processes = {f"pid-{process.pid}": process for process in submission.processes}
        for name, process in self.processes.items():
            counts[process.label] = number = counts.get(process.label, 0) + 1
            is_another = number > 1 and process.label.endswith(
                ".py"
            )  # a call is not one of several
            self.labels[name] = f"{process.label} {number}" if is_another else process.label
        self._caller = ""  # who sent the script that runs

    def label(self, command):
        """Return the sender of a Command, or of the script that ran it."""
        if command.by_check:
            self._caller = THE_CHECK
        elif not command.by_script:
            self._caller = self.of(command.client)
        return self._caller

    def of(self, client, kind="", consumer=None):
        """Return the name of the client at an address of Senders."""
        name, _, number = client.removeprefix("unix:").partition("#")
        label = THE_CHECK if name == CHECK else self.labels.get(name, "a program")
        return f"{label} ({number})" if number not in ("", "1") else label

    def known(self, client, kind):
        """Return None: how many messages wait is asked by the check's programs, too."""

    def introduce(self, client, name):
        """Ignore the name that a client gives itself."""

    def release(self, name):
        """Keep the name; no other program gets it."""


def _fitted(recording, left_out):
    """Return a recording as a dict, with its story, of MOST_BYTES at most: its beginning.

    left_out: how many commands were not heard. A long recording repeats itself.
    """
    begin = recording.events[0]["at"]
    events = [event | {"at": round(event["at"] - begin, 6)} for event in recording.events]
    whole = Recording(recording.start, events)
    add_story(whole)
    sizes = itertools.accumulate(len(json.dumps(event)) + 2 for event in events)
    kept = sum(size < MOST_BYTES for size in sizes)
    if kept < len(events) or left_out:
        words = _words_for_the_rest(len(events) - kept, left_out)
        events[kept:] = [
            {"at": events[kept - 1]["at"], "did": "note", "text": words, "says": words}
        ]
    return whole.as_dict() | {"events": events}


def _words_for_the_rest(changes, commands):
    """Return as text how many changes, and how many commands after them, a recording leaves out."""
    parts = [f"{changes:,} more changes"] if changes else []
    parts += [f"{commands:,} more commands"] if commands else []
    return f"and so on: {' and '.join(parts)} are left out here"
