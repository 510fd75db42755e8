"""Record a queue: a picture to begin with, and the events since.

A recording is kept in bounded memory: the oldest events merge into the picture that it begins with.
"""

import copy
import json
import threading
from pathlib import Path

from jobs_kit.queue_watch.picture import apply

MOST_EVENTS = 20_000
SHOWN = 60  # messages of each kind in a glimpse
FORMAT = "jobs-kit board 2"


class NotARecordingError(ValueError):
    """The file is not a recording of a board."""


class Recording:
    """The events since the watch began, the last 20,000 of them one by one.

    start (dict): the picture before the first of events (list). now (dict): the picture after the
    last. count (int): of all events, those that went into start included.
    """

    def __init__(self, start, events=()):
        self.lock = threading.RLock()
        self.start, self.now = start, copy.deepcopy(start)
        self.events, self.count = [], 0
        for event in events:
            self.add(event)

    def add(self, event):
        """Add an event, and change the picture."""
        with self.lock:
            apply(self.now, event)
            self.events.append(event)
            self.count += 1
            if len(self.events) > MOST_EVENTS:
                half = MOST_EVENTS // 2
                for old in self.events[:half]:
                    apply(self.start, old)
                del self.events[:half]

    def since(self, count):
        """Return the events that came after the first count ones; [] if some are gone."""
        with self.lock:
            missing = self.count - count
            return self.events[-missing:] if 0 < missing <= len(self.events) else []

    def glimpse(self):
        """Return a copy of the picture, cut to what fits on a page."""
        with self.lock:
            now = self.now
            cut = {place: now[place][-SHOWN:] for place in ("taken", "done", "failed")}
            cut["waiting"] = now["waiting"][:SHOWN]
            held = [message for worker in now["workers"].values() for message in worker["holds"]]
            shown = sum(cut.values(), held)
            cut["beyond"] = now["beyond"] + len(now["waiting"]) - len(cut["waiting"])
            cut["messages"] = {message: now["messages"][message] for message in shown}
            return copy.deepcopy(now | cut)

    def as_dict(self):
        """Return all of it as a dict that JSON can express."""
        with self.lock:
            return {"format": FORMAT, "start": self.start, "events": list(self.events)}

    def save(self, path):
        """Write a file that load() reads."""
        with self.lock:
            text = json.dumps(self.as_dict(), ensure_ascii=False, separators=(",", ":"))
        Path(path).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path):
        """Read a file that save() wrote. Raises NotARecordingError, or OSError without a file."""
        try:
            whole = json.loads(Path(path).read_text(encoding="utf-8"))
            if whole["format"] != FORMAT:
                raise ValueError(f"its format is {whole['format']!r}; this kit reads {FORMAT!r}")
            return cls(whole["start"], whole["events"])
        except (ValueError, LookupError, TypeError, AttributeError) as problem:
            raise NotARecordingError(
                f"{str(path)!r} is not a recording that board.save() wrote ({problem})"
            ) from None
