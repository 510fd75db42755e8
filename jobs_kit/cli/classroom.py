"""The commands with which an instructor runs one Redis for a class."""

import sys

from jobs_kit import settings
from jobs_kit.cli.common import fail

FOLDER = "classroom"


def classroom(options):
    """Run one Redis for a class: create users, watch them, remove them."""
    options.parser.print_help(sys.stderr)
    return 2


def init(options):
    """Create a user for each student of a class list, on the Redis that REDIS_URL names."""
    from jobs_kit.classroom.setup import find_or_make

    url = settings.redis_url() if settings.redis_is_named() else ""
    return _set_up(find_or_make(options.out, url, options.host), options.roster)


def _set_up(room, roster):
    from jobs_kit.classroom.roster import read_people
    from jobs_kit.classroom.setup import set_up

    result = set_up(room, read_people(roster) if roster else [])
    for warning in result.warnings:
        print(f"Warning: {warning}.", file=sys.stderr)
    for name, why in result.refused.items():
        print(f"Without the limit {name}: {why}.", file=sys.stderr)
    old = len(room.students) - len(result.new)
    noun = "user" if len(result.new) == 1 else "users"
    print(f"{len(result.new)} new {noun}, {old} as before, on {room.host}.")
    print(f"{room.folder / 'students.csv'} has the REDIS_URL of each; only you can read it.")


def _init_options(command):
    text = "class list in any form that `jobs-kit grade` reads; run again when it has grown"
    command.add_argument("--roster", metavar="CSV", required=True, help=text)
    _add_out(command)


def _add_out(command):
    text = f"folder for students.csv and the record of the class (default: {FOLDER})"
    command.add_argument("--out", metavar="FOLDER", default=FOLDER, help=text)
    text = "name or address of the server as students reach it"
    command.add_argument("--host", metavar="NAME", default="", help=text)


SUBCOMMANDS = {init: _init_options}


def _report_redis_errors(function):
    """Return the function of a command that reports errors of Redis as other errors."""

    def run(options):
        import redis

        try:
            return function(options)
        except redis.RedisError as problem:
            return fail(f"the class's Redis: {problem}")

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
