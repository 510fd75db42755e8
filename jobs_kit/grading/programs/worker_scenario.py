"""Let producers and workers use a student's ReliableQueue, kill some, and follow the messages.

    scenario = WorkerScenario(submission, lease=0.5)
    scenario.put("first")
    ana = scenario.worker("ana", holds=True)      # stops in the middle of each job
    scenario.kill(ana)
    scenario.noted("begun")                       # ["ana first"]

The programs are in scenario_programs.py.
"""

import re
import signal
import time

import redis

from jobs_kit.grading.expectations import CheckError, expect
from jobs_kit.grading.programs.addresses import expect_address
from jobs_kit.grading.programs.explanations import ending, own_traceback
from jobs_kit.grading.programs.scenario_programs import PROGRAMS
from jobs_kit.grading.programs.turns import Turns
from jobs_kit.queue_watch.command_recorder import is_in_one_step
from jobs_kit.redis_server.monitor import HASH_WRITES, OTHER_WRITES, POPS, PUSHES

ADDRESS = {"REDIS_HOST": "redis.example", "REDIS_PORT": "7003"}  # no client finds it by itself
LONG_LEASE_SECONDS = 10.0  # where no worker is killed
LOST_SECONDS = 1.0  # for which a message must be nowhere in Redis until it counts as lost
SILENT_SECONDS = 2  # without a command, after which a blocked worker does nothing else
LAST_POLLS = 8  # of a worker, long after the lease, until nothing more is expected of it
ADDS = PUSHES | HASH_WRITES | OTHER_WRITES | {"ZADD", "SADD", "XADD", "LINSERT"}


