"""What all commands share: how they fail, end, and read their arguments."""

import argparse
import io
import os
import signal
import sys


def fail(problem):
    """Print why a command fails; return the exit code 1."""
    print(f"jobs-kit: {problem}", file=sys.stderr)
    return 1


def end_at_sigterm():
    """Let SIGTERM end this process as Ctrl-C does."""

    def end(number, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)  # even where a shell without job control ignores it


def replace_missing_characters():
    """Print a question mark for a character that the terminal's encoding does not have."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not what a notebook or a test puts there
            stream.reconfigure(errors="replace")


def port_number(text):
    """Return the port that an argument names, an int."""
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, a number from 0 to 65535")
    return int(text)


def existing_folder(text):
    """Return an argument that names a folder, a str."""
    if not os.path.exists(text):
        raise argparse.ArgumentTypeError(f"there is no folder {text!r}")
    if not os.path.isdir(text):
        raise argparse.ArgumentTypeError(f"{text!r} is a file; name the folder that it is in")
    return text


def exercise_list():
    """Return a sentence with the ids of all exercises, or what is wrong where there are none."""
    from jobs_kit.course.exercise import all_exercises

    try:
        ids = ", ".join(all_exercises())
    except FileNotFoundError as problem:
        return str(problem)
    return f"The exercises are {ids}."
