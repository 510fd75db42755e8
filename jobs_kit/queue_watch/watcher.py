"""Watch one queue for a board: a thread listens to Redis, or looks at it.

Where the server lets us (the kit's own do), MONITOR tells every command as it comes: nothing is
missed, and where nothing happens nothing runs. Elsewhere the queue is looked at again and again,
the more rarely the less happens. A Redis that goes away is waited for.
"""

import itertools
import threading
import time

import redis

from jobs_kit.queue_watch.command_interpreter import CommandInterpreter
from jobs_kit.queue_watch.comparison import compare, runs_short
from jobs_kit.redis_server.monitor import Monitor, escape, parse_command

UPDATE_SECONDS = 0.2  # between two updates of the page, at least
CHECK_SECONDS = 1.0  # between two looks at who is connected, while there are workers
GATHER_SECONDS = 0.01  # a flood of commands must not keep this kernel busy
LOOK_SECONDS = (0.2, 2.0)  # between two looks where MONITOR is refused: at least, at most
AWAY_SECONDS = 0.5
MOST_LINES = 2_000  # that are read in one go
SEES_LITTLE = "this Redis does not tell who takes a message; the board looks at it now and then"
SEES_COUNT = "this Redis does not show the messages; the board counts them now and then"


class Watcher:
    """Watches one queue. notes, window: see their files; key, db: of the queue.

    on_change() is called from a thread of its own, at most five times a second. has_seen: an Event,
    set when the queue was seen once. wakes (int): how often that thread has woken up.
    """

    def __init__(self, tracker, reader, key, db, on_change):
        self._tracker, self._reader, self._on_change = tracker, reader, on_change
        self._interpreter = CommandInterpreter(tracker, key, db)
        self._needles = [escape(key), escape(reader.job_key_start)]
        self._needles += [b'"FLUSH', b'"flush', b'"SETNAME"']
        self._may_monitor = True
        self._marks = (f"board-{id(self)}-{number}" for number in itertools.count())
        self._look = self._mark = None  # the last look, and what MONITOR shows at its moment
        self._checked, self._checked_at = None, 0  # how many events the last look knew of, and when
        self._shown, self._shown_at = 0, 0
        self._ended, self.has_seen = threading.Event(), threading.Event()
        self.wakes = 0
        self._thread = threading.Thread(target=self._live, name=f"board of {key}", daemon=True)
        self._thread.start()

    def close(self):
        """End the watch."""
        self._ended.set()
        self._reader.poke()  # MONITOR shows it, and the thread wakes up
        self._thread.join(5)

    def _live(self):
        while not self._ended.is_set():
            try:
                self._listen() if self._may_monitor else self._keep_looking()
            except (redis.ConnectionError, redis.TimeoutError, OSError):
                self._is_here(False)
                self._ended.wait(AWAY_SECONDS)
            except redis.ResponseError as refusal:
                if not self._may_monitor:
                    self._note(str(refusal))
                    self._ended.wait(LOOK_SECONDS[1])
                self._may_monitor = False

    # Where every command can be heard

    def _listen(self):
        self._mark = self._checked = None
        with Monitor(self._reader.client) as monitor:
            while not self._ended.is_set():
                self._check()
                self._show()
                if monitor.wait(self._patience()):
                    self._ended.wait(GATHER_SECONDS)
                    self._read(monitor)
                self.wakes += 1

    def _read(self, monitor):
        """Take note of what has come."""
        for _ in range(MOST_LINES):
            line = monitor.line()
            if any(needle in line for needle in self._needles):
                self._interpreter.hear(parse_command(line))
            elif self._mark and self._mark in line:
                self._compare(parse_command(line).time)
            if not monitor.wait(0):
                break
        self._interpreter.settle()

    def _check(self):
        """Look at Redis when that is due; MONITOR says when it comes to the moment of the look."""
        due = self._check_due()
        if self._mark is None and due is not None and due <= 0:
            mark = next(self._marks)
            self._look, self._mark = self._reader.look(mark), mark.encode()

    def _check_due(self):
        """Return in how many seconds Redis is to be looked at, None if there is no reason."""
        is_uncertain = (
            self._interpreter.unsure or self._tracker.is_uncertain or runs_short(self._tracker)
        )
        if self._checked is None or is_uncertain:
            return 0
        workers = self._tracker.now["workers"].values()
        if self._checked == self._tracker.recording.count and all(one["gone"] for one in workers):
            return None
        return self._checked_at + CHECK_SECONDS - time.monotonic()

    def _compare(self, at):
        self._interpreter.settle()
        was_away = self._checked is None
        is_first = was_away and not self._tracker.now["at"]
        self._is_here(True)
        length, messages, clients = self._look
        self._tracker.resolve(at, length, clients)
        fresh = compare(self._tracker, at, length, messages, is_first)
        self._tracker.see_clients(at, clients, was_away and not is_first)
        for client in self._reader.waiting(clients) if was_away and not length else ():
            self._tracker.assume_waiting(at, client)
        self._learn(fresh, at)
        self._look = self._mark = None
        self._interpreter.unsure = False
        self._checked, self._checked_at = self._tracker.recording.count, time.monotonic()
        self.has_seen.set()

    def _patience(self):
        """Return how many seconds there is nothing to do if nothing comes; None: for ever."""
        dues = [] if self._mark else [self._check_due()]
        if self._shown != self._tracker.recording.count:
            dues.append(self._shown_at + UPDATE_SECONDS - time.monotonic())
        return min((max(due, 0) for due in dues if due is not None), default=None)

    # Where it can only be looked at

    def _keep_looking(self):
        pause, is_first = 0, not self._tracker.now["at"]
        while not self._ended.wait(pause):
            self.wakes += 1
            begun, count = time.monotonic(), self._tracker.recording.count
            look = self._reader.look()
            at = time.time()
            self._is_here(True)
            fresh = compare(self._tracker, at, look.length, look.messages, is_first)
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

    def _is_here(self, is_here):
        if self._tracker.now["here"] != is_here:
            self._tracker.say(time.time(), "here" if is_here else "away")
            self._show()

    def _note(self, text):
        if self._tracker.now["note"] != text:
            self._tracker.say(time.time(), "note", text=text)
