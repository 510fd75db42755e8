"""What does a check do with a student's programs? It starts them, calls them, asks them over HTTP.

    job = student.call("jobs", "add_job", START, END).value
    worker = student.start("worker.py")
    student.until(lambda: student.redis.status(jid) == "complete")

Nothing of it runs here: see sandbox.py. Nothing here waits for a time: it waits until something
has happened, or until nothing can happen any more.
"""

import contextlib
import http.client
import json
import pickle
import pickletools
import re
import signal
import socket
import time

from jobs_kit.grading.evidence import UUID, short, text, without_folder
from jobs_kit.grading.verdict import Fault, NotReached, TimedOut

PICKLE_OF_A_TEXT = {"PROTO", "FRAME", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "STOP"}
PICKLE_OF_A_TEXT |= {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}
GIVEN = ("analysis.py",)  # its lines in a traceback are not the student's own
PATIENCE = 10  # seconds until a check gives up, on an idle machine far more than needed


class Student:
    """A student's answer, ready to run. answer: its files; redis: the check's CheckRedis."""

    def __init__(self, answer, sandbox, redis):
        self.answer, self.redis, self._sandbox = answer, redis, sandbox
        self.folder = f"{sandbox.home}/answer"
        self._files = answer.files()
        sandbox.lay(self.folder, self._files)
        self.processes, self._laid = [], set()

    def close(self):
        """End all that was started, and remove the copy."""
        self._sandbox.end_processes()

    # Programs

    def start(self, file, **environment):
        """Start `python FILE`; return it as a Process (see sandbox.py)."""
        if file not in self._laid:
            self.answer.require(file)
        return self._start({"do": "program", "file": file}, f"python {file}", environment)

    def lay(self, file, text):
        """Lay a program of the check's own beside the answer, to be started: it uses the answer."""
        self._sandbox.lay(self.folder, {file: text.encode()})
        self._laid.add(file)

    @contextlib.contextmanager
    def without(self, file):
        """Take a file away from the answer for a while."""
        self._sandbox.remove(self.folder, file)
        try:
            yield
        finally:
            self._sandbox.lay(self.folder, {file: self._files[file]})

    def call(self, module, name, *arguments, times=1, **environment):
        """Call a function in a process of its own; return what came of it as a Call.

        name: the function's, or several of which the first that exists is meant; None only
        imports the module, which may also begin to serve or to ask a queue for messages and not
        come back. times: how often it is called in that process. Raises TimedOut.
        """
        self.answer.require(f"{module}.py")
        names = [name] if isinstance(name, str) else list(name or ())
        defined = {}
        with contextlib.suppress(Fault):  # another file may be broken
            defined = self.answer.definitions()
        name = next((one for one in names if one in defined), names[0] if names else None)
        task = {
            "do": "call",
            "module": module,
            "name": name,
            "arguments": [_encoded(one) for one in arguments],
            "times": times,
        }
        shown = f"{module}.{name}({', '.join(map(repr, arguments))})"
        shown += f", {times} times" if times > 1 else ""
        process = self._start(task, shown if name else f"import {module}", environment)
        waits = self._waits if name else self._at_work()
        self.until(
            lambda: len(process.told("value")) >= times or not process.running or waits(process)
        )
        call = Call(process, waits(process))
        if not call.ended or process.told("overtime"):
            raise self.timed_out(process, f"the {'call' if name else 'import'} comes back")
        return call

    def serve(self, file="api.py", **environment):
        """Start the API as a program; return it as an Api when it answers."""
        process = self.start(file, **environment)
        self.until(lambda: process.told("serving") or not process.running or self._waits(process))
        if process.told("serving"):
            return Api(self, process)
        if process.running and not self._waits(process):
            raise self.timed_out(process, f"{file} calls app.run() and serves")
        raise Fault(
            f"{file} serves the API until somebody stops it",
            call=process.shown,
            got=ending(process, self._waits(process)),
            hint=hint_for((process.told("error") or [None])[-1])
            or "Which line of api.py starts the server, and is it reached when the file is run?",
        )

    def _start(self, task, shown, environment):
        process = self._sandbox.start(
            task, self.folder, self.redis.path, environment, self._needs_matplotlib()
        )
        process.shown = shown
        self.processes.append(process)
        return process

    def _needs_matplotlib(self):
        words = ("analysis", "matplotlib")
        sources = [self._files.get(name, b"") for name in self.answer.modules()]
        return any(word.encode() in source for word in words for source in sources)

    # Waiting

    def until(self, condition, seconds=PATIENCE):
        """Wait until condition() is true and return what it returns; its last value if never."""
        deadline, pause = time.monotonic() + seconds, 0.001
        while True:
            for process in self.processes:
                process.pump()
            value = condition()
            if value or time.monotonic() > deadline:
                return value
            time.sleep(pause)
            pause = min(pause * 1.2, 0.02)  # most things come at once; to ask costs time, too

    def settle(self, *workers, seconds=PATIENCE):
        """Wait until each worker has ended, or has come back for more and found nothing.

        Then nothing will happen any more by itself, and it returns True; else it raises TimedOut.
        """
        settled_in_time = self.until(lambda: self.has_settled(*workers), seconds)
        busy = [one for one in workers if one.running and not self._waits(one)]
        late = [one for one in workers if one.told("overtime")] or (not settled_in_time and busy)
        if late:
            raise self.timed_out(late[0], "it does its work, and waits for the next message")
        return True

    def has_settled(self, *workers):
        """Tell whether each worker has ended, or has come back for more and found nothing.

        Of several workers that ask again and again without blocking one may still be at work.
        """
        waiting = self.redis.blocked()
        if all(f"pid-{one.pid}" in waiting for one in workers if one.running):
            return True
        self.redis.update()
        return self.redis.in_vain > 3 * len(workers)

    def let_time_pass(self, worker):
        """Let the time-out of a worker's wait for a message run out now; one without goes on."""
        self.redis.update()
        takes = [one for one in self.redis.takes() if one.time_out is not None]
        if takes and takes[-1].time_out > 0:
            self.redis.end_wait(f"pid-{worker.pid}")

    def waits(self, process):
        """Tell whether a process is blocked on a queue at this moment."""
        return process.running and f"pid-{process.pid}" in self.redis.blocked()

    _waits = waits

    def _at_work(self):
        """Return a function that tells whether a process serves, or asks a queue for ever."""
        before = len(self.redis.takes())

        def at_work(process):
            self.redis.update()
            asked = len(self.redis.takes()) - before
            return bool(process.told("serving")) or asked > 3 or self.waits(process)

        return at_work

    def timed_out(self, process, expected):
        """Return a TimedOut that says where the program was when its time was up."""
        process.signal(signal.SIGUSR1)
        self.until(lambda: process.told("stack") or not process.running, seconds=0.5)
        process.kill()
        if not process.told("overtime"):
            process.report.append({"overtime": "it did not come to an end"})
        return TimedOut(
            expected,
            call=process.shown,
            got=ending(process),
            hint="Which loop or which wait does it stand in, and what would end it?",
        )

    # Messages

    def queue(self):
        """Return (db, key) of the queue that add_job() puts ids on, learned from a call of it."""
        return self.add_job()[1]

    def add_job(self, start="2012-01-01", end="2012-01-31"):
        """Call add_job(); return (id, (db, key), message as bytes). Raises NotReached."""
        before = len(self.redis.pushes())
        call = self.call("jobs", "add_job", start, end)
        jid = jid_of(call.value) if call.process.told("value") else None
        self.redis.update()
        pushed = self.redis.pushes()[before:]
        for command in pushed:
            for message in command.arguments[1:]:
                if jid and jid.encode() in message:
                    return jid, (command.db, text(command.arguments[0])), message
        raise NotReached(
            "this check needs add_job(), which saves a job, queues its id and returns it; "
            "the exercise add_job comes first",
            call.text,
            call.came_back,
        )

    def read(self, process, message):
        """Return what this program's queue reads in a message (bytes); None if it cannot."""
        told = process.told("queue")
        return read_message(message, told[-1]["serializer"] if told else None)

    def queue_of(self, process):
        """Return {"name", "db", "serializer", "socket_timeout"} of the last queue that it made."""
        none = {"name": "", "db": 0, "serializer": "json", "socket_timeout": None}
        return (process.told("queue") or [none])[-1]

    def encode(self, process, message):
        """Return a message as bytes, in the way in which this program's queue reads it."""
        serializer = self.queue_of(process)["serializer"]
        if serializer in ("pickle", "_pickle", "cPickle"):
            return pickle.dumps(message)
        if serializer is None:
            return str(message).encode()
        return json.dumps(message).encode()  # a serializer of their own, most likely around JSON

    def evidence(self):
        """Return what Redis shows now, as lines; [] where it cannot be asked."""
        with contextlib.suppress(Exception):
            self.redis.update()
            return self.redis.describe()
        return []


