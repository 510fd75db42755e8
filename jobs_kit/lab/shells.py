"""How does one person work in two shells beside a lesson? With one open_shells() for both.

    shells = open_shells("producer", "consumer")
    shells                                             # shows the panes
    shells["producer"].run("q.put('hello')")           # a lesson or a test can type, too

Each shell is a real IPython in a process of its own, so that one may block while the others and
the lesson go on. A shell that is busy refuses typed input: it says so, and the text stays where
it was typed. What run() sends meanwhile waits its turn; an interrupt drops what waits.
"""

import concurrent.futures
import threading
from collections import deque
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager

from jobs_kit.lab import kernel_output
from jobs_kit.lab.kernel import Kernel
from jobs_kit.lab.pane import Pane, display_form, side_by_side
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
    """A piece of code on its way through a shell."""

    def __init__(self, code):
        self.code, self.message_id = code, None
        self.begun, self.ends = threading.Event(), set()
        self.done = concurrent.futures.Future()

    def drop(self, why):
        """Tell whoever waits that it will not come to its end."""
        self.begun.set()
        self.done.set_exception(RuntimeError(why))


class Shell:
    """One IPython beside the lesson. Cells, tests and the page use it alike.

    state (str): one of STATES. text (str): the transcript, without colours.
    """

    def __init__(self, name, folder):
        self.name, self._folder = name, folder
        self._lock = threading.RLock()  # guards all of the following
        self.state = "closed"
        self._kernel = self._running = None
        self._waiting = deque()
        self._history = deque(maxlen=200)
        self._transcript = Transcript(self._show)
        self.pane = Pane(self._receive, title=name, kind="shell", takes_input=True)
        self._open()

    def run(self, code, wait=None):
        """Run code as if it had been typed. Returns at once; with wait=seconds, when it is done.

        Raises TimeoutError if it is not done by then, RuntimeError if the shell is not open. What
        the shell has not begun by then, it will not begin any more.
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
                raise TimeoutError(self._complain(self._give_up(item, wait))) from None

    def wait_for(self, text, timeout=10):
        """Wait until text is printed; the input itself does not count.

        Raises TimeoutError, with the end of the transcript, when it does not come.
        """

        def printed():
            return text in kernel_output.without_inputs(self.text)

        ended = ("dead", "closed")
        self._transcript.wait_until(lambda: printed() or self.state in ended, timeout)
        if not printed():
            raise TimeoutError(self._complain(f"did not print {text!r} within {timeout} s"))

    @property
    def text(self):
        return self._transcript.text

    @property
    def process_id(self):
        """The number of the kernel's process, None where there is none."""
        with self._lock:
            return self._kernel and self._kernel.process_id

    def interrupt(self):
        """Press Ctrl-C in this shell. What waits behind the running input is dropped."""
        with self._lock:
            running, kernel = self._running, self._kernel
            for item in self._waiting:
                item.drop("dropped by an interrupt")
                self._transcript.write_line(kernel_output.note(f"not run: {item.code}"))
            self._waiting.clear()
        if running:
            running.begun.wait(10)  # before a kernel begins, it ignores a Ctrl-C
            kernel.interrupt()

    def restart(self):
        """End the kernel and start a fresh one, which knows nothing of before."""
        self._end("starting", "restarted: a fresh Python, all names are gone")
        self._open()

    def close(self):
        """End the kernel; restart() opens the shell again."""
        self._end("closed", "closed")

    def __repr__(self):
        return f"Shell {self.name!r}, a live IPython beside this page"

    def _repr_mimebundle_(self, **_):
        return display_form(self.pane, repr(self))

    def _complain(self, what):
        end = "\n".join(self.text.splitlines()[-15:])
        return f"the shell {self.name!r} ({self.state}) {what}\nIts transcript ends:\n{end}"

    def _give_up(self, item, wait):
        """Take back what still waits for its turn; return in words what came of it."""
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
            self._kernel = Kernel(self._folder, self._ready, self._take, self._bury)

    def _ready(self, kernel):
        with self._lock:
            if kernel is self._kernel:
                self._set("idle")
                self._run_next()

    def _bury(self, kernel, how):
        if kernel is self._kernel:
            self._end("dead", f"this shell is dead: {how}. Press Restart for a fresh one")

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
            self._transcript.write_line(kernel_output.note(remark))
            self._set(state)
        if kernel and state != "dead":
            kernel.end()

    # Inputs and what comes of them

    def _run_next(self):
        if self.state == "idle" and self._waiting:
            self._running = self._waiting.popleft()
            self._history.append(self._running.code)
            self._running.message_id = self._kernel.execute(self._running.code)
            self._set("busy")

    def _take(self, kernel, message):
        """Write down what the kernel said, and notice the end of an input."""
        with self._lock:
            if kernel is not self._kernel:
                return
            if printed := kernel_output.text_of(message):
                text, whole_lines = printed
                (self._transcript.write_line if whole_lines else self._transcript.write)(text)
            item = self._running
            if not item or message["parent_header"].get("msg_id") != item.message_id:
                return
            if message["msg_type"] == "execute_input":
                item.begun.set()
            elif message["msg_type"] == "execute_reply" or (
                message["content"].get("execution_state") == "idle"
            ):
                # Both must come: output is complete at "idle", but ipykernel 7.1 to 7.3 may lose a
                # request that reaches it before it has replied.
                item.ends.add(message["msg_type"])
                if len(item.ends) < 2:
                    return
                self._running = None
                self._set("idle")
                item.begun.set()
                item.done.set_result(None)
                self._run_next()

    # The page

    def _receive(self, message):
        """Do what was pressed or typed on the page."""
        what, code = message.get("do"), message.get("code", "")
        if what in ("Interrupt", "Restart", "Close"):
            # these may take a moment, and the page's messages come one after another
            threading.Thread(target=getattr(self, what.lower()), daemon=True).start()
        elif what == "run" or (what == "enter" and _lacks(code) is None):
            self._type(code)
        elif what == "enter":
            self.pane.send({"do": "more", "code": code, "indent": _lacks(code)})

    def _type(self, code):
        if not code.strip():
            return
        with self._lock:
            refusal = REFUSALS.get(self.state, "")
            if not refusal:
                self.run(code.rstrip())
        if not refusal:
            self._transcript.update()  # the arrow keys must find it in the history at once
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


