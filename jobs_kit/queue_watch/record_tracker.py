"""Track where jobs are stored, under whatever key and in whatever form, as events of a recording.

A job is known by the UUID in its key, or by its field id. What is written first is its record; a
status that is written at another key is a ghost of it.
"""

import json
import re

from jobs_kit.queue_watch.job_tracker import FIELDS, JobTracker
from jobs_kit.redis_server.monitor import HASH_WRITES, OTHER_WRITES, RECORD_READS
from jobs_kit.redis_server.text import cut, text

UUID = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")
REMOVALS = {"DEL", "UNLINK"}
STATUSES = {"submitted", "in progress", "complete", "failed"}
LONGEST = 60  # characters of a field, and twice as many of a key
LONGEST_RECORD = 10_000  # bytes of a job as JSON
MOST_JOBS = 200


class RecordTracker(JobTracker):
    """Follows the jobs of a check. names: see client_names.py."""

    def __init__(self, recording, names):
        super().__init__(recording, "job.")
        self._names = names
        self._places = {}  # id: (db, key) of its record
        self._missing = set()  # ids that were queued before a record was there
        self._written = set()  # (db, key) of all that was stored

    def hear(self, command):
        """Take note of a command if it writes or deletes a record; return False: others may, too."""
        if command.name in REMOVALS:
            self._hear_removal(command)
        elif command.name in RECORD_READS:
            self._hear_read(command)
        if command.name not in HASH_WRITES | OTHER_WRITES:
            return False
        key, fields = text(command.arguments[0]), _fields(command)
        self._written.add((command.db, key))
        jid = self._id_in(key, fields)
        is_record = "status" in fields or "id" in fields or jid in self._places
        if jid and is_record and (jid in self._places or len(self._places) < MOST_JOBS):
            self._store(command, jid, key, fields)
        return False

    def queued(self, at, message_text, message):
        """Take note that a message is on the queue; it may be the id of a job that is not saved."""
        match = UUID.search(message_text)
        known = [jid for jid in self._places if jid in message_text]
        jid = match[0] if match else max(known, key=len, default=None)
        if not jid:
            return
        self._messages[jid] = message
        if jid not in self._places and len(self._places) < MOST_JOBS:
            self._missing.add(jid)
            self._say(at, "store", key=_no_job(jid), job=jid, fields={}, mark="missing", who="")
        for _, fields in self._unqueued.pop(jid, []):
            self._write(at, message, fields)

    def _id_in(self, key, fields):
        """Return the id of the job that is written at a key, or None."""
        if match := UUID.search(key) or UUID.search(fields.get("id", "")):
            return match[0]
        known = (jid for jid in self._places if key.endswith(jid))
        return fields.get("id") or next(known, None)

    def _store(self, command, jid, key, fields):
        place, at, who = (command.db, key), command.time, self._names.label(command)
        is_ghost = self._places.get(jid, place) != place
        if is_ghost and "status" not in fields:
            return
        shown = self._key_text(place, self._places.setdefault(jid, place))
        if jid in self._missing:
            self._missing.discard(jid)
            self._say(at, "unstore", key=_no_job(jid), who="")
        mark = "ghost" if is_ghost else ""
        self._say(at, "store", key=shown, job=jid, fields=_shown(fields), mark=mark, who=who)
        known = {name: fields[name] for name in FIELDS if name in fields}
        if is_ghost or not known:
            return
        if jid in self._messages:
            self._write(at, self._messages[jid], known)
        else:
            self._unqueued.setdefault(jid, []).append((at, known))

    def _hear_read(self, command):
        """Take note, once, that a job is looked for where nothing was stored."""
        key = text(command.arguments[0])
        match, place = UUID.search(key), (command.db, key)
        if match and match[0] in self._places and place not in self._written:
            self._written.add(place)
            shown = self._key_text(place, self._places[match[0]])
            self._say(command.time, "read", key=shown, who=self._names.label(command))

    def _hear_removal(self, command):
        keys = {text(key) for key in command.arguments}
        records = self._recording.now["records"]
        removed = [key for key in records if key in keys]
        for key in removed:
            self._say(command.time, "unstore", key=key, who=self._names.label(command))

    def _key_text(self, place, first):
        db, key = place
        return cut(key, 2 * LONGEST) + (f" in database {db}" if db != first[0] else "")

    def _say(self, at, did, **more):
        self._recording.add({"at": at, "did": did, **more})


def _no_job(jid):
    return f"no job {jid}"


def _fields(command):
    """Return what a command writes as {name: text}: into a hash, as JSON, or as a plain text."""
    words = [text(word[:LONGEST_RECORD]) for word in command.arguments[1:]]
    if command.name in HASH_WRITES:
        return dict(zip(words[::2], words[1::2], strict=False))
    for word in words:
        try:
            value = json.loads(word)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return {str(name): str(value) for name, value in value.items()}
    return {"status": words[-1]} if words and words[-1].strip('"') in STATUSES else {}


def _shown(fields):
    """Return of the fields what the board shows: the status first, or else the first of them."""
    names = [name for name in FIELDS if name in fields] or list(fields)[:1]
    return {cut(name, LONGEST): cut(fields[name].strip('"'), LONGEST) for name in names}
