"""Record what a submission does in Redis, and read what it stores there.

The check's Redis is private to one run. The judge listens to MONITOR, so that it knows not only
what is there at the end, but what happened, in its order.
"""

import contextlib
import itertools
import json
import re
import socket
import sys
import time
from dataclasses import dataclass

import redis

from jobs_kit.grading.programs.formats import UUID, dicts_in, is_id_name, json_dict
from jobs_kit.grading.programs.job_writes import fields_in, is_same_job, names_a_status
from jobs_kit.grading.text import arrows, short
from jobs_kit.queue_watch.command_recorder import CommandRecorder
from jobs_kit.redis_server.monitor import HASH_WRITES, OTHER_WRITES, PUSHES
from jobs_kit.redis_server.server import start_server
from jobs_kit.redis_server.text import text

JOB_FIELDS = {"id", "status", "start", "end"}
MOST_KEYS = 500  # of a database, that are still looked at
EMPTY = 32 << 20  # bytes, of a server without data, ten times over
FORGET_SECONDS = 5  # until then it has given memory back
LIMITS = {  # a submission needs no more, and the judge must be able to read all of it
    "maxmemory": "256mb",
    "proto-max-bulk-len": "8mb",
    "client-output-buffer-limit": "normal 512mb 0 0",
}
MEMORY = 1 << 30  # bytes, of the server: a script may take what maxmemory does not count
BLOCKED = re.compile(rb"^id=(\d+) .* name=(\S*) .* flags=[a-zA-Z]*b", re.MULTILINE)


@dataclass
class Record:
    """A job as it is stored in Redis. kind: "hash" or "string"; fields (dict): its texts."""

    db: int
    key: str
    kind: str
    fields: dict


