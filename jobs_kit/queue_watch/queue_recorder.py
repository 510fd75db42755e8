"""Record one queue: its Recording, the tracker that adds events, the interpreter of commands."""

from jobs_kit.queue_watch.client_names import Addresses
from jobs_kit.queue_watch.command_interpreter import CommandInterpreter
from jobs_kit.queue_watch.comparison import Guess, compare
from jobs_kit.queue_watch.evidence import Evidence
from jobs_kit.queue_watch.picture import empty_picture
from jobs_kit.queue_watch.queue_address import HOTQUEUE
from jobs_kit.queue_watch.queue_tracker import QueueTracker
from jobs_kit.queue_watch.recording import Recording
from jobs_kit.redis_server.text import message_text, one_line


class QueueRecorder:
    """Records the queue at a key of a database. names: of its clients, see client_names.py.

    recording: a Recording. tracker: adds what was seen. interpreter: adds what was heard.
    """

    def __init__(
        self, db, key, names, job_key_start="job.", exit_reason=lambda who: "", text_of=message_text
    ):
        self.db, self.key = db, key
        self.recording = Recording(empty_picture(key.removeprefix(HOTQUEUE), names.role))
        self.tracker = QueueTracker(self.recording, job_key_start, names, exit_reason, text_of)
        self.interpreter = CommandInterpreter(self.tracker, key, db)

    def compare(self, at, length, messages, clients, is_first=False, was_away=False):
        """Compare what was heard with what Redis shows at a moment; return the new texts.

        length, messages: see compare(). clients: {address: its properties}, all that Redis lists.
        was_away: whether Redis was, so that a connection may have ended and its worker not.
        """
        self.interpreter.settle()
        self.tracker.resolve(at, length, clients)
        guess = Guess(removed=self.interpreter.unsure)
        fresh = compare(self.tracker, at, length, messages, is_first, guess)
        self.interpreter.unsure = False
        self.tracker.see_clients(at, clients, was_away)
        return fresh


class WatchedQueue(QueueRecorder):
    """A queue that is recorded as evidence: clients by their addresses, messages as they are."""

    def __init__(self, db, key, is_heard):
        super().__init__(db, key, Addresses(), text_of=one_line)
        self.evidence = Evidence(self.recording, is_heard)
        self._seen = None  # how many events the last look knew of

    def say_unchanged(self, at):
        """Record, once, that a look showed what was known: what is seen twice has waited."""
        if self._seen != self.recording.count:
            now = self.recording.now
            waiting = [[message, self.tracker.text(message)] for message in now["waiting"]]
            self.tracker.say(at, "look", waiting=waiting, beyond=now["beyond"])
            self._seen = self.recording.count
