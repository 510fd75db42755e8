"""Put a board onto a page: as a widget that a kernel keeps up to date, or as one file.

Everything that is shown is in the widget's traits, so that a page which is opened again has it:
picture is how things are, and news what happened since the picture before.
"""

import threading
import weakref
from pathlib import Path

import anywidget
from traitlets import Dict, Unicode

from jobs_kit.lab.pane import display_form
from jobs_kit.queue_watch.player.page import SCRIPT, STYLE, page_of
from jobs_kit.queue_watch.player.text import as_svg, as_text

UNSEEN_SECONDS = 10  # a cell that moves, or a page that is opened again, shows its board again

_shown = weakref.WeakSet()


def shown_boards():
    """Return the boards and replays that cells of this page have shown, a list of OnPage."""
    return list(_shown)


class BoardPage(anywidget.AnyWidget):
    """The widget. on_message(message) is called for every control that is used on the page.

    It gets {"do": "close"}, too, when the board has left a page and no other page shows it.
    """

    _esm = SCRIPT
    _css = STYLE

    title = Unicode().tag(sync=True)
    state = Unicode().tag(sync=True)  # "live", "away", "closed" or "recorded"
    picture = Dict().tag(sync=True)
    news = Dict().tag(sync=True)  # {"first": how many events came before, "events": [...]}
    recording = Dict().tag(sync=True)  # of a replay: {"start": picture, "events": [...]}
    controls = Dict().tag(sync=True)  # of a live board: {"workers": [...], "failure": text}
    notice = Unicode().tag(sync=True)  # the result of a control that was used

    def __init__(self, on_message=lambda message: None, **traits):
        super().__init__(**traits)
        self._on_message, self._is_seen, self._unseen = on_message, True, None
        self.on_msg(lambda _, message, __: self._receive(message))

    def _receive(self, message):
        """Take a message from a page; when one says that the board has left it, ask the others."""
        if message.get("do") == "here":
            self._is_seen = True
        elif message.get("do") == "left":
            self._is_seen, self._unseen = False, threading.Timer(UNSEEN_SECONDS, self._end_unseen)
            self._unseen.daemon = True
            self._unseen.start()
            self.send({"do": "who shows it"})
        else:
            self._on_message(message)

    def _end_unseen(self):
        if not self._is_seen and threading.current_thread() is self._unseen:
            self._on_message({"do": "close"})

    def show(self, **traits):
        """Change several traits in one message to the page."""
        with self.hold_sync():
            for name, value in traits.items():
                setattr(self, name, value)


class OnPage:
    """The base of a live board and a replay: a recording, and the forms to show it in."""

    def __init__(self, title, recording):
        self.title, self.recording = title, recording

    def save(self, path):
        """Write the recording to a file, in JSON; replay(path) shows it again."""
        self.recording.save(path)

    def save_page(self, path):
        """Write one HTML file that plays the recording, without a Redis, a kernel or a network."""
        Path(path).write_text(page_of([(self.title, self.recording.as_dict())]), encoding="utf-8")

    def __repr__(self):
        with self.recording.lock:
            return as_text(self.recording.now)

    def _repr_mimebundle_(self, **_):
        _shown.add(self)
        data, metadata = display_form(self.page, repr(self))
        with self.recording.lock:
            return data | {"image/svg+xml": as_svg(self.recording.now)}, metadata
