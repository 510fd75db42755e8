"""The command `jobs-kit`: one subcommand for each thing that people start."""

import argparse
import os
import signal
import sys
import threading

from jobs_kit import settings


def main(arguments=None):
    """Run one subcommand; return its exit code: 0 well, 1 something is missing, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options) or 0
    except ValueError as problem:  # a setting that cannot be used
        print(f"jobs-kit: {problem}", file=sys.stderr)
        return 2


def start(options):
    """Start Redis and JupyterLab, and end both at Ctrl-C."""
    from jobs_kit.lab.jupyter import run_jupyterlab

    redis = _found_redis()
    return run_jupyterlab(redis, options.port, options.browser) if redis else 1


def redis(options):
    """Run a Redis in the foreground; it ends with the program that started it."""
    from jobs_kit.lab.server import RedisNotFound, start_server

    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        server = start_server(port=options.port)
    except RedisNotFound as problem:
        return _fail(problem)
    print(server.url, flush=True)
    print(f"{server}. Ctrl-C ends it.", flush=True)
    if server.port != 6379:
        print(f"In other terminals first: export REDIS_PORT={server.port}", flush=True)
    parent = os.getppid()
    while not ended.wait(0.5) and os.getppid() == parent:
        pass
    server.stop()


def api(options):
    """Serve the Jobs API."""
    from jobs_kit.api import serve

    port = settings.api_port() if options.port is None else options.port
    try:
        serve(port)
    except OSError as problem:
        return _fail(f"cannot listen on port {port} ({problem}); choose another with --port")


def worker(options):
    """Do the jobs."""
    if options.name:
        os.environ["JOBS_KIT_WORKER_NAME"] = options.name
    from jobs_kit.worker import work

    work(burst=options.burst)


def doctor(options):
    """Say what is here, and how to mend what is not."""
    from jobs_kit.lab.doctor import examine

    findings = examine()
    print(findings)
    return 0 if findings.ok else 1


def _found_redis():
    from jobs_kit.lab.server import RedisNotFound, find_redis

    try:
        return find_redis()
    except RedisNotFound as problem:
        _fail(problem)


def _fail(problem):
    print(f"jobs-kit: {problem}", file=sys.stderr)
    return 1


def _parser():
    parser = argparse.ArgumentParser(prog="jobs-kit", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(function):
        made = commands.add_parser(function.__name__, help=function.__doc__)
        made.set_defaults(run=function)
        return made

    made = command(start)
    made.add_argument("--no-browser", dest="browser", action="store_false", help="print the URL")
    made.add_argument("--port", type=_port, default=0, help="of JupyterLab; a free one by default")
    made = command(redis)
    made.add_argument("--port", type=_port, default=6379, help="6379 by default; 0: a free one")
    made = command(api)
    made.add_argument("--port", type=_port, help="5000 by default; 0: a free one")
    made = command(worker)
    made.add_argument("--burst", action="store_true", help="end when the queue is empty")
    made.add_argument("--name", help="the worker's name in its log")
    command(doctor)
    return parser


def _port(text):
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, a number from 0 to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
