"""Track the job that a message names, as events of a recording.

A job is a hash, job.<id>, with the fields id, status, start, end; its id is the message.
"""

from jobs_kit.redis_server.monitor import HASH_WRITES
from jobs_kit.redis_server.text import message_text

FIELDS = ("status", "start", "end", "error")
ENDED = ("complete", "failed")
LONGEST_ID = 80
MOST_REMEMBERED = 10_000
MOST_UNQUEUED = 500


class JobTracker:
    """Follows the jobs of one queue. key_start: what their keys start with, "job." for example."""

    def __init__(self, recording, key_start):
        self._recording, self._key_start = recording, key_start.encode()
        self._messages = {}  # id: the message that carries it
        self._unqueued = {}  # id: [(at, fields)] of a job that is saved, and not on the queue yet

    def hear(self, command):
        """Take note of a command if it writes into a job; tell whether it does."""
        words = command.arguments
        if command.name not in HASH_WRITES or not words[0].startswith(self._key_start):
            return False
        jid = message_text(words[0].removeprefix(self._key_start))
        fields = {
            message_text(name): message_text(value)
            for name, value in zip(words[1::2], words[2::2], strict=False)
            if name.decode(errors="replace") in FIELDS
        }
        if fields and jid in self._messages:
            self._write(command.time, self._messages[jid], fields)
        elif fields:
            self._unqueued.setdefault(jid, []).append((command.time, fields))
            _keep_last(self._unqueued, MOST_UNQUEUED)
        return True

    def queued(self, at, text, message):
        """Take note that a message is on the queue: its text may be the id of a job."""
        if not text or len(text) > LONGEST_ID or " " in text:
            return
        self._messages.pop(text, None)
        self._messages[text] = message
        _keep_last(self._messages, MOST_REMEMBERED)
        for _, fields in self._unqueued.pop(text, []):
            self._write(at, message, fields)

    def learn(self, at, jid, fields):
        """Take note of what Redis has in the fields of a job: {"status": "submitted", ...}."""
        message = self._messages.get(jid)
        known = self._job(message)
        if message and (fresh := {k: v for k, v in fields.items() if known.get(k) != v}):
            self._write(at, message, fresh)

    def is_open(self, message):
        """Tell whether the message names a job that has not ended."""
        status = self._job(message).get("status")
        return status is not None and status not in ENDED

    def open_ids(self):
        """Return the ids of the jobs that have not ended."""
        return [jid for jid, message in self._messages.items() if self.is_open(message)]

    def status(self, message):
        """Return the status of the job that the message names, or None."""
        return self._job(message).get("status")

    def _job(self, message):
        return (self._recording.now["messages"].get(message) or {}).get("job") or {}

    def _write(self, at, message, fields):
        now = self._recording.now
        self._recording.add({"at": at, "did": "job", "message": message, "fields": fields})
        status = fields.get("status")
        if status not in ENDED or message in now["waiting"] or message not in now["messages"]:
            return
        if status == "complete" and message not in now["done"]:
            self._recording.add({"at": at, "did": "done", "message": message})
        elif status == "failed":
            why = self._job(message).get("error", "")
            self._recording.add({"at": at, "did": "fail", "message": message, "why": why})


def _keep_last(names, most):
    while len(names) > most:
        del names[next(iter(names))]
