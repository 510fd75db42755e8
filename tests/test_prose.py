"""Everything that students and instructors read is plain English.

Some words are right now and then, so all lessons and exercise pages together have a budget for each.
Others always have a better word, here and in walk-throughs, checks, messages and Markdown files.
"""

import ast
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

BUDGETS = {  # pattern: how often all lessons and exercise pages together may contain it
    r"\b(stands?|stood|standing)\b": 8,
    r"\bof (its|your|their|our|my|his|her) own\b": 8,
    r"\b(somebody|nobody|whoever|anybody)\b": 20,
    r"\b(mend|mends|mended|anew|for ever|become of|became of|matter of)\b": 3,
    r"\b(has|have|was|were) shown\b": 3,
}
NEVER = {  # pattern: what to write instead
    r"\bwhat (comes|came) (back|of it|of this)\b": "the result",
    r"\bit knows nothing of\b": "it knows nothing about",
    r"\bfor ever\b": "forever",
    r"\banew\b": "again",
    r"\b[Nn]ow for real\b": "the real thing",
    r"\bcame about\b": "was made",
    r"\ba text\b(?! (box|editor))": "a string",
    r"\bsimply\b": "nothing",
    r"\bobviously\b": "nothing",
    r"\bcomes? round\b": "comes again",
}


def markdown_of(path):
    """Return the text of a notebook's Markdown cells, without code."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return without_code(text)


def without_code(text):
    """Return Markdown without its code, links and HTML tags."""
    text = re.sub(r"^( *)```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`|\]\([^)]*\)|<[^>]*>", " ", text)


def strings_of(path):
    """Return the strings and docstrings of a Python file: the claims, the hints, the messages."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    strings = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return "\n\n".join(text for text in strings if isinstance(text, str) and " " in text)


def pages():
    """Return {path: text} of the lessons and the exercise pages."""
    folders = ("notebooks", "exercises")
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.ipynb"))
    paths = [path for path in paths if not any(part.startswith(".") for part in path.parts)]
    return {str(path.relative_to(ROOT)): markdown_of(path) for path in paths}


def other_texts():
    """Return {path: text} of what else is read: walk-throughs, checks, messages, Markdown files."""
    texts = {}
    for path in sorted((ROOT / "solutions").rglob("*.ipynb")):
        texts[path] = markdown_of(path)
    for folder in ("exercises", "notebooks/checks", "jobs_kit"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            texts[path] = strings_of(path)
    for path in (*ROOT.glob("*.md"), *(ROOT / "notebooks").glob("*.md")):
        texts[path] = without_code(path.read_text(encoding="utf-8"))
    return {str(path.relative_to(ROOT)): text for path, text in texts.items()}


def hits(pattern, text):
    """Return the matches of a pattern with the words around them."""
    found = re.finditer(pattern, text, re.IGNORECASE)
    return [" ".join(text[max(0, m.start() - 40) : m.end() + 40].split()) for m in found]


@pytest.mark.parametrize("pattern", BUDGETS)
def test_a_pattern_keeps_its_budget(pattern):
    lines = [f"{path}: {hit}" for path, text in pages().items() for hit in hits(pattern, text)]
    assert len(lines) <= BUDGETS[pattern], "\n".join(lines)


@pytest.mark.parametrize("pattern", NEVER)
def test_a_pattern_is_not_used(pattern):
    texts = pages() | other_texts()
    lines = [f"{path}: {hit}" for path, text in texts.items() for hit in hits(pattern, text)]
    assert not lines, f"write {NEVER[pattern]}:\n" + "\n".join(lines)


def test_a_page_is_read_without_its_code():
    text = "The id stands here.\n```python\nstand = 1\n```\n`stand` [stand](stand.md) <b stand>"
    assert without_code(text).split() == ["The", "id", "stands", "here.", "[stand"]
