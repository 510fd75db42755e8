"""Run the pages of the site, several at once: each in its own copy of the course, with its own Redis."""

import ast
import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError

from jobs_kit.course.places import MATERIAL

COURSE = ("notebooks", "exercises", "solutions")
CELL_SECONDS = 180
SETTLED_SECONDS = 0.3  # a transcript reaches its widget a fifth of a second after it was written
AT_ONCE = 2 * (os.cpu_count() or 1)  # pages mostly wait: for time-outs, leases and other programs
STATES = 'getattr(__import__("jobs_kit.publish.site.widget_states", fromlist=["*"]), "{}")()'


class BrokenPageError(Exception):
    """A page did not run to its end; the message names it and the error."""


@dataclass(frozen=True)
class PageRun:
    """A page that has run.

    name: its path in the course, such as "notebooks/00_start_here.ipynb".
    notebook: with the outputs of the run. states: {model id: {"kind": ..., "traits": {...}}} of its
    widgets at the end. transcripts: {cell index: {model id: transcript after that cell}} of its shells.
    """

    name: str
    notebook: dict
    states: dict
    transcripts: dict


def run_pages(names, course=MATERIAL, report=print):
    """Run pages of a course; return {name: PageRun}. report(text): called when a page has run.

    Raises BrokenPageError for the first page that does not run to its end; the others are left out.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = {name: pool.submit(run_page, name, course) for name in names}
        for name, run in runs.items():
            try:
                report(f"{name}: {run.result()[1]:.0f} s")
            except (CellControlSignal, DeadKernelError) as problem:
                pool.shutdown(cancel_futures=True)
                raise BrokenPageError(f"{name} did not run to its end:\n{problem}") from None
        return {name: run.result()[0] for name, run in runs.items()}


def run_page(name, course=MATERIAL):
    """Run one page; return (its PageRun, the seconds that it took)."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="jobs-kit-site-") as place:
        for folder in filter(Path.is_dir, (course / name for name in COURSE)):
            ignored = shutil.ignore_patterns(".*", "scratch", "__pycache__")
            shutil.copytree(folder, Path(place, folder.name), ignore=ignored)
        run = _Run(Path(place, name)).run()
        text = json.dumps(run.notebook, ensure_ascii=False)
        for folder in (os.path.realpath(place), place, str(MATERIAL)):
            text = text.replace(folder, "jobs-kit")  # the reader has neither of these folders
    page = PageRun(name, json.loads(text), run.states, run.transcripts)
    return page, time.monotonic() - began


class _Run:
    """One run of a notebook, which asks the kernel after each cell what its widgets show."""

    def __init__(self, path):
        self.notebook = nbformat.read(path, 4)
        self.transcripts, self.states = {}, {}
        self._client = NotebookClient(
            self.notebook,
            timeout=CELL_SECONDS,
            resources={"metadata": {"path": str(path.parent)}},
            on_cell_executed=self._after_cell,
        )
        code = [index for index, cell in enumerate(self.notebook.cells) if _runs(cell)]
        self._last = code[-1] if code else None

    def run(self):
        """Run all cells; return self."""
        self._client.execute(env=_environment(), stderr=subprocess.DEVNULL)
        return self

    async def _after_cell(self, cell, cell_index, execute_reply):
        if shells := await self._ask("transcripts"):
            await asyncio.sleep(SETTLED_SECONDS)
            self.transcripts[cell_index] = await self._ask("transcripts") or shells
        if cell_index == self._last:
            self.states = await self._ask("all_states")

    async def _ask(self, question):
        """Return what a function of widget_states.py reports. The lesson's In and Out don't change."""
        expressions = {"answer": STATES.format(question)}
        reply = await self._client.kc.execute(
            "", store_history=False, user_expressions=expressions, reply=True, timeout=CELL_SECONDS
        )
        answer = reply["content"]["user_expressions"]["answer"]
        if answer["status"] == "error":
            raise RuntimeError(f"{question}(): {answer['ename']}: {answer['evalue']}")
        return json.loads(ast.literal_eval(answer["data"]["text/plain"]))


def _runs(cell):
    return cell.cell_type == "code" and cell.source.strip()


def _environment():
    """Return the environment of a kernel, which starts its own Redis and imports this kit."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("REDIS_", "JOBS_KIT_"))}
    path = os.pathsep.join(filter(None, [str(MATERIAL), os.environ.get("PYTHONPATH")]))
    return kept | {"PYTHONPATH": path}
