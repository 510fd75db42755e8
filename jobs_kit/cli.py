"""The command jobs-kit: one subcommand for each program that people start."""

import argparse
import io
import os
import signal
import socket
import sys
from importlib import metadata

from jobs_kit import settings


def main(arguments=None):
    """Run one subcommand; return its exit code: 0 well, 1 something is missing, 2 wrong usage."""
    _print_what_the_terminal_cannot_show()
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.run:
        parser.print_help(sys.stderr)
        return 2
    try:
        return options.run(options) or 0
    except KeyboardInterrupt:
        return 0
    except ModuleNotFoundError as problem:
        return _fail(
            f"{problem}: run `make lab` in the kit's folder to install the missing packages"
        )
    except KeyError as problem:  # an exercise that is not there
        _fail(problem.args[0])
        return 2
    except OSError as problem:
        return _fail(problem)
    except ValueError as problem:  # a setting that cannot be used
        _fail(problem)
        return 2


def start(options):
    """Open the lessons in JupyterLab, and start a Redis for them."""
    from jobs_kit.lab.jupyter import run_jupyterlab
    from jobs_kit.redis_server.address import RedisNotFoundError
    from jobs_kit.redis_server.find import find_redis

    _end_at_sigterm()
    try:
        server = find_redis()
    except RedisNotFoundError as problem:
        return _fail(problem)
    try:
        run_jupyterlab(server, options.port, options.browser)
    finally:
        server.stop()


def redis(options):
    """Run a Redis until Ctrl-C, and print its address."""
    from jobs_kit.redis_server.address import RedisNotFoundError
    from jobs_kit.redis_server.server import start_server

    _end_at_sigterm()
    if options.append_only:
        os.makedirs(options.append_only, exist_ok=True)
    try:
        server = start_server(
            port=options.port,
            append_only=bool(options.append_only),
            data=options.append_only and os.path.abspath(options.append_only),
        )
    except RedisNotFoundError as problem:
        return _fail(f"{problem} (`jobs-kit redis --port 0` takes a free port)")
    try:
        print(f"{server.url}\n{server}. Press Ctrl-C to stop it.", flush=True)
        if server.port != 6379:
            print(f"In the other terminals, run first: export REDIS_URL={server.url}", flush=True)
        _wait_for_the_end_of(server)
        return _fail("Redis ended unexpectedly")
    finally:
        if options.append_only:
            server.stop(keep=True)  # it writes what is not yet written
        server.stop()


def api(options):
    """Serve the Jobs API on this computer."""
    from jobs_kit.api import serve

    _end_at_sigterm()
    port = settings.api_port() if options.port is None else options.port
    try:
        serve(port)
    except OSError as problem:
        return _fail(f"cannot listen on port {port} ({problem}): choose another port with --port")


def worker(options):
    """Run a worker that does the queued jobs."""
    if options.name:
        os.environ["JOBS_KIT_WORKER_NAME"] = options.name
    from jobs_kit.worker import work

    work(burst=options.burst)


def doctor(options):
    """Check the installation, and show how to fix problems."""
    from jobs_kit.lab.doctor import examine

    findings = examine()
    print(findings)
    return 0 if findings.ok else 1


def check(options):
    """Check the exercises that you name, or all of them."""
    from jobs_kit.grading import terminal
    from jobs_kit.redis_server.address import RedisNotFoundError

    try:
        if options.watch:
            first = options.exercises[0] if options.exercises else None
            return terminal.watch(first, options.folder)
        return terminal.check(options.exercises, options.folder)
    except RedisNotFoundError as problem:
        return _fail(problem)


def hint(options):
    """Show the next of the three hints of an exercise."""
    from jobs_kit.grading.progress import next_hint

    print(next_hint(options.exercise, options.folder))


def solution(options):
    """Show the solution of an exercise, after a pass or three attempts."""
    opens, text = _progress(options).solution()
    print(text)
    return 0 if opens else 1


def catch_up(options):
    """Write the solved files that an exercise starts from, and keep yours as .bak."""
    from jobs_kit.course.answer_folders import short_path

    progress = _progress(options)
    written = progress.catch_up()
    for path, backup in written:
        old = f"; your version is now {short_path(backup)}" if backup else ""
        print(f"wrote {short_path(path)}{old}")
    if not written:
        print(f"nothing to do: {short_path(progress.folder)} is ready for {options.exercise}")


def grade(options):
    """Grade a folder of submissions."""
    from jobs_kit.grading.batch import terminal
    from jobs_kit.grading.sandbox.containment import NotContainedError

    _end_at_sigterm()
    try:
        return terminal.grade(options)
    except NotContainedError as problem:
        return _fail(f"{problem}. To grade without this protection, add --uncontained")
    except KeyboardInterrupt:
        _fail(
            f"stopped. The results so far are in {options.out}; run the same command again to go on"
        )
        return 130


def press(options):
    """Write the starter files in exercises/ from the masters in solutions/."""
    from jobs_kit.course.exercise import ROOT
    from jobs_kit.course.press import write

    for path in write():
        print("pressed", path.relative_to(ROOT))


def _progress(options):
    from jobs_kit.grading.progress import progress_of

    return progress_of(options.exercise, options.folder)


