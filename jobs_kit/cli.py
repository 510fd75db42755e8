"""The command jobs-kit: one subcommand for each thing that people start."""

import argparse
import io
import os
import signal
import socket
import sys

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
            f"{problem}: run `make lab` in the kit's folder, which installs what is missing"
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
    """open the lessons in JupyterLab, with a Redis behind them"""
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
    """run a Redis until Ctrl-C, and print its address"""
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
        print(f"{server.url}\n{server}. Ctrl-C ends it.", flush=True)
        if server.port != 6379:
            print(f"In the other terminals, first: export REDIS_URL={server.url}", flush=True)
        _wait_for_the_end_of(server)
        return _fail("this Redis has ended by itself")
    finally:
        if options.append_only:
            server.stop(keep=True)  # it writes what is not yet written
        server.stop()


def api(options):
    """serve the Jobs API on this machine"""
    from jobs_kit.api import serve

    _end_at_sigterm()
    port = settings.api_port() if options.port is None else options.port
    try:
        serve(port)
    except OSError as problem:
        return _fail(f"cannot listen on port {port} ({problem}): choose another with --port")


def worker(options):
    """do the jobs that are queued"""
    if options.name:
        os.environ["JOBS_KIT_WORKER_NAME"] = options.name
    from jobs_kit.worker import work

    work(burst=options.burst)


def doctor(options):
    """say what is here, and how to mend what is not"""
    from jobs_kit.lab.doctor import examine

    findings = examine()
    print(findings)
    return 0 if findings.ok else 1


def check(options):
    """check exercises: those that you name, or all"""
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
    """show the next of the three hints of an exercise"""
    print(_desk(options).next_hint())


def solution(options):
    """show the solution of an exercise, after a pass or three attempts"""
    opens, text = _desk(options).solution()
    print(text)
    return 0 if opens else 1


def catch_up(options):
    """lay the starting point of an exercise: all earlier parts solved, your files kept as .bak"""
    written = _desk(options).catch_up()
    for path, backup in written:
        print(f"wrote {path}" + (f"; yours is in {backup.name}" if backup else ""))
    if not written:
        print(f"nothing to do: {options.exercise} can start from what is there")


def grade(options):
    """grade a folder of submissions"""
    from jobs_kit.grading.batch import terminal
    from jobs_kit.grading.sandbox.containment import NotContainedError

    _end_at_sigterm()
    try:
        return terminal.grade(options)
    except NotContainedError as problem:
        return _fail(f"{problem}. To grade without it all the same: --uncontained")
    except KeyboardInterrupt:
        _fail(f"stopped. What is done is in {options.out}; the same command again goes on there")
        return 130


def press(options):
    """write the starters of exercises/ anew from the masters in solutions/"""
    from jobs_kit.course.exercise import ROOT
    from jobs_kit.course.press import write

    for path in write():
        print("pressed", path.relative_to(ROOT))


def _desk(options):
    from jobs_kit.course.exercise import find_exercise
    from jobs_kit.grading.progress import ExerciseProgress

    return ExerciseProgress(find_exercise(options.exercise), options.folder)


def _print_what_the_terminal_cannot_show():
    """Print a question mark for a character that the terminal's encoding does not have."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not what a notebook or a test puts there
            stream.reconfigure(errors="replace")


def _wait_for_the_end_of(server):
    # an open connection tells at once, and without asking again and again
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


def _parser():
    parser = argparse.ArgumentParser(prog="jobs-kit", description="Lessons and a Jobs service.")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")

    def command(function):
        made = commands.add_parser(
            function.__name__.replace("_", "-"), help=function.__doc__, description=function.__doc__
        )
        made.set_defaults(run=function)
        return made

    made = command(start)
    made.add_argument("--no-browser", dest="browser", action="store_false", help="open none")
    made.add_argument("--port", type=_port, default=0, help="of JupyterLab (8888, or a free one)")
    made = command(redis)
    made.add_argument("--port", type=_port, default=6379, help="6379; 0 takes a free one")
    made.add_argument("--append-only", metavar="FOLDER", help="keep the data there between runs")
    made = command(api)
    made.add_argument("--port", type=_port, help="JOBS_KIT_API_PORT or 5000; 0 takes a free one")
    made = command(worker)
    made.add_argument("--burst", action="store_true", help="end when the queue is empty")
    made.add_argument("--name", help="the worker's name in its log")
    command(doctor)
    command(press)
    _takes_batch(command(grade))
    made = command(check)
    made.add_argument("exercises", nargs="*", metavar="EXERCISE", help="its id, such as add_job")
    made.add_argument("--watch", action="store_true", help="again at each save, then the next one")
    _takes_folder(made)
    for function in (hint, solution, catch_up):
        made = command(function)
        made.add_argument("exercise", metavar="EXERCISE", help="its id, such as add_job")
        _takes_folder(made)
    return parser


def _takes_batch(parser):
    parser.add_argument("submissions", help="a folder: one folder or zip file a student")
    parser.add_argument("--out", required=True, help="where grades, results and feedback go")
    parser.add_argument("--exercise", action="append", default=[], metavar="ID", help="only this")
    parser.add_argument("--jobs", type=int, metavar="N", help="so many at once (two a core)")
    parser.add_argument("--roster", metavar="CSV", help="keep its columns and rows in grades.csv")
    parser.add_argument("--hidden", metavar="DIR", help="more checks, which students do not see")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="STUDENT",
        help="only this, and who was never graded before",
    )
    parser.add_argument(
        "--since", metavar="DAY", help="only work saved since (2026-11-24 or with T18:00)"
    )
    parser.add_argument("--gradescope", action="store_true", help="write results.json as well")
    parser.add_argument(
        "--uncontained", action="store_true", help="where the system cannot contain student code"
    )


def _takes_folder(parser):
    where = "where your answers are (the current folder, or the kit's exercises/)"
    parser.add_argument("--in", dest="folder", metavar="FOLDER", help=where)


def _port(text):
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, a number from 0 to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
