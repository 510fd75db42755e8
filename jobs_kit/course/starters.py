"""How does a solved master become what students get?

A master holds regions; what stands between the markers belongs to the exercise that they name (in
a folder of a single exercise the name is left out, or says what the region is about):

    def _save_job(job_key, job_dict):
        ### BEGIN SOLUTION save_and_queue
        rd.hset(job_key, mapping=job_dict)
        ### END SOLUTION

A region that is not solved yet becomes its lines `### | text`, if it has any; else `...` inside a
function, and nothing elsewhere. Regions may stand in regions: then the outer one comes first.

`make press` writes every starter into exercises/.
"""

import ast
import json
import random
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
MASTERS = ROOT / "solutions"
PRIVATE = ("generate_jid", "generate_job_key", "instantiate_job", "save_job", "queue_job")
GIVEN = ("analysis.py", "data")  # of the kit's own, laid beside the service as they are

_BEGIN = re.compile(r"(\s*)### BEGIN SOLUTION ?(\w*)\s*$")
_BEFORE = re.compile(r"\s*### \| ?(.*)$")
_END = re.compile(r"\s*### END SOLUTION\s*$")


def press(text, is_solved):
    """Return a master's text as a starter. is_solved(name) tells whether a region stays."""
    lines = _press(iter(text.splitlines()), is_solved, None)
    pressed = "\n".join(lines).strip("\n") + "\n"
    return re.sub(r"\n{4,}", "\n\n\n", pressed)


def _press(lines, is_solved, indent):
    """Return the lines up to the end of this region (or of the text, where indent is None)."""
    kept = []
    for line in lines:
        if begin := _BEGIN.match(line):
            inner, before = [], []
            inner = _press(lines, is_solved, begin[1])
            before = [line for kind, line in _split(inner) if kind == "before"]
            solved = [line for kind, line in _split(inner) if kind == "solved"]
            if is_solved(begin[2]):
                kept += solved
            elif before:
                kept += [(begin[1] + text).rstrip() for text in before]
            elif begin[1]:
                kept.append(f"{begin[1]}...")
        elif _END.match(line):
            if indent is None:
                raise ValueError("an END SOLUTION without its BEGIN SOLUTION")
            return kept
        else:
            kept.append(line)
    if indent is not None:
        raise ValueError("a BEGIN SOLUTION without its END SOLUTION")
    return kept


def _split(lines):
    for line in lines:
        before = _BEFORE.match(line)
        yield ("before", before[1]) if before else ("solved", line)


def stage(folder, solved):
    """Return {file name: text} of an exercise folder where the exercises in `solved` are done.

    folder: a name such as "jobs_service". solved: a collection of exercise ids; one that is the
    folder's own name solves every region of it. What is given (analysis.py and its data) is not
    among the files.
    """
    return press_folder(folder, lambda name: name in solved or folder in solved)


def press_folder(folder, is_solved):
    """Return {file name: text} of an exercise folder. is_solved(region): see press()."""
    masters = sorted((MASTERS / folder).glob("*.py"))
    if not masters:
        raise FileNotFoundError(f"there are no masters in {MASTERS / folder}")
    return {
        path.name: press(path.read_text(encoding="utf-8"), is_solved)
        for path in masters
        if path.name not in GIVEN
    }


def definitions():
    """Return the text of definitions.py: the thirteen, shuffled, without underscores."""
    found = []
    for text in stage("jobs_service", {"modules"}).values():
        lines, done = text.splitlines(), 0
        for node in ast.parse(text).body:
            piece = "\n".join(lines[done : node.end_lineno]).strip("\n")
            done = node.end_lineno
            if not isinstance(node, ast.Import | ast.ImportFrom) and not _is_docstring(node):
                found.append(re.sub(rf"\b_({'|'.join(PRIVATE)})\b", r"\1", piece))
    random.Random(7).shuffle(found)
    return (
        '"""The thirteen definitions of a Jobs service, in no order."""\n\n'
        + "\n\n\n".join(found)
        + "\n"
    )


def changed_pieces(before, after):
    """Return the texts of the statements of a module that were not in it before.

    Statements that follow each other stay together, with the comments and lines between them.
    """
    known = {ast.dump(node) for node in ast.parse(before).body}
    lines, pieces, done, together = after.splitlines(), [], 0, False
    for node in ast.parse(after).body:
        piece, done = "\n".join(lines[done : node.end_lineno]), node.end_lineno
        is_new = ast.dump(node) not in known
        if is_new and together:
            pieces[-1] += f"\n{piece}"
        elif is_new:
            pieces.append(piece.strip("\n"))
        together = is_new
    return pieces


def _is_docstring(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def press_notebook(text):
    """Return a walk-through's text (JSON) as the exercise's notebook, without outputs.

    Cells with the tag "solution" are left out, and checks no longer demand a pass.
    """
    notebook = json.loads(text)
    cells = []
    for cell in notebook["cells"]:
        tags = cell["metadata"].get("tags", [])
        if "solution" in tags:
            continue
        source = press("".join(cell["source"]), lambda name: False).rstrip("\n")
        source = source.replace(".require_pass()", "")
        cell = cell | {"source": source.splitlines(keepends=True)}
        cell["metadata"] = {}
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
        cells.append(cell)
    metadata = {"kernelspec": notebook["metadata"]["kernelspec"]}
    notebook |= {"cells": cells, "metadata": metadata}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def starters():
    """Return {path below exercises/: its bytes} of all that students get."""
    made = {}
    for folder in sorted(path.name for path in MASTERS.iterdir() if path.is_dir()):
        for path in sorted((MASTERS / folder).glob("*.ipynb")):
            made[f"{folder}/{path.name}"] = press_notebook(
                path.read_text(encoding="utf-8")
            ).encode()
        if any((MASTERS / folder).glob("*.py")):
            for name, text in stage(folder, ()).items():
                made[f"{folder}/{name}"] = text.encode()
        made |= {f"{folder}/{name}": data for name, data in beside(folder).items()}
    return made


def beside(folder):
    """Return {file name: bytes} of what an exercise folder holds that nobody has to change."""
    if folder != "jobs_service":
        return {}
    return given() | {"definitions.py": definitions().encode()}


def given():
    """Return {file name: bytes} of what is laid beside the service as it is."""
    kit = ROOT / "jobs_kit"
    paths = [kit / "analysis.py", *sorted((kit / "data").iterdir())]
    return {str(path.relative_to(kit)): path.read_bytes() for path in paths}


def write():
    """Write the starters; return what was written, a list of paths.

    Raises FileExistsError where something would be lost that git does not know.
    """
    made = {ROOT / "exercises" / name: data for name, data in starters().items()}
    made |= {MASTERS / "jobs_service" / name: data for name, data in given().items()}
    stale = [p for p, data in made.items() if not p.exists() or p.read_bytes() != data]
    modified = _modified()
    if at_risk := [path for path in stale if path in modified]:
        names = "\n".join(f"  {path.relative_to(ROOT)}" for path in at_risk)
        raise FileExistsError(
            f"git calls these modified; commit or `git checkout` them first:\n{names}"
        )
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made[path])
    return stale


def _modified():
    """Return the files in which something would be lost: changed or new, and not committed."""
    if not shutil.which("git"):
        return set()
    command = ["git", "-C", str(ROOT), "status", "--porcelain", "-z", "--untracked-files=all"]
    listed = subprocess.run(command, capture_output=True, text=True).stdout
    return {ROOT / line[3:] for line in listed.split("\0") if line}
