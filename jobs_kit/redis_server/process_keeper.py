"""End processes together with the Python that started them, even if SIGKILL ended that Python.

A small shell waits at the other end of a pipe. However this Python ends, the system closes the
pipe; then the shell kills the session of the kept process and removes its directory. A session
and not a group: RQ's work horses have their own groups. (Where there is no pkill that
knows sessions, they end with their work.) Windows has no such pipes; there nothing is kept.
"""

import contextlib
import os
import signal
import subprocess

# $1 is the directory. Each line on the pipe names the session to kill if the pipe closes: none if
# it is empty. A Redis that is being killed may still write a file, so removing is tried twice.
KEEPER = """
trap '' HUP INT TERM
while read -r order && [ "$order" != end ]; do session=$order; done
[ "$order" = end ] || [ -z "$session" ] || { kill -KILL "-$session"; pkill -KILL -s "$session"; }
[ -z "$1" ] || rm -rf "$1" || { sleep 1; rm -rf "$1"; }
"""

# The program starts only once the keeper knows of it, and never if its owner dies before that.
GATE = 'read -r _ && exec "$@" </dev/null'

POSIX = os.name == "posix"


class Keeper:
    """Keeps at most one process at a time, a subprocess.Popen that leads its own session.

    directory: removed at the end; None if there is nothing to remove.
    """

    def __init__(self, directory=None):
        self.process, self._owner, self._shell = None, os.getpid(), None
        if POSIX:
            self._shell = subprocess.Popen(
                ["sh", "-c", KEEPER, "keeper", directory or ""],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # what ends this Python's group must not end the keeper
            )

    def start(self, command, **options):
        """Start a program and keep it; return its Popen. options: as for subprocess.Popen.

        Its standard input is empty. A Ctrl-C at the terminal does not reach its session.
        """
        if not POSIX:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)
            return self.process
        process = subprocess.Popen(
            ["sh", "-c", GATE, "gate", *command],
            stdin=subprocess.PIPE,
            start_new_session=True,
            **options,
        )
        self.keep(process)
        with contextlib.suppress(BrokenPipeError):  # it may have been killed by now
            process.stdin.write(b"\n")
            process.stdin.close()
        return process

    def keep(self, process):
        """Keep a process that leads its own session and was started elsewhere."""
        self.process = process
        self._order(process.pid)

    def stop(self):
        """Ask the process to end, and wait until it has; the directory stays."""
        if self.process:
            self.process.terminate()
            self.process.wait()
            self._order("")  # its number may soon be another process's
            self.process = None

    def end(self):
        """Kill all that is left of the session, remove the directory, and stop keeping."""
        if not self._shell or self._shell.stdin.closed:
            return
        if self.process:
            _kill_session(self.process.pid)
            self.process.wait()
        with contextlib.suppress(BrokenPipeError):
            # an order, for the pipe stays open as long as a fork of this Python lives
            self._shell.communicate(b"end\n")

    def end_with_owner(self):
        """End all, unless this Python is a fork of the one that owns the process."""
        if os.getpid() == self._owner:
            self.end()

    def _order(self, text):
        if self._shell and not self._shell.stdin.closed:
            self._shell.stdin.write(f"{text}\n".encode())
            self._shell.stdin.flush()


def _kill_session(session):
    import psutil  # takes 20 ms, which a start need not wait for

    for number in psutil.pids():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(number) == session:
                os.kill(number, signal.SIGKILL)
