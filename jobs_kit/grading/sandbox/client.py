"""Run student code outside the judge's own process, by asking a fork server.

    with Sandbox() as sandbox:
        process = sandbox.start({"do": "program", "file": "echo.py"}, folder, redis_socket)
        process.pump()                     # read what it printed and reported so far
        process.output, process.exit_code

The fork server is child/fork_server.py.
"""

import contextlib
import copy
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from jobs_kit.course.places import KIT, MASTERS
from jobs_kit.grading import limits
from jobs_kit.grading.sandbox import containment
from jobs_kit.grading.sandbox.packages import NO_PACKAGES
from jobs_kit.grading.sandbox.process import Process
from jobs_kit.redis_server.socket_folder import make_folder

HERE = Path(__file__).parent
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg", "PYTHONHASHSEED": "0"}
SYSTEM = ["/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc", "/proc", "/opt", "/nix", "/System"]


class SandboxError(OSError):
    """The fork server cannot carry out a request, or has ended."""


class Sandbox:
    """A fork server, and the processes that it has started. home: the folder of all its folders.

    contained: whether it is isolated from this system (see containment.py). Then it sees the
    directory `shared`, for the sockets of Redis. user: the id of the user that student code runs
    as, who can enter `shared`, or None for ours. packages: the Packages that it may import besides
    the kit's.
    """

    def __init__(self, contained=False, shared=None, user=None, packages=NO_PACKAGES):
        self.packages = packages
        self._processes, self._user, self._contained = [], user, contained
        self._is_branch = False
        self._private = make_folder("jobs-kit-judge-")  # the judge's ends of HTTP
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        arguments = [str(theirs.fileno()), json.dumps(packages.to_dict())]
        if contained:
            self.home = containment.HOME
            command = containment.command(arguments, [shared, *packages.folders])
        else:
            place = shared if user is not None else None
            self.home = os.path.realpath(tempfile.mkdtemp(prefix="jobs-kit-check-", dir=place))
            os.chmod(self.home, 0o700 if user is None else 0o1777)
            program = str(HERE / "child" / "fork_server.py")
            command = [sys.executable, "-I", program, *arguments]
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
        """Write files, {name: bytes}, into a folder of the sandbox, which is made if it is missing."""
        with tempfile.TemporaryFile("w+", encoding="utf-8") as listing:
            json.dump({name: data.decode("latin-1") for name, data in files.items()}, listing)
            listing.flush()
            self._ask({"do": "write", "folder": folder, "user": self._user}, listing.fileno())

    def remove(self, folder, name):
        """Remove a file of a folder of the sandbox."""
        self._ask({"do": "remove", "folder": folder, "file": name})

    def start(self, task, folder, redis, environment=None, draws=False, pace=None):
        """Start a process in a folder of the sandbox; return it as a Process.

        task: {"do": "program", "file": ...} or {"do": "call", "module", "name", "arguments"}.
        redis: the path of the socket that its connections lead to.
        environment: {name: text} added to what every program sees; None removes a variable.
        draws (bool): whether to start it from a process that has imported matplotlib.
        pace: {"slow_word", "turns"}, see child/pace.py.
        """
        request = self._request(task, folder, redis, environment, draws)
        request["pace"] = pace or {"slow_word": None, "turns": None}
        output, output_end = os.pipe()
        report, report_end = os.pipe()
        http = f"{self._private}/{len(self._processes)}.http"
        with _listening(http) as listener:
            reply = self._ask(request, output_end, report_end, listener.fileno())
        os.close(output_end)
        os.close(report_end)
        process = Process(self, reply["pid"], output, report, http)
        self._processes.append(process)
        return process

    def _request(self, task, folder, redis, environment, draws):
        return task | {
            "folder": str(folder),
            "redis": str(redis),
            "environment": _environment(folder, environment or {}),
            "limits": self._limits(task),
            "user": self._user,
            "allowed": {
                "read": [
                    *(*SYSTEM, containment.FONTS, sys.prefix, sys.base_prefix),
                    *self.packages.folders,
                ],
                "write": [str(Path(folder).parent)],
                "hidden": [os.path.realpath(place) for place in (KIT, MASTERS)],
            },
            "draws": draws,
        }

    def signal(self, pid, number):
        """Send a signal to a process and to all of its group."""
        self._ask({"do": "signal", "pid": pid, "number": number})

    def processor_use(self, pid):
        """Return whether a process wants the processor now, and how many seconds it has had it."""
        reply = self._ask({"do": "processor_use", "pid": pid})
        return reply["runs"], reply["processor"]

    def branch(self, number):
        """Return a Sandbox of the same fork server, with its own folder, for a fork of this process.

        What its programs leave running is ended by end_processes() of the sandbox that it comes from.
        """
        branch = copy.copy(self)
        branch.home, branch._processes = f"{self.home}/{number}", []
        branch._private = f"{self._private}/{number}"
        os.makedirs(branch._private, exist_ok=True)
        branch._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._ask({"do": "branch", "home": branch.home}, theirs.fileno())
        branch._is_branch = True
        return branch

    def leave(self):
        """Close this process's end of a branch, which goes on in a fork."""
        self._control.close()

    def _limits(self, task):
        process_limits = dict(limits.PROCESS_LIMITS)
        if self._contained or self._user is not None:
            process_limits |= limits.CONTAINED_PROCESS_LIMITS
            if self._is_branch:  # the system counts all processes of a user together
                process_limits["RLIMIT_NPROC"] *= limits.CHECKS_AT_ONCE
        if task["do"] == "call":
            process_limits["RLIMIT_CPU"] = limits.CALL_PROCESSOR_SECONDS
        return process_limits

    def end_processes(self):
        """Kill all processes, and all that they have started; remove all files."""
        ended = [process.pid for process in self._processes] if self._is_branch else None
        self._ask({"do": "end", "processes": ended, "home": self.home})
        for process in self._processes:
            process.close()
        self._processes.clear()

    def is_well(self):
        """Tell whether the fork server runs, with the limits that it had at first.

        Where student code runs as the same user, it may have changed them, and every later program
        would inherit them.
        """
        try:
            return self._server.poll() is None and not self._ask({"do": "compare"})["changed"]
        except SandboxError:
            return False

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
        """Send a request and the open files that belong to it; return the reply.

        Raises SandboxError.
        """
        try:
            socket.send_fds(self._control, [json.dumps(request).encode()], fds)
            data = self._control.recv(4096)
        except ConnectionError:
            data = b""
        reply = json.loads(data) if data else {"problem": "its fork server has ended"}
        if "problem" in reply:
            raise SandboxError(f"the sandbox cannot {request['do']}: {reply['problem']}")
        return reply

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@contextlib.contextmanager
def _listening(path):
    """Return a socket that listens at a path, for the HTTP server of a program."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(16)
        yield listener


def _environment(folder, changes):
    """Return the environment of a program, which has nothing of the judge's own."""
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