def _print_what_the_terminal_cannot_show():
    """Print a question mark for a character that the terminal's encoding does not have."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not what a notebook or a test puts there
            stream.reconfigure(errors="replace")


def _wait_for_the_end_of(server):
    # the server closes an open connection when it ends, so there is no need to poll
    with socket.create_connection((server.host, server.port)) as connection:
        connection.recv(1)


def _end_at_sigterm():
    def end(number, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)  # even where a shell without job control ignores it


def _fail(problem):
    print(f"jobs-kit: {problem}", file=sys.stderr)
    return 1


def _print_version(options):
    print("jobs-kit", metadata.version("jobs-kit"))


COMMANDS = {  # the groups of --help
    "students": (start, check, hint, solution, catch_up, doctor, redis, api, worker),
    "instructors": (grade,),
    "maintainers of the kit": (press,),
}
NAME_WIDTH = 12  # of the commands in --help


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
    for function in [function for group in COMMANDS.values() for function in group]:
        command = commands.add_parser(_name(function), description=function.__doc__)
        command.set_defaults(run=function)
        OPTIONS.get(function, lambda command: None)(command)
    return parser


def _command_list():
    """Return the commands and what they do, grouped by their users."""
    groups = []
    for users, functions in COMMANDS.items():
        lines = [f"  {_name(f):{NAME_WIDTH}}{f.__doc__.rstrip('.')}" for f in functions]
        groups.append("\n".join([f"commands for {users}:", *lines]))
    return "\n\n".join(groups)


def _exercise_list():
    from jobs_kit.course.exercise import all_exercises

    try:
        ids = ", ".join(all_exercises())
    except FileNotFoundError as problem:
        return str(problem)
    return f"The exercises are {ids}."


def _name(function):
    return function.__name__.replace("_", "-")


def _start_options(command):
    text = "don't open a browser"
    command.add_argument("--no-browser", dest="browser", action="store_false", help=text)
    text = "port of JupyterLab (default: 8888, or a free one)"
    command.add_argument("--port", type=_port, default=0, help=text)


def _redis_options(command):
    text = "port of Redis (default: 6379; 0: a free one)"
    command.add_argument("--port", type=_port, default=6379, help=text)
    text = "keep the data in this folder between runs"
    command.add_argument("--append-only", metavar="FOLDER", help=text)


def _api_options(command):
    text = "port of the API (default: JOBS_KIT_API_PORT or 5000; 0: a free one)"
    command.add_argument("--port", type=_port, help=text)


def _worker_options(command):
    command.add_argument("--burst", action="store_true", help="end when the queue is empty")
    command.add_argument("--name", help="name of the worker in its log")


def _check_options(command):
    command.epilog = _exercise_list
    command.add_argument("exercises", nargs="*", metavar="EXERCISE", help="id, such as add_job")
    text = "check at every save, and go on to the next exercise"
    command.add_argument("--watch", action="store_true", help=text)
    _add_folder(command)


def _exercise_options(command):
    command.epilog = _exercise_list
    command.add_argument("exercise", metavar="EXERCISE", help="id, such as add_job")
    _add_folder(command)


def _add_folder(command):
    text = (
        "folder of your answers (default: the current one if it is the exercise's, or exercises/)"
    )
    command.add_argument("--in", dest="folder", metavar="FOLDER", type=_folder, help=text)


def _grade_options(command):
    command.epilog = _exercise_list

    def add(name, metavar, text, **options):
        command.add_argument(name, metavar=metavar, help=text, **options)

    text = "folder of submissions: a folder or zip file for each student, or a platform's download"
    command.add_argument("submissions", help=text)
    add("--out", "FOLDER", "folder for grades, results and feedback", required=True)
    several = {"action": "append", "default": []}
    add(
        "--exercise",
        "ID",
        "grade only this exercise, into its own --out; may be repeated",
        **several,
    )
    add("--only", "STUDENT", "grade only this student and new ones; may be repeated", **several)
    add(
        "--since",
        "DAY",
        "grade only work saved since this day, such as 2026-11-24 or 2026-11-24T18:00",
    )
    add(
        "--jobs",
        "N",
        "students graded at the same time (default: what processors and memory allow)",
        type=int,
    )
    add("--roster", "CSV", "class list: grades.csv keeps its columns and rows")
    add("--hidden", "FOLDER", "folder of more checks, which students don't see")
    text = "package that answers may import besides those installed with the kit; may be repeated"
    add("--allow", "PACKAGE", text, **several)
    text = "also write results.json for Gradescope"
    command.add_argument("--gradescope", action="store_true", help=text)
    text = "grade even if the system can't isolate student code"
    command.add_argument("--uncontained", action="store_true", help=text)


OPTIONS = {
    start: _start_options,
    redis: _redis_options,
    api: _api_options,
    worker: _worker_options,
    check: _check_options,
    hint: _exercise_options,
    solution: _exercise_options,
    catch_up: _exercise_options,
    grade: _grade_options,
}


def _folder(text):
    if not os.path.exists(text):
        raise argparse.ArgumentTypeError(f"there is no folder {text!r}")
    if not os.path.isdir(text):
        raise argparse.ArgumentTypeError(f"{text!r} is a file; name the folder that it is in")
    return text


def _port(text):
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, a number from 0 to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
