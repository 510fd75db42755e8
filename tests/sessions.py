"""Play a case of two_shells: type its steps into two shells, on a real Redis."""

import os
import signal
import subprocess
import sys
import threading
import time

from class_server import is_quiet, set_user

from jobs_kit.lab.shells import open_shells
from jobs_kit.queue_watch import evidence_file
from jobs_kit.queue_watch.watch import Watch
from jobs_kit.redis_server.address import Server
from jobs_kit.redis_server.server import start_server

SECONDS = 30
PROGRAMS = {
    "python": [sys.executable, "-u", "-i", "-q"],
    "ipython": [sys.executable, "-u", "-m", "IPython", "--simple-prompt", "--no-banner"],
}
PROGRAMS["ipython"] += ["--no-confirm-exit", "--HistoryManager.enabled=False"]
# A class server's user: reads and writes what begins with its name, and sees who is connected.
ANA = "on >secret ~ana.* ~hotqueue:ana.* resetchannels -@all +rpush +blpop +lpop +llen +lrange"
ANA += " +rpop +del +scan +select +client|list +client|setinfo +info +hello +ping"


def until(condition, complaint=lambda: "still not true"):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, complaint()
        time.sleep(0.005)


class Terminal:
    """A Python in its own process, typed into and read like a terminal."""

    def __init__(self, program):
        self._process = subprocess.Popen(
            PROGRAMS[program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._said, self._typed = "", 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def run(self, code, wait=None):
        """Type code; wait (seconds) for its end, or not at all."""
        self._typed += 1
        mark = f"done {self._typed}"
        self._process.stdin.write(f"exec({code!r})\nprint('done', {self._typed})\n")
        self._process.stdin.flush()
        if wait:
            self.wait_for(mark, wait)

    def wait_for(self, text, timeout=SECONDS):
        """Wait until the terminal has shown a string."""
        until(lambda: text in self._said, lambda: f"{text!r} did not come: {self._said[-2000:]}")

    def interrupt(self):
        """Press Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def close(self):
        """End the program."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._process.stdin.close()
        self._process.stdout.close()

    def _read(self):
        while chunk := os.read(self._process.stdout.fileno(), 65536):
            self._said += chunk.decode(errors="replace")


class Session:
    """One case while it is played; the environment names its Redis.

    folder (Path): where the evidence is written.
    """

    def __init__(self, case, folder, monkeypatch):
        self._table, self.folder = case.table, folder
        self._own = self._start_redis()
        self._admin = self._own.connect()
        for name in [name for name in os.environ if name.startswith(("JOBS_KIT_", "REDIS_"))]:
            monkeypatch.delenv(name)
        self.server = self._named(monkeypatch)
        self._watch = Watch(self.server, folder) if case.table.get("watched", True) else None
        self._shells, self._live = {}, None

    def play(self):
        """Do all the steps."""
        setup = f"import json\nfrom hotqueue import HotQueue\nq = {self._constructor()}"
        if self._table.get("shells") == "live":
            self._live = open_shells("producer", "consumer", folder=self.folder)
        for name in ("producer", "consumer"):
            program = self._table.get("shells", "python")
            self._shells[name] = self._live[name] if self._live else Terminal(program)
            self._shells[name].run(setup, wait=SECONDS)
        for step in self._table["step"]:
            self.do(step)

    def do(self, step):
        """Do one step, and wait until the watch has seen it, as if a person had taken their time."""
        self._do(step)
        if self._table.get("redis", "kit") != "kit":
            until(lambda: is_quiet(self._admin))
        for word in ("once", "twice"):
            evidence_file.ask_watches(self.folder, f"{word} {id(step)}", SECONDS)

    def called(self):
        """Return the names of all commands that Redis was sent."""
        return set(self._admin.info("commandstats"))

    def server_stops(self):
        """Stop the Redis of the session."""
        self._own.stop()

    def close(self):
        """End the shells, the watch and the Redis."""
        self.leave()
        self._own.stop()

    def leave(self):
        """End the shells and the watch."""
        for shell in self._live or self._shells.values():
            shell.close()
        self._shells = {}
        if self._watch:
            self._watch.stop()

    def _do(self, step):
        shell = self._shells[step["shell"]]
        if "press" in step:
            shell.interrupt()
            shell.run("0", wait=SECONDS)
        else:
            code = (
                step["type"]
                .replace("{where}", self._where())
                .replace("{prefix}", self.server.prefix)
            )
            shell.run(code, wait=None if {"prints", "waiting"} & set(step) else SECONDS)
        if "prints" in step:
            shell.wait_for(step["prints"], SECONDS)
        if "waiting" in step:
            until(lambda: self._waiting() == step["waiting"])

    def _start_redis(self):
        return start_server()

    def _named(self, monkeypatch):
        if self._table.get("redis", "kit") == "kit":
            monkeypatch.setenv("REDIS_URL", self._own.url)
            monkeypatch.setenv("JOBS_KIT_ADMIN_URL", self._own.admin_url)
            monkeypatch.setenv("JOBS_KIT_ORIGIN", self._own.origin)
            return Server(self._own.url, self._own.admin_url, self._own.origin)
        set_user(self._admin, "ana", ANA)
        monkeypatch.setenv("REDIS_URL", f"redis://ana:secret@127.0.0.1:{self._own.port}")
        return Server(os.environ["REDIS_URL"])

    def _constructor(self):
        return self.server.constructor(self._table.get("queue", "some_queue"))

    def _waiting(self):
        return sum("b" in one["flags"] for one in self._admin.client_list())

    def _where(self):
        return ", ".join(f"{key}={value!r}" for key, value in self.server.address.items())
