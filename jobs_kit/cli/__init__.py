"""The command jobs-kit: one subcommand for each program that people start.

A module for each group of users holds their commands: functions that take the parsed options and return
an exit code, and COMMANDS, {function: a function that adds its options to a parser, or None}.
"""

import argparse
import os
import signal
import sys
from importlib import metadata

from jobs_kit.cli import classroom, instructor, maintainer, student
from jobs_kit.cli.common import fail, replace_missing_characters
from jobs_kit.course.places import REPAIR

GROUPS = {  # of --help
    "students": student.COMMANDS,
    "instructors": instructor.COMMANDS | classroom.COMMANDS,
    "maintainers of the kit": maintainer.COMMANDS,
}
NAME_WIDTH = 12  # of the commands in --help


def main(arguments=None):
    """Run one subcommand; return its exit code: 0 well, 1 something is missing, 2 wrong usage."""
    replace_missing_characters()
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.run:
        parser.print_help(sys.stderr)
        return 2
    try:
        exit_code = options.run(options) or 0
        sys.stdout.flush()  # or a closed pipe is noticed too late
        return exit_code
    except KeyboardInterrupt:
        return 0
    except ModuleNotFoundError as problem:
        return fail(f"{problem}: to get the missing packages, {REPAIR}")
    except KeyError as problem:  # an exercise that is not there
        fail(problem.args[0])
        return 2
    except BrokenPipeError:  # the reader has seen enough, as in `jobs-kit check | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python complains when it ends
        return 128 + signal.SIGPIPE
    except OSError as problem:
        return fail(problem)
    except ValueError as problem:  # a setting that cannot be used
        fail(problem)
        return 2


def all_commands():
    """Return {function: a function that adds its options, or None} of all groups."""
    return {name: value for group in GROUPS.values() for name, value in group.items()}


class _Parser(argparse.ArgumentParser):
    """A parser whose epilog may be a function: reading all exercises takes a moment."""

    def format_help(self):
        if callable(self.epilog):
            self.epilog = self.epilog()
        return super().format_help()


def _parser():
    parser = _Parser(
        prog="jobs-kit",
        description="Lessons about messages and queues, exercises that check themselves, and a "
        "Jobs service.",
        epilog=_command_list(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    version = {"action": "store_const", "const": _print_version, "help": "print the version"}
    parser.add_argument("--version", dest="run", **version)
    usage = "one of those below; `jobs-kit COMMAND --help` lists its options"
    commands = parser.add_subparsers(metavar="COMMAND", title="commands", help=usage)
    for function, add_options in all_commands().items():
        command = commands.add_parser(_name(function), description=function.__doc__)
        command.set_defaults(run=function)
        if add_options:
            add_options(command)
    return parser


def _command_list():
    """Return the commands and what they do, grouped by their users."""
    groups = []
    for users, functions in GROUPS.items():
        lines = [f"  {_name(f):{NAME_WIDTH}}{f.__doc__.rstrip('.')}" for f in functions]
        groups.append("\n".join([f"commands for {users}:", *lines]))
    return "\n\n".join(groups)


def _name(function):
    return function.__name__.replace("_", "-")


def _print_version(options):
    print("jobs-kit", metadata.version("jobs-kit"))
