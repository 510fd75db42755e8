"""Start the workers of a board, and list the programs here that are clients of its Redis."""

import os
import signal
import threading
from pathlib import Path

from jobs_kit.lab.programs import start_program, started_programs
from jobs_kit.lab.shells import opened_shells

WORKER = Path(__file__).parent / "worker.py"
MOST = 16


class WorkerPool:
    """The workers of one board: real processes, by the names that the board gives them.

    program: what a worker runs, a file or Python code, None for worker.py with arguments.
    on_change(): called, from any thread, when a worker has been started or has ended.
    """

    def __init__(self, queue_name, program, arguments, on_change):
        self._queue_name, self._program = queue_name, program
        self._arguments, self._on_change = arguments, on_change
        self._programs = {}  # name: Program

    def running(self):
        """Return {name: Program} of those that run."""
        return {name: program for name, program in self._programs.items() if program.running}

    def start(self, name):
        """Start a worker; return its Program. Raises RuntimeError when there are enough."""
        if len(self.running()) >= MOST:
            raise RuntimeError(f"{MOST} workers run; kill one before you start another")
        title = f"{name} of {self._queue_name}"
        if self._program is None:
            program = start_program(WORKER, *self._arguments, name, name=title)
        elif str(self._program).endswith(".py"):
            program = start_program(self._program, name=title)
        else:
            program = start_program(code=self._program, name=title)
        self._programs[name] = program
        threading.Thread(target=self._await_end, args=(program,), daemon=True).start()
        self._on_change()
        return program

    def kill(self, name=None):
        """Kill a worker, whatever it is doing; without a name the last one. Raises KeyError."""
        running = self.running()
        name = name or next(reversed(running), None)
        if name not in running:
            raise KeyError(f"no worker {name!r} runs; there are: {', '.join(running) or 'none'}")
        running[name].kill()

    def end(self):
        """Kill all of them."""
        for program in self.running().values():
            program.kill()

    def processes(self):
        """Return {name: number of its process} of all programs and shells of this lesson."""
        others = {**started_programs(), **opened_shells()}
        mine = set(self._programs.values())
        named = {name: one for name, one in others.items() if one not in mine} | self.running()
        return {name: one.process_id for name, one in named.items() if one.process_id}

    def exit_reason(self, name):
        """Return why a program has ended: its last line, or the signal; "" if that is unknown."""
        program = self._programs.get(name) or started_programs().get(name)
        if program is None:
            return ""
        try:
            code = program.wait(0.5)  # its connection may have ended a moment before it
        except TimeoutError:
            return ""
        if code < 0:
            return f"killed by {signal.Signals(-code).name}" if os.name == "posix" else "killed"
        return program.lines[-1] if code and program.lines else ""

    def _await_end(self, program):
        program.wait(None)
        self._on_change()
