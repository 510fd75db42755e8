"""The transcript of a shell or a program: its last lines, in bounded memory.

Threads write it; the lesson and the page read it. A burst of writes reaches the page as one update
a fifth of a second later, and an idle transcript costs no processor time.
"""

import re
import threading

MAX_LINES, MAX_CHARACTERS = 1000, 40_000
UPDATE_SECONDS = 0.2

_COLOUR = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_OVERWRITTEN = re.compile(r"[^\n]*\r(?=[^\r\n])")  # text that a progress bar has overwritten


class Transcript:
    """Text that grows at its end, and is cut at its beginning when it gets too long.

    on_change(): called from a separate thread, at most five times a second.
    """

    def __init__(self, on_change=lambda: None):
        self._on_change = on_change
        self._coloured = ""
        self._cut_lines = 0
        self._changed = threading.Condition(threading.RLock())
        self._update_is_due = False
        self._updating = threading.Lock()  # keeps updates in order

    def write(self, text):
        """Add text (str) at the end. It may contain the colour codes of a terminal."""
        with self._changed:
            self._append(text)
            self._changed.notify_all()
        self.touch()

    def write_line(self, text):
        """Add text as whole lines; an unfinished line before it is ended first."""
        with self._changed:
            is_at_start = not self._coloured or self._coloured.endswith("\n")
            self.write(f"{text}\n" if is_at_start else f"\n{text}\n")

    def touch(self):
        """Request an update of the page. Several requests in a short time cause one update."""
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
        """The text with colour codes; if lines were cut, its first line says how many."""
        with self._changed:
            if not self._cut_lines:
                return self._coloured
            return f"[{self._cut_lines:,} earlier lines were cut]\n{self._coloured}"

    @property
    def text(self):
        """The text without colour codes."""
        return strip_colour(self.coloured)

    def wait_until(self, condition, timeout):
        """Wait until condition() is true; return whether it became true within timeout seconds.

        It is evaluated after each write and after notify().
        """
        with self._changed:
            return bool(self._changed.wait_for(condition, timeout))

    def notify(self):
        """Let wait_until() evaluate its condition again, after a change that wrote nothing."""
        with self._changed:
            self._changed.notify_all()
        self.touch()

    def _append(self, text):
        # Only the last line can still be overwritten, so older lines need no new search.
        older, newline, last = self._coloured.rpartition("\n")
        text = (last + text).replace("\r\n", "\n")
        kept = older + newline + _OVERWRITTEN.sub("", text)
        surplus = kept.count("\n") - MAX_LINES
        cut = _end_of_line(kept, surplus) if surplus > 0 else 0
        if len(kept) - cut > MAX_CHARACTERS:
            cut = kept.find("\n", len(kept) - MAX_CHARACTERS) + 1 or len(kept) - MAX_CHARACTERS
        self._cut_lines += kept.count("\n", 0, cut)
        self._coloured = kept[cut:]


def strip_colour(text):
    """Return text without the colour codes of a terminal."""
    return _COLOUR.sub("", text)


def _end_of_line(text, number):
    """Return the position after the n-th newline of text."""
    end = 0
    for _ in range(number):
        end = text.find("\n", end) + 1
    return end
