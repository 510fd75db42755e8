"""Read a student's file as text and as a syntax tree; nothing is run."""

import ast
import codecs
import contextlib
import tokenize
import warnings

from jobs_kit.grading.expectations import CheckError
from jobs_kit.grading.limits import SOURCE_FILE_BYTES, SYNTAX_TREE_DEPTH
from jobs_kit.grading.source.syntax_hints import hint_for_syntax


def read_text(path, name):
    """Return the text of a file. Raises CheckError when it is missing or cannot be read."""
    if not path.is_file():
        raise CheckError(
            f"there is a file {name} in the folder of this exercise",
            got=f"there is no file {name}",
            hint="What is the name of the file that you saved, and in which folder is it?",
        )
    if path.stat().st_size > SOURCE_FILE_BYTES:
        raise CheckError(
            f"{name} is a short program",
            got=f"{name} has more than {SOURCE_FILE_BYTES} bytes, which is too large",
            hint="Does your program contain data that it could compute, or read from Redis?",
        )
    try:
        return _decode(path)
    except UnicodeDecodeError as problem:
        raise CheckError(
            f"{name} is saved as UTF-8, as JupyterLab does it",
            got=f"byte {problem.start} is {problem.object[problem.start]:#x}, which is not UTF-8: "
            f"{name} has another encoding, or contains no text at all",
            hint="Which program saved this file? Open it in JupyterLab: if you can read it there, "
            "save it again.",
        ) from None
    except OSError as problem:
        raise CheckError(f"{name} can be read", got=str(problem)) from None


def _decode(path):
    text = path.read_text(encoding=_encoding_of(path))
    if "\0" in text:  # UTF-16 without its mark is UTF-8, too: each other byte is 0
        where = text.index("\0")
        raise UnicodeDecodeError("utf-8", text.encode(), where, where + 1, "a zero")
    return text


def _encoding_of(path):
    """Return the encoding of a Python file: UTF-8, or one of a few that its first lines name."""
    with contextlib.suppress(SyntaxError), path.open("rb") as file:
        encoding = codecs.lookup(tokenize.detect_encoding(file.readline)[0]).name
        if encoding.startswith(("iso8859", "cp125")):  # other encodings have surprises
            return encoding
    return "utf-8-sig"


def parse(text, name):
    """Return the syntax tree of a file's text. Raises CheckError where Python cannot read it."""
    try:
        with warnings.catch_warnings(action="ignore"):
            compile(text, name, "exec", dont_inherit=True)  # finds more than ast.parse()
            tree = ast.parse(text, name)
        if _is_deep(tree):
            raise ValueError("its brackets or blocks are nested too deeply")
        return tree
    except SyntaxError as problem:
        raise _syntax_fault(problem, text, name) from None
    except (ValueError, RecursionError, MemoryError) as problem:
        raise CheckError(
            f"Python can read {name}", call=f"python {name}", got=str(problem)
        ) from None


def _syntax_fault(problem, text, name):
    """Return the CheckError for a SyntaxError in a file."""
    lines = [*text.splitlines(), ""]
    number = min(problem.lineno or len(lines), len(lines))
    line = lines[number - 1]
    got = [
        f"{type(problem).__name__}: {problem.msg}",
        f"{name}, line {number}:",
        f"  {line.strip()}",
    ]
    indent = len(line) - len(line.lstrip())
    if problem.offset and problem.offset > indent:
        got.append(" " * (problem.offset - indent + 1) + "^")
    return CheckError(
        f"Python can read {name}",
        call=f"python {name}",
        got="\n".join(got),
        hint=hint_for_syntax(problem.msg, line),
    )


def _is_deep(tree):
    """Tell whether a tree is deeper than what can be walked; no person writes such a line."""
    level, depth = [tree], 0
    while level and depth <= SYNTAX_TREE_DEPTH:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        depth += 1
    return bool(level)
