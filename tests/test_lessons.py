"""Each lesson is made as STRUCTURE says; for each rule a lesson that breaks it is seen to fail."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LESSONS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
EXERCISES = sorted((ROOT / "exercises").glob("*/*.ipynb"))
MINUTES = r"\*\*Minutes:?\*\*:? (\d+)"
FAILURE = "Read it aloud, line by line"  # marks the one real failure that a lesson reads


def cells(lesson, kind):
    """Return the texts of a lesson's cells of one kind, markdown or code."""
    return ["".join(cell["source"]) for cell in lesson["cells"] if cell["cell_type"] == kind]


def prose(lesson):
    """Return the text of a lesson without code."""
    text = "\n\n".join(cells(lesson, "markdown"))
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def opens_with_its_title(lesson, name):
    """The title says the same as the file's name, which begins with a verb."""
    title = cells(lesson, "markdown")[0].splitlines()[0]
    words = " ".join(re.findall(r"[a-z]+", title.replace("`", "").lower()))
    wanted = " ".join(re.findall(r"[a-z]+", name.removesuffix(".ipynb")))
    return title.startswith("# ") and words.startswith(wanted)


def says_what_it_is_about(lesson, name):
    """The first cell: what you'll do, what you'll learn, what you need, minutes."""
    first = cells(lesson, "markdown")[0]
    labels = r"\*\*What you'll do:?\*\*", r"\*\*What you'll learn:?\*\*", r"\*\*What you need:?\*\*"
    return all(re.search(label, first) for label in labels) and bool(re.search(MINUTES, first))


def settles_three_predictions(lesson, name):
    """At least three predictions, each settled in a later cell than the one that asks."""
    code = cells(lesson, "code")
    asked = [
        (number, guess)
        for number, cell in enumerate(code)
        for guess in re.findall(r"(\w+) = predict\(", cell)
    ]
    settled = [any(f"{guess}.settle(" in cell for cell in code[n + 1 :]) for n, guess in asked]
    return len(asked) >= 3 and all(settled)


def reads_a_real_failure(lesson, name):
    """At least one failure, caught by a cell and then read aloud, line by line."""
    texts = ["".join(cell["source"]) for cell in lesson["cells"]]
    marked = [number for number, text in enumerate(texts) if FAILURE in text]
    return bool(marked) and bool(re.search(r"Error|Traceback", texts[marked[0]]))


def recaps_in_five_bullets(lesson, name):
    """## Recap has one to five bullets."""
    recap = re.search(r"^## Recap\n(.*?)(?=^#|\Z)", prose(lesson), re.DOTALL | re.MULTILINE)
    return bool(recap) and 1 <= len(re.findall(r"^[-*] ", recap[1], re.MULTILINE)) <= 5


def asks_questions(lesson, name):
    """## Questions to consider has at least one."""
    return bool(re.search(r"^## Questions to consider\n+1\. .*\?", prose(lesson), re.MULTILINE))


def has_an_exercise(lesson, name):
    """## Exercise is there."""
    return bool(re.search(r"^## Exercise", prose(lesson), re.MULTILINE))


def points_to_what_comes_next(lesson, name):
    """The last cell says what is next, and links it if it is there."""
    last = cells(lesson, "markdown")[-1]
    names = [path.name for path in LESSONS]
    follower = names[names.index(name) + 1 :][:1] if name in names else []
    return last.startswith("**Next:**") and all(f"({path})" in last for path in follower)


def talks_plainly(lesson, name):
    """None of the words that tell a reader in trouble that it is easy."""
    return not re.search(r"\b(simply|just|obviously|probably)\b", prose(lesson), re.IGNORECASE)


def keeps_cells_short(lesson, name):
    """Code cells have ten lines at most."""
    return all(len(cell.splitlines()) <= 10 for cell in cells(lesson, "code"))


