"""How JupyterLab is started: on the first lesson, with Redis named in its environment."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
import webbrowser
from pathlib import Path

ROOT = Path(__file__).parents[2]
FIRST = "notebooks/00_start_here.ipynb"

# JupyterLab would ask its makers for news and updates, which a course has no use for.
QUIET = [
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
    "--log-level=WARN",
]


def run_jupyterlab(redis, port=0, browser=True):
    """Run JupyterLab until Ctrl-C or SIGTERM, then end it, its kernels and the Redis.

    redis: the Server that find_redis() returned. port: 0 takes a free one. browser: open one.
    Returns the exit code.
    """
    if not (ROOT / FIRST).exists():
        print(f"jobs-kit: {ROOT / FIRST} is missing: run this in a clone", file=sys.stderr)
        return 1
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    port, token = port or _free_port(), secrets.token_hex(16)
    url = f"http://127.0.0.1:{port}/lab/tree/{FIRST}?token={token}"
    lab = _start(port, token)
    print(redis, flush=True)
    if _answers(lab, port, token, ended):
        print(f"JupyterLab: {url}\nCtrl-C ends it, and Redis with it.", flush=True)
        if browser:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
    while lab.poll() is None and not ended.wait(0.2):
        pass
    code = _stop(lab) if ended.is_set() else lab.returncode
    getattr(redis, "stop", lambda: None)()  # a Redis that somebody else runs goes on
    return code


def _start(port, token):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1"]
    command += [f"--port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={ROOT}"]
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    command += [*QUIET, "--allow-root"] if as_root else QUIET
    environment = os.environ | {"PATH": path, "JUPYTER_TOKEN": token}
    # in a session of its own, Ctrl-C at the terminal does not reach it: we end it, unasked
    return subprocess.Popen(command, env=environment, start_new_session=True)


def _answers(lab, port, token, ended):
    url = f"http://127.0.0.1:{port}/api/status?token={token}"
    while lab.poll() is None and not ended.wait(0.1):
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return True
        except OSError:
            pass
    return False


def _stop(lab):
    lab.terminate()
    try:
        lab.wait(15)
    except subprocess.TimeoutExpired:
        lab.kill()
        lab.wait()
    return 0


def _free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
