"""Judge a job at every moment: between any two commands another program may look at it.

    since = len(submission.redis.commands)
    call = service.set_status(submission, jid, "complete")
    moments.expect_never_missing(submission, jid, since, call)

Commands of one MULTI or one script are one moment. A check imports this module as a whole. Each
`expect_...` raises CheckError.
"""

from jobs_kit.grading.expectations import expect
from jobs_kit.grading.programs.job_writes import is_same_job, names_a_status
from jobs_kit.queue_watch.command_recorder import is_in_one_step
from jobs_kit.redis_server.monitor import HASH_WRITES, OTHER_WRITES
from jobs_kit.redis_server.text import text

FIELDS = {"id", "status", "start", "end"}
MAKERS = HASH_WRITES | {
    "HINCRBY",
    "HINCRBYFLOAT",
    "HSETEX",
}  # these create a hash that doesn't exist
REMOVERS = {"GETDEL", "RENAME", "RENAMENX", "MOVE"}  # of their first key


def expect_saved_first(submission, jid, call):
    """Expect that nothing of a job was written after its id was queued."""
    commands, queued = submission.redis.commands, _place_of_push(submission, jid)
    late = [
        at
        for at, fields in submission.redis.job_writes(jid)
        if at > queued and fields.keys() & FIELDS and not submission.redis.is_one_step(queued, at)
    ]
    expect(
        not late,
        "the job is saved first, and then its id is queued",
        call=call,
        got="\n".join(f"first {commands[queued]}\nthen {commands[at]}" for at in late[:1]),
        hint="A fast worker gets the id between your two lines. What does it find in Redis?",
    )


def _place_of_push(submission, jid):
    """Return the place of the first push of an id, on a HotQueue where there is one."""
    pushes = submission.redis.pushes_of(jid)
    pushes.sort(key=lambda push: not push.arguments[0].startswith(b"hotqueue:"))
    return next(at for at, each in enumerate(submission.redis.commands) if each is pushes[0])


def keys_written(submission, jid, since):
    """Return the keys (texts) at which a job was written since this place, those of ghosts, too."""
    commands = submission.redis.commands
    places = [at for at, _ in submission.redis.job_writes(jid) if at >= since]
    return {text(commands[at].arguments[0]) for at in places if not is_in_one_step(commands, at)}


def expect_no_ghost(submission, since, call, jid="", home=None):
    """Expect that no job was written since this place in the commands, not even for a moment.

    jid: the id that no job has, where other jobs were written meanwhile; home: the key of its job.
    """
    ghosts = [
        command
        for command in _moments(submission, since)
        if _makes_job(command)
        and (home is None or is_same_job(text(command.arguments[0]), home, jid))
    ]
    expect(
        not ghosts,
        "no job is made, not even for a moment",
        call=call,
        got="\n".join(["it sent to Redis", *map(str, ghosts[:1]), "and removed it later"]),
        hint="Until it is removed, every other program takes it for a job. Which line could check "
        "first, before it writes?",
    )


def _makes_job(command):
    if command.name in OTHER_WRITES:
        return names_a_status(command.arguments) and b"XX" not in command.arguments
    return command.name in MAKERS


def expect_never_missing(submission, jid, since, call):
    """Expect that a job was there, with all its fields, at every moment since this place."""
    commands = submission.redis.commands
    home = commands[submission.redis.job_writes(jid)[0][0]]  # that wrote it first
    gaps = [command for command in _moments(submission, since) if _removes(command, home)]
    expect(
        not gaps,
        "the job is there at every moment, with all its fields",
        call=call,
        got="\n".join(
            ["it sent to Redis", *map(str, gaps[:1]), "which takes the job away, or a field"]
        ),
        hint="Another program may look for the job right after this command. Which command changes "
        "one field and keeps the rest?",
    )


def _removes(command, home):
    """Tell whether a command takes a job, or one of its fields, from its key. home: wrote it there."""
    name, key, (first, *others) = command.name, home.arguments[0], command.arguments or [b""]
    if name.startswith("FLUSH"):
        return name == "FLUSHALL" or command.db == home.db
    if name in {"DEL", "UNLINK"}:
        return key in command.arguments
    if first != key:
        return False
    if name == "HDEL":
        return not FIELDS.isdisjoint(map(text, others))
    if name in {"EXPIRE", "PEXPIRE"}:
        return others[0].startswith((b"-", b"0"))
    return name in REMOVERS or (name in OTHER_WRITES and not names_a_status(others))


def _moments(submission, since):
    """Return the Commands since a place, but for those that are part of a greater step."""
    commands = submission.redis.commands
    places = range(since, len(commands))
    return [commands[at] for at in places if not is_in_one_step(commands, at)]
