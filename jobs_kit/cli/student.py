"""The commands for students: they run lessons and the service, and check exercises."""

import argparse
import os
import socket

from jobs_kit import settings
from jobs_kit.cli.common import (
    end_at_sigterm,
    exercise_list,
    existing_folder,
    fail,
    port_number,
)


def start(options):
    """Open the lessons in JupyterLab, and start a Redis for them."""
    from jobs_kit.course.places import course_folder
    from jobs_kit.lab.jupyter import run_jupyterlab
    from jobs_kit.redis_server.address import RedisNotFoundError
    from jobs_kit.redis_server.find import find_redis

    end_at_sigterm()
    course = _set_up(options.folder) if options.folder else course_folder()
    try:
        server = find_redis()
    except RedisNotFoundError as problem:
        return fail(problem)
    try:
        run_jupyterlab(server, course, options.port, options.browser)
    finally:
        server.stop()


def _set_up(folder):
    """Write what a course folder lacks, and print it; return the folder (Path)."""
    from jobs_kit.course.course_setup import set_up_course

    setup = set_up_course(folder)
    print(setup, flush=True)
    return setup.folder


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
        return fail(problem)


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
    from jobs_kit.course.exercise import earlier

    progress, is_ready = _progress(options), True
    how = (
        "" if earlier(progress.exercise) else " as it was handed out: no part comes before this one"
    )
    for path, backup in progress.catch_up():
        is_ready = False
        old = f"; your version is now {short_path(backup)}" if backup else ""
        print(f"wrote {short_path(path)}{how}{old}")
    if is_ready:
        print(f"nothing to do: {short_path(progress.folder)} is ready for {options.exercise}")


def _progress(options):
    from jobs_kit.grading.progress import progress_of

    return progress_of(options.exercise, options.folder)


def doctor(options):
    """Check the installation, and show how to fix problems."""
    from jobs_kit.lab.doctor import examine, grading

    findings = examine()
    print(findings, flush=True)
    if options.grading:
        findings.append(grading())
        print(findings[-1])
    return 0 if findings.ok else 1


def redis(options):
    """Run a Redis until Ctrl-C, and print its address."""
    from jobs_kit.redis_server.address import RedisNotFoundError
    from jobs_kit.redis_server.server import start_server

    end_at_sigterm()
    if options.append_only:
        os.makedirs(options.append_only, exist_ok=True)
    try:
        server = start_server(
            port=options.port,
            append_only=bool(options.append_only),
            data=options.append_only and os.path.abspath(options.append_only),
            fsync=options.fsync,
        )
    except RedisNotFoundError as problem:
        return fail(f"{problem} (`jobs-kit redis --port 0` takes a free port)")
    try:
        print(f"{server.url}\n{server}. Press Ctrl-C to stop it.", flush=True)
        if server.port != 6379:
            print(f"In the other terminals, run first: export REDIS_URL={server.url}", flush=True)
        _wait_for_the_end_of(server)
        return fail("Redis ended unexpectedly")
    finally:
        if options.append_only:
            server.stop(keep=True)  # it writes what is not yet written
        server.stop()


def _wait_for_the_end_of(server):
    # the server closes an open connection when it ends, so there is no need to poll
    with socket.create_connection((server.host, server.port)) as connection:
        connection.recv(1)


def run(options):
    """Run a command, such as an editor, with a Redis that ends when the command does."""
    from jobs_kit.lab import command
    from jobs_kit.redis_server.address import RedisNotFoundError

    settings.redis_url()  # a wrong setting is reported before anything has started
    words = options.words[options.words[:1] == ["--"] :]
    if not words:
        raise ValueError("name a command, such as `jobs-kit run code --wait .`")
    try:
        command.become(words)
    except RedisNotFoundError as problem:
        return fail(problem)
    except command.CommandNotFoundError as problem:
        fail(problem)
        return 127


def api(options):
    """Serve the Jobs API on this computer."""
    from jobs_kit.api import serve

    end_at_sigterm()
    port = settings.api_port() if options.port is None else options.port
    try:
        serve(port)
    except OSError as problem:
        return fail(f"cannot listen on port {port} ({problem}): choose another port with --port")


def worker(options):
    """Run a worker that does the queued jobs."""
    if options.name:
        os.environ["JOBS_KIT_WORKER_NAME"] = options.name
    from jobs_kit.worker import work

    work(burst=options.burst)


def _start_options(command):
    text = (
        "course folder to open; it gets the lessons and exercises that it lacks, and nothing in it is "
        "overwritten (default: the course folder that you are in)"
    )
    command.add_argument("folder", nargs="?", metavar="FOLDER", help=text)
    text = "don't open a browser"
    command.add_argument("--no-browser", dest="browser", action="store_false", help=text)
    text = "port of JupyterLab (default: 8888, or a free one)"
    command.add_argument("--port", type=port_number, default=0, help=text)


def _doctor_options(command):
    text = "also check that right answers get full marks when a class is graded here"
    command.add_argument("--grading", action="store_true", help=text)


def _redis_options(command):
    text = "port of Redis (default: 6379; 0: a free one)"
    command.add_argument("--port", type=port_number, default=6379, help=text)
    text = "keep the data in this folder between runs"
    command.add_argument("--append-only", metavar="FOLDER", help=text)
    text = (
        "with --append-only, when a change is forced onto the disk: everysec (a power cut loses "
        "up to a second; the default) or always (it loses nothing that was accepted; slower)"
    )
    command.add_argument("--fsync", choices=["everysec", "always"], default="everysec", help=text)


def _run_options(command):
    command.usage = "jobs-kit run COMMAND [ARGUMENT ...]"
    text = "program, and its arguments; it finds Redis in REDIS_URL, REDIS_HOST and REDIS_PORT"
    command.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND", help=text)


def _api_options(command):
    text = "port of the API (default: JOBS_KIT_API_PORT or 5000; 0: a free one)"
    command.add_argument("--port", type=port_number, help=text)


def _worker_options(command):
    command.add_argument("--burst", action="store_true", help="end when the queue is empty")
    command.add_argument("--name", help="name of the worker in its log")


def _check_options(command):
    command.epilog = exercise_list
    command.add_argument("exercises", nargs="*", metavar="EXERCISE", help="id, such as add_job")
    text = "check at every save, and go on to the next exercise"
    command.add_argument("--watch", action="store_true", help=text)
    _add_folder(command)


def _exercise_options(command):
    command.epilog = exercise_list
    command.add_argument("exercise", metavar="EXERCISE", help="id, such as add_job")
    _add_folder(command)


def _add_folder(command):
    text = (
        "folder of your answers (default: the current one if it is the exercise's, or exercises/)"
    )
    command.add_argument("--in", dest="folder", metavar="FOLDER", type=existing_folder, help=text)


COMMANDS = {
    start: _start_options,
    check: _check_options,
    hint: _exercise_options,
    solution: _exercise_options,
    catch_up: _exercise_options,
    doctor: _doctor_options,
    redis: _redis_options,
    run: _run_options,
    api: _api_options,
    worker: _worker_options,
}