class Call:
    """What came of a call. text: the call itself; came_back: what came of it, as text."""

    def __init__(self, process, waits):
        self.process, self.text, self._waits = process, process.shown, waits
        self._value = (process.told("value") or [None])[-1]
        self.error = (process.told("error") or [None])[-1]
        self.ended = bool(self._value or self.error or waits or not process.running)

    @property
    def values(self):
        """The values of all its times. Raises Fault when one of them raised."""
        if self.error:
            raise Fault("each time a value comes back", self.text, self.came_back)
        return [_decoded(one.get("value")) for one in self.process.told("value")]

    @property
    def value(self):
        """The value that came back. Raises Fault when it raised or waits instead."""
        if self._value is None:
            raise Fault(
                "it comes back with a value", self.text, self.came_back, hint_for(self.error)
            )
        return _decoded(self._value.get("value"))

    @property
    def came_back(self):
        if self._value is not None:
            return short(self._value.get("repr", "imported"), 500)
        return ending(self.process, self._waits)


class Api:
    """A student's API at work. Every answer comes over HTTP."""

    def __init__(self, student, process):
        self._student, self.process = student, process
        self.serving = process.told("serving")[-1]

    def get(self, path):
        """GET a path, and the one that it leads on to; return a Response."""
        answer = self._ask("GET", path, None)
        # Flask leads on to a route that ends in a slash, and clients follow
        return self._ask("GET", f"{path}/", None) if answer.status == 308 else answer

    def post(self, path, body):
        """POST a body (bytes, or anything that JSON can express); return a Response."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._ask("POST", path, data)

    def _ask(self, method, path, data):
        said = "" if data is None else data.decode(errors="replace") or "(an empty body)"
        shown = f"{method} {path}  {said}".rstrip()
        connection = _UnixHTTP(self.process.http)
        before = len(self.process.output)
        try:
            connection.request(method, path, data, {"Content-Type": "application/json"})
            # the program is read while we wait, or it would stop at a full pipe
            self._student.until(lambda: _has_come(connection.sock) or not self.process.running)
            if not _has_come(connection.sock) and self.process.running:
                raise self._student.timed_out(self.process, f"{method} {path} is answered")
            answer = connection.getresponse()
            body = answer.read(1 << 20)
            content_type = answer.headers.get_content_type()
        except (OSError, http.client.HTTPException) as problem:
            raise Fault(
                "the API answers",
                shown,
                f"{type(problem).__name__}: {problem}",
                "The connection was closed without an answer. Which line of yours ends the "
                "thread or the program that was to give one?",
            ) from None
        finally:
            connection.close()
        self._student.until(lambda: True)
        if answer.status >= 500:  # with debug=True its traceback is printed after the answer
            self._student.until(lambda: "Traceback" in self.process.output[before:], seconds=0.5)
        return Response(shown, answer.status, content_type, body, self.process.output[before:])


class Response:
    """An answer over HTTP. status (int), content_type (str), body (bytes), json (or None)."""

    def __init__(self, call, status, content_type, body, output):
        self.text, self.status, self.content_type, self.body = call, status, content_type, body
        self._output = output
        try:
            self.json = json.loads(body)
        except (ValueError, RecursionError):
            self.json = None

    @property
    def came_back(self):
        page = re.search(rb"<title>(.*?)</title>", self.body)
        body = b"a page with the title " + page[1] if page else self.body.strip()
        said = f"{self.status} {self.content_type}: {short(body, 500)}"
        if self.status >= 500 and "Traceback" in self._output:
            said += "\n" + own_traceback(self._output)
        return said


class _UnixHTTP(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self._path)


def _has_come(connection):
    try:
        connection.setblocking(False)
        return bool(connection.recv(1, socket.MSG_PEEK)) or True
    except BlockingIOError:
        return False
    finally:
        connection.settimeout(PATIENCE)


def jid_of(value):
    """Return the id of a job in whatever form add_job() returned it: text, dict or object."""
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = json.loads(value)
    if isinstance(value, dict):
        value = next((value[name] for name in ("id", "jid", "job_id") if name in value), None)
    if isinstance(value, list | tuple):
        value = next((one for one in map(jid_of, value) if one), None)
    return value if isinstance(value, str) and value else None


def read_message(message, serializer):
    """Return what a message (bytes) holds, by the name of its serializer; None if unreadable.

    Of a pickle only its texts are read, for to load one is to run it: the text, or a list.
    """
    with contextlib.suppress(ValueError, RecursionError):
        if "pickle" not in (serializer or "").lower():
            return json.loads(message)
        steps = list(pickletools.genops(message))
        texts = [argument for _, argument, _ in steps if isinstance(argument, str)]
        plain = all(step.name in PICKLE_OF_A_TEXT for step, _, _ in steps)
        return texts[0] if plain and len(texts) == 1 else texts
    return None if serializer else message.decode(errors="replace")


def dicts_in(value):
    """Return every dict within a JSON value, those in JSON texts that it holds included."""
    found, left = [], [value]
    while left:
        one = left.pop(0)
        if isinstance(one, str):
            with contextlib.suppress(ValueError, RecursionError):
                left.append(json.loads(one))
        elif isinstance(one, dict):
            found.append(one)
            left += one.values()
        elif isinstance(one, list):
            left += one
    return found


def ending(process, waits=False):
    """Return in words how a process ended, or that it waits, and why if it was an exception."""
    error = (process.told("error") or [None])[-1]
    if error:
        return explain(error)
    if process.told("overtime"):
        stack = (process.told("stack") or [[]])[-1]
        return "\n".join([process.told("overtime")[0], *map(_frame, stack[-3:])])
    if waits and process.told("serving"):
        return "it does not come back: it serves"
    if waits:
        return "it does not come back: it waits for a message"
    if process.running:
        return "it still runs"
    said = short(process.output.strip()[-500:], 500)
    return f"the program ended with exit code {process.exit_code}" + (
        said and f"; it printed\n{said}"
    )


def printed(process):
    """Return what a program printed, a traceback cut down to its own files."""
    before, found, _ = process.output.partition("Traceback (most recent call last):")
    said = short(before.strip(), 1000) or "nothing"
    if found:
        said += "\n" + (ending(process) if process.told("error") else own_traceback(process.output))
    return said


def explain(error):
    """Return an exception as text: its kind, its message, the student's own lines."""
    lines = [f"{error.get('type')}: {error.get('message')}"]
    own = [frame for frame in error.get("frames", []) if frame.get("file") not in GIVEN]
    lines += map(_frame, own[-4:])
    return without_folder("\n".join(lines))


