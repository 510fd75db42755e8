"""Live shells beside a lesson page, so one person can work in two of them at once.

    shells = open_shells("producer", "consumer")
    shells                                             # shows the panes
    shells["producer"].run("q.put('hello')")           # a lesson or a test can type, too

Each shell is a real IPython in its own process, so one may block while the others and the lesson
go on. A busy shell refuses typed input: it shows why, and the text stays in the input box. Code
from run() waits in a queue instead; an interrupt empties that queue.
"""

import concurrent.futures
import threading
from collections import deque
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager

from jobs_kit.lab import kernel_output
from jobs_kit.lab.kernel import Kernel
from jobs_kit.lab.pane import Pane, arrange_side_by_side, display_form
from jobs_kit.lab.transcript import Transcript

STATES = {
    "starting": "starting",
    "idle": "idle: ready for your input",
    "busy": "busy: working or waiting",
    "dead": "dead: press Restart",
    "closed": "closed: press Restart",
}
REFUSALS = {
    "starting": "Not run yet: this shell is still starting. Your text stays here.",
    "busy": "Not run: this shell is busy. Press Interrupt first; your text stays here.",
    "dead": "Not run: this shell has ended. Press Restart first; your text stays here.",
    "closed": "Not run: this shell is closed. Press Restart first; your text stays here.",
}


class Input:
    """A piece of code that a shell runs or will run. done (Future) ends with it."""

    def __init__(self, code):
        self.code, self.message_id = code, None
        self.begun, self.ends = threading.Event(), set()
        self.done = concurrent.futures.Future()

    def drop(self, why):
        """Let done.result() raise RuntimeError: this input will not run to its end."""
        self.begun.set()
        self.done.set_exception(RuntimeError(why))


class Shell:
    """One IPython beside the lesson. Cells, tests and the page use it alike.

    name (str). state (str): one of STATES.
    """

    def __init__(self, name, folder):
        self.name, self._folder = name, folder
        self._lock = threading.RLock()  # guards the attributes below
        self.state = "closed"
        self._kernel = self._running = None
        self._waiting = deque()
        self._history = deque(maxlen=200)
        self._transcript = Transcript(self._show)
        self.pane = Pane(self._receive, title=name, kind="shell", takes_input=True)
        self._open()

    def run(self, code, wait=None):
        """Run code as if it had been typed. Returns at once; with wait=seconds, when it is done.

        Raises TimeoutError if it is not done in time, and RuntimeError if the shell is not open.
        Code that has not begun in time is never run.
        """
        item = Input(code)
        with self._lock:
            if self.state in ("dead", "closed"):
                raise RuntimeError(f"the shell {self.name!r} is {self.state}; .restart() opens it")
            self._waiting.append(item)
            self._run_next()
        if wait is not None:
            try:
                item.done.result(wait)
            except concurrent.futures.TimeoutError:
                raise TimeoutError(self._describe_timeout(self._give_up(item, wait))) from None

    def wait_for(self, text, timeout=10):
        """Wait until the shell has printed text; the input itself does not count.

        Raises TimeoutError, with the end of the transcript, if it hasn't after timeout seconds.
        """

        def printed():
            return text in kernel_output.drop_inputs(self.text)

        ended = ("dead", "closed")
        self._transcript.wait_until(lambda: printed() or self.state in ended, timeout)
        if not printed():
            raise TimeoutError(self._describe_timeout(f"did not print {text!r} within {timeout} s"))

    @property
    def text(self):
        """The transcript without colours (str)."""
        return self._transcript.text

    @property
    def process_id(self):
        """The id of the kernel's process (int), None if there is none."""
        with self._lock:
            return self._kernel and self._kernel.process_id

    def interrupt(self):
        """Press Ctrl-C in this shell, and drop the inputs that wait behind the running one."""
        with self._lock:
            running, kernel = self._running, self._kernel
            for item in self._waiting:
                item.drop("dropped by an interrupt")
                self._transcript.write_line(kernel_output.format_remark(f"not run: {item.code}"))
            self._waiting.clear()
        if running:
            running.begun.wait(10)  # a kernel ignores a Ctrl-C until it begins
            kernel.interrupt()

    def restart(self):
        """End the kernel and start a fresh one, without the names of the old one."""
        self._end("starting", "restarted: a fresh Python, all names are gone")
        self._open()

    def close(self):
        """End the kernel; restart() opens the shell again."""
        self._end("closed", "closed")

    def __repr__(self):
        return f"Shell {self.name!r}, a live IPython beside this page"

    def _repr_mimebundle_(self, **_):
        return display_form(self.pane, repr(self))

    def _describe_timeout(self, problem):
        end = "\n".join(self.text.splitlines()[-15:])
        return f"the shell {self.name!r} ({self.state}) {problem}\nIts transcript ends:\n{end}"

    def _give_up(self, item, wait):
        """Remove an input from the queue if it has not begun; return what happened to it (str)."""
        with self._lock:
            if item not in self._waiting:
                return f"is not done after {wait} s: {item.code}"
            self._waiting.remove(item)
        return (
            f"was not free for {wait} s; if an earlier line waits in it, press its Interrupt, then "
            f"run this again. Not run: {item.code}"
        )

    # The kernel's life

    def _open(self):
        with self._lock:
            self._set("starting")
            self._kernel = Kernel(self._folder, self._on_ready, self._on_message, self._on_end)

    def _on_ready(self, kernel):
        with self._lock:
            if kernel is self._kernel:
                self._set("idle")
                self._run_next()

    def _on_end(self, kernel, reason):
        if kernel is self._kernel:
            self._end("dead", f"this shell is dead: {reason}. Press Restart for a fresh one")

    def _end(self, state, remark):
        with self._lock:
            kernel, self._kernel = self._kernel, None
            if kernel is None and state == "closed":
                return
            for item in [self._running, *self._waiting]:
                if item:
                    item.drop(f"the shell {self.name!r} ended before it had run this")
            self._running = None
            self._waiting.clear()
            self._transcript.write_line(kernel_output.format_remark(remark))
            self._set(state)
        if kernel and state != "dead":
            kernel.end()

    # Inputs and their output

    def _run_next(self):
        if self.state == "idle" and self._waiting:
            self._running = self._waiting.popleft()
            self._history.append(self._running.code)
            self._running.message_id = self._kernel.execute(self._running.code)
            self._set("busy")

    def _on_message(self, kernel, message):
        """Add a message of the kernel to the transcript, and notice the end of an input."""
        with self._lock:
            if kernel is not self._kernel:
                return
            if printed := kernel_output.format_message(message):
                text, whole_lines = printed
                (self._transcript.write_line if whole_lines else self._transcript.write)(text)
            item = self._running
            if not item or message["parent_header"].get("msg_id") != item.message_id:
                return
            if message["msg_type"] == "execute_input":
                item.begun.set()
            elif _is_an_end(message):
                # Wait for both ends: output is complete at "idle", but ipykernel 7.1 to 7.3 may
                # lose a request that arrives before the reply to the one before.
                item.ends.add(message["msg_type"])
                if len(item.ends) == 2:
                    self._finish(item)

    def _finish(self, item):
        self._running = None
        self._set("idle")
        item.begun.set()
        item.done.set_result(None)
        self._run_next()

    # The page

    def _receive(self, message):
        """Act on a click or on text that was typed on the page."""
        action, code = message.get("do"), message.get("code", "")
        if action in ("Interrupt", "Restart", "Close"):
            # In a thread, because it takes a moment and would delay the page's next message.
            threading.Thread(target=getattr(self, action.lower()), daemon=True).start()
        elif action == "run" or (action == "enter" and _missing_indent(code) is None):
            self._type(code)
        elif action == "enter":
            self.pane.send({"do": "more", "code": code, "indent": _missing_indent(code)})

    def _type(self, code):
        if not code.strip():
            return
        with self._lock:
            refusal = REFUSALS.get(self.state, "")
            if not refusal:
                self.run(code.rstrip())
        if not refusal:
            self._transcript.update()  # so the arrow keys find it in the history at once
            self.pane.send({"do": "accepted", "code": code})
        self.pane.show(notice=refusal)

    def _set(self, state):
        self.state = state
        self.pane.notice = ""
        self._transcript.notify()

    def _show(self):
        with self._lock:
            state, history = self.state, list(self._history)
        self.pane.show(
            transcript=self._transcript.coloured,
            state=state,
            state_text=STATES[state],
            history=history,
            buttons={
                "Interrupt": state == "busy",
                "Restart": state != "starting",
                "Close": state != "closed",
            },
        )


