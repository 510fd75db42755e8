"""Make temporary folders in which a Redis can read its settings and make its socket."""

import os
import tempfile

LONGEST = 50  # bytes; the path of a socket has 103 at most, of which our own folders need 53
UNFIT = '*?["\\\n'  # Redis takes the path of its settings for a pattern, and quotes in them end


def base_folder():
    """Return the folder in which to make temporary folders: TMPDIR if sockets can be there.

    Raises OSError where none can be used.
    """
    first = tempfile.gettempdir()
    for folder in (first, "/tmp", "/var/tmp"):
        if _is_fit(folder):
            return folder
    raise OSError(
        f"sockets need a short temporary folder, and {first} has too long a path or unusual "
        "characters in it: set TMPDIR to another folder that you can write to"
    )


def make_folder(prefix, place=None):
    """Make a temporary folder in `place`, or in base_folder(); return its path."""
    return tempfile.mkdtemp(prefix=prefix, dir=place or base_folder())


def _is_fit(folder):
    is_short = len(os.fsencode(folder)) <= LONGEST or os.name != "posix"  # then no socket is made
    return is_short and not set(UNFIT) & set(folder) and os.access(folder, os.W_OK | os.X_OK)
