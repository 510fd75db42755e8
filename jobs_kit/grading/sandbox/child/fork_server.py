"""Run student code in children of this program, which imports nothing of the kit.

    python -I fork_server.py FD PACKAGES

It has flask, redis and hotqueue imported, and the modules of PACKAGES (JSON: {"names", "folders"}),
and hands out a fresh child in milliseconds. matplotlib is imported by a fork of it, and only when a
program needs it: with matplotlib a process has twice as many pages, and copying and freeing their table
takes each child 5 ms more. A request is one JSON object, sent over the socket FD with the open files
that belong to it:

    {"do": "write", ...}          write files into a folder                    [the files, as JSON]
    {"do": "remove", ...}         remove a file                                []
    {"do": "program", ...}        start a program, or "call" a function        [output, report, HTTP]
    {"do": "signal", ...}         send a signal to a process and its group     []
    {"do": "processor_use", ...}  return {"runs", "processor"} of a process    []
    {"do": "compare", ...}        return {"changed"}: its limits that differ   []
    {"do": "branch", ...}         take requests from another socket, too       [that socket]
    {"do": "end", ...}            kill all processes or some, remove files     []

A child that starts its own session can still be ended: this process adopts orphans.
"""

import contextlib
import ctypes
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36
DRAWING_SECONDS = 60  # until a fork with matplotlib answers; it takes one to import it
IPC_RMID = 0
IPC_REMOVALS = (("shm", (IPC_RMID, 0)), ("msg", (IPC_RMID, 0)), ("sem", (0, IPC_RMID)))
SHARED_FOLDERS = ("/dev/shm", "/tmp", "/var/tmp")
TICKS = os.sysconf("SC_CLK_TCK")  # a second


