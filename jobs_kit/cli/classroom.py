"""The commands with which an instructor runs one Redis for a class."""

import argparse
import contextlib
import functools
import sys
from datetime import datetime

from jobs_kit import settings
from jobs_kit.cli.common import end_at_sigterm, fail, port_number

FOLDER = "classroom"
LISTENS = (
    "Redis listens at {host}:{port} for every computer that can reach this one. It lets only the "
    "users of students.csv in, but passwords and messages travel unencrypted: use a network that "
    "you trust. Press Ctrl-C to stop it; messages are then gone, and the next run has the same users."
)
ADVICE = {  # for errors of Redis, by their class
    "AuthenticationError": "(If the administrator's password has changed, run `jobs-kit classroom "
    "init` again with the new REDIS_URL)",
    "NoPermissionError": "(REDIS_URL needs a user who may run ACL, CLIENT, CONFIG, INFO, SCAN, LLEN "
    "and UNLINK)",
    "ConnectionError": "(Does the server run, and is its address right?)",
}


def classroom(options):
    """Run one Redis for a class: create users, watch them, remove them."""
    options.parser.print_help(sys.stderr)
    return 2


def init(options):
    """Create a user for each student, on the Redis that REDIS_URL names."""
    from jobs_kit.classroom.record import locked
    from jobs_kit.classroom.setup import find_or_make

    people = _people(options.roster)
    url = settings.redis_url() if settings.redis_is_named() else ""
    with locked(options.out):
        _set_up(find_or_make(options.out, url, options.host), people)


def run(options):
    """Run a Redis for the class on this computer until Ctrl-C, with a user for each student."""
    from jobs_kit.classroom import record, server
    from jobs_kit.redis_server.address import RedisNotFoundError

    end_at_sigterm()
    people = _people(options.roster)
    with record.locked(options.out):
        if room := server.running(options.out, options.host, options.port):
            _set_up(room, people)
            print("The server of this class runs already; it goes on.")
            return 0
        try:
            redis, room = server.start(options.out, options.host, options.port)
        except RedisNotFoundError as problem:
            return fail(f"{problem} (--port 0 takes a free one)")
        _set_up(room, people)
    try:
        return _stay(redis, room)
    finally:
        redis.stop()


def _stay(server, room):
    """Keep the server of a class until it ends; return an exit code."""
    from jobs_kit.classroom import guard, record

    print(LISTENS.format(host=room.host, port=server.port), flush=True)
    guard.guard(server, room, lambda text: print(f"{datetime.now():%X} {text}.", file=sys.stderr))
    with record.locked(room.folder):  # `end` may still be at work
        if record.read(room.folder):
            return fail("Redis ended unexpectedly; run the command again")
    print("The class has ended.")
    return 0


def add(options):
    """Create a user for one more student, or for a pair that shares a space."""
    from jobs_kit.classroom.roster import Person
    from jobs_kit.classroom.users import create, enrol

    with _changed_room(options) as room, room.connect() as client:
        login = options.name if "@" in options.name else ""
        new = enrol(client, room, [Person(options.name, login)])
        if not new:
            users = " and ".join(one.user for one in room.called(options.name))
            return fail(
                f"{options.name} is in the class already{users and f', as {users}'}. Let a student in "
                "again who is locked out with `jobs-kit classroom on USER`; add another one of this "
                "name by mail address"
            )
        create(client, new[0])
        print(f"The new user is {new[0].user}, with this REDIS_URL:\n{room.url(new[0])}")


def off(options):
    """Lock a student out at once, and close all connections of that user."""
    from dataclasses import replace

    from jobs_kit.classroom.keys import delete_keys
    from jobs_kit.classroom.users import lock_out

    with _changed_room(options) as room, room.connect() as client:
        student = room.find(options.name)
        count = lock_out(client, room, student)
        deleted = delete_keys(replace(room, students=[student])) if options.clear else 0
    queues = f"deleted queues: {deleted}" if options.clear else "queues stay without --clear"
    print(
        f"{student.user} is locked out; closed connections: {count}; {queues}. "
        f"`jobs-kit classroom on {student.user}` lets this user in again."
    )


def on(options):
    """Let a student in again who was locked out."""
    from jobs_kit.classroom.users import let_in

    with _changed_room(options) as room, room.connect() as client:
        student = room.find(options.name)
        let_in(client, room, student)
        print(f"{student.user} may connect again, with the same REDIS_URL.")


def status(options):
    """Show who is connected or waits, and how long the queues are."""
    import json
    from dataclasses import asdict

    from jobs_kit.classroom.status import read_status, table

    result = read_status(_room(options))
    print(json.dumps(asdict(result), indent=1) if options.json else "\n".join(table(result)))


def board(options):
    """Show the whole class on a page for the projector, with numbers instead of names."""
    from jobs_kit.classroom.board import serve, show_text

    read_room = functools.partial(_room, options)
    read_room()
    if options.text:
        return show_text(read_room, options.names)
    end_at_sigterm()
    serve(read_room, options.names, options.port, options.browser)