class WorkerScenario:
    """Producers and workers at the student's queue, and what they have noted.

    submission: a Submission. lease: of the queue, in seconds.
    """

    BUSY = "ana has taken 'first' and is in the middle of it"
    NEXT_HINT = "What does consume() do when the loop asks for the next message?"

    def __init__(self, submission, lease=LONG_LEASE_SECONDS):
        submission.source.require("reliable.py")
        self.submission, self.lease, self._notes = submission, lease, submission.redis.client()
        self._turns = None
        self._readable = None  # whether a message that waits can be found in Redis by its text
        self._killed_at = 0  # how many commands had been sent when the last worker was killed
        for file, text in PROGRAMS.items():
            submission.write(file, text)

    # Programs

    def put(self, *messages):
        """Put messages with a producer program. Raises CheckError when that does not end."""
        call_text = f"q.put({', '.join(map(repr, messages))})"
        before, late = len(self.noted("length")), after(SILENT_SECONDS)
        producer = self._start("check_producer.py", call_text, MESSAGES=" ".join(messages))
        producer.label = "put()"
        self.wait(
            lambda: len(self.noted("length")) > before,
            "put() puts the messages on the queue and returns",
            call_text,
            producer,
            hint="Which one of these does not end: importing reliable.py, ReliableQueue(...), "
            "or put()?",
            hopeless=lambda: late() and self.submission.waits(producer),
        )
        if self._readable is None:
            self._readable = bool(self.places(messages[0]))

    def worker(self, name, holds=False):
        """Start a worker of this name. holds: it stops in the middle of each job until go()."""
        call_text = f"{name}: for message in q.consume(): work(message)"
        environment = {"WORKER": name, "HOLDS": "yes" if holds else ""}
        process = self._start("check_worker.py", call_text, **environment)
        process.worker = process.label = name
        return process

    def start_in_step(self, *names):
        """Start workers that take turns at Redis while wait() waits; return their Processes."""
        self._turns = self.submission.turns = Turns(self.submission, len(names))
        workers = [self.worker(name) for name in names]
        self.submission.turns = None
        return workers

    def end_turns(self):
        """Let the workers that were started in step go on without turns."""
        self._turns.close()
        self._turns = None

    def idler(self):
        """Start a worker that returns when it has been idle for a second."""
        call_text = "@q.worker(timeout=1) above work(message), and work()"
        process = self._start("check_idler.py", call_text)
        process.label = "ana"  # as it notes what it has done
        return process

    def counter(self):
        """Start a program that notes a length when the queue is empty."""
        return self._start("check_counter.py", "while len(q) > 0: time.sleep(0.01)")

    def go(self, name, order="go"):
        """Let a worker that holds a message continue ("go"), or fail ("raise")."""
        try:
            self._notes.rpush(f"check:go:{name}", order)
        except redis.ResponseError:
            raise CheckError(
                "the queue leaves other keys alone", got=f"it wrote check:go:{name}"
            ) from None

    def kill(self, process):
        """Kill a worker, and wait until it is dead."""
        process.kill()
        self.submission.until(lambda: not process.running)
        self._killed_at = len(self.submission.redis.commands)

    def stand_still(self, process, seconds):
        """Stop a worker with all its threads, as a computer that sleeps does, and let it go on."""
        over = after(seconds)
        process.signal(signal.SIGSTOP)
        self.submission.until(over)
        process.signal(signal.SIGCONT)

    def rest(self, process):
        """Wait until a worker that has nothing more to do waits for the next message."""
        long_enough = after(2)  # a worker that asks again and again is never seen waiting
        self.submission.until(lambda: self.submission.waits(process) or long_enough())

    def _start(self, file, call_text, **environment):
        process = self.submission.start(file, LEASE=str(self.lease), **ADDRESS, **environment)
        process.call_text = call_text
        return process

    # Ana and ben, who work at the same queue

    def start_ana(self, *others):
        """Put "first" and others; start ana, who stops in the middle of it; return her Process."""
        self.put("first", *others)
        ana = self.worker("ana", holds=True)
        self.wait(
            lambda: "ana" in self.names("begun", "first"),
            "ana gets 'first'",
            ana.call_text,
            ana,
            hint="Which list does put() fill, and which one does consume() look at?",
        )
        return ana

    def start_ana_with_second(self):
        """Start ana, who does "first" and stops in the middle of "second"; return her Process."""
        ana = self.start_ana("second")
        self.go("ana")
        self.wait(
            lambda: self.names("begun", "second"),
            "ana goes on with 'second'",
            ana.call_text,
            ana,
            hint=self.NEXT_HINT,
        )
        return ana

    def start_both(self):
        """Return the Processes of ana, in the middle of "first", and ben, past his start and idle."""
        ana, ben = self.start_ana(), self.worker("ben")
        self.put("second")
        self.wait_done(
            "second", "ben does 'second'", f"{self.BUSY}; ben works on the same queue", ben
        )
        return ana, ben

    # What they noted

    def noted(self, event):
        """Return what the programs have noted: "begun" or "done" as ["ana first", ...]; "length"."""
        try:
            notes = self._notes.lrange(f"check:{event}", 0, 9999)
        except redis.ResponseError:
            return []
        return [note.decode(errors="replace") for note in notes]

    def messages(self, event):
        """Return which messages were "begun", or "done", in order."""
        return [note.partition(" ")[2] for note in self.noted(event)]

    def names(self, event, message):
        """Return the workers that have "begun", or "done", a message: ["ana", ...]."""
        notes = [note.partition(" ") for note in self.noted(event)]
        return [worker for worker, _, noted in notes if noted == message]

    def done_so_far(self):
        """Return the messages that were done, as text."""
        return f"done so far: {', '.join(self.noted('done')) or 'nothing'}"

    def begun_in_order(self):
        """Return the messages that were begun, as text."""
        return f"started, in this order: {', '.join(self.noted('begun'))}"

    def expect_begun(self, message, names, expected, call, hint):
        """Expect that a message was begun by these workers, once each."""
        expect(
            self.names("begun", message) == names,
            expected,
            call=call,
            got=self.begun_in_order(),
            hint=hint,
        )

    # Waiting

    def wait_done(self, message, expected, call, *running, hint=None):
        """Wait until a message is done; see wait()."""
        self.wait(lambda: self.names("done", message), expected, call, *running, hint=hint)

    def wait(self, condition, expected, call, *running, got=None, hint=None, hopeless=None):
        """Wait until condition() is true; raise a CheckError when it cannot come true any more.

        running: the Processes that should make it true. got(): returns what there is instead.
        hint: a string, or a function that returns it. hopeless(): tells that it cannot come true.
        """

        def is_over():
            if self._turns:
                self._turns.step()
            ended = not all(process.running for process in running)
            return condition() or ended or self._stuck(running) or (hopeless and hopeless())

        self.submission.until(is_over)
        if condition():
            return
        hint = hint() if callable(hint) else hint
        ended = next((process for process in running if not process.running), None)
        if ended:
            outcome, hint = self._end_of(ended, hint)
        else:
            outcome = got() if got else "\n".join(map(self._where_it_is, running))
            outcome += self.complaints()
        raise CheckError(expected, call=call, got=outcome.removeprefix(f"{call}\n"), hint=hint)

    def _end_of(self, process, hint):
        """Return the end of a process as text, and the hint for it; hint: that of the check."""
        hint = process.any_hint or hint
        if process.exit_code == 0 and hasattr(process, "worker"):
            hint = "What ends the loop in consume()? Should it end here?"
        return f"{process.call_text}\n{ending(process)}", hint

    def comes_back(
        self, message, expected, call, worker, what="done", times=1, hint=None, hopeless=None
    ):
        """Wait until a worker has done a message so many times, or with what="begun" taken it."""
        missing, long_past = _Absence(self, message), after(6 * self.lease)
        polls = self._polls()
        self.wait(
            lambda: self.names(what, message).count(worker.worker) >= times,
            expected,
            call,
            worker,
            got=lambda: self._describe_place(message),
            hint=hint,
            hopeless=lambda: (
                (self._readable and missing.lasts())
                or (hopeless and hopeless())
                or (long_past() and self._polls() - polls >= LAST_POLLS)
            ),
        )

    def complaints(self):
        """Return the exception that ended a thread of a worker, as lines to add; "" if there is none."""
        for process in self.submission.processes:
            match = re.search(r"^Exception in thread .*", process.output, re.DOTALL | re.MULTILINE)
            if match:
                return f"\na thread has died: {own_traceback(match[0])}"
        return ""

    def expect_address(self, process):
        """Expect that a program has connected to the address that it was given, and to no other."""
        expect_address(
            process,
            *ADDRESS.values(),
            call='ReliableQueue("parcels", lease=…, serializer=json, host="{REDIS_HOST}", '
            "port={REDIS_PORT}, db=1), and consume()".format(**ADDRESS),
            hint="Which Redis connections does your class make? Which options does each of them "
            "get?",
        )

    def places(self, message):
        """Return where a message is in Redis: ["hotqueue:parcels (db 1)", ...]."""
        return [f"{key} (db {db})" for db, key in self._keys_with(message)]

    def held(self, message):
        """Return the key that holds a message, or None if it is not exactly one."""
        keys = [key for _, key in self._keys_with(message)]
        return keys[0] if len(keys) == 1 else None

    def _keys_with(self, message):
        found = self.submission.redis.keys_with(message)
        return [(db, key) for db, key in found if not key.startswith("check:")]

    def gap(self, message, held=None):
        """Return the two Commands between which a message that was claimed was nowhere, or None.

        It was put before any worker was there, and no other was taken before it. held: the key
        that held it when the last worker was killed; then only later commands count.
        """
        trace, word = self.submission.redis.commands, message.encode()
        trace = trace[self._killed_at if held else 0 :]
        place = [held] if held else None  # the list that it was put on
        copies, taken = len(place or []), None
        for at, command in enumerate(trace):
            has_it = any(word in argument for argument in command.arguments)
            if has_it and command.arguments[0].startswith(b"check:"):
                return None  # a worker begins to work on it
            if has_it and command.name in ADDS:
                if taken:
                    return taken, command
                copies, place = copies + 1, place or command.keys
            elif copies == 1 and command.keys == place and _takes(command, word):
                taken = taken or (None if is_in_one_step(trace, at) else command)
        return None

    def _describe_place(self, message):
        places = self.places(message)
        if places:
            return f"{message!r} is still at {' and '.join(places)}, and no running worker takes it"
        return f"{message!r} is no longer in Redis"

    def _where_it_is(self, process):
        frames = self.submission.timed_out(process, "").got.splitlines()[1:]
        return "\n".join([process.call_text, "it does not get any further", *frames])

    def _polls(self):
        """Return how often lists were asked for a message."""
        return len(self.submission.redis.pops())

    def _stuck(self, processes):
        """Tell whether all these wait for something in Redis, and have done nothing else for long."""
        clients = self._notes.client_list(_type="normal")
        for process in processes:
            own = [client for client in clients if client["name"] == f"pid-{process.pid}"]
            if not any("b" in client["flags"] for client in own):
                return False
            if any(int(client["idle"]) < SILENT_SECONDS for client in own):
                return False
        return bool(processes)


def _takes(command, word):
    """Tell whether a command pops from its list, or removes one message from it by its text."""
    return command.name in POPS or (command.name == "LREM" and word in command.arguments[-1])


class _Absence:
    """The time that a message has been nowhere in Redis; a single look may miss it on its way."""

    def __init__(self, scenario, message):
        self._scenario, self._message = scenario, message
        self._since, self._next_look = None, after(0)

    def lasts(self):
        """Tell whether it has been missing for long; to be called again and again."""
        if self._next_look():
            self._next_look = after(0.05)
            if self._scenario.places(self._message):
                self._since = None
            elif self._since is None:
                self._since = after(LOST_SECONDS)
        return bool(self._since and self._since())


def after(seconds):
    """Return a condition that is true when so many seconds have passed."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end
