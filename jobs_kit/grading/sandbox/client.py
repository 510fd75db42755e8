"""How does the judge run student code without running it itself? It asks a fork server.

    with Sandbox() as sandbox:
        process = sandbox.start({"do": "program", "file": "echo.py"}, folder, redis_socket)
        process.pump()                     # read what it printed and reported so far
        process.output, process.exit_code

See child/ for the other side.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from jobs_kit.grading import limits
from jobs_kit.grading.programs.formats import decoded
from jobs_kit.grading.sandbox import containment

HERE = Path(__file__).parent
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg", "PYTHONHASHSEED": "0"}
SHAPES = {  # what a report says of these things; a program may write others on its pipe
    "redis_connection": {"host": object, "port": object, "path": object, "db": object},
    "queue": {"name": str, "serializer": str | None, "socket_timeout": object, "db": int | str},
    "serving": {"host": object, "port": object},
    "error": {"type": str, "message": str, "frames": list},
    "value": {},
}
SYSTEM = ["/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc", "/proc", "/opt", "/nix", "/System"]


class Sandbox:
    """A fork server, and the processes that it was asked for. home: where folders are laid.

    contained: a world of its own for it (see containment.py), where it sees the directory `shared`
    for the sockets of Redis; user: the id of the user that student code runs as there, or None.
    """

    def __init__(self, contained=False, shared=None, user=None):
        self._processes, self._user, self._contained = [], user, contained
        self._private = tempfile.mkdtemp(prefix="jobs-kit-judge-")  # the judge's ends of HTTP
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        number = str(theirs.fileno())
        if contained:
            self.home = containment.HOME
            command = containment.command([number], [shared])
        else:
            self.home = os.path.realpath(tempfile.mkdtemp(prefix="jobs-kit-check-"))
            command = [sys.executable, "-I", str(HERE / "child" / "fork_server.py"), number]
        self._server = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=os.environ | ENVIRONMENT,
            start_new_session=True,  # a Ctrl-C at the terminal is for the judge alone
        )
        theirs.close()

    def write(self, folder, files):
        """Write files ({name: bytes}) into a folder of the sandbox, made where it is missing."""
        with tempfile.TemporaryFile("w+", encoding="utf-8") as listed:
            json.dump({name: data.decode("latin-1") for name, data in files.items()}, listed)
            listed.flush()
            self._ask({"do": "write", "folder": folder, "user": self._user}, listed.fileno())

    def remove(self, folder, name):
        """Remove a file of a folder of the sandbox."""
        self._ask({"do": "remove", "folder": folder, "file": name})

    def start(self, task, folder, redis, environment=None, preload=False):
        """Start a process in a folder of the sandbox; return it as a Process.

        task: {"do": "program", "file": ...} or {"do": "call", "module", "name", "arguments"}.
        redis: the path of the socket that its connections lead to.
        environment: {name: text} beside what every program sees; None takes a variable away.
        """
        request = task | {
            "folder": str(folder),
            "redis": str(redis),
            "environment": _environment(folder, environment or {}),
            "limits": self._limits(task),
            "user": self._user,
            "allowed": {
                "read": [*SYSTEM, containment.FONTS, sys.prefix, sys.base_prefix],
                "write": [str(Path(folder).parent)],
            },
            "hidden": str(HERE.parents[1]),
            "preload": preload,
        }
        output, output_end = os.pipe()
        report, report_end = os.pipe()
        http = f"{self._private}/{len(self._processes)}.http"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(http)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(http)
            listener.listen(16)
            answer = self._ask(request, output_end, report_end, listener.fileno())
        os.close(output_end)
        os.close(report_end)
        process = Process(self, answer["pid"], output, report, http)
        self._processes.append(process)
        return process

    def signal(self, pid, number):
        """Send a signal to a process and to all of its group."""
        self._ask({"do": "signal", "pid": pid, "number": number})

    def processor_use(self, pid):
        """Tell whether a process wants the processor now, and how many seconds it had it."""
        answer = self._ask({"do": "processor_use", "pid": pid})
        return answer["runs"], answer["processor"]

    def _limits(self, task):
        allowed = limits.PROCESS_LIMITS
        allowed = allowed | (limits.CONTAINED_PROCESS_LIMITS if self._contained else {})
        return allowed | (
            {"RLIMIT_CPU": limits.CALL_PROCESSOR_SECONDS} if task["do"] == "call" else {}
        )

    def end_processes(self):
        """Kill what was started, and all that it has started; remove what was laid."""
        self._ask({"do": "end"})
        for process in self._processes:
            process.close()
        self._processes.clear()

    def is_well(self):
        """Tell whether the fork server runs."""
        return self._server.poll() is None

    def close(self):
        """End the fork server, and with it every process."""
        self._control.close()
        try:
            self._server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._server.kill()  # bubblewrap, and with it all that it contains
            self._server.wait()
        shutil.rmtree(self._private, ignore_errors=True)
        if not self._contained:
            shutil.rmtree(self.home, ignore_errors=True)

    def _ask(self, request, *fds):
        """Send a request and the open files that belong to it; return the answer."""
        socket.send_fds(self._control, [json.dumps(request).encode()], fds)
        said = self._control.recv(4096)
        answer = json.loads(said) if said else {"problem": "its fork server has ended"}
        if "problem" in answer:
            raise OSError(f"the sandbox cannot {request['do']}: {answer['problem']}")
        return answer

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Process:
    """A process that runs student code. Call pump() before you look.

    output (str): what it printed. report (list of dict): what it reported, see child/report.py.
    exit_code (int): None while it runs, negative if a signal ended it.
    """

    def __init__(self, sandbox, pid, output, report, http):
        self._sandbox, self.pid, self.http, self.exit_code = sandbox, pid, http, None
        self.report, self._rest, self._reported = [], b"", 0
        self._printed, self._length = bytearray(), 0  # what is kept; how much there was
        self._open = {output: self._take_output, report: self._take_report}
        for fd in self._open:
            os.set_blocking(fd, False)

    def pump(self):
        """Read what has come, without waiting."""
        for fd, take in list(self._open.items()):
            with contextlib.suppress(BlockingIOError):
                for _ in range(64):
                    data = os.read(fd, 65536)
                    if not data:
                        os.close(fd)
                        del self._open[fd]
                        break
                    take(data)

    @property
    def open(self):
        """The files on which more may come."""
        return list(self._open)

    @property
    def output(self):
        return self._printed.decode(errors="replace")

    @property
    def running(self):
        return self.exit_code is None

    def events(self, name):
        """Return what it reported under this name, oldest first."""
        return [line[name] for line in self.report if name in line]

    def signal(self, number):
        """Send a signal to it and to all of its group."""
        self._sandbox.signal(self.pid, number)

    def processor_use(self):
        """Tell whether it wants the processor now, and how many seconds it had it."""
        return self._sandbox.processor_use(self.pid)

    def kill(self):
        """Kill it and all of its group, at once."""
        self.signal(signal.SIGKILL)

    def close(self):
        self.pump()
        for fd in self._open:
            os.close(fd)
        self._open.clear()

    def _take_output(self, data):
        self._printed += data[: limits.OUTPUT_BYTES - len(self._printed)]
        self._length += len(data)
        if self._length > 10 * limits.OUTPUT_BYTES:
            self._end("it printed without end")

    def _end(self, why):
        if not self.events("time_limit"):
            self.report.append({"time_limit": why})
            self.kill()

    def _take_report(self, data):
        self._reported += len(data)
        if self._reported > limits.REPORT_BYTES or len(self.report) > limits.REPORT_LINES:
            self._end("it reported without end")
            self._rest, data = b"", data[data.rfind(b"\n{") + 1 :]  # how it ended is the last line
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in filter(None, lines):
            # whoever holds the pipe may write anything
            with contextlib.suppress(ValueError, RecursionError):
                said = json.loads(line)
                if isinstance(said, dict) and _is_sound(said):
                    self.report.append(said)
                    self.exit_code = said.get("exit", self.exit_code)
                    used, ended = said.get("processor") or 0, said.get("exit")
                    killed = ended == -signal.SIGKILL and used >= limits.CALL_PROCESSOR_SECONDS
                    if killed or ended == -signal.SIGXCPU:
                        # the system ended it, for it would not stop when it was told
                        self.report.append({"time_limit": "it used up its processor time"})


def _is_sound(said):
    """Tell whether a line of a report has the form that child/report.py gives it."""
    is_sound = isinstance(said.get("time_limit", ""), str) and isinstance(said.get("exit", 0), int)
    is_sound &= isinstance(said.get("processor", 0), int | float)
    for name, parts in SHAPES.items():
        one = said.get(name, {})
        is_sound &= isinstance(one, dict) and (name not in said or _has(one, parts))
    frames = said["error"]["frames"] if is_sound and "error" in said else said.get("stack", [])
    is_sound &= _can_be_read(said.get("value", {}))
    return is_sound and isinstance(frames, list) and all(map(_is_frame, frames))


def _has(one, parts):
    return parts.keys() <= one.keys() and all(isinstance(one[n], parts[n]) for n in parts)


def _can_be_read(value):
    try:
        return isinstance(value, dict) and bool([decoded(value.get("value"))])
    except (ValueError, TypeError, AttributeError, RecursionError):
        return False


def _is_frame(one):
    return isinstance(one, dict) and {"file", "line", "name", "text"} <= one.keys()


def _environment(folder, changes):
    """Return what a program sees of the environment: nothing of the judge's own."""
    variables = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "MPLCONFIGDIR": str(folder),
        "MPLBACKEND": "agg",
        "PYTHONDONTWRITEBYTECODE": "1",
        "REDIS_HOST": "redis.example",
        "REDIS_PORT": "6379",
        "REDIS_IP": "redis.example",
        "REDIS_URL": "redis://redis.example:6379",
    } | changes
    return {name: value for name, value in variables.items() if value is not None}
