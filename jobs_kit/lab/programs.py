"""Programs beside a lesson page: real Python processes, each with a live pane.

    worker = start_program("worker.py", name="worker 1")
    worker                                             # shows its pane
    worker.wait_for("ready")

A name belongs to one program at a time, so a cell that is run again replaces its process. All
programs end with the lesson's kernel, even if the kernel is killed (see process_keeper.py).
"""

import codecs
import signal
import subprocess
import sys
import threading
import time
from functools import cached_property
from pathlib import Path

from jobs_kit.lab.pane import Pane, display_form
from jobs_kit.lab.transcript import Transcript
from jobs_kit.redis_server.process_keeper import Keeper

GATHER_SECONDS = 0.01  # the pause between two reads of a program's output
STOP_SECONDS = 5  # how long stop() waits before it kills
_started = {}  # name -> Program: the programs of this process


def start_program(file=None, *arguments, code=None, name=None, folder=None):
    """Start `python file arguments…`, or the Python source `code`; return the running Program.

    name: the title of the pane (default: the file's name, or "program"); an earlier program with
    this name is stopped first. folder: the working directory (default: the current one).
    Raises ValueError unless exactly one of file and code is given, and FileNotFoundError for a
    missing file or folder.
    """
    if (file is None) == (code is None):
        raise ValueError('name a file, start_program("worker.py"), or give code="..."; not both')
    folder = Path(folder or ".").resolve()
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {str(folder)!r} to run a program in")
    if file is not None and not (folder / file).is_file():
        raise FileNotFoundError(f"there is no program {str(file)!r} in {folder}; save it there")
    command = ["-c", code] if file is None else [str(file)]
    name = name or (Path(file).name if file else "program")
    if name in _started:
        _started.pop(name).stop()
    _started[name] = Program(name, [*command, *map(str, arguments)], folder)
    return _started[name]


def stop_programs(*but):
    """Stop all programs started so far, except those with these names."""
    for name, program in started_programs().items():
        if name not in but:
            program.stop()


def started_programs():
    """Return {name: Program} of all programs started so far, also those that have ended."""
    return dict(_started)


class Program:
    """A Python process beside the lesson.

    name (str). exit_code (int): None while it runs, negative if a signal ended it.
    """

    def __init__(self, name, command, folder):
        self.name, self.exit_code = name, None
        self._transcript = Transcript(self._show)
        self._keeper = Keeper()
        self._process = self._keeper.start(
            [sys.executable, "-u", *command],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    @property
    def text(self):
        """The last 1000 lines that it printed, errors included, as one str."""
        return self._transcript.text

    @property
    def lines(self):
        """The same as a list of lines."""
        return self.text.splitlines()

    @property
    def running(self):
        """Whether the process still runs (bool)."""
        return self.exit_code is None

    @property
    def process_id(self):
        """The id of the process (int)."""
        return self._process.pid

    def wait_for(self, text, timeout=10):
        """Wait until the program has printed text.

        Raises TimeoutError, with the end of the output, if it ends or `timeout` seconds pass first.
        """
        self._transcript.wait_until(lambda: text in self.text or not self.running, timeout)
        if text not in self.text:
            raise TimeoutError(self._describe_timeout(f"did not print {text!r} within {timeout} s"))

    def wait(self, timeout=10):
        """Wait until the program ends; return its exit code. Raises TimeoutError after timeout s."""
        if not self._transcript.wait_until(lambda: not self.running, timeout):
            raise TimeoutError(self._describe_timeout(f"still runs after {timeout} s"))
        return self.exit_code

    def stop(self):
        """Ask the program to end (SIGTERM); kill it if it doesn't."""
        self._send(signal.SIGTERM)
        self._watcher.join(STOP_SECONDS)
        self.kill()

    def kill(self):
        """End the program at once (SIGKILL on Linux and macOS), whatever it is doing."""
        self._send(getattr(signal, "SIGKILL", signal.SIGTERM))
        self._watcher.join(STOP_SECONDS)

    def interrupt(self):
        """Press Ctrl-C in this program."""
        self._send(signal.SIGINT)

    def __repr__(self):
        return f"Program {self.name!r}, a Python process beside this page"

    def _repr_mimebundle_(self, **_):
        return display_form(self.pane, repr(self))

    @cached_property
    def pane(self):
        """The widget that shows the program on the page."""
        self._transcript.touch()
        return Pane(self._receive, title=self.name, kind="program", **self._traits())

    def _send(self, signal_number):
        if self._process.poll() is None:
            self._process.send_signal(signal_number)

    def _describe_timeout(self, problem):
        ending = "" if self.running else f" and has {_describe_exit(self.exit_code)}"
        end = "\n".join(self.lines[-15:])
        return f"the program {self.name!r} {problem}{ending}\nIts output ends:\n{end}"

    def _read(self):
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        while chunk := self._process.stdout.read1(65536):
            self._transcript.write(decode(chunk))
            time.sleep(GATHER_SECONDS)  # else a flood of single lines keeps this kernel busy

    def _watch(self):
        exit_code = self._process.wait()
        self._keeper.end()  # ends its children, which may keep the output open
        self._reader.join()
        self._process.stdout.close()
        self.exit_code = exit_code
        self._transcript.notify()

    def _receive(self, message):
        action = {"Stop": self.stop, "Kill": self.kill}.get(message.get("do"))
        if action:
            # In a thread, because it takes a moment and would delay the page's next message.
            threading.Thread(target=action, daemon=True).start()

    def _traits(self):
        """Return the traits of the pane, a dict."""
        if self.running:
            state, state_text = "running", f"running as process {self._process.pid}"
        else:
            state = "failed" if self.exit_code > 0 else "ended"
            state_text = _describe_exit(self.exit_code)
        return {
            "transcript": self._transcript.coloured,
            "state": state,
            "state_text": state_text,
            "buttons": {"Stop": self.running, "Kill": self.running},
        }

    def _show(self):
        if "pane" in self.__dict__:  # only a cell that shows the program creates the widget
            self.pane.show(**self._traits())


def _describe_exit(exit_code):
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    return f"ended by the signal {signal.Signals(-exit_code).name}"
