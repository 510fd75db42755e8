"""Who works at a student's ReliableQueue, who is killed there, and what becomes of the messages?

    scene = Scene(student, lease=0.5)
    scene.put("first")
    ana = scene.worker("ana", holds=True)      # stops in the middle of each job
    scene.kill(ana)
    scene.noted("begun")                       # ["ana first"]

Producers and workers are programs of the check, laid beside the answer. They note what they do in
lists that begin with check: in database 0; the queue is in database 1, and has another name than
on the exercise's page.
"""

import re
import time

import redis

from jobs_kit.grading.expectations import CheckError, expect
from jobs_kit.grading.programs.explanations import ending, own_traceback
from jobs_kit.grading.programs.hints import hint_for
from jobs_kit.redis_server.monitor import HASH_WRITES, OTHER_WRITES, POPS, PUSHES

WHERE = {"REDIS_HOST": "redis.example", "REDIS_PORT": "7003"}  # no client finds it by itself
LONG = 10.0  # seconds: the lease where nobody is killed
ADDS = PUSHES | HASH_WRITES | OTHER_WRITES | {"ZADD", "SADD", "XADD", "LINSERT"}
GONE = 1.0  # seconds for which a message must be nowhere in Redis until it counts as lost
SILENT = 2  # seconds without a command after which a blocked worker has nothing else in mind
OFTEN = 8  # times that a worker asks, long after the lease, until nothing more is expected of it

START = '''"""A program of the check: {}."""

import json
import os
import time

import redis

from reliable import ReliableQueue

address = {{"host": os.environ["REDIS_HOST"], "port": int(os.environ["REDIS_PORT"])}}
address["socket_timeout"] = None
lease = float(os.environ["LEASE"])
q = ReliableQueue("parcels", lease=lease, serializer=json, db=1, **address)
notes = redis.Redis(client_name="check", **address)
'''
PROGRAMS = {
    "check_producer.py": START.format("it puts messages")
    + """
q.put(*os.environ["MESSAGES"].split())
notes.rpush("check:length", len(q))
""",
    "check_counter.py": START.format("it waits until the queue is empty")
    + """
while len(q) > 0:
    time.sleep(0.01)
notes.rpush("check:length", len(q))
""",
    "check_worker.py": START.format("a worker that can be told to stop in the middle of each job")
    + """
me = os.environ["WORKER"]


def work(message):
    notes.rpush("check:begun", f"{me} {message}")
    order = notes.blpop(f"check:go:{me}")[1] if os.environ["HOLDS"] else b"go"
    if order == b"raise":
        raise ValueError(f"{me} cannot do {message}")
    notes.rpush("check:done", f"{me} {message}")


for message in q.consume():
    work(message)
""",
    "check_idler.py": START.format(
        "it ends when it has nothing to do, and takes long for the first"
    )
    + """

@q.worker(timeout=1)
def work(message):
    if message == "first":
        notes.blpop("check:go:ana", 1.2)  # a sleep would be cut short
    notes.rpush("check:done", f"ana {message}")


work()
notes.rpush("check:returned", "yes")
""",
}


