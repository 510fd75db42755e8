"""What does a check do with a student's programs? It starts them, calls them, asks them over HTTP.

    job = student.call("jobs", "add_job", START, END).value
    worker = student.start("worker.py")
    student.until(lambda: student.redis.status(jid) == "complete")

Nothing of it runs here: see sandbox.py. Nothing here waits for a time: it waits until something
has happened, or until nothing can happen any more.
"""

import contextlib
import json
import pickle
import select
import signal
import time
from collections import Counter

from jobs_kit.grading.expectations import CheckError, NotReachedError, TimedOutError
from jobs_kit.grading.limits import CHECK_TIMEOUT_SECONDS
from jobs_kit.grading.programs.explanations import ending
from jobs_kit.grading.programs.formats import decoded, encoded, jid_of, read_message
from jobs_kit.grading.programs.hints import hint_for
from jobs_kit.grading.programs.http_client import Api
from jobs_kit.grading.text import short
from jobs_kit.redis_server.text import text

ROUNDS = 20  # so often nobody puts the same message on a list
QUIET = 1  # seconds without a deed, after which a program of several threads has nothing in mind


class Submission:
    """A student's answer, ready to run. answer: its files; redis: the check's CheckRedis."""

    def __init__(self, source, sandbox, redis):
        self.source, self.redis, self._sandbox = source, redis, sandbox
        self.folder = f"{sandbox.home}/answer"
        self._files = source.files()
        sandbox.write(self.folder, self._files)
        self.processes, self._unpacked = [], set()
        # how much was done in Redis, since when nothing more, the processor time used by then
        self._heard = 0, time.monotonic(), 0

    def close(self):
        """End all that was started, and remove the copy."""
        self._sandbox.end_processes()

    # Programs

    def start(self, file, **environment):
        """Start `python FILE`; return it as a Process (see sandbox.py)."""
        if file not in self._unpacked:
            self.source.require(file)
        return self._start({"do": "program", "file": file}, f"python {file}", environment)

    def write(self, file, text):
        """Lay a program of the check's own beside the answer, to be started: it uses the answer."""
        self._sandbox.write(self.folder, {file: text.encode()})
        self._unpacked.add(file)

    @contextlib.contextmanager
    def without(self, file):
        """Take a file away from the answer for a while."""
        self._sandbox.remove(self.folder, file)
        try:
            yield
        finally:
            self._sandbox.write(self.folder, {file: self._files[file]})

    def call(self, module, name, *arguments, times=1, skip_waits=False, **environment):
        """Call a function in a process of its own; return what came of it as a Call.

        name: the function's, or several of which the first that exists is meant; None only
        imports the module, which may also begin to serve or to ask a queue for messages and not
        come back. times: how often it is called in that process. skip_waits: let each wait for a
        message that has a time-out run out at once. Raises TimedOutError.
        """
        self.source.require(f"{module}.py")
        names = [name] if isinstance(name, str) else list(name or ())
        defined = {}
        with contextlib.suppress(CheckError):  # another file may be broken
            defined = self.source.definitions()
        name = next((one for one in names if one in defined), names[0] if names else None)
        task = {
            "do": "call",
            "module": module,
            "name": name,
            "arguments": [encoded(one) for one in arguments],
            "times": times,
        }
        shown = f"{module}.{name}({', '.join(map(repr, arguments))})"
        shown += f", {times} times" if times > 1 else ""
        process = self._start(task, shown if name else f"import {module}", environment)
        waits = self._waits if name else self._at_work()
        waits = self._waits_without_end if skip_waits else waits
        self.until(
            lambda: len(process.events("value")) >= times or not process.running or waits(process)
        )
        call = Call(process, waits(process))
        if not call.ended or process.events("time_limit"):
            raise self.timed_out(process, f"the {'call' if name else 'import'} comes back")
        return call

    def serve(self, file="api.py", **environment):
        """Start the API as a program; return it as an Api when it answers."""
        process = self.start(file, **environment)
        self.until(lambda: process.events("serving") or not process.running or self._waits(process))
        if process.events("serving"):
            return Api(self, process)
        if process.running and not self._waits(process):
            raise self.timed_out(process, f"{file} calls app.run() and serves")
        error = (process.events("error") or [None])[-1]
        raise CheckError(
            f"{file} serves the API until somebody stops it",
            call=process.call_text,
            got=ending(process, self._waits(process)),
            hint=(hint_for(error) or "What does this message say of your line?")
            if error
            else f"Which line of {file} starts the server, and is it reached when the file is run?",
        )

    def _start(self, task, shown, environment):
        process = self._sandbox.start(
            task, self.folder, self.redis.path, environment, self._needs_matplotlib()
        )
        process.call_text = shown
        self.processes.append(process)
        return process

    def _needs_matplotlib(self):
        words = ("analysis", "matplotlib")
        sources = [self._files.get(name, b"") for name in self.source.modules()]
        return any(word.encode() in source for word in words for source in sources)

    # Waiting

    def until(self, condition, seconds=CHECK_TIMEOUT_SECONDS, watched=()):
        """Wait until condition() is true and return what it returns; its last value if never.

        It is asked anew as soon as a process says something, or something comes to the watched
        sockets, and now and then.
        """
        deadline, pause = time.monotonic() + seconds, 0.001
        while True:
            self._pump()
            value = condition()
            if value or time.monotonic() > deadline:
                self._pump()  # what was printed before it came true is seen as well
                return value
            open_ends = [fd for process in self.processes for fd in process.open]
            select.select([*open_ends, *watched], [], [], pause)
            pause = min(pause * 1.3, 0.02)  # most things come at once; to ask costs time, too

    def _pump(self):
        for process in self.processes:
            process.pump()

    def settle(self, *workers, seconds=CHECK_TIMEOUT_SECONDS):
        """Wait until each worker has ended, or has come back for more and found nothing.

        Then nothing will happen any more by itself, and it returns True; else it raises TimedOutError.
        """
        settled_in_time = self.until(
            lambda: self._require_no_round(*workers) or self.has_settled(*workers), seconds
        )
        busy = [one for one in workers if one.running and not self._waits(one)]
        late = [one for one in workers if one.events("time_limit")] or (
            not settled_in_time and busy
        )
        if late:
            raise self.timed_out(late[0], "it does its work, and waits for the next message")
        return True

    def _require_no_round(self, *workers):
        """Raise CheckError when a message comes back to a list again and again: that has no end."""
        put = Counter((one.keys[0], *one.arguments[1:]) for one in self.redis.pushes())
        (key, *messages), times = (put.most_common(1) or [((None,), 0)])[0]
        if times >= ROUNDS:
            raise CheckError(
                "what is taken off the queue does not come back to it for ever",
                call=workers[0].call_text,
                got=f"{short(messages[0])} was put on {key} {times} times, and there is no end of it",
                hint="Which line puts the message back, and what would have to become of it instead?",
            )

    def has_settled(self, *workers):
        """Tell whether each worker has ended, or has come back for more and found nothing.

        Of several workers that ask again and again without blocking one may still be at work.
        """
        waiting = self.redis.blocked()
        all_wait = all(f"pid-{one.pid}" in waiting for one in workers if one.running)
        if not all_wait and self.redis.empty_polls <= 3 * len(workers):
            return False
        self._pump()  # before it came back to wait it may have said that it has several hands
        # where one thread waits another one may be at work
        handy = [one for one in workers if one.running and one.events("threads")]
        return not handy or self._is_quiet(handy)

    def _is_quiet(self, workers):
        """Tell whether for a while no message was put, no status written, and nobody was at work.

        Who wants the processor and does not get it is at work. Who had it for long and did nothing
        all the same turns for ever.
        """
        runs, used = zip(*(one.processor_use() for one in workers), strict=True)
        deeds, _, before = self._heard
        if self.redis.write_count() != deeds:
            self._heard = self.redis.write_count(), time.monotonic(), sum(used)
        elif any(runs) and sum(used) - before < QUIET:
            self._heard = deeds, time.monotonic(), before
        return time.monotonic() - self._heard[1] > QUIET

    def let_time_pass(self, worker):
        """Let the time-out of a worker's wait for a message run out now; one without goes on."""
        takes = [one for one in self.redis.pops() if one.time_out is not None]
        if takes and takes[-1].time_out > 0:
            self.redis.end_wait(f"pid-{worker.pid}")

    def _waits_without_end(self, process):
        """Tell whether a process is blocked without a time-out; end its wait if it has one."""
        if not self._waits(process):
            return False
        time_outs = [pop.time_out for pop in self.redis.pops() if pop.time_out is not None]
        if time_outs and time_outs[-1] > 0:
            self.redis.end_wait(f"pid-{process.pid}")
            return False
        return True

    def waits(self, process):
        """Tell whether a process is blocked on a queue at this moment."""
        if not process.running or not process.events("redis_connection"):  # it knows no Redis yet
            return False
        return f"pid-{process.pid}" in self.redis.blocked()

    _waits = waits

    def _at_work(self):
        """Return a function that tells whether a process serves, or asks a queue for ever."""
        before = self.redis.poll_count()

        def at_work(process):
            asked = self.redis.poll_count() - before
            return bool(process.events("serving")) or asked > 3 or self.waits(process)

        return at_work

    def timed_out(self, process, expected):
        """Return a TimedOutError that says where the program was when its time was up."""
        process.signal(signal.SIGUSR1)
        self.until(lambda: process.events("stack") or not process.running, seconds=0.5)
        process.kill()
        if not process.events("time_limit"):
            process.report.append({"time_limit": "it did not come to an end"})
        return TimedOutError(
            expected,
            call=process.call_text,
            got=ending(process),
            hint="Which loop or which wait does it stand in, and what would end it?",
        )

    # Messages

    def queue(self):
        """Return (db, key) of the queue that add_job() puts ids on, learned from a call of it."""
        return self.add_job()[1]

    def add_job(self, start="2012-01-01", end="2012-01-31"):
        """Call add_job(); return (id, (db, key), message as bytes). Raises NotReachedError."""
        before = len(self.redis.pushes())
        call = self.call("jobs", "add_job", start, end)
        jid = jid_of(call.value) if call.process.events("value") else None
        pushed = self.redis.pushes()[before:]
        for command in pushed:
            for message in command.arguments[1:]:
                if jid and jid.encode() in message:
                    return jid, (command.db, text(command.arguments[0])), message
        raise NotReachedError(
            "this check needs add_job(), which saves a job, queues its id and returns it; "
            "the exercise add_job comes first",
            call=call.call_text,
            got=call.outcome_text,
        )

    def require_saved_first(self, *jids):
        """Raise NotReachedError if one of these ids was queued before its job was saved.

        Then a worker that is fast finds no job, and how it goes on is no fault of the worker.
        """
        for jid in jids:
            mine = [one for one in self.redis.commands if jid.encode() in b" ".join(one.arguments)]
            if mine and mine[0] in self.redis.pushes():
                raise NotReachedError(
                    "this check needs add_job(), which saves a job before it queues its id; "
                    "the exercise add_job comes first",
                    got=f"first {mine[0]}",
                )

    def read(self, process, message):
        """Return what this program's queue reads in a message (bytes); None if it cannot."""
        told = process.events("queue")
        return read_message(message, told[-1]["serializer"] if told else None)

    def queue_of(self, process):
        """Return {"name", "db", "serializer", "socket_timeout"} of the last queue that it made."""
        none = {"name": "", "db": 0, "serializer": "json", "socket_timeout": None}
        return (process.events("queue") or [none])[-1]

    def encode(self, process, message):
        """Return a message as bytes, in the way in which this program's queue reads it."""
        serializer = self.queue_of(process)["serializer"]
        if "pickle" in (serializer or "").lower():
            return pickle.dumps(message)
        if serializer is None:
            return str(message).encode()
        return json.dumps(message).encode()  # a serializer of their own, most likely around JSON

    def evidence(self):
        """Return what Redis shows now, as lines; [] where it cannot be asked."""
        with contextlib.suppress(Exception):
            return self.redis.describe()
        return []


class Call:
    """What came of a call. text: the call itself; outcome_text: what came of it, as text."""

    def __init__(self, process, waits):
        self.process, self.call_text, self._waits = process, process.call_text, waits
        self._value = (process.events("value") or [None])[-1]
        self.error = (process.events("error") or [None])[-1]
        self.ended = bool(self._value or self.error or waits or not process.running)

    @property
    def values(self):
        """The values of all its times. Raises CheckError when one of them raised."""
        if self.error:
            raise CheckError(
                "each time a value comes back", call=self.call_text, got=self.outcome_text
            )
        return [decoded(one.get("value")) for one in self.process.events("value")]

    @property
    def value(self):
        """The value that came back. Raises CheckError when it raised or waits instead."""
        if self._value is None:
            raise CheckError(
                "it comes back with a value",
                call=self.call_text,
                got=self.outcome_text,
                hint=hint_for(self.error),
            )
        return decoded(self._value.get("value"))

    @property
    def outcome_text(self):
        if self._value is not None:
            return short(self._value.get("repr", "imported"), 500)
        return ending(self.process, self._waits)
