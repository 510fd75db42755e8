"""Turn this process into another command, which finds the lessons' Redis in its environment."""

import os
import shutil
import signal
import sys
from pathlib import Path

from jobs_kit.redis_server.companion import start_companion

# They return at once, while their window stays open, unless --wait comes with them.
EDITORS = {"code", "code-insiders", "codium", "vscodium", "cursor", "windsurf", "positron", "zed"}


class CommandNotFoundError(Exception):
    """The command is not on the PATH, or is no program; the message says which."""


def become(words):
    """Find or start a Redis that ends with this process, then become the command `words`.

    Raises CommandNotFoundError, RedisNotFoundError, and OSError if the system can't run it.
    """
    if os.name != "posix":
        raise OSError("jobs-kit run needs Linux or macOS; on Windows, use it in WSL")
    put_programs_first()
    if not shutil.which(words[0]):
        raise CommandNotFoundError(f"there is no command {words[0]!r}: is its name right?")
    words = with_wait(words)
    os.environ.update(start_companion())
    # Python ignores these two, and a program would inherit that
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.execvp(words[0], words)


def put_programs_first():
    """Let terminals and kernels find the programs of this Python first; return their folder."""
    programs = Path(sys.executable).parent
    os.environ["PATH"] = f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"
    return programs


def with_wait(words):
    """Return the words of a command; an editor's with --wait."""
    name = Path(words[0]).name
    if name not in EDITORS or {"--wait", "-w"} & set(words):
        return words
    print(
        f"added --wait: Redis ends when {name} returns, and so it returns when you close its window",
        file=sys.stderr,
        flush=True,
    )
    return [words[0], "--wait", *words[1:]]