def hint_for(error):
    """Return a question that leads from an exception to its cause, or None."""
    kind = (error or {}).get("type")
    name = (error or {}).get("name")
    return {
        "NameError": f"Where does {name} come from: an import, a definition, one with underscore?",
        "ModuleNotFoundError": "What is a file called in an import, and what in the folder?"
        if str(name).endswith(".py")
        else f"Is there a file or a package named {name}?",
        "ImportError": "Does the module that you import from define this name, spelled like this?",
        "AttributeError": "What is the object on the left of the dot at this line, and why?",
        "TypeError": "How many arguments does the definition take, and which kinds?",
        "KeyError": "Which keys are really there at that moment? Print them.",
        "DataError": "Redis stores text, bytes and numbers. Which of the arguments here is none?",
        "ConnectionError": "Which address does this client use, and who told it?",
        "ResponseError": "Which command did Redis refuse, and what did this line hand it?",
    }.get(kind)


def own_traceback(output):
    """Return the last lines of a traceback in a program's output that name its own files."""
    lines = output.strip().splitlines()
    start = max(i for i, line in enumerate(lines) if line.startswith("Traceback"))
    kept, last = [], ""
    for number, line in enumerate(lines[start + 1 :], start + 1):
        path = line.split('"')[1] if line.startswith('  File "') else "<"
        if path.rpartition("/")[2] in GIVEN:
            continue
        if "/answer/" in path or not path.startswith(("/", "<")):
            code = lines[number + 1].strip() if number + 1 < len(lines) else ""
            file, rest = path.rpartition("/answer/")[2], line.partition('", ')[2]
            kept.append(f"{file}, {rest}:  {code}")
        elif line and not line.startswith(" "):
            last = line
            break
    return without_folder("\n".join([last, *kept[-3:]]))


def other_id(message):
    """Return a message (bytes) with its id exchanged for one that no job has, and that id."""
    unknown = "00000000-0000-4000-8000-000000000000"
    return UUID.sub(unknown, message.decode("latin-1")).encode("latin-1"), unknown


def _frame(frame):
    return f"{frame['file']}, line {frame['line']}, in {frame['name']}:  {frame['text']}"


def _encoded(value):
    return {"bytes": value.decode("latin-1")} if isinstance(value, bytes) else value


def _decoded(value):
    if isinstance(value, list):
        return [_decoded(one) for one in value]
    if isinstance(value, dict) and "bytes" in value:
        return value["bytes"].encode("latin-1")
    if isinstance(value, dict):
        return {_hashable(_decoded(k)): _decoded(v) for k, v in value.get("dict", [])}
    return value


def _hashable(value):
    return value if isinstance(value, str | bytes | int | float) or value is None else repr(value)
