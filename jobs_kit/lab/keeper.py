"""How does a process end with the one that started it, even with one that is killed by SIGKILL?

A small shell holds the other end of a pipe. However this Python ends, the system closes the pipe;
then the shell kills the process and the group that it leads. No such pipes exist on Windows.
"""

import contextlib
import os
import signal
import subprocess

KEEPER = 'read -r _ || kill -KILL "-$1"'


class Keeper:
    """Ends a process (a subprocess.Popen that leads its own group) when this Python ends."""

    def __init__(self, process):
        self._group, self._shell = process.pid, None
        if os.name == "posix":
            self._shell = subprocess.Popen(
                ["sh", "-c", KEEPER, "keeper", str(process.pid)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # what ends this Python's group must not end the keeper
            )

    def release(self):
        """Kill what is left of the group, and stop watching. To be called once it has ended."""
        if self._shell and not self._shell.stdin.closed:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._group, signal.SIGKILL)
            with contextlib.suppress(BrokenPipeError):
                self._shell.communicate(b"\n")
