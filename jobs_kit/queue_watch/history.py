"""What has happened on one queue: what waited, who took it, and in which order?

    history = History()
    history.put([b'"one"', b'"two"'], by="127.0.0.1:4711")
    history.take("127.0.0.1:4712")
    history.summary()

Nothing here knows of Redis; watch.py tells it what it sees there.
"""

from dataclasses import dataclass, field

from jobs_kit.redis_server.text import cut, one_line

ENOUGH = 3  # so many messages must have waited at once for a queue that was seen to grow
SHOWN = 8  # messages of a summary, and characters of one
LENGTH = 60
PROMPT = 2  # seconds; a message taken so soon did not have to wait
RECENT = 20  # messages of which it is not yet known whether they were taken at once
ANYBODY = None  # a client that could not be told


@dataclass(eq=False)
class Message:
    """A message. value (bytes, or None where it can't be read), by: the client that put it.

    met: whether somebody was waiting when it came. taken_by, turn (int): who took it, as which
    message in all. gone: removed from the queue without being taken. put_at, taken_at: seconds.
    """

    value: bytes | None
    by: str | None
    met: bool = False
    taken_by: str | None = ANYBODY
    turn: int | None = None
    gone: bool = False
    put_at: float = 0
    taken_at: float = 0


@dataclass
class History:
    """One queue. waiting: its Messages now, the next one first. waiters: [(client, from_the_end)]
    that wait at it. recent: the Messages put last; at_once: those that a consumer took at once.

    lengths: how often who puts has asked for the length, None if it can't be known.
    crowd: the most Messages that waited at once since the queue was last empty, nobody waiting;
    best: the crowd of earlier that went best.
    """

    waiting: list = field(default_factory=list)
    waiters: list = field(default_factory=list)
    crowd: list = field(default_factory=list)
    best: list = field(default_factory=list)
    recent: list = field(default_factory=list)
    at_once: list = field(default_factory=list)
    turns: int = 0
    lengths: int | None = 0
    settled: bool = False
    putters: set = field(default_factory=set)
    takers: dict = field(default_factory=dict)  # client -> when it took its first message
    _handed_over: list = field(default_factory=list)

    @property
    def happened(self):
        """Whether anything has."""
        return bool(self.waiting or self.crowd or self.turns or self.best)

    def put(self, values, by, in_front=False, when=0):
        """Somebody puts values (bytes). Who waits for them gets them, the first to wait first."""
        if not self.waiting:
            self._begin_anew()
        self.putters.add(by)
        for value in values:
            message = Message(value, by, met=bool(self.waiters), put_at=when)
            self.waiting.insert(0 if in_front else len(self.waiting), message)
            self.recent = [*self.recent[1 - RECENT :], message]
        if not self.waiters:
            self.gather()
        while self.waiters and self.waiting:
            client, from_the_end = self.waiters.pop(0)
            self._handed_over.append(self.waiting[-1 if from_the_end else 0])
            self.take(client, from_the_end=from_the_end, when=when)

    def take(self, by, count=1, from_the_end=False, when=0):
        """Somebody takes messages off."""
        for _ in range(min(count, len(self.waiting))):
            message = self.waiting.pop(-1 if from_the_end else 0)
            self.turns += 1
            message.taken_by, message.turn, message.taken_at = by, self.turns, when
            self.takers.setdefault(by, when)

    def remove(self):
        """Somebody clears the queue."""
        for message in self.waiting:
            message.gone = True
        self.waiting = []

    def wait(self, client, from_the_end=False):
        """A client waits for the next message."""
        self.waiters.append((client, from_the_end))

    def gather(self):
        """Note what waits now, if it is more than before."""
        waiting = [message for message in self.waiting if not message.met]
        if len(waiting) > len(self.crowd):
            self.crowd = waiting

    def correct(self, values, waiters):
        """Set right what was concluded: values (bytes) are there, these clients wait.

        A client that had gone without a word has not got what it was given here.
        """
        pool, before = [*self.waiting, *self._handed_over], self.waiting
        self.waiting = []
        for value in values:
            message = next((one for one in pool if one.value == value), None)
            if message:
                pool.remove(message)
                message.met = message.met and message not in self._handed_over
                message.taken_by, message.turn = ANYBODY, None
            self.waiting.append(message or Message(value, ANYBODY))
        for message in before:
            message.gone = message not in self.waiting
        self._handed_over = []
        if not waiters:
            self.gather()
        self.look(waiters)

    def look(self, waiters):
        """Note who waits now, and what is certain by now."""
        self.waiters = waiters
        prompt = [message for message in self.recent if self._is_prompt(message)]
        self.at_once = [*self.at_once, *prompt][-SHOWN:]
        self.recent = [message for message in self.recent if message.turn is None]
        went_well, *_ = _rank(max(self.crowd, self.best, key=_rank))
        self.settled = self.settled or bool(waiters and not self.waiting and went_well)

    def compare(self, values, putter, taker, from_the_end=False, cleared=False):
        """Conclude what happened from what is there now, where it was not seen happening.

        values: bytes, or None each where they can't be read. putter, taker: the clients that did
        it, if they are known. from_the_end: what the taker would do. cleared: somebody removed.
        """
        before = [message.value for message in self.waiting]
        if values == before:
            self.gather()  # it has waited for a while
            return
        size = len(before)
        taken = next(n for n in range(size + 1) if before[n:] == values[: size - n])
        left = next(n for n in range(size, -1, -1) if before[:n] == values[:n])
        if taken < size:
            self.take(taker, taken)
        elif cleared:
            self.remove()
        else:
            self.take(taker, size - left, from_the_end=bool(left) or from_the_end)
        if not self.waiting:
            self._begin_anew()
        if new := values[len(self.waiting) :]:
            self.putters.add(putter)
            self.waiting += [Message(value, putter) for value in new]

    def pass_on(self, putter, taker):
        """One client put a message that another waited for, too fast to be seen on the queue."""
        self.turns += 1
        self.recent.append(Message(None, putter, True, taker, self.turns))

    def summary(self):
        """Return what is known as a dict that JSON can carry."""
        crowd = max(self.crowd, self.best, key=_rank)
        taken = sorted((one for one in crowd if one.turn is not None), key=lambda one: one.turn)
        return {
            "waited": _shown(crowd),
            "most": len(crowd),
            "taken": _shown(taken),
            "all_taken": len(taken) == len(crowd),
            "removed": sum(one.gone for one in crowd),
            "in_order": taken == crowd[: len(taken)],
            "by_another": all(map(_by_another, taken)),
            "at_once": _shown(self.at_once),
            "asked_length": self.lengths,
            "settled": self.settled,
            "waiting": _shown(self.waiting),
            "length": len(self.waiting),
            "waiters": len(self.waiters),
        }

    def _is_prompt(self, message):
        """Tell whether another client, which had begun to consume before, took it at once."""
        if message.turn is None or not _by_another(message):
            return False
        had_begun = self.takers.get(message.taken_by, message.put_at) < message.put_at
        return message.met or (had_begun and message.taken_at - message.put_at < PROMPT)

    def _begin_anew(self):
        self.best = max(self.crowd, self.best, key=_rank)  # the later one, if both went alike
        self.crowd = []


def _rank(crowd):
    """Return how well a crowd went, to be compared: grown and taken as it should be first."""
    taken = [one for one in crowd if one.turn is not None]
    in_order = [one.turn for one in taken] == sorted(one.turn for one in taken)
    grown = len(crowd) >= ENOUGH
    well = len(taken) == len(crowd) and in_order and all(map(_by_another, taken))
    return grown and well, grown, len(taken)


def _by_another(message):
    return ANYBODY in (message.by, message.taken_by) or message.by != message.taken_by


def _shown(messages):
    """Return messages as texts, the first few of them."""
    return [
        "(a message)" if m.value is None else cut(one_line(m.value), LENGTH)
        for m in messages[:SHOWN]
    ]