def _is_an_end(message):
    is_idle = message["content"].get("execution_state") == "idle"
    return message["msg_type"] == "execute_reply" or is_idle


def _missing_indent(code):
    """Return None if code can run, else the indent (str) of the line that it still needs."""
    verdict, indent = TransformerManager().check_complete(code)
    return " " * (indent or 0) if verdict == "incomplete" else None


class Shells:
    """Several shells, by name: shells["producer"]. A cell shows their panes."""

    def __init__(self, shells):
        self._by_name = {shell.name: shell for shell in shells}

    def __getitem__(self, name):
        if name in self._by_name:
            return self._by_name[name]
        raise KeyError(f"no shell is named {name!r}; there are: {', '.join(self._by_name)}")

    def __iter__(self):
        return iter(self._by_name.values())

    def close(self):
        """Close all these shells."""
        for shell in self:
            shell.close()

    def __repr__(self):
        return "\n".join(map(repr, self))

    def _repr_mimebundle_(self, **_):
        return display_form(arrange_side_by_side([shell.pane for shell in self]), repr(self))


_opened = {}  # name -> Shell: the shells of this process


def opened_shells():
    """Return {name: Shell} of all shells opened so far, also those that are closed."""
    return dict(_opened)


def open_shells(*names, folder=None):
    """Open one live shell for each name; return them as Shells, which a cell shows as panes.

    folder: their working directory (default: the current one). They inherit the current
    environment. Open shells with the same names are closed first.
    Raises ValueError for names that are missing, empty or given twice.
    """
    if not names or not all(isinstance(name, str) and name.strip() for name in names):
        raise ValueError(f'name each shell, as in open_shells("producer"); got {names!r}')
    if len(set(names)) < len(names):
        raise ValueError(f"each shell needs its own name; got {names!r}")
    folder = Path(folder or ".").resolve()
    if not folder.is_dir():
        raise ValueError(f"there is no folder {str(folder)!r} to open a shell in")
    Shells([_opened.pop(name) for name in names if name in _opened]).close()
    shells = Shells([Shell(name, folder) for name in names])
    _opened.update((shell.name, shell) for shell in shells)
    return shells
