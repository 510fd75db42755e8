"""How does one get a verdict fast? From a judge that stays: pytest, fork server, Redis are ready.

    with Judge() as judge:
        verdict = judge.check("echo_worker", "exercises/echo_worker")

The judge is a process of its own (`python -m jobs_kit.grading.judge`): one line of JSON in, one
line out, and for each of them a fork of itself that runs pytest. It ends when its input does.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading

from jobs_kit.grading.verdict import Verdict

# what takes time and is not looked at here is left out
LEAN = ["no:cacheprovider", "no:unraisableexception", "no:threadexception", "no:faulthandler"]
PYTEST = ["--assert=plain", "--tb=native", "--capture=no", "-q", "-c", os.devnull]
PYTEST += [word for name in LEAN for word in ("-p", name)]


class Judge:
    """A judge process, started when it is first needed."""

    def __init__(self):
        self._process, self._lock = None, threading.Lock()

    def check(self, exercise, folder):
        """Return the Verdict of an Exercise on the answer in a folder.

        Raises RuntimeError when the judge itself has failed; the next call starts another.
        """
        request = {"test": exercise.file, "folder": str(folder), "environment": _settings()}
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._start()
            try:
                self._process.stdin.write(json.dumps(request) + "\n")
                self._process.stdin.flush()
                answer = json.loads(self._process.stdout.readline())
            except (OSError, ValueError):
                self.close()
                raise RuntimeError("the judge has ended; try again") from None
        if "problem" in answer:
            raise RuntimeError(answer["problem"])
        return Verdict(answer["result"])

    def warm_up(self):
        """Start the process, if there is none, without waiting for it."""
        with self._lock:
            if self._process is None:
                self._start()

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

    def _start(self):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "jobs_kit.grading.judge"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""},
            start_new_session=True,  # a Ctrl-C is for whoever asked
        )


def _settings():
    """Return what the environment says now of Redis; it may not have said so at the start."""
    return {k: v for k, v in os.environ.items() if k.startswith(("REDIS_", "JOBS_KIT_"))}


def serve():
    """Answer each line of the input."""
    from jobs_kit.grading import plugin
    from jobs_kit.grading.evidence import CheckRedis
    from jobs_kit.grading.sandbox import Sandbox

    answers, sys.stdout = sys.stdout, sys.stderr  # a print in between must not become an answer
    plugin.warm.update(sandbox=Sandbox(), redis=CheckRedis())
    for line in sys.stdin:
        print(json.dumps(_in_a_fork(json.loads(line))), file=answers, flush=True)
    for part in plugin.warm.values():
        part.close()


def _in_a_fork(request):
    """Run pytest in a child, so that each check starts from the same state."""
    with tempfile.NamedTemporaryFile(mode="r", suffix=".json") as results:
        child = os.fork()
        if child == 0:
            _run_pytest(request, results.name)
        os.waitpid(child, 0)
        text = results.read()
    with contextlib.suppress(ValueError, IndexError):
        return {"result": json.loads(text)[0]}
    return {"problem": f"no verdict came of {request['test']}; run pytest on it to see why"}


def _run_pytest(request, results):
    import pytest

    for name in _settings():
        del os.environ[name]
    os.environ.update(request["environment"])
    options = ["-p", "jobs_kit.grading.plugin", "--submission", request["folder"]]
    log = os.open(os.environ.get("JOBS_KIT_JUDGE_LOG", os.devnull), os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout = sys.stderr = open(1, "w", closefd=False)
    try:
        pytest.main([*PYTEST, *options, "--results", results, request["test"]])
        sys.stdout.flush()
    finally:
        os._exit(0)


if __name__ == "__main__":
    serve()
