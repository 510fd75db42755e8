"""How does a process end with the one that started it, even with one that is killed by SIGKILL?

A small shell holds the other end of a pipe. However this Python ends, the system closes the pipe;
then the shell kills the process and the group that it leads, and whoever has left that group for
one of its own, as the work horses of RQ do: they are in its session still. (Where there is no
pkill that knows sessions, they end with their work.) No such pipes exist on Windows.
"""

import contextlib
import os
import signal
import subprocess

import psutil

KEEPER = 'read -r _ || { kill -KILL "-$1"; pkill -KILL -s "$1"; }'


class Keeper:
    """Ends a process (a subprocess.Popen that leads a session of its own) when this Python ends."""

    def __init__(self, process):
        self._session, self._shell = process.pid, None
        if os.name == "posix":
            self._shell = subprocess.Popen(
                ["sh", "-c", KEEPER, "keeper", str(process.pid)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # what ends this Python's group must not end the keeper
            )

    def release(self):
        """Kill what is left of the session, and stop watching. To be called once it has ended."""
        if self._shell and not self._shell.stdin.closed:
            for number in psutil.pids():
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    if os.getsid(number) == self._session:
                        os.kill(number, signal.SIGKILL)
            with contextlib.suppress(BrokenPipeError):
                self._shell.communicate(b"\n")
