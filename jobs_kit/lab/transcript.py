"""What has a shell or a program written so far? Its last lines, kept in bounded memory.

Writers are threads, readers are the lesson and the page. A burst of writes reaches the page
as one update, a fifth of a second later; where nothing is written, nothing runs.
"""

import re
import threading

MAX_LINES, MAX_CHARACTERS = 1000, 40_000
UPDATE_SECONDS = 0.2

_COLOUR = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_OVERWRITTEN = re.compile(r"[^\n]*\r(?=[^\r\n])")  # what a progress bar has painted over


class Transcript:
    """Text that only grows at its end, and is cut at its beginning when it grows too long.

    on_change(): called from a thread of its own, at most five times a second.
    """

    def __init__(self, on_change=lambda: None):
        self._on_change = on_change
        self._coloured = ""
        self._cut_lines = 0
        self._changed = threading.Condition(threading.RLock())
        self._update_is_due = False
        self._updating = threading.Lock()  # so that an older update never overtakes a newer one

    def write(self, text):
        """Add text at the end: a str, which may hold the colour codes of a terminal."""
        with self._changed:
            self._append(text)
            self._changed.notify_all()
        self.touch()

    def write_line(self, text):
        """Add text as lines of their own, whatever stands before."""
        with self._changed:
            fresh = "" if self._coloured.endswith("\n") or not self._coloured else "\n"
            self.write(f"{fresh}{text}\n")

    def touch(self):
        """Ask for an update of the page, soon; many such wishes become one."""
        with self._changed:
            if self._update_is_due:
                return
            self._update_is_due = True
        timer = threading.Timer(UPDATE_SECONDS, self.update)
        timer.daemon = True
        timer.start()

    def update(self):
        """Update the page now."""
        with self._updating:
            with self._changed:
                self._update_is_due = False
            self._on_change()

    @property
    def coloured(self):
        """The text with colour codes, headed by a line that says how much was cut, if any."""
        with self._changed:
            if not self._cut_lines:
                return self._coloured
            return f"[{self._cut_lines:,} earlier lines were cut]\n{self._coloured}"

    @property
    def text(self):
        """The text without colour codes."""
        return without_colour(self.coloured)

    def wait_until(self, condition, timeout):
        """Wait until condition() is true; return whether it became true within timeout seconds.

        It is asked whenever something was written, and after notify().
        """
        with self._changed:
            return bool(self._changed.wait_for(condition, timeout))

    def notify(self):
        """Let wait_until() ask its condition again, after a change that wrote nothing."""
        with self._changed:
            self._changed.notify_all()
        self.touch()

    def _append(self, text):
        # only the last line can still be painted over, so older ones are not searched again
        done, newline, last = self._coloured.rpartition("\n")
        text = (last + text).replace("\r\n", "\n")
        kept = done + newline + _OVERWRITTEN.sub("", text)
        surplus = kept.count("\n") - MAX_LINES
        cut = _end_of_line(kept, surplus) if surplus > 0 else 0
        if len(kept) - cut > MAX_CHARACTERS:
            cut = kept.find("\n", len(kept) - MAX_CHARACTERS) + 1 or len(kept) - MAX_CHARACTERS
        self._cut_lines += kept.count("\n", 0, cut)
        self._coloured = kept[cut:]


def without_colour(text):
    """Return text without the colour codes of a terminal."""
    return _COLOUR.sub("", text)


def _end_of_line(text, number):
    """Return the position after the number-th line end of text."""
    end = 0
    for _ in range(number):
        end = text.find("\n", end) + 1
    return end
