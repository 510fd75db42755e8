"""Track who put, took, finished or lost which message of a queue, as events of a recording.

MONITOR shows who asks for a message, not who gets it. So those that wait are known here, and
settle() serves them in the order in which they came, as Redis does.
"""

from jobs_kit.queue_watch.job_tracker import JobTracker
from jobs_kit.queue_watch.picture import depth
from jobs_kit.redis_server.text import message_text

LOST = "lost: {} ended while it held the message"
OUT_OF_SIGHT = "lost from sight: Redis was away while {} held the message"
UNFINISHED = "its worker went on to the next one and left it {}"
LATE_SECONDS = 0.05  # a busy Redis may still serve those whose time is over


class QueueTracker:
    """The state of one queue, as far as it is known. Messages are numbers, written as text.

    recording: where events go. names: what clients are called (see client_names.py).
    exit_reason(who): why a worker ended, or "" if that is unknown.
    """

    def __init__(
        self, recording, job_key_start, names, exit_reason=lambda who: "", text_of=message_text
    ):
        self.recording, self.now = recording, recording.now
        self.jobs, self.names = JobTracker(recording, job_key_start), names
        self.text_of = text_of  # turns a message (bytes) into what the events call it
        self.lost_messages = {}  # text: message whose worker is gone; it may be put again
        self._exit_reason = exit_reason
        self._numbers = 0  # how many were given out
        self._clients = {}  # client: who, the workers
        self._waiters = {}  # client: (who, until when, keeps), first come first
        self._assumed_waiting = {}  # client: who, those that seem to wait at this queue
        self._kept = set()  # messages that Redis still holds for the worker that took them

    def say(self, at, did, **more):
        """Record that something happened."""
        self.recording.add({"at": at, "did": did, **more})

    def number(self, text):
        """Return a number for a message that is on the queue; its old one if it was lost."""
        stray = self.lost_messages.pop(text, None)
        if stray in self.now["messages"]:
            return stray
        self._numbers += 1
        return str(self._numbers)

    def text(self, message):
        """Return the text of a message that is known."""
        return self.now["messages"][message]["text"]

    # Messages

    def put(self, at, text, who="", first=False):
        """Record that a message is on the queue."""
        message = self.number(text)
        self.say(at, "put", message=message, text=text, who=who, first=first)
        self.jobs.queued(at, text, message)

    def take(self, at, who="", keeps=False, from_the_end=False):
        """Give the next message that waits to a worker; keeps: Redis holds it for the worker."""
        waiting = self.now["waiting"]
        if waiting and not (from_the_end and self.now["beyond"]):
            message = waiting[-1 if from_the_end else 0]
            text = self.text(message)
        else:
            message, text = self.number(""), ""
        self.say(at, "take", message=message, text=text, who=who)
        if keeps:
            self._kept.add(message)

    def finish(self, at, message, failure=""):
        """Record that a worker is done with a message. failure: why it failed, if it did."""
        status = self.jobs.status(message)
        if self.jobs.is_open(message) and status != "submitted":
            failure = failure or UNFINISHED.format(status)
        self._kept.discard(message)
        if failure:
            self.say(at, "fail", message=message, why=failure)
        else:
            self.say(at, "done", message=message)

    def holder(self, message):
        """Return the worker that holds a message, or None."""
        workers = self.now["workers"].items()
        return next((who for who, worker in workers if message in worker["holds"]), None)

    def holds(self, who):
        """Return the messages that a worker holds, the oldest first."""
        return list(self.now["workers"].get(who, {}).get("holds", []))

    # Workers

    def worker(self, at, client, consumer=None):
        """Return the name of the worker at an address; consumer: what it calls itself in Redis."""
        who = self.names.of(client, "worker", consumer)
        self._clients[client] = who
        if self.now["workers"].get(who, {"gone": True})["gone"]:
            self.say(at, "worker", who=who, waits=False)
        return who

    def is_worker(self, client):
        """Tell whether a client has asked for messages."""
        return client in self._clients

    def idle_client(self, address, at):
        """Return the client behind an address that may ask for a message: one that does not wait.

        All clients of a Unix socket have one address, and one that waits sends nothing. They are
        told apart by that, so there are as few as possible.
        """
        clients = [client for client in self._clients if client.startswith(address)]
        idle = (client for client in clients if self._waiters.get(client, (0, -1))[1] < at)
        return next(idle, f"{address}#{len(clients) + 1}")

    def wait(self, at, client, who, seconds=0, keeps=False, from_the_end=False):
        """Let a worker wait for a message. seconds: how long at most, 0 for forever."""
        until = at + seconds if seconds else float("inf")
        self._waiters[client] = (who, until, keeps, from_the_end)
        if not depth(self.now) and not self.now["workers"][who]["waits"]:
            self.say(at, "worker", who=who, waits=True)

    def stop_waiting(self, at, client, asks_again=False):
        """End the wait of a client, which has sent something; asks_again: for a message."""
        waiter = self._waiters.pop(client, None)
        if waiter and not asks_again:
            self._say_waits(at, waiter[0], False)

    def see_waiting(self, at, clients):
        """Let exactly these clients (addresses) wait, as Redis lists them; nothing was heard."""
        for client in clients:
            self._say_waits(at, self.worker(at, client), True)
        for client, who in self._clients.items():
            if client not in clients:
                self._say_waits(at, who, False)

    def is_waiting(self, client):
        """Tell whether a client waits for a message, as far as is known."""
        return client in self._waiters or client in self._assumed_waiting

    def _say_waits(self, at, who, waits):
        """Record that a worker waits, or does no more, if that is new."""
        worker = self.now["workers"].get(who)
        if worker and not worker["gone"] and worker["waits"] != waits:
            self.say(at, "worker", who=who, waits=waits)

    def settle(self, at):
        """Serve those that wait, unless others are assumed to, which came first: ask Redis."""
        while self._waiters and not self._assumed_waiting and depth(self.now):
            who, until, keeps, from_the_end = self._waiters.pop(next(iter(self._waiters)))
            if at <= until + LATE_SECONDS:
                self.take(at, who, keeps, from_the_end)
            else:
                self._say_waits(at, who, False)

    @property
    def is_uncertain(self):
        """Whether a message may have gone to a client that is only assumed to wait."""
        return bool(self._assumed_waiting and depth(self.now))

    def assume_waiting(self, at, client):
        """Take a client for one that waits at this queue, although it was not heard to ask."""
        self._assumed_waiting[client] = who = self.worker(at, client)
        self.say(at, "worker", who=who, waits=True)

    def confirm(self, at, client):
        """Give a message to a client that was assumed to wait: it asks for the next one."""
        who = self._assumed_waiting.pop(client, None)
        if who and depth(self.now):
            self.take(at, who)

    def resolve(self, at, length, clients):
        """Let those that were assumed to wait, and do no more, have taken what is missing."""
        for client, who in list(self._assumed_waiting.items()):
            if client not in clients or (_waits(clients, client) and not length):
                continue
            del self._assumed_waiting[client]
            if not _waits(clients, client) and depth(self.now) > length:
                self.take(at, who)
            else:
                del self._clients[client]
                self.say(at, "leave", who=who)
                self.names.release(who)

    def see_clients(self, at, clients, was_away=False):
        """Compare the workers with the clients that Redis lists: {address: its properties}.

        was_away: Redis was, so that a connection may have ended and its worker not.
        """
        for client, (who, *_) in list(self._waiters.items()):
            if not _waits(clients, client):
                del self._waiters[client]
                if client in clients:
                    self.say(at, "worker", who=who, waits=False)
        for client in [client for client in self._clients if client not in clients]:
            who = self._clients.pop(client)
            self._assumed_waiting.pop(client, None)
            if who not in self._clients.values():
                self._gone(at, who, OUT_OF_SIGHT if was_away else LOST)

    def _gone(self, at, who, why):
        for message in self.holds(who):
            self.lost_messages[self.text(message)] = message
            if message not in self._kept:
                words = (w := self._exit_reason(who)) and f" ({w})"
                self.say(at, "fail", message=message, why=why.format(who) + words)
        self.say(at, "gone", who=who)
        self.names.release(who)


def _waits(clients, client):
    return "b" in clients.get(client, {"flags": ""})["flags"]