def _lacks(code):
    """Return None if code can run, else the indent (str) of the line that it still needs."""
    verdict, indent = TransformerManager().check_complete(code)
    return " " * (indent or 0) if verdict == "incomplete" else None


class Shells:
    """Several shells, by name: shells["producer"]. As the last line of a cell it shows them."""

    def __init__(self, shells):
        self._by_name = {shell.name: shell for shell in shells}

    def __getitem__(self, name):
        if name in self._by_name:
            return self._by_name[name]
        raise KeyError(f"no shell is named {name!r}; there are: {', '.join(self._by_name)}")

    def __iter__(self):
        return iter(self._by_name.values())

    def close(self):
        """End all these shells."""
        for shell in self:
            shell.close()

    def __repr__(self):
        return "\n".join(map(repr, self))

    def _repr_mimebundle_(self, **_):
        return display_form(side_by_side([shell.pane for shell in self]), repr(self))


_opened = {}  # name -> Shell: the shells of this process


def opened_shells():
    """Return {name: Shell}, those that have been closed included."""
    return dict(_opened)


def open_shells(*names, folder=None):
    """Open one live shell for each name; return them as Shells, which a cell shows as panes.

    folder: where they start, else the current one. They inherit the environment of this moment.
    Shells of the same names that are open already are closed first.
    Raises ValueError for names that are missing, empty or given twice.
    """
    if not names or not all(isinstance(name, str) and name.strip() for name in names):
        raise ValueError(f'name each shell, as in open_shells("producer"); got {names!r}')
    if len(set(names)) < len(names):
        raise ValueError(f"each shell needs a name of its own; got {names!r}")
    folder = Path(folder or ".").resolve()
    if not folder.is_dir():
        raise ValueError(f"there is no folder {str(folder)!r} to open a shell in")
    Shells([_opened.pop(name) for name in names if name in _opened]).close()
    shells = Shells([Shell(name, folder) for name in names])
    _opened.update((shell.name, shell) for shell in shells)
    return shells