RULES = [
    opens_with_its_title,
    says_what_it_is_about,
    settles_three_predictions,
    reads_a_real_failure,
    recaps_in_five_bullets,
    asks_questions,
    has_an_exercise,
    points_to_what_comes_next,
    talks_plainly,
    keeps_cells_short,
]


def test_there_are_lessons():
    assert LESSONS


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_follows_the_rule(path, rule):
    assert rule(json.loads(path.read_text(encoding="utf-8")), path.name), rule.__doc__


GOOD = """# Count the sheep

**What you'll do:** count.

**What you'll learn**
- to count

**What you need:** fingers.

**Minutes:** 5
---
>>> one = predict("1?")
---
>>> two = predict("2?")
---
>>> three = predict("3?")
---
>>> for guess in (one, two, three): print(guess)
---
>>> one.settle(1); two.settle(2)
---
>>> three.settle(3)
---
Read it aloud, line by line: a KeyError.
---
## Recap

- one
- two
- three
- four
- five
---
## Questions to consider

1. Why?
---
## Exercise

Sleep; `just` in code is no word.
---
**Next:** dream.
"""

BROKEN = {
    opens_with_its_title: [("# Count the", "# The"), ("# Count", "Count")],
    says_what_it_is_about: [("**Minutes:** 5", "**Minutes:**"), ("**What you'll learn**", "")],
    settles_three_predictions: [
        ('three = predict("3?")', "three = 3"),
        ("; two.settle(2)", ""),
        ("---\n>>> three.settle(3)\n", ""),
    ],
    reads_a_real_failure: [("Read it aloud", "Look"), ("KeyError", "thing")],
    recaps_in_five_bullets: [("- five", "- five\n- six"), ("## Recap", "## End"), ("- ", "")],
    asks_questions: [("1. Why?", ""), ("## Questions", "## Answers")],
    has_an_exercise: [("## Exercise", "## Break")],
    points_to_what_comes_next: [("**Next:**", "And so")],
    talks_plainly: [("Sleep", "Just sleep"), ("fingers", "obviously fingers")],
    keeps_cells_short: [(">>> one.", ">>> 0\n" + "0\n" * 9 + "one.")],
}


def lesson(text):
    """Return a notebook as a dict; cells end at ---, code begins with >>>."""
    kinds = {True: "code", False: "markdown"}
    return {
        "cells": [
            {"cell_type": kinds[cell.startswith(">>>")], "source": cell.removeprefix(">>> ")}
            for cell in text.strip().split("\n---\n")
        ]
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_each_rule_accepts_a_good_lesson_and_refuses_a_broken_one(rule):
    name = "07_count_the_sheep.ipynb"
    assert rule(lesson(GOOD), name)
    for old, new in BROKEN[rule]:
        assert old in GOOD
        assert not rule(lesson(GOOD.replace(old, new)), name), f"{old!r} became {new!r}"


def test_a_lesson_names_the_one_after_it():
    first, second = LESSONS[:2]
    text = first.read_text(encoding="utf-8")
    assert points_to_what_comes_next(json.loads(text), first.name)
    assert not points_to_what_comes_next(
        json.loads(text.replace(second.name, "elsewhere")), first.name
    )


def hours(pages):
    """Return what the first cells of the pages add up to; a stretch is nobody's duty."""
    minutes = [int(re.search(MINUTES, page)[1]) for page in pages if "a stretch" not in page]
    return sum(minutes) / 60


def test_the_course_takes_as_long_as_its_first_lesson_says():
    firsts = [
        cells(json.loads(path.read_text(encoding="utf-8")), "markdown")[0]
        for path in [*LESSONS, *EXERCISES]
    ]
    stated = re.search(r"whole course takes about (\d+) hours", firsts[0])
    assert stated
    assert 6 <= hours(firsts) <= 8
    assert round(hours(firsts)) == int(stated[1])


def test_a_stretch_does_not_count():
    page = "**Minutes:** {}"
    assert (
        hours([page.format(60), page.format(30), page.format(15) + ". This is a stretch."]) == 1.5
    )
