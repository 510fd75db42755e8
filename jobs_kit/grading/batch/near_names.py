"""Recognize names that are nearly right: Echo.py, "echo - Copy (2).py", echo.py.txt, flask_api.py."""

import re
import unicodedata
from difflib import SequenceMatcher

CODE = re.compile(
    r"(?P<stem>.+?)[._](?P<type>py|ipynb)(?:[.](?:txt|json|py|ipynb))*\s*", re.IGNORECASE
)
WORD = re.compile(r"[^\W\d_]+|\d+")
HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
COPY, OF = re.compile("[ck][oó]p(?:y|i[ae])"), {"of", "von", "de", "di"}  # in some languages
NO_ANSWER = {"test", "tests", "old", "backup", "bak", "starter", "template", "original"}
LONGEST_NAME = 255  # of a file; a zip file may hold longer ones, made to take time
SAME, CONTAINED = 2, 1  # how much a name is like another
SIMILAR = 0.85  # of "job" and "jobs"


def code_type(name):
    """Return "py" or "ipynb" for a file of this kind, whatever a download appended, else None."""
    match = CODE.fullmatch(name) if "." in name and len(name) <= LONGEST_NAME else None
    return match["type"].lower() if match else None


def stem_of(name):
    """Return a file's name without its suffixes."""
    match = CODE.fullmatch(name) if len(name) <= LONGEST_NAME else None
    return match["stem"] if match else name.partition(".")[0]


def words_of(stem):
    """Return (words, number) of a name: its words without those of a copy, and the copy's number."""
    words = WORD.findall(
        HUMP.sub(" ", unicodedata.normalize("NFKC", stem[:LONGEST_NAME])).casefold()
    )
    numbers = [int(word[:9]) for word in words if word.isdecimal()]
    words = [word for word in words if not word.isdecimal()]
    if any(map(COPY.fullmatch, words)):
        words = [word for word in words if not (COPY.fullmatch(word) or word in OF)]
    return tuple(words), numbers[-1] if numbers else 0


def likest(stem, names):
    """Return (one of these names, how much this stem is like it), or (None, 0) if several are."""
    words, _ = words_of(stem)
    likeness = {name: _likeness(words, words_of(name)[0]) for name in names}
    best = max(likeness.values(), default=(0, 0))
    likest = [name for name in likeness if likeness[name] == best]
    return (likest[0], best[0]) if best[0] and len(likest) == 1 else (None, 0)


def _likeness(words, target):
    """Return (SAME, CONTAINED or 0, words of the target)."""
    joined, wanted = "".join(words), "".join(target)
    if joined and joined == wanted:
        return SAME, len(target)
    spans = (words[start : start + len(target)] for start in range(len(words)))
    if NO_ANSWER & set(words):
        return 0, 0
    if target in spans or wanted in words or _is_misspelled(joined, wanted):
        return CONTAINED, len(target)
    return 0, 0


def _is_misspelled(word, wanted):
    """Tell whether a word is another with a letter more, fewer or exchanged: job, workers."""
    if abs(len(word) - len(wanted)) > 1:
        return False
    return SequenceMatcher(None, word, wanted, autojunk=False).ratio() >= SIMILAR
