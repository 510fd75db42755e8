"""Measure how long a newcomer waits for lesson 00's first output: `make bench-start`.

From a fresh clone to the first output of a code cell, in seconds, and which share of it is the
installing: for pip and for uv, each cold (an empty home, so nothing is cached) and warm (the home of
the cold run, a new clone). The time in which a browser draws the page is not in it.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import requests
from jupyter_client import BlockingKernelClient

ROOT = Path(__file__).parents[2]
LESSON = "notebooks/00_start_here.ipynb"
SECONDS = 600
OUTPUTS = {"stream", "display_data", "execute_result", "error"}


def main():
    """Print one line for each installer and state of the caches."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="runs for each median (default: 3)")
    runs = parser.parse_args().runs
    print(f"{'':12}{'installing':>12}{'first output':>14}{'share':>8}   medians of {runs}, seconds")
    for installer in [name for name in ("pip", "uv") if has_installer(name)]:
        cold, warm = [], []
        for _ in range(runs):
            with tempfile.TemporaryDirectory() as home:
                cold.append(measure_start(installer, home))
                warm.append(measure_start(installer, home))
        for state, results in {"cold": cold, "warm": warm}.items():
            installing, whole = map(statistics.median, zip(*results, strict=True))
            print(
                f"{installer + ', ' + state:12}{installing:12.1f}{whole:14.1f}"
                f"{installing / whole:8.0%}",
                flush=True,
            )


def has_installer(name):
    """Tell whether the installer is here; `make` finds pip by itself."""
    return name == "pip" or bool(shutil.which(name))


def measure_start(installer, home):
    """Return (seconds of installing, seconds until the first output), both from the clone on."""
    with tempfile.TemporaryDirectory() as place:
        environment = environment_of(installer, home, place)
        begun = time.perf_counter()
        run = {"cwd": place, "env": environment, "check": True, "stdout": subprocess.DEVNULL}
        subprocess.run(["git", "clone", "--quiet", ROOT, "clone"], **run)
        subprocess.run(["make", "-C", "clone", ".venv/ready"], **run)
        installing = time.perf_counter() - begun
        see_first_output(Path(place, "clone"), environment)
        return installing, time.perf_counter() - begun


def environment_of(installer, home, place):
    """Return the environment of a newcomer: an empty home, no browser, uv only if asked for."""
    personal = ("XDG_", "UV_CACHE", "PIP_CACHE", "PYTHON", "VIRTUAL_ENV", "REDIS_", "JOBS_KIT_")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(personal)}
    folders = dict.fromkeys(kept["PATH"].split(os.pathsep))
    own = str(ROOT / ".venv/bin")
    folders = [folder for folder in folders if folder != own and not Path(folder, "uv").exists()]
    programs = Path(place, "bin")
    programs.mkdir()
    if installer == "uv":
        (programs / "uv").symlink_to(shutil.which("uv"))
    paths = {"HOME": home, "PATH": os.pathsep.join([str(programs), *folders])}
    return kept | paths | {"BROWSER": "true", "JUPYTER_RUNTIME_DIR": str(Path(place, "runtime"))}


def see_first_output(clone, environment):
    """Start JupyterLab by `make lab` and run the lesson's cells until one shows something."""
    lab = subprocess.Popen(
        ["make", "lab"], cwd=clone, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        line = next(line for line in lab.stdout if line.startswith("JupyterLab: "))
        server, token = re.fullmatch(r"JupyterLab: (http://[^/]+)/.*token=(\w+)\s*", line).groups()
        session = {
            "path": LESSON,
            "name": LESSON,
            "type": "notebook",
            "kernel": {"name": "python3"},
        }
        answer = requests.post(
            f"{server}/api/sessions",
            json=session,
            headers={"Authorization": f"token {token}"},
            timeout=SECONDS,
        )
        answer.raise_for_status()
        connection = f"kernel-{answer.json()['kernel']['id']}.json"
        run_until_output(clone / LESSON, Path(environment["JUPYTER_RUNTIME_DIR"], connection))
    finally:
        lab.terminate()
        lab.wait()


def run_until_output(lesson, connection_file):
    """Run a lesson's code cells in a kernel until one shows something; fail if none does."""
    client = BlockingKernelClient(connection_file=str(connection_file))
    client.load_connection_file()
    client.start_channels(hb=False)  # a kernel that is still importing would count as dead
    client.wait_for_ready(timeout=SECONDS)
    shown = []

    def note(message):
        shown.extend({message["msg_type"]} & OUTPUTS)

    for cell in json.loads(lesson.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code" and not shown:
            client.execute_interactive("".join(cell["source"]), timeout=SECONDS, output_hook=note)
    client.stop_channels()
    assert shown and "error" not in shown, f"the first output of {lesson} is {shown}"


if __name__ == "__main__":
    main()
