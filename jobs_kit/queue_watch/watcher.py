"""Watch one queue for a board: a thread listens to Redis, or looks at it.

Where the server lets us (the kit's own do), MONITOR tells every command as it comes: nothing is
missed, and where nothing happens nothing runs. Elsewhere the queue is looked at again and again,
the more rarely the less happens. A Redis that goes away is waited for.
"""

import threading
import time

import redis

from jobs_kit.queue_watch.comparison import compare, runs_short
from jobs_kit.queue_watch.monitor_source import MonitorSource
from jobs_kit.redis_server.monitor import escape

UPDATE_SECONDS = 0.2  # between two updates of the page, at least
CHECK_SECONDS = 1.0  # between two looks at who is connected, while there are workers
GATHER_SECONDS = 0.01  # a flood of commands must not keep this kernel busy
LOOK_SECONDS = (0.2, 2.0)  # between two looks where MONITOR is refused: at least, at most
AWAY_SECONDS = 0.5
SEES_LITTLE = "this Redis does not tell who takes a message; the board looks at it now and then"
SEES_COUNT = "this Redis does not show the messages; the board counts them now and then"


class Watcher:
    """Watches one queue. queue: a QueueRecorder; reader: its QueueReader.

    on_change() is called from the watcher's thread, at most five times a second. has_seen: an
    Event, set when the queue was seen once. wakes (int): how often that thread has woken up.
    """

    def __init__(self, queue, reader, on_change):
        self._queue, self._reader, self._on_change = queue, reader, on_change
        self._tracker = queue.tracker
        self._needles = [escape(queue.key), escape(reader.job_key_start)]
        self._needles += [b'"FLUSH', b'"flush', b'"SETNAME"']
        self._may_monitor = not reader.is_shared
        self._checked, self._checked_at = None, 0  # how many events the last look knew of, and when
        self._shown, self._shown_at = 0, 0
        self._ended, self.has_seen = threading.Event(), threading.Event()
        self.wakes = 0
        self._thread = threading.Thread(
            target=self._live, name=f"board of {queue.key}", daemon=True
        )
        self._thread.start()

    def close(self):
        """End the watch."""
        self._ended.set()
        if self._may_monitor:
            self._reader.poke()  # MONITOR shows it, and the thread wakes up
        self._thread.join(5)

    def _live(self):
        while not self._ended.is_set():
            try:
                self._listen() if self._may_monitor else self._keep_looking()
            except (redis.ConnectionError, redis.TimeoutError, OSError):
                self._set_here(False)
                self._ended.wait(AWAY_SECONDS)
            except redis.ResponseError as refusal:
                if not self._may_monitor:
                    self._note(str(refusal))
                    self._ended.wait(LOOK_SECONDS[1])
                self._may_monitor = False

    # Where every command can be heard

    def _listen(self):
        self._checked = None
        with MonitorSource(self._reader.client, self) as source:
            while not self._ended.is_set():
                if self._check_due() == 0:
                    source.look()
                self._show()
                if source.wait(self._patience()):
                    self._ended.wait(GATHER_SECONDS)
                    source.read()
                    self._queue.interpreter.settle()
                self.wakes += 1

    def concerns(self, line):
        """Tell whether a line (bytes) of MONITOR may be about the queue or its jobs."""
        return any(needle in line for needle in self._needles)

    def hear(self, command):
        """Take in a Command."""
        self._queue.interpreter.hear(command)

    def ask(self, mark):
        """Return a Look at the queue, taken at the moment at which MONITOR shows the mark."""
        return self._reader.look_at_mark(mark)

    def compare(self, look, mark):
        """Compare a Look with what was heard up to the mark."""
        was_away, at = self._checked is None, mark.time
        is_first = was_away and not self._tracker.now["at"]
        self._set_here(True)
        fresh = self._queue.compare(at, *look, is_first, was_away and not is_first)
        for client in self._reader.waiting(look.clients) if was_away and not look.length else ():
            self._tracker.assume_waiting(at, client)
        self._learn(fresh, at)
        self._checked, self._checked_at = self._tracker.recording.count, time.monotonic()
        self.has_seen.set()

    def _check_due(self):
        """Return in how many seconds Redis is to be looked at, None if there is no reason."""
        is_uncertain = self._queue.interpreter.unsure or self._tracker.is_uncertain
        if self._checked is None or is_uncertain or runs_short(self._tracker):
            return 0
        all_gone = all(worker["gone"] for worker in self._tracker.now["workers"].values())
        if self._checked == self._tracker.recording.count and all_gone:
            return None
        return max(self._checked_at + CHECK_SECONDS - time.monotonic(), 0)

    def _patience(self):
        """Return how many seconds there is nothing to do if nothing comes; None: forever."""
        dues = [self._check_due()]
        if self._shown != self._tracker.recording.count:
            dues.append(max(self._shown_at + UPDATE_SECONDS - time.monotonic(), 0))
        return min((due for due in dues if due is not None), default=None)

    # Where it can only be looked at

    def _keep_looking(self):
        pause, is_first = 0, not self._tracker.now["at"]
        while not self._ended.wait(pause):
            self.wakes += 1
            begun, count = time.monotonic(), self._tracker.recording.count
            look = self._reader.look()
            at = time.time()
            self._set_here(True)
            fresh = compare(self._tracker, at, look.length, look.messages, is_first)
            self._tracker.see_waiting(at, self._reader.waiting(look.clients))
            self._tracker.see_clients(at, look.clients)
            self._learn([*self._tracker.jobs.open_ids(), *fresh], at)
            self._note(SEES_COUNT if look.messages is None else SEES_LITTLE)
            self._show()
            self.has_seen.set()
            changed = self._tracker.recording.count > count
            pause = LOOK_SECONDS[0] if changed else min(pause * 1.5, LOOK_SECONDS[1])
            pause, is_first = max(pause, 10 * (time.monotonic() - begun)), False

    def _learn(self, ids, at):
        for jid, fields in self._reader.jobs(ids).items():
            self._tracker.jobs.learn(at, jid, fields)

    # The page

    def _show(self):
        count = self._tracker.recording.count
        if count != self._shown and time.monotonic() >= self._shown_at + UPDATE_SECONDS:
            self._shown, self._shown_at = count, time.monotonic()
            self._on_change()

    def _set_here(self, is_here):
        if self._tracker.now["here"] != is_here:
            self._tracker.say(time.time(), "here" if is_here else "away")
            self._show()

    def _note(self, text):
        if self._tracker.now["note"] != text:
            self._tracker.say(time.time(), "note", text=text)