def end(options):
    """Remove the users and their messages, and bring back the server's settings."""
    from jobs_kit.classroom.setup import take_down

    with _changed_room(options) as room:
        users, keys, restored = take_down(room)
    if room.is_the_kits:
        print(f"The server of {users} users has ended, with their messages.")
    else:
        print(f"Removed users: {users}. Removed keys: {keys}.")
    for name, value in restored.items():
        print(f"{name} is {value or 'empty'} again.")
    print(f"Removed classroom.json and students.csv from {room.folder}.")


def _people(roster):
    from jobs_kit.classroom.roster import read_people

    return read_people(roster, _warn) if roster else []


def _warn(text):
    print(f"Warning: {text}.", file=sys.stderr)


def _set_up(room, people):
    from jobs_kit.classroom.setup import set_up

    result = set_up(room, people)
    for warning in result.warnings:
        _warn(warning)
    if result.refused:
        names, reason = ", ".join(result.refused), next(iter(result.refused.values()))
        _warn(f"A student can use up this server's memory, for it refuses {names}: {reason}")
    old, noun = len(room.students) - len(result.new), "user" if len(result.new) == 1 else "users"
    print(f"{len(result.new)} new {noun}, {old} as before, on {room.host}.")
    print(f"{room.folder / 'students.csv'} has the REDIS_URL of each; only you can read it.")


def _room(options):
    """Return the Classroom of the folder. Raises FileNotFoundError if there is none."""
    from jobs_kit.classroom.record import read

    room = read(options.folder)
    if not room:
        raise FileNotFoundError(
            f"no class is in the folder {options.folder}: name its folder with --in, or run "
            "`jobs-kit classroom init` or `jobs-kit classroom run` first"
        )
    return room


@contextlib.contextmanager
def _changed_room(options):
    """Yield the Classroom of the folder, which no other command changes meanwhile."""
    from jobs_kit.classroom.record import locked

    _room(options)
    with locked(options.folder):
        yield _room(options)


def _init_options(command, needs_roster=True):
    text = (
        "class list in any form that `jobs-kit grade` reads; when it has grown, run the command "
        "again: earlier passwords stay"
    )
    command.add_argument("--roster", metavar="CSV", required=needs_roster, help=text)
    text = f"folder for students.csv and the record of the class (default: {FOLDER})"
    command.add_argument("--out", metavar="FOLDER", default=FOLDER, help=text)
    text = "the server's name for students (default: REDIS_URL's, or this computer's address)"
    command.add_argument("--host", metavar="NAME", default="", help=text)


def _run_options(command):
    _init_options(command, needs_roster=False)
    text = "port of Redis (default: that of the last run, or 6379; 0: a free one)"
    command.add_argument("--port", metavar="N", type=port_number, help=text)


def _add_options(command):
    text = "name or mail address of a student, or a name for a pair, such as ana+ben"
    command.add_argument("name", metavar="NAME", type=_name, help=text)
    _folder_option(command)


def _name(text):
    """Return an argument that names a student, without spaces around it."""
    if not text.strip():
        raise argparse.ArgumentTypeError("name a student")
    return text.strip()


def _name_options(command):
    text = "user, name or login of the student"
    command.add_argument("name", metavar="NAME", help=text)
    _folder_option(command)


def _off_options(command):
    text = "also delete the student's queues, which frees their memory"
    command.add_argument("--clear", action="store_true", help=text)
    _name_options(command)


def _status_options(command):
    command.add_argument("--json", action="store_true", help="print it as JSON")
    _folder_option(command)


def _board_options(command):
    text = "show names (default: a number for each student, its place in students.csv)"
    command.add_argument("--names", action=argparse.BooleanOptionalAction, default=False, help=text)
    text = "show it in the terminal instead of a browser"
    command.add_argument("--text", action="store_true", help=text)
    text = "don't open a browser; print the address of the page"
    command.add_argument("--no-browser", dest="browser", action="store_false", help=text)
    text = "port of the page (default: a free one)"
    command.add_argument("--port", metavar="N", type=port_number, default=0, help=text)
    _folder_option(command)


def _folder_option(command):
    text = f"folder of the class, --out of init or run (default: {FOLDER})"
    command.add_argument("--in", dest="folder", metavar="FOLDER", default=FOLDER, help=text)


SUBCOMMANDS = {
    run: _run_options,
    init: _init_options,
    add: _add_options,
    off: _off_options,
    on: _name_options,
    status: _status_options,
    board: _board_options,
    end: _folder_option,
}


def _report_redis_errors(function):
    """Return the function of a command that reports errors of Redis as other errors."""

    def run(options):
        import redis

        try:
            return function(options)
        except redis.RedisError as problem:
            kinds = [kind.__name__ for kind in type(problem).mro() if kind.__name__ in ADVICE]
            return fail(
                f"the class's Redis: {problem} {ADVICE[kinds[0]] if kinds else ''}".rstrip()
            )

    return run


def _options(command):
    command.set_defaults(parser=command)
    commands = command.add_subparsers(metavar="COMMAND", title="commands")
    for function, add_options in SUBCOMMANDS.items():
        text = function.__doc__
        one = commands.add_parser(function.__name__, description=text, help=text.rstrip("."))
        one.set_defaults(run=_report_redis_errors(function))
        add_options(one)


COMMANDS = {classroom: _options}