class RedisRecorder(CommandRecorder):
    """The Redis of a check, what it stores, and the commands of the submission.

    path: its socket. place: where its directory is made, see start_server(). Reading any of it brings
    it up to this moment.
    """

    def __init__(self, place=None):
        self.place = place
        super().__init__(start_server(unix_socket=True, place=place))
        self.path = self._server.address["unix_socket_path"]
        for name, value in LIMITS.items():  # one at a time: Redis 6.2 sets no two in one command
            self.client().config_set(name, value)
        if sys.platform == "linux":
            import resource  # which Windows has not

            pid = self.client().info("server")["process_id"]
            resource.prlimit(pid, resource.RLIMIT_DATA, (MEMORY, MEMORY))

    def is_well(self):
        """Tell whether the server answers."""
        try:
            return self._server.connect(socket_timeout=5).ping()
        except redis.RedisError:
            return False

    def was_killed(self):
        """Tell whether the server has ended, and not by a crash, which a script can bring about."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            try:
                client.connect(self.path)
            except TimeoutError:
                return False
            except OSError:
                return not self._server.has_crashed()
        return False

    def reset(self):
        """Forget everything; start again where the server is stuck."""
        try:
            self.client().flushall()
            self.client().script_flush()
            with contextlib.suppress(redis.ResponseError):  # Redis 6 has no functions
                self.client().function_flush()
            self.read_on()
            self._wait_for_memory()
        except redis.RedisError:
            self.close()
            self.__init__(self.place)
        self.forget()

    def _wait_for_memory(self):
        """Wait until the server has freed the memory that it used for killed programs."""
        deadline = time.monotonic() + FORGET_SECONDS
        while self.client().info("memory")["used_memory"] > EMPTY:
            if time.monotonic() > deadline:
                raise redis.RedisError("its memory stays full")
            time.sleep(0.01)

    def close(self):
        """End the server."""
        self.disconnect()
        self._server.stop()

    # What happened

    def write_count(self):
        """Return how many messages were put, and statuses written, the judge's own included."""
        return sum(
            command.name in PUSHES
            or (command.name in HASH_WRITES | OTHER_WRITES and names_a_status(command.arguments))
            for command in self.commands
        )

    def has_writes(self):
        """Tell whether anything was ever stored."""
        writes = PUSHES | HASH_WRITES | OTHER_WRITES
        return any(command.name in writes for command in self.commands)

    def job_writes(self, jid):
        """Return [(place in commands, its fields as a dict), ...] of what was written to a job.

        A log of the student's, at another key than the job, is left out; a ghost of the job is not.
        """
        writes = [(at, fields_in(command, jid)) for at, command in enumerate(self.commands)]
        writes = [(at, fields) for at, fields in writes if fields]
        keys = {at: text(self.commands[at].arguments[0]) for at, _ in writes}
        homes = {keys[at] for at, fields in writes if "start" in fields} or set(keys.values())
        return [
            (at, fields)
            for at, fields in writes
            if any(is_same_job(keys[at], home, jid) for home in homes)
        ]

    def status_writes(self, jid):
        """Return [(place in commands, status), ...] of every status that a job was given."""
        return [(at, fields["status"]) for at, fields in self.job_writes(jid) if "status" in fields]

    def statuses(self, jid):
        """Return every status that a job was given, in order."""
        return [status for _, status in self.status_writes(jid)]

    def history(self, jid):
        """Return the statuses that a job was given, in order, repetitions left out."""
        return [status for status, _ in itertools.groupby(self.statuses(jid))]

    # What is there

    def keys(self):
        """Return [(db, key as bytes, type), ...] of every key."""
        keys = []
        for name in self.client().info("keyspace"):
            db = int(name.removeprefix("db"))
            client = self.client(db)
            for key in sorted(itertools.islice(client.scan_iter(count=1000), MOST_KEYS)):
                keys.append((db, key, client.type(key).decode()))
        return keys

    def kinds(self):
        """Return {(db, key as text): type} of every key."""
        return {(db, text(key)): kind for db, key, kind in self.keys()}

    def jobs(self):
        """Return the Record of each job, wherever and however it is stored."""
        jobs = []
        for db, key, kind in self.keys():
            fields = self.fields(db, key, kind)
            if fields and "status" in fields:
                jobs.append(Record(db, text(key), kind, fields))
        return jobs

    def records_of(self, jid):
        """Return all Records of a job, its ghosts last: one, if all is well."""
        mine = [job for job in self.jobs() if jid in job.key or job.fields.get("id") == jid]
        # the one that knows its id, and not a ghost of it, at a key such as job.b'…'
        mine.sort(key=lambda job: (job.fields.get("id") != jid, not job.key.endswith(jid)))
        return [job for job in mine if is_same_job(job.key, mine[0].key, jid)]

    def state(self):
        """Return the stored keys and how much was put on lists, to be compared."""
        return self.keys(), len(self.pushes())

    def find_job(self, jid):
        """Return the Record of a job, wherever and however it is stored, or None."""
        return next(iter(self.records_of(jid)), None)

    def change_job(self, jid, **fields):
        """Change fields of a job that is stored, as the judge."""
        job = self.find_job(jid)
        client = self.client(job.db)
        if job.kind == "hash":
            client.hset(job.key, mapping=fields)
        else:
            client.set(job.key, json.dumps(json.loads(client.get(job.key)) | fields))

    def fields(self, db, key, kind="hash"):
        """Return the fields of a hash, or of a JSON object, as texts; None where there are none."""
        client = self.client(db)
        if kind == "hash":
            return {text(name): text(value) for name, value in client.hgetall(key).items()}
        return json_dict(client.get(key)) if kind == "string" else None

    def words_about(self, jid):
        """Return, as text, everything stored under the id of a job except its four fields."""
        words, name = [], jid.encode()
        for db, key, kind in self.keys():
            if kind == "hash":
                words += _further_fields(self.fields(db, key), jid, name in key)
            elif kind == "string":
                value = text(self.client(db).get(key))
                objects = dicts_in(value)
                words += [w for one in objects[:1] for w in _further_fields(one, jid, name in key)]
                words += [value] if name in key and not objects else []
            else:
                values = self.texts(db, key, kind)
                words += [text(value) for value in values if name in key or name in value]
        return " ".join(words).strip()

    def keep_only_job(self, jid):
        """Remove, as the judge, everything but the four fields of one job."""
        job = self.find_job(jid)
        fields = {name: text for name, text in job.fields.items() if name in JOB_FIELDS}
        for db, key, _ in self.keys():
            self.client(db).delete(key)
        if job.kind == "hash":
            self.client(job.db).hset(job.key, mapping=fields)
        else:
            self.client(job.db).set(job.key, json.dumps(fields))

    def status(self, jid):
        """Return the status of a job, or None."""
        record = self.find_job(jid)
        return record and record.fields["status"]

    def queues(self):
        """Return {(db, key): [messages as bytes]} of all lists."""
        return {
            (db, text(key)): self.client(db).lrange(key, 0, 99)
            for db, key, kind in self.keys()
            if kind == "list"
        }

    def keys_with(self, word):
        """Return [(db, key), ...] of all that contains a string, in keys of whatever kind."""
        word = word.encode()
        return [
            (db, text(key))
            for db, key, kind in self.keys()
            if any(word in value for value in self.texts(db, key, kind))
        ]

    def count_waiting(self):
        """Return how many messages wait on HotQueue's queues."""
        return sum(len(waiting) for (_, key), waiting in self.queues().items() if "held" not in key)

    def blocked(self):
        """Return the names of the clients that wait for a message now, "pid-4711" each."""
        return {name for name, _ in self._blocked()}

    def end_wait(self, name):
        """End the waits of the clients of this name, as if their time were up."""
        for client_name, number in self._blocked():
            if client_name == name:
                self.client().client_unblock(number)

    def _blocked(self):
        """Return [(name, number)] of the clients that wait for a message now."""
        # in two words: redis-py would take each client's every field apart, and this is asked often
        listed = self.client().execute_command("CLIENT", "LIST", "TYPE", "normal")
        return [(text(name), int(number)) for number, name in BLOCKED.findall(listed)]

    def describe_contents(self):
        """Return what is stored and what happened as lines of text; [] if nothing was ever written."""
        lines = []
        for db, key, kind in self.keys()[:12]:
            seconds = self.client(db).ttl(key)
            ends = f" (expires in {seconds} s)" if seconds >= 0 else ""
            lines.append(f"db {db}  {text(key)}  {self._value(db, key, kind)}{ends}")
        jids = dict.fromkeys(
            jid for command in self.commands for jid in UUID.findall(str(command.arguments))
        )
        histories = ((jid, self.history(jid)) for jid in list(jids)[:6])
        lines += [f"status of {jid}: {arrows(history)}" for jid, history in histories if history]
        return lines or (["nothing is stored"] if self.has_writes() else [])

    def _value(self, db, key, kind):
        client = self.client(db)
        if kind == "hash":
            return (
                "{"
                + ", ".join(f"{text(k)}: {short(v)}" for k, v in client.hgetall(key).items())
                + "}"
            )
        if kind == "list":
            length = client.llen(key)
            shown = ", ".join(short(value) for value in client.lrange(key, 0, 4))
            return f"a list of {length}: {shown}{', …' if length > 5 else ''}"
        if kind == "string":
            return short(client.get(key))
        words = self.texts(db, key, kind)
        shown = ", ".join(short(value) for value in words[:5])
        return f"a {kind} of {len(words)}: {shown}{', …' if len(words) > 5 else ''}"

    def texts(self, db, key, kind):
        """Return the texts (bytes) in a key of any kind."""
        client = self.client(db)
        with contextlib.suppress(redis.ResponseError):  # it has become another kind meanwhile
            if kind == "string":
                return [client.get(key) or b""]
            if kind == "hash":
                return [value for pair in client.hgetall(key).items() for value in pair]
            if kind == "stream":
                return [value for _, fields in client.xrange(key) for value in fields.values()]
            if kind == "set":
                return list(client.smembers(key))
            if kind in ("list", "zset"):
                return (client.lrange if kind == "list" else client.zrange)(key, 0, -1)
        return []


def _further_fields(fields, jid, is_of_job):
    """Return the values that a job has beside its four fields, or that others keep under its id."""
    is_of_job = is_of_job or any(fields[name] == jid for name in filter(is_id_name, fields))
    return [
        str(value)
        for name, value in fields.items()
        if value and (name not in JOB_FIELDS if is_of_job else jid in name)
    ]