def main(control, packages):
    """Serve until the other end of the socket closes."""
    sys.path.insert(0, str(Path(__file__).parent))
    import inside  # not before its folder is on the path
    import own_limits

    sys.path.pop(0)
    sys.path += packages["folders"]
    inside.prepare()
    inside.import_all(packages["names"])
    _control(PR_SET_CHILD_SUBREAPER, 1)
    # no program can look into this process, not even where student code runs as the same user
    _control(PR_SET_DUMPABLE, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the only signal from its children that it heard
    Server(control, inside, own_limits.read).serve()


def _control(option, value):
    with contextlib.suppress(AttributeError):  # Linux only
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


class Server:
    """Forks a child for each request, and reports how the child ended."""

    def __init__(self, control, inside, read_limits):
        self.control, self.inside = control, inside
        self.read_limits, self.limits = read_limits, read_limits()
        self.selector = selectors.DefaultSelector()
        self.drawing = None  # the DrawingServer, once a program has needed it
        self.folders, self.user = [], None  # what was written, and for which user
        self.homes = []  # of branches: Landlock's rules name a folder that exists, so they stay
        self.reports = {}  # process id -> the pipe for the report of that child
        self.woken, wake = os.pipe()
        for fd in (self.woken, wake):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self.wake = wake

    def serve(self):
        """Answer requests, and reap children."""
        self.selector.register(self.control, selectors.EVENT_READ)
        self.selector.register(self.woken, selectors.EVENT_READ)
        while True:
            asked = [key.fileobj for key, _ in self.selector.select()]
            for control in asked:
                if control != self.woken and not self.answer(control):
                    if control is self.control:
                        return self.end_all()
                    self.selector.unregister(control)
                    control.close()
            self.reap()

    def answer(self, control):
        """Carry out one request; return False when there will be no more."""
        text, fds = b"", []
        with contextlib.suppress(ConnectionResetError):  # the fork that asked was killed
            text, fds, _, _ = socket.recv_fds(control, 1 << 20, 3)
        if not text:
            return False
        request = json.loads(text)
        try:
            reply = getattr(self, f"_{request['do']}")(request, *fds)
        except Exception as problem:  # there are more checks to come
            reply = {"problem": str(problem)}
        for fd in fds:
            if fd not in self.reports.values():
                os.close(fd)
        with contextlib.suppress(BrokenPipeError):
            control.send(json.dumps(reply).encode())
        return True

    def _branch(self, request, fd):
        home = Path(request["home"])
        if home not in self.homes:
            home.mkdir()
            home.chmod(0o1777)  # student code may have another user, who must not remove it
            self.homes.append(home)
        self.selector.register(socket.socket(fileno=os.dup(fd)), selectors.EVENT_READ)
        return {}

    def _program(self, request, output, report, http):
        if request["draws"]:
            return self._start_drawing(request | {"draws": False}, output, report, http)
        self.inside.rules_for(request["allowed"])
        child = os.fork()
        if child == 0:
            self.become_the_child(request, output, report, http)
        self.reports[child] = report
        return {"pid": child}

    _call = _program

    def _start_drawing(self, request, *fds):
        for _ in range(2):  # where student code runs as the same user, it may have killed the first
            self.drawing = self.drawing or DrawingServer(self)
            if reply := self._ask_drawing(request, fds):
                return reply
        raise OSError("the process with matplotlib has ended")

    def _ask_drawing(self, request, fds=()):
        """Return the reply of the DrawingServer; end it and return None where there is none."""
        with contextlib.suppress(OSError, ValueError):
            return self.drawing.ask(request, fds)
        self.drawing.kill()
        self.drawing = None

    def _write(self, request, fd):
        folder, self.user = Path(request["folder"]), request["user"]
        with _acting_as(self.user), open(fd, closefd=False, encoding="utf-8") as files:
            if folder not in self.folders:
                folder.mkdir(parents=True)
                self.folders.append(folder)
            files.seek(0)
            for name, data in json.load(files).items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                if not path.parent.resolve().is_relative_to(folder):
                    raise OSError(f"{name} leads out of its folder")
                # what is there now may be student code's: a link, a pipe without a reader
                _remove_all(path)
                with open(path, "xb") as file:
                    file.write(data.encode("latin-1"))
        return {}

    def _remove(self, request):
        with _acting_as(self.user):
            _remove_all(Path(request["folder"], request["file"]))
        return {}

    def _signal(self, request):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(request["pid"], request["number"])
        return {}

    def _processor_use(self, request):
        """Return whether a process or a descendant wants the processor, and the seconds it has had it.

        Where there is no /proc, none seems to.
        """
        family = _family(request["pid"])
        return {
            "runs": any(state in "RD" for pid in family for state in _thread_states(pid)),
            "processor": sum(map(_processor_seconds, family)),
        }

    def _compare(self, request):
        """Return which of its limits a program has changed, its own and those of its fork."""
        now = self.read_limits()
        changed = [
            name for name in {**self.limits, **now} if now.get(name) != self.limits.get(name)
        ]
        drawing = self.drawing and self._ask_drawing(request)
        return {"changed": changed + (drawing or {}).get("changed", [])}

    def _end(self, request):
        if self.drawing:
            self._ask_drawing(request | {"home": None})  # it has processes, and no files
        if request["processes"] is not None:
            self.end_some(request["processes"])
        else:
            self.end_all(but=self.drawing and self.drawing.pid)
            _remove_shared(self.user)
        if request["home"] is not None:
            with _acting_as(self.user):
                self.remove_files(Path(request["home"]))
        return {}

    def remove_files(self, home):
        """Remove what is in a home and in those of its branches, but not these folders."""
        for place in (home, *(one for one in self.homes if home in one.parents)):
            for (
                left
            ) in place.iterdir():  # files beside a folder would be there for the next submission
                if left not in self.homes:
                    _remove_all(left)
        self.folders = [one for one in self.folders if not one.is_relative_to(home)]

    def become_the_child(self, request, output, report, http):
        """Turn this process, just forked, into the one that runs student code; never returns."""
        signal.set_wakeup_fd(-1)
        _control(PR_SET_DUMPABLE, 1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.close()
        try:
            self.inside.live(request, output, report, http)
        except OSError as problem:  # a program has removed its folder, or made a link of it
            print(problem, file=sys.stderr, flush=True)
        finally:
            os._exit(1)  # this process must not go on as a server

    def close(self):
        """Close, in a fork, the files that belong to this process."""
        self.selector.close()
        self.control.close()
        for fd in (self.woken, self.wake, *self.reports.values()):
            os.close(fd)

    def reap(self):
        """Report the end of each child that has ended."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.woken, 4096)
        with contextlib.suppress(ChildProcessError):
            while (ended := os.wait4(-1, os.WNOHANG))[0]:
                self.report_end(*ended)

    def report_end(self, child, status, used):
        """Write the exit code, the time and the processor time (s) into the report of a child."""
        report = self.reports.pop(child, None)
        if report is not None:
            os.set_blocking(report, False)  # a child may have filled it
            end = {"exit": os.waitstatus_to_exitcode(status)}
            end |= {"at": time.time(), "processor": used.ru_utime + used.ru_stime}
            with contextlib.suppress(OSError):
                os.write(report, f"\n{json.dumps(end)}\n".encode())
            os.close(report)

    def end_some(self, processes):
        """Kill these children (ids) and their descendants; wait until they have ended."""
        for child in set(processes) & set(self.reports):
            for member in _family(child):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(member, signal.SIGKILL)
            self.report_end(*os.wait4(child, 0))

    def end_all(self, but=None):
        """Kill every descendant, adopted orphans included. but: the id of a child that goes on."""
        while children := set(_children()) - {but}:
            for child in children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                self.report_end(*os.wait4(-1, 0))


class DrawingServer:
    """A fork of the Server that has imported matplotlib, and forks the programs that draw."""

    def __init__(self, server):
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.settimeout(DRAWING_SECONDS)
        self.pid = os.fork()
        if self.pid == 0:
            server.close()
            self.control.close()
            server.inside.import_all(server.inside.SLOW_IMPORTS)
            _control(PR_SET_CHILD_SUBREAPER, 1)
            Server(theirs, server.inside, server.read_limits).serve()
            os._exit(0)
        theirs.close()

    def ask(self, request, fds):
        """Send a request and its open files; return the reply. Raises OSError, ValueError."""
        socket.send_fds(self.control, [json.dumps(request).encode()], fds)
        return json.loads(self.control.recv(4096))

    def kill(self):
        """Kill it; the Server adopts the programs that it has started, and reaps it."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.control.close()


@contextlib.contextmanager
def _acting_as(user):
    """Open and remove files with a user's rights only: its programs may put links in their place.

    user: an id, or None for no other.
    """
    if user is None:
        yield
        return
    os.setgroups([])
    os.setegid(user)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(os.getuid())
        os.setegid(os.getgid())


def _remove_all(path):
    """Remove a file or a folder, whatever student code has done to it."""
    with contextlib.suppress(OSError, RecursionError):
        if path.is_symlink() or not path.is_dir():
            return path.unlink(missing_ok=True)
        return shutil.rmtree(path)
    # locked, or nested deeper than Python can go
    for command in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
        subprocess.run([*command, "--", path], stderr=subprocess.DEVNULL)


def _remove_shared(user):
    """Remove what programs left where every user can leave something, in memory and on disk.

    Only where no other program has their user: this process is contained, or student code has its own.
    """
    if os.getpid() != 1 and user is None:
        return
    with _acting_as(user):
        for place in SHARED_FOLDERS:
            _remove_own(Path(place))
        libc = ctypes.CDLL(None)
        for kind, arguments in IPC_REMOVALS:
            with contextlib.suppress(OSError):  # a kernel without them
                for line in Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]:
                    getattr(libc, f"{kind}ctl")(int(line.split()[1]), *arguments)


def _remove_own(place):
    """Remove this user's files of a folder."""
    with contextlib.suppress(OSError):  # a folder that is not there
        for left in place.iterdir():
            with contextlib.suppress(OSError):  # another program has removed it
                if left.lstat().st_uid == os.geteuid():
                    _remove_all(left)


def _children(pid="self"):
    """Return the ids of the children of a process; [] where there is no /proc."""
    children = []
    with contextlib.suppress(OSError):  # not Linux, or it has ended
        for task in Path(f"/proc/{pid}/task").iterdir():
            children += map(int, (task / "children").read_text().split())
    return children


def _family(pid):
    """Return the ids of a process and of all its descendants."""
    family = [pid]
    for member in family:
        family += _children(member)
    return family


def _thread_states(pid):
    """Return the states of a process's threads, a letter each: "R" for one that runs."""
    states = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            states.append(_stat(task)[0])
    return states


def _processor_seconds(pid):
    """Return the processor time that a process and its ended children had."""
    with contextlib.suppress(OSError):
        return sum(map(int, _stat(Path(f"/proc/{pid}"))[11:15])) / TICKS
    return 0


def _stat(place):
    """Return the fields of proc(5)'s stat that follow the name."""
    return (place / "stat").read_text().rpartition(")")[2].split()


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), json.loads(sys.argv[2]))