class WorkerScenario:
    """Producers and workers at the student's queue, and what they have noted."""

    def __init__(self, submission, lease=LONG):
        submission.source.require("reliable.py")
        self.submission, self.lease, self._notes = submission, lease, submission.redis.client()
        self._readable = None  # whether a message that waits can be found in Redis by its text
        self._killed_at = 0  # how many commands had been sent when the last worker was killed
        for file, text in PROGRAMS.items():
            submission.write(file, text)

    # Programs

    def put(self, *messages):
        """Put messages, by a program of their own. Raises CheckError when it does not get done."""
        shown = f"q.put({', '.join(map(repr, messages))})"
        before, late = len(self.noted("length")), after(SILENT)
        producer = self._start("check_producer.py", shown, MESSAGES=" ".join(messages))
        self.wait(
            lambda: len(self.noted("length")) > before,
            "put() puts the messages on the queue and comes back",
            shown,
            producer,
            hint="Does importing reliable.py come to an end? And ReliableQueue(...), and put()?",
            hopeless=lambda: late() and self.submission.waits(producer),
        )
        if self._readable is None:
            self._readable = bool(self.places(messages[0]))

    def worker(self, name, holds=False):
        """Start a worker. holds: it stops in the middle of each job until go()."""
        shown = f"{name}: for message in q.consume(): work(message)"
        held = "yes" if holds else ""
        process = self._start("check_worker.py", shown, WORKER=name, HOLDS=held)
        process.worker = name
        return process

    def idler(self):
        """Start a worker that returns when it has been idle for a second."""
        return self._start("check_idler.py", "@q.worker(timeout=1) above work(message), and work()")

    def counter(self):
        """Start a program that notes a length when the queue is empty."""
        return self._start("check_counter.py", "while len(q) > 0: time.sleep(0.01)")

    def go(self, name, order="go"):
        """Let a worker that holds a message go on with it; or let it "raise"."""
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

    def rest(self, process):
        """Wait until a worker that has nothing more to do has come back for the next message."""
        rested = after(2)  # one that asks again and again is not seen waiting
        self.submission.until(lambda: self.submission.waits(process) or rested())

    def _start(self, file, shown, **environment):
        process = self.submission.start(file, LEASE=str(self.lease), **WHERE, **environment)
        process.call_text = shown
        return process

    # What they noted

    def noted(self, what):
        """Return what the programs have "begun" or "done": ["ana first", ...]; or a "length"."""
        try:
            found = self._notes.lrange(f"check:{what}", 0, 9999)
        except redis.ResponseError:
            return []
        return [one.decode(errors="replace") for one in found]

    def messages(self, what):
        """Return which messages were "begun", or "done", in order."""
        return [one.partition(" ")[2] for one in self.noted(what)]

    def names(self, what, message):
        """Return who has "begun", or "done", a message: ["ana", ...]."""
        pairs = [one.partition(" ") for one in self.noted(what)]
        return [name for name, _, noted in pairs if noted == message]

    # Waiting

    def wait(self, condition, expected, call, *running, got=None, hint=None, hopeless=None):
        """Wait until condition() is true; raise a CheckError when it does not come true any more.

        running: the processes of which it is expected. got(): says what there is instead. hint: a
        text, or a function that returns it then. in_vain(): tells that it cannot come true.
        """

        def over():
            ended = not all(one.running for one in running)
            return condition() or ended or self._stuck(running) or (hopeless and hopeless())

        self.submission.until(over)
        if condition():
            return
        hint = hint() if callable(hint) else hint
        ended = next((one for one in running if not one.running), None)
        if ended:
            hint = hint_for((ended.events("error") or [None])[-1]) or hint
            found = f"{ended.call_text}\n{ending(ended)}"
            if ended.exit_code == 0 and hasattr(ended, "worker"):
                hint = "What ends the loop in consume(), and should it end here?"
        else:
            found = got() if got else "\n".join(map(self._where_it_is, running))
            found += self.complaints()
        raise CheckError(expected, call=call, got=found.removeprefix(f"{call}\n"), hint=hint)

    def comes_back(self, message, expected, call, worker, what="done", hint=None, hopeless=None):
        """Wait until a worker has done a message (what="begun": until it has taken it)."""
        missing, long_past, asked = _Absence(self, message), after(6 * self.lease), self._asked()
        self.wait(
            lambda: worker.worker in self.names(what, message),
            expected,
            call,
            worker,
            got=lambda: self._says_where(message),
            hint=hint,
            hopeless=lambda: (
                (self._readable and missing.lasts())
                or (hopeless and hopeless())
                or (long_past() and self._asked() - asked >= OFTEN)
            ),
        )

    def complaints(self):
        """Return what a thread of a worker died of, as lines to add; "" if none did."""
        for process in self.submission.processes:
            found = re.search(r"^Exception in thread .*", process.output, re.DOTALL | re.MULTILINE)
            if found:
                return f"\na thread has died: {own_traceback(found[0])}"
        return ""

    def expect_address(self, process):
        """Expect that a program has looked for Redis where it was told, and nowhere else."""
        told = "{REDIS_HOST}:{REDIS_PORT}".format(**WHERE)
        asked = {f"{one['host']}:{one['port']}" for one in process.events("redis_connection")}
        expect(
            asked <= {told},
            f"Redis is looked for at {told}, and nowhere else",
            call='ReliableQueue("parcels", lease=…, serializer=json, host="{REDIS_HOST}", '
            "port={REDIS_PORT}, db=1), and consume()".format(**WHERE),
            got=f"Redis was looked for at {' and '.join(sorted(asked))}",
            hint="Which clients does your class make, and what of its options does each of them get?",
        )

    def places(self, message):
        """Return where a message stands in Redis: ["hotqueue:parcels (db 1)", ...]."""
        found = self.submission.redis.where(message)
        return [f"{key} (db {db})" for db, key in found if not key.startswith("check:")]

    def held(self, message):
        """Return the key in which a message stands, if it is one alone; None else."""
        found = [key for _, key in self.submission.redis.where(message)]
        found = [key for key in found if not key.startswith("check:")]
        return found[0] if len(found) == 1 else None

    def gap(self, message, held=None):
        """Return the two Commands between which a message that was claimed was nowhere, or None.

        It was put before any worker was there, and no other was taken before it. held: the key in
        which it stood when the last worker was killed; what happened since then is looked at.
        """
        trace, word = self.submission.redis.commands, message.encode()
        trace = trace[self._killed_at if held else 0 :]
        place = [held] if held else None  # the list that it was put on
        copies, taken = len(place or []), None
        for at, one in enumerate(trace):
            has_it = any(word in argument for argument in one.arguments)
            if has_it and one.arguments[0].startswith(b"check:"):
                return None  # somebody begins to work on it
            if has_it and one.name in ADDS:
                if taken:
                    return taken, one
                copies, place = copies + 1, place or one.keys
            elif copies == 1 and one.keys == place and (one.name in POPS or _removes(one, word)):
                taken = taken or (None if is_in_one_step(trace, at) else one)
        return None

    def _says_where(self, message):
        places = self.places(message)
        if places:
            return f"{message!r} stands at {' and '.join(places)}, and no living worker takes it"
        return f"{message!r} is nowhere in Redis any more"

    def _where_it_is(self, process):
        frames = self.submission.timed_out(process, "").got.splitlines()[1:]
        return "\n".join([process.call_text, "it comes no further", *frames])

    def _asked(self):
        """Return how often lists were asked for a message."""
        return len(self.submission.redis.pops())

    def _stuck(self, processes):
        """Tell whether these wait for something in Redis, and have done nothing else for long."""
        listed = self._notes.client_list(_type="normal")
        for process in processes:
            mine = [one for one in listed if one["name"] == f"pid-{process.pid}"]
            if not any("b" in one["flags"] for one in mine):
                return False
            if any(int(one["idle"]) < SILENT for one in mine):
                return False
        return bool(processes)


def is_in_one_step(trace, at):
    """Tell whether a command of a trace is part of a script or of a MULTI."""
    following = (one.name for one in trace[at:] if one.name in ("MULTI", "EXEC"))
    return trace[at].by_script or next(following, None) == "EXEC"


def _removes(command, word):
    """Tell whether a command takes one message off a list by its text."""
    return command.name == "LREM" and word in command.arguments[-1]


class _Absence:
    """How long has a message been nowhere in Redis? One look may miss it on its way."""

    def __init__(self, scenario, message):
        self._scenario, self._message = scenario, message
        self._since, self._next_look = None, after(0)

    def lasts(self):
        """Tell whether it has been missing for long; to be asked again and again."""
        if self._next_look():
            self._next_look = after(0.05)
            if self._scenario.places(self._message):
                self._since = None
            elif self._since is None:
                self._since = after(GONE)
        return bool(self._since and self._since())


def after(seconds):
    """Return a condition that is true when so many seconds have passed."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end
