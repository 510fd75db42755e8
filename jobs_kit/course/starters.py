"""What students get: starters pressed from the solved masters, and files that they need not change.

A master holds regions; the lines between the markers belong to the exercise that they name (in a
folder of a single exercise the name is left out, or tells what the region is about):

    def _save_job(job_key, job_dict):
        ### BEGIN SOLUTION save_and_queue
        rd.hset(job_key, mapping=job_dict)
        ### END SOLUTION

A region that is not solved yet becomes its lines `### | text`, if it has any; else `...` inside a
function, and nothing elsewhere. A region inside another one is pressed before it.
"""

import ast
import json
import random
import re

from jobs_kit.course.exercise import given_in, shuffled_in
from jobs_kit.course.places import KIT, MASTERS

_BEGIN = re.compile(r"(\s*)### BEGIN SOLUTION ?(\w*)\s*$")
_BEFORE = re.compile(r"\s*### \| ?(.*)$")
_END = re.compile(r"\s*### END SOLUTION\s*$")


def press(text, is_solved):
    """Return a master's text as a starter. is_solved(name) tells whether a region stays."""
    lines = _press_lines(iter(text.splitlines()), is_solved)
    pressed = "\n".join(lines).strip("\n") + "\n"
    return re.sub(r"\n{4,}", "\n\n\n", pressed)


def _press_lines(lines, is_solved, indent=None):
    """Return the lines up to the end of this region (or of the text, where indent is None)."""
    pressed = []
    for line in lines:
        if begin := _BEGIN.match(line):
            pressed += _press_region(lines, is_solved, indent=begin[1], name=begin[2])
        elif not _END.match(line):
            pressed.append(line)
        elif indent is None:
            raise ValueError("an END SOLUTION without its BEGIN SOLUTION")
        else:
            return pressed
    if indent is not None:
        raise ValueError("a BEGIN SOLUTION without its END SOLUTION")
    return pressed


def _press_region(lines, is_solved, indent, name):
    """Return a region as lines: solved, or as students find it."""
    inner = _press_lines(lines, is_solved, indent)
    if is_solved(name):
        return [line for line in inner if not _BEFORE.match(line)]
    before = [match[1] for match in map(_BEFORE.match, inner) if match]
    if before or not indent:
        return [(indent + text).rstrip() for text in before]
    return [f"{indent}..."]


def stage(folder, solved):
    """Return {file name: text} of an exercise folder where the exercises in `solved` are done.

    folder: its name. solved: a collection of exercise ids; one that is the folder's own name
    solves every region of it. The given files are not among the result.
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
        if path.name not in given_in(folder)
    }


def press_notebook(text):
    """Return a walk-through's text (JSON) as the exercise's notebook, without outputs.

    Cells with the tag "solution" are left out, and checks no longer demand a pass.
    """
    notebook = json.loads(text)
    notebook["cells"] = [
        _press_cell(cell)
        for cell in notebook["cells"]
        if "solution" not in cell["metadata"].get("tags", [])
    ]
    notebook["metadata"] = {"kernelspec": notebook["metadata"]["kernelspec"]}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _press_cell(cell):
    source = press("".join(cell["source"]), lambda name: False).rstrip("\n")
    source = source.replace(".require_pass()", "")
    cell = cell | {"source": source.splitlines(keepends=True), "metadata": {}}
    if cell["cell_type"] == "code":
        cell |= {"outputs": [], "execution_count": None}
    return cell


def all_starters():
    """Return {path below exercises/: its bytes} of all that students get."""
    folders = sorted(path.name for path in MASTERS.iterdir() if path.is_dir())
    return {
        f"{folder}/{name}": data for folder in folders for name, data in _starters(folder).items()
    }


def _starters(folder):
    notebooks = {
        path.name: press_notebook(path.read_text(encoding="utf-8"))
        for path in sorted((MASTERS / folder).glob("*.ipynb"))
    }
    programs = stage(folder, ()) if any((MASTERS / folder).glob("*.py")) else {}
    texts = notebooks | programs
    return {name: text.encode() for name, text in texts.items()} | given_files(folder)


def given_files(folder):
    """Return {file name: bytes} of the files that an exercise folder holds and students don't change."""
    shuffled = {
        name: shuffled_definitions(exercise).encode()
        for name, exercise in shuffled_in(folder).items()
    }
    return kit_files(folder) | shuffled


def kit_files(folder):
    """Return {file name: bytes} of the kit's own files that are copied into an exercise folder."""
    given = [KIT / name for name in given_in(folder)]
    paths = [
        path for place in given for path in (sorted(place.iterdir()) if place.is_dir() else [place])
    ]
    return {str(path.relative_to(KIT)): path.read_bytes() for path in paths}


def shuffled_definitions(exercise):
    """Return the text of an exercise's Shuffled file: what its solution defines, in no order."""
    shuffled = exercise.shuffled
    pieces = [
        piece.strip("\n")
        for text in stage(exercise.folder, {exercise.id}).values()
        for node, piece in _statements(text)
        if not isinstance(node, ast.Import | ast.ImportFrom) and not _is_docstring(node)
    ]
    random.Random(7).shuffle(pieces)
    names = "|".join(map(re.escape, shuffled.names))
    public = re.sub(rf"\b_({names})\b", r"\1", "\n\n\n".join(pieces))
    return f'"""{shuffled.docstring}"""\n\n{public}\n'


def changed_pieces(before, after):
    """Return the texts of the statements of a module that were not in it before.

    Statements that follow each other stay together, with the comments and lines between them.
    """
    known = {ast.dump(node) for node in ast.parse(before).body}
    pieces, follows_new = [], False
    for node, piece in _statements(after):
        is_new = ast.dump(node) not in known
        if is_new and follows_new:
            pieces[-1] += f"\n{piece}"
        elif is_new:
            pieces.append(piece.strip("\n"))
        follows_new = is_new
    return pieces


def _statements(text):
    """Yield (node, text) of each statement of a module, with the lines between it and the last."""
    lines, end = text.splitlines(), 0
    for node in ast.parse(text).body:
        yield node, "\n".join(lines[end : node.end_lineno])
        end = node.end_lineno


def _is_docstring(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
