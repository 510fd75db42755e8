"""Hold the submissions of a batch while they are judged."""

import contextlib
import tempfile
import threading
from pathlib import Path


class Workspace:
    """A temporary folder with a folder for each submission that is being judged."""

    def __enter__(self):
        self._writing = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="jobs-kit-grade-")
        return self

    def __exit__(self, kind, *_):
        if kind:
            self._writing.acquire()  # no grader may write into a folder that is being removed
        self._folder.cleanup()

    @contextlib.contextmanager
    def written(self, hand_in):
        """Write a HandIn into a folder; return that folder, which is removed afterwards."""
        with self._writing:
            folder = tempfile.TemporaryDirectory(dir=self._folder.name)
            hand_in.write(Path(folder.name))
        with folder as place:
            yield place
