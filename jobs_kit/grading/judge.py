"""Ask a judge process for verdicts; it keeps pytest, a fork server and a Redis ready.

    with Judge() as judge:
        verdict = judge.check(exercise, "exercises/echo_worker")

The process itself is judge_process.py.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading

from jobs_kit.grading.limits import SUBMISSION_TIMEOUT_SECONDS
from jobs_kit.grading.results import ExerciseResult
from jobs_kit.grading.sandbox import containment
from jobs_kit.grading.sandbox.packages import NO_PACKAGES
from jobs_kit.grading.verdict import Verdict


class Judge:
    """A judge process, started when it is first needed.

    number (int): of a judge of a class, whose student code has another user than the other judges'
    where root grades; None for a student's own check. contained (bool): whether student code runs
    contained. packages: the Packages that it may import besides the kit's.
    """

    def __init__(self, number=None, contained=False, packages=NO_PACKAGES):
        self._process, self._lock = None, threading.Lock()
        options = {"number": number, "contained": contained, "packages": packages.to_dict()}
        self._options = json.dumps(options)
        self._environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
        if number is not None:
            self._environment["MPLCONFIGDIR"] = containment.font_folder()

    def check(self, exercise, folder):
        """Return the Verdict of an Exercise on the answer in a folder.

        Raises RuntimeError when the judge itself has failed; the next call starts another.
        """
        results = self.check_all(exercise.tests, folder)
        if not results:
            raise RuntimeError(
                f"there is no verdict on {exercise.id}; run pytest on its checks to see why"
            )
        return Verdict(results[0])

    def check_all(self, tests, folder, seconds=SUBMISSION_TIMEOUT_SECONDS):
        """Return the ExerciseResults of test files on the answers in a folder.

        seconds: after these the run is ended; what was not judged is missing from the results.
        Raises RuntimeError.
        """
        if not tests:  # pytest would look for some by itself
            return []
        request = {
            "tests": list(map(os.path.abspath, tests)),
            "folder": os.path.abspath(folder),
            "seconds": seconds,
            "environment": kit_settings(),
        }
        return [ExerciseResult.from_dict(result) for result in self._ask(request)]

    def close(self):
        """End the process."""
        if self._process:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            self._process.wait()
            self._process.stdout.close()
            self._process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _ask(self, request):
        with self._lock:
            try:
                if self._process is None or self._process.poll() is not None:
                    self._start()
                self._process.stdin.write(json.dumps(request) + "\n")
                self._process.stdin.flush()
                return json.loads(self._process.stdout.readline())
            except (OSError, ValueError):
                self.close()
                raise RuntimeError("the judge ended; check again") from None

    def _start(self):
        # -P: an answer named queue.py in the current folder must not take the place of Python's
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "jobs_kit.grading.judge_process", self._options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | self._environment,
            start_new_session=True,  # a Ctrl-C is for the program that asked
        )


def kit_settings():
    """Return the environment's settings of Redis and of the kit; they may change between checks."""
    # names first: another thread may change the environment meanwhile
    names = [name for name in os.environ if name.startswith(("REDIS_", "JOBS_KIT_"))]
    return {name: os.environ[name] for name in names}
