"""Start a student's programs, call their functions, serve their API, and wait for them.

    job = submission.call("jobs", "add_job", START, END).value
    worker = submission.start("worker.py")
    submission.until(lambda: submission.redis.status(jid) == "complete")

Nothing of it runs in this process: see sandbox/. Nothing here waits for a time: it waits until
something has happened, or until nothing can happen any more.
"""

import contextlib
import json
import pickle
import select
import signal
import time
from collections import Counter

from jobs_kit.grading.expectations import CheckError, NotReachedError, TimedOutError, expect
from jobs_kit.grading.limits import CHECK_TIMEOUT_SECONDS
from jobs_kit.grading.programs.call import Call
from jobs_kit.grading.programs.check_recording import record
from jobs_kit.grading.programs.explanations import ending
from jobs_kit.grading.programs.formats import encoded, other_id, read_message
from jobs_kit.grading.programs.http_client import Api
from jobs_kit.grading.programs.patience import Patience
from jobs_kit.grading.text import short
from jobs_kit.redis_server.text import text

MOST_PUSHES = 20  # of the same message on a list; more have no end
IDLE_SECONDS = 60  # that a connection without socket_timeout=None waits for a message
QUIET_SECONDS = 1  # without a write, after which a program of several threads is idle


class Submission:
    """A submission, ready to run. source: its files. redis: a RedisRecorder. processes: all of them.

    slow_word: text that takes long to print in programs that are started from now on, or None.
    turns: the Turns that these take, or None.
    A check gets it as the fixture `submission`.
    """

    def __init__(self, source, sandbox, redis):
        self.source, self.redis, self._sandbox = source, redis, sandbox
        self.slow_word, self.turns = None, None
        self.folder = f"{sandbox.home}/answer"
        self._files = source.files()
        sandbox.write(self.folder, self._files)
        self.processes, self._added_files = [], set()
        # writes in Redis so far, since when there was none, processor seconds used by then
        self._last_work = 0, time.monotonic(), 0

    def close(self):
        """End all processes, and remove the copy of the files."""
        self._sandbox.end_processes()

    # Programs

    def start(self, file, **environment):
        """Start `python FILE`; return it as a Process."""
        self._require(file)
        return self._start({"do": "program", "file": file}, f"python {file}", environment)

    def write(self, file, text):
        """Write a program of the check beside the answer, so that it can import the answer."""
        self._sandbox.write(self.folder, {file: text.encode()})
        self._added_files.add(file)

    @contextlib.contextmanager
    def without(self, file):
        """Remove a file from the answer until the end of a with statement."""
        self._sandbox.remove(self.folder, file)
        try:
            yield
        finally:
            self._sandbox.write(self.folder, {file: self._files[file]})

    def call(self, module, name, *arguments, times=1, skip_waits=False, **environment):
        """Call a function in a separate process; return its outcome as a Call.

        name: the function's, or several of which the first that exists is meant, in a class
        too, with any number of underscores before it; None only
        imports the module, which may also begin to serve or to ask a queue for messages and not
        come back. times: how often it is called in that process. skip_waits: whether each wait for
        a message that has a time-out runs out at once. Raises CheckError, TimedOutError.
        """
        self._require(f"{module}.py")
        name = self._path_of(name)
        task = {
            "do": "call",
            "module": module,
            "name": name,
            "arguments": list(map(encoded, arguments)),
            "times": times,
        }
        call_text = f"{module}.{name}({', '.join(map(repr, arguments))})"
        call_text += f", {times} times" if times > 1 else ""
        process = self._start(task, call_text if name else f"import {module}", environment)
        waits = self.waits if name else self._at_work()
        waits = self._waits_without_end if skip_waits else waits
        self.until(
            lambda: len(process.events("value")) >= times or not process.running or waits(process)
        )
        call = Call(process, waits(process))
        if not call.ended or process.events("time_limit"):
            raise self.timed_out(process, f"the {'call' if name else 'import'} ends")
        return call

    def _require(self, file):
        """Raise CheckError unless Python can read a file; one that the check wrote is not asked."""
        if file not in self._added_files:
            self.source.require(file)

    def _path_of(self, name):
        """Return the path of the first of several names that the answer defines; see call()."""
        names = [name] if isinstance(name, str) else list(name or ())
        found = []
        with contextlib.suppress(CheckError):  # another file may be broken
            found = self.source.definitions_like(*names)
        return next((path for path, _ in found), names[0] if names else None)

    def names_at_run(self, module):
        """Return {name: its attributes} of a module's names after its import, or None."""
        with contextlib.suppress(TimedOutError):
            values = self.call(module, None).process.events("value")
            return values[-1]["names"] if values else None
        return None

    def serve(self, file="api.py", **environment):
        """Start the API as a program; return it as an Api when it answers."""
        process = self.start(file, **environment)
        self.until(lambda: process.events("serving") or not process.running or self.waits(process))
        if process.events("serving"):
            return Api(self, process)
        if process.running and not self.waits(process):
            raise self.timed_out(process, f"{file} calls app.run() and serves")
        raise self._does_not_serve(file, process)

    def _does_not_serve(self, file, process):
        hint = f"Which line of {file} starts the server? Is it reached when you run the file?"
        if process.error:
            hint = process.hint or "What does this message tell you about your line?"
        return CheckError(
            f"{file} serves the API and does not end",
            call=process.call_text,
            got=ending(process, self.waits(process)),
            hint=hint,
        )

    def _start(self, task, call_text, environment):
        pace = {"slow_word": self.slow_word, "turns": self.turns and self.turns.path}
        process = self._sandbox.start(
            task, self.folder, self.redis.path, environment, self._draws(), pace
        )
        process.call_text = call_text
        process.label = task.get("file") or (f"{task['name']}()" if task["name"] else call_text)
        self.processes.append(process)
        return process

    def _draws(self):
        """Tell whether a program of the answer may draw, by what its files speak of."""
        texts = [self._files.get(name, b"") for name in self.source.modules()]
        return any(word in text for word in (b"plot", b"matplotlib") for text in texts)

    # Waiting

    def until(self, condition, seconds=CHECK_TIMEOUT_SECONDS, watched=()):
        """Wait until condition() is true; return its value, or its last value when the time is up.

        It is called as soon as a process reports something, or something arrives at the watched
        sockets, and every few milliseconds. seconds: of an idle machine, see Patience.
        """
        patience, pause = Patience(self.processes, seconds), 0.004
        while True:
            self._pump()
            value = condition()
            if value or patience.is_over():
                self._pump()  # reads what was printed before it came true
                return value
            open_ends = [fd for process in self.processes for fd in process.open]
            select.select([*open_ends, *watched], [], [], pause)
            pause = min(pause * 1.5, 0.03)  # most things come at once; asking costs time, too

    def _pump(self):
        for process in self.processes:
            process.pump()

    def settle(self, *workers, seconds=CHECK_TIMEOUT_SECONDS):
        """Wait until each worker has ended, or has asked for the next message and found none.

        Then nothing more happens by itself, and it returns True. Raises CheckError, TimedOutError.
        """
        in_time = self.until(
            lambda: self._require_no_endless_pushes(workers) or self.has_settled(*workers), seconds
        )
        late = [worker for worker in workers if worker.events("time_limit")]
        if not late and not in_time:
            late = [one for one in workers if one.running and not self.waits(one)]
        if late:
            raise self.timed_out(late[0], "it does its work and waits for the next message")
        return True

    def _require_no_endless_pushes(self, workers):
        """Raise CheckError when a message returns to a list again and again, which never ends."""
        pushes = self.redis.pushes()
        counts = Counter((command.keys[0], *command.arguments[1:]) for command in pushes)
        (key, *messages), times = (counts.most_common(1) or [((None,), 0)])[0]
        if times >= MOST_PUSHES:
            raise CheckError(
                "a message that was taken is not put back forever",
                call=workers[0].call_text,
                got=f"{short(messages[0])} was put on {key} {times} times, and it goes on",
                hint="Which line puts the message back? What should happen to the message instead?",
            )

    def has_run_out(self, process):
        """Tell whether a program has ended without an exception, because its queue was empty.

        Whether it should have waited is for one check alone, in each exercise.
        """
        ended = not process.running and process.exit_code >= 0 and not process.error
        return ended and self.redis.asked_in_vain

    def go_on(self, process):
        """Return a program that still runs; start it again where it has run out."""
        if not self.has_run_out(process):
            return process
        return self.start(process.call_text.removeprefix("python "))

    def has_settled(self, *workers):
        """Tell whether each worker has ended, or has asked for the next message and found none.

        Of several workers that ask again and again without blocking, one may still be at work.
        """
        waiting = self.redis.blocked()
        all_wait = all(f"pid-{one.pid}" in waiting for one in workers if one.running)
        if not all_wait and self.redis.empty_polls <= 3 * len(workers):
            return False
        self._pump()  # it may have reported threads before it waited
        # while one thread waits, another one may be at work
        threaded = [one for one in workers if one.running and one.events("threads")]
        return not threaded or self._is_quiet(threaded)

    def _is_quiet(self, workers):
        """Tell whether for a while nothing was written in Redis, and no worker was at work.

        A worker that wants the processor and does not get it is at work. One that had it for long
        and wrote nothing is in an endless loop.
        """
        runs, seconds = zip(*(worker.processor_use() for worker in workers), strict=True)
        writes, _, before = self._last_work
        if self.redis.write_count() != writes:
            self._last_work = self.redis.write_count(), time.monotonic(), sum(seconds)
        elif any(runs) and sum(seconds) - before < QUIET_SECONDS:
            self._last_work = writes, time.monotonic(), before
        return time.monotonic() - self._last_work[1] > QUIET_SECONDS

    def let_time_pass(self, worker):
        """End a worker's wait for a message now, as if its time-out had passed, if it has one."""
        pops = [command for command in self.redis.pops() if command.time_out is not None]
        if pops and pops[-1].time_out > 0:
            self.redis.end_wait(f"pid-{worker.pid}")

    def _waits_without_end(self, process):
        """Tell whether a process is blocked without a time-out; end its wait if it has one."""
        if not self.waits(process):
            return False
        time_outs = [pop.time_out for pop in self.redis.pops() if pop.time_out is not None]
        if time_outs and time_outs[-1] > 0:
            self.redis.end_wait(f"pid-{process.pid}")
            return False
        return True

    def waits(self, process):
        """Tell whether a process is blocked on a queue at this moment."""
        if not process.running or not process.events("redis_connection"):  # not connected yet
            return False
        return f"pid-{process.pid}" in self.redis.blocked()

    def _at_work(self):
        """Return a function that tells whether a process serves, or asks a queue again and again."""
        before = self.redis.poll_count()

        def at_work(process):
            polls = self.redis.poll_count() - before
            return bool(process.events("serving")) or polls > 3 or self.waits(process)

        return at_work

    def timed_out(self, process, expected):
        """Kill a process; return a TimedOutError that names the line where it was."""
        process.signal(signal.SIGUSR1)
        self.until(lambda: process.events("stack") or not process.running, seconds=0.5)
        process.kill()
        if not process.events("time_limit"):
            process.report.append({"time_limit": "it did not end"})
        return TimedOutError(
            expected,
            call=process.call_text,
            got=ending(process),
            hint="Which loop or wait is it in at this line? What would end it?",
        )

    # Messages

    def queue(self):
        """Return (db, key) of the queue that add_job() puts the id on, by calling it."""
        return self.add_job()[1]

    def add_job(self, start="2012-01-01", end="2012-01-31"):
        """Return (id, (db, key), message as bytes) of a job that it adds. Raises NotReachedError."""
        before = len(self.redis.pushes())
        call = self.call("jobs", "add_job", start, end)
        jid = call.job_id
        pushed = self.redis.pushes()[before:]
        for command in pushed:
            for message in command.arguments[1:]:
                if jid and jid.encode() in message:
                    return jid, (command.db, text(command.arguments[0])), message
        raise NotReachedError(
            "this check needs add_job() to save a job, queue its id and return it: finish "
            "the exercise add_job first",
            call=call.call_text,
            got=call.outcome_text,
        )

    def queue_unknown_id(self, start, end):
        """Add a job, and queue an id that no job has in the same form; return that id."""
        jid, (db, key), message = self.add_job(start, end)
        strange, unknown = other_id(message, jid)
        self.redis.put(db, key, strange)
        return unknown

    def require_saved_first(self, *jids):
        """Raise NotReachedError if one of these ids was queued before its job was saved.

        Then a fast worker finds no job, and that is no fault of the worker.
        """
        for jid in jids:
            word, commands = jid.encode(), self.redis.commands
            commands = [command for command in commands if word in b" ".join(command.arguments)]
            if commands and commands[0] in self.redis.pushes():
                raise NotReachedError(
                    "this check needs add_job() to save a job before it queues the id: finish the "
                    "exercise add_job first",
                    got=f"first {commands[0]}",
                )

    def read(self, process, message):
        """Return what this program's queue reads in a message (bytes); None if it cannot."""
        queues = process.events("queue")
        return read_message(message, queues[-1]["serializer"] if queues else None)

    def queue_of(self, process):
        """Return {"name", "db", "serializer", "socket_timeout"} of a program's latest HotQueue."""
        none = {"name": "", "db": 0, "serializer": "json", "socket_timeout": None}
        return (process.events("queue") or [none])[-1]

    def queue_at_import(self, process):
        """Return the queue that was made while its module was imported; the last if none was."""
        report = process.report
        imported = next((at for at, line in enumerate(report) if "imported" in line), len(report))
        queues = [line["queue"] for line in report[:imported] if "queue" in line]
        named = [queue for queue in queues if queue["name"] == "queue"]
        return (named or queues or [self.queue_of(process)])[-1]

    def note_socket_timeout(self, process, note, what="program"):
        """Add a note where a queue of a process gives up waiting. what: the process in a word."""
        time_outs = [pop.time_out for pop in self.redis.pops() if pop.time_out is not None]
        waits_long = any(seconds == 0 or seconds >= IDLE_SECONDS for seconds in time_outs)
        if waits_long and self.queue_of(process)["socket_timeout"] is not None:
            note(
                "this costs no points, but without socket_timeout=None an idle minute ends this "
                f"{what} with an error (lesson 03)"
            )

    def encode(self, process, message):
        """Return a message as bytes, as this program's queue reads it."""
        serializer = self.queue_of(process)["serializer"]
        if "pickle" in (serializer or "").lower():
            return pickle.dumps(message)
        if serializer is None:
            return str(message).encode()
        return json.dumps(
            message
        ).encode()  # a serializer of the student's is most likely around JSON

    def queue_place(self, process):
        """Return (db, key) of the queue that a process asks for messages; expect that it does."""
        places = [(one.db, key) for one in self.redis.pops() for key in one.keys]
        places = places or list(self.redis.polled_lists())
        expect(places, "the program asks a queue for messages", call=process)
        return places[-1]

    def feed(self, process, *items, until):
        """Put items on its queue; wait until until(process) is true or nothing more happens.

        Returns the Process, which is a new one where the first has run out.
        """
        db, key = self.queue_place(process)
        self.redis.put(db, key, *(self.encode(process, item) for item in items))
        process = self.go_on(process)
        self.until(lambda: until(process) or self.has_settled(process))
        # a thread may still print
        self.until(lambda: until(process) or not process.running, seconds=0.3)
        return process

    def evidence(self):
        """Return the content of Redis as lines; [] if it does not answer."""
        with contextlib.suppress(Exception):
            return self.redis.describe_contents()
        return []

    def recording(self):
        """Return the recording of a queue and its jobs, see check_recording.py; or None."""
        with contextlib.suppress(Exception):  # Redis may be stuck
            return record(self)
        return None
