"""Summarize the events of one queue: what waited at once, who took it, and in which order.

    evidence = Evidence(recording)
    evidence.summary()

Clients are told apart by their names in the events, which are their addresses here.
"""

from dataclasses import dataclass

from jobs_kit.queue_watch.picture import empty_picture
from jobs_kit.queue_watch.recording import Recording
from jobs_kit.redis_server.text import cut

ENOUGH = 3  # so many messages must have waited at once for a queue that was seen to grow
SHOWN = 8  # messages of a summary, and characters of one
LENGTH = 60
PROMPT = 2  # seconds; a message taken so soon did not have to wait
RECENT = 20  # messages of which it is not yet known whether they were taken at once
REMEMBERED = 1000  # messages that may still come back
ANYBODY = ""  # an unknown client


@dataclass(eq=False)
class Message:
    """A message. text: "(message 3)" where it cannot be read. by: the client that put it.

    met: whether a client was waiting when it came. taken_by, turn (int): who took it, as which
    message in all. gone: removed from the queue without being taken. put_at, taken_at: seconds.
    """

    text: str
    by: str = ANYBODY
    met: bool = False
    taken_by: str = ANYBODY
    turn: int | None = None
    gone: bool = False
    put_at: float = 0
    taken_at: float = 0


class Evidence:
    """The facts that the events of a Recording prove. Reading the summary brings it up to this moment.

    is_heard (bool): whether every command was heard, and not only looks compared. Where looks are
    compared, a message has waited if two of them show it.
    """

    def __init__(self, recording, is_heard=True):
        self._recording, self._count, self._is_heard = recording, 0, is_heard
        self._messages, self._waiting = {}, {}  # number: Message; those that wait, next one first
        self._waiters, self._takers = set(), {}  # clients; client: when it took its first message
        self._crowd = []  # the most that waited at once since the queue was empty, no client waiting
        self._best = []  # the crowd of earlier that went best
        self._recent, self._at_once = [], []
        self._turns = self._lengths = 0
        self._is_settled = False

    @property
    def happened(self):
        """Whether any message was seen."""
        self._read()
        return bool(self._waiting or self._crowd or self._turns or self._best)

    def switch(self, is_heard):
        """Take what follows as heard, or as compared looks."""
        self._read()
        self._is_heard = is_heard

    def summary(self):
        """Return what is known as a dict that JSON can carry."""
        self._read()
        self._note_prompt()
        crowd = max(self._crowd, self._best, key=_rank)
        taken = sorted((m for m in crowd if m.turn is not None), key=lambda m: m.turn)
        return {
            "waited": _texts(crowd),
            "most": len(crowd),
            "taken": _texts(taken),
            "all_taken": len(taken) == len(crowd),
            "removed": sum(message.gone for message in crowd),
            "in_order": taken == crowd[: len(taken)],
            "by_another": all(map(_by_another, taken)),
            "at_once": _texts(self._at_once),
            "asked_length": self._lengths or (0 if self._is_heard else None),
            "settled": self._is_settled,
            "waiting": _texts(self._waiting.values()),
            "length": len(self._waiting),
            "waiters": len(self._waiters),
        }

    def _read(self):
        for event in self._recording.since(self._count):
            if rule := getattr(self, f"_{event['did']}", None):
                rule(event)
        self._count = self._recording.count

    # What an event means

    def _put(self, event):
        if not self._waiting:
            self._begin_crowd()
        number, met = event["message"], bool(self._waiters)
        message = Message(event["text"], event["who"], met, put_at=event["at"])
        self._remember(number, message)
        if event["first"]:
            self._waiting = {number: message, **self._waiting}
        else:
            self._waiting[number] = message
        self._recent = [*self._recent[1 - RECENT :], message]
        if self._is_heard and not self._waiters:
            self._gather()

    def _take(self, event):
        self._waiters.discard(event["who"])
        if message := self._waiting.pop(event["message"], None):
            self._turns += 1
            message.taken_by, message.turn = event["who"], self._turns
            message.taken_at = event["at"]
            self._takers.setdefault(event["who"], event["at"])

    def _remove(self, event):
        if message := self._waiting.pop(event["message"], None):
            message.gone = True

    def _look(self, event):
        before, self._waiting = self._waiting, {}
        for number, text in event["waiting"]:
            if number not in self._messages:
                self._remember(number, Message(text))
            elif number not in before:
                self._give_back(self._messages[number])
            self._waiting[number] = self._messages[number]
        for number, message in before.items():
            message.gone = number not in self._waiting
        if not (self._is_heard and self._waiters):
            self._gather()

    def _back(self, event):
        if message := self._messages.get(event["message"]):
            self._give_back(message)
            self._waiting = {event["message"]: message, **self._waiting}

    def _worker(self, event):
        if event["waits"]:
            self._waiters.add(event["who"])
            self._settle()
        else:
            self._leave(event)

    def _leave(self, event):
        """Let a client wait no more; what came meanwhile has waited."""
        self._waiters.discard(event["who"])
        if self._is_heard and not self._waiters:
            for message in self._waiting.values():
                message.met = False
            self._gather()

    _gone = _leave

    def _length(self, event):
        self._lengths += 1

    # What follows from it

    def _remember(self, number, message):
        message.text = message.text or f"(message {number})"
        self._messages[number] = message
        if len(self._messages) > REMEMBERED:
            del self._messages[next(iter(self._messages))]

    def _give_back(self, message):
        """Undo a take: the client had gone and has not got the message."""
        message.met, message.taken_by, message.turn = False, ANYBODY, None

    def _begin_crowd(self):
        self._best = max(self._crowd, self._best, key=_rank)  # the later one, if both went alike
        self._crowd = []

    def _gather(self):
        """Note what waits now, if it is more than before."""
        waiting = [m for m in self._waiting.values() if not (m.met and self._is_heard)]
        if len(waiting) > len(self._crowd):
            self._crowd = waiting

    def _settle(self):
        """Note that a client waits at a queue that was drained as it should be."""
        went_well, *_ = _rank(max(self._crowd, self._best, key=_rank))
        self._is_settled = self._is_settled or bool(not self._waiting and went_well)

    def _note_prompt(self):
        prompt = [message for message in self._recent if self._is_prompt(message)]
        self._at_once = [*self._at_once, *prompt][-SHOWN:]
        self._recent = [message for message in self._recent if message.turn is None]
        if self._waiters:
            self._settle()

    def _is_prompt(self, message):
        """Tell whether another client, which had begun to consume before, took it at once."""
        if message.turn is None or not _by_another(message):
            return False
        had_begun = self._takers.get(message.taken_by, message.put_at) < message.put_at
        waited = message.taken_at - message.put_at
        was_met = message.met and self._is_heard
        return was_met or not waited or (had_begun and waited < PROMPT)


def _rank(crowd):
    """Return how well a crowd went, to be compared: grown and taken as it should be first."""
    taken = [message for message in crowd if message.turn is not None]
    in_order = [message.turn for message in taken] == sorted(message.turn for message in taken)
    grown = len(crowd) >= ENOUGH
    well = len(taken) == len(crowd) and in_order and all(map(_by_another, taken))
    return grown and well, grown, len(taken)


def _by_another(message):
    return ANYBODY in (message.by, message.taken_by) or message.by != message.taken_by


def _texts(messages):
    """Return messages as texts, the first few of them."""
    return [cut(message.text, LENGTH) for message in list(messages)[:SHOWN]]


NOTHING = Evidence(Recording(empty_picture(""))).summary()
