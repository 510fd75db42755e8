"""Every lesson follows the rules; for each rule, a lesson that breaks it is seen to fail."""

import json
import re
from dataclasses import replace

import pytest
from made_up_lesson import GOOD, notebook_of

from jobs_kit.course import lessons
from jobs_kit.course.check_files import exercise_points
from jobs_kit.course.exercise import all_exercises
from jobs_kit.course.lessons import MINUTES, TASK, all_lessons
from jobs_kit.course.places import MATERIAL

CODE = "\0"  # marks a code cell in the text of a section


def cells(notebook, kind):
    """Return the texts of a notebook's cells of one kind, markdown or code."""
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


def prose(notebook):
    """Return the text of a notebook without code."""
    text = "\n\n".join(cells(notebook, "markdown"))
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def is_titled_as_its_file(notebook, name):
    """Check that the title says the same as the file's name."""
    title = cells(notebook, "markdown")[0].splitlines()[0]
    words = " ".join(re.findall(r"[a-z]+", title.replace("`", "").lower()))
    expected = " ".join(re.findall(r"[a-z]+", name.removesuffix(".ipynb")))
    return title.startswith("# ") and words.startswith(expected)


def opens_with_task_aims_needs_and_minutes(notebook, name):
    """Check that the first cell has What you'll do, What you'll learn, What you need, Minutes."""
    first = cells(notebook, "markdown")[0]
    labels = r"\*\*What you'll learn:?\*\*", r"\*\*What you need:?\*\*"
    return all(re.search(label, first) for label in (*labels, TASK, MINUTES))


def settles_two_predictions(notebook, name):
    """Check that there are two predictions at least, each settled in a later cell."""
    code = cells(notebook, "code")
    predictions = [
        (number, name)
        for number, cell in enumerate(code)
        for name in re.findall(r"(\w+) = predict\(", cell)
    ]
    settled = [
        any(f"{name}.settle(" in cell for cell in code[number + 1 :])
        for number, name in predictions
    ]
    return len(predictions) >= 2 and all(settled)


def explains_a_wrong_guess(notebook, name):
    """Check that each prediction has why=, the sentence for a reader who guessed wrong."""
    asking = [cell for cell in cells(notebook, "code") if re.search(r"= predict\(", cell)]
    return all("why=" in cell for cell in asking)


def reads_a_real_failure(notebook, name):
    """Check that a failure is read: line by line in lessons 00 to 03, later first by the reader."""
    texts = cells(notebook, "markdown")
    mark = "line by line" if name[:2] <= "03" else "<summary>Reading</summary>"
    return any(
        mark in text and re.search(r"\*\*.*(Error|Timeout|HTTP|Work-horse|Received)", text)
        for text in texts
    )


def recaps_in_five_bullets(notebook, name):
    """Check that ## Recap has one to five bullets."""
    recap = re.search(r"^## Recap\n(.*?)(?=^#|\Z)", prose(notebook), re.DOTALL | re.MULTILINE)
    return bool(recap) and 1 <= len(re.findall(r"^[-*] ", recap[1], re.MULTILINE)) <= 5


def answers_its_questions(notebook, name):
    """Check that ## Questions to consider has questions, each with a folded answer."""
    section = next((c for c in cells(notebook, "markdown") if c.startswith("## Questions to")), "")
    questions = re.findall(r"^\d\. .*\?", section, re.MULTILINE)
    return bool(questions) and len(questions) == section.count("<summary>Answer</summary>")


def lets_the_reader_write(notebook, name):
    """Check that each section with several code cells has something to write or to change."""
    sections = re.split(r"^## ", "\n".join(_marked(notebook["cells"])), flags=re.MULTILINE)[1:]
    silent = [
        section.splitlines()[0]
        for section in sections
        if section.count(CODE) > 1
        and not section.startswith("Exercise")
        and not re.search(r"\*\*Your turn|^check\(|open_shells\(", section, re.MULTILINE)
    ]
    return not silent and sum(section.count("**Your turn") for section in sections) >= 4


def _marked(cells):
    """Yield the texts of cells, those of code cells with a mark in front."""
    for cell in cells:
        yield f"{CODE * (cell['cell_type'] == 'code')}\n{''.join(cell['source'])}"


def states_honest_minutes(notebook, name):
    """Check the minutes: a minute for 150 words and for each code cell, at most 45 in all."""
    words = sum(len("".join(cell["source"]).split()) for cell in notebook["cells"])
    minutes = words / 150 + len(cells(notebook, "code"))
    stated = int(MINUTES.search(cells(notebook, "markdown")[0])[1])
    return minutes <= stated <= minutes + 10 and stated <= 45


def has_an_exercise(notebook, name):
    """Check that there is a section ## Exercise."""
    return bool(re.search(r"^## Exercise", prose(notebook), re.MULTILINE))


def ends_with_what_comes_next(notebook, name):
    """Check that the last cell begins with **Next:** (`make press` writes the link)."""
    return cells(notebook, "markdown")[-1].startswith("**Next:**")


def never_calls_it_easy(notebook, name):
    """Check that no word tells a reader in trouble that it is easy."""
    words = r"\b(simply|obviously|of course it|trivial|easily)\b"
    return not re.search(words, prose(notebook), re.IGNORECASE)


def keeps_cells_short(notebook, name):
    """Check that a code cell has fourteen lines at most, unless it is a whole file."""
    texts = [cell for cell in cells(notebook, "code") if "%%writefile" not in cell]
    return all(len(cell.splitlines()) <= 14 or "write_text(" in cell for cell in texts)


RULES = [
    is_titled_as_its_file,
    opens_with_task_aims_needs_and_minutes,
    settles_two_predictions,
    explains_a_wrong_guess,
    reads_a_real_failure,
    recaps_in_five_bullets,
    answers_its_questions,
    lets_the_reader_write,
    states_honest_minutes,
    has_an_exercise,
    ends_with_what_comes_next,
    never_calls_it_easy,
    keeps_cells_short,
]


def test_there_are_lessons():
    assert all_lessons()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("lesson", all_lessons(), ids=lambda lesson: lesson.path.stem)
def test_a_lesson_follows_the_rule(lesson, rule):
    notebook = json.loads(lesson.path.read_text(encoding="utf-8"))
    assert rule(notebook, lesson.path.name), rule.__doc__


BROKEN = {
    is_titled_as_its_file: [("# Count the", "# The"), ("# Count", "Count")],
    opens_with_task_aims_needs_and_minutes: [
        ("**Minutes:** 10", "**Minutes:**"),
        ("**What you'll learn**", ""),
    ],
    settles_two_predictions: [
        ('two = predict("2?", why="1 + 1")', "two = 2"),
        ("; two.settle(2)", ""),
    ],
    explains_a_wrong_guess: [(', why="1 + 1"', "")],
    reads_a_real_failure: [("<summary>Reading</summary>", ""), ("**KeyError**", "a thing")],
    recaps_in_five_bullets: [("- five", "- five\n- six"), ("## Recap", "## End"), ("- ", "")],
    answers_its_questions: [
        ("1. Why?", ""),
        ("## Questions", "## Answers"),
        ("<details><summary>Answer</summary>Because.</details>", ""),
    ],
    lets_the_reader_write: [
        ("**Your turn.** Count on.", "Count on."),
        ("## Recap", "## More\n---\n>>> 1\n---\n>>> 2\n---\n## Recap"),
    ],
    states_honest_minutes: [
        ("**Minutes:** 10", "**Minutes:** 3"),
        ("Minutes:** 10", "Minutes:** 40"),
    ],
    has_an_exercise: [("## Exercise", "## Break")],
    ends_with_what_comes_next: [("**Next:**", "And so")],
    never_calls_it_easy: [("Sleep", "Simply sleep"), ("fingers", "obviously fingers")],
    keeps_cells_short: [(">>> one.", ">>> 0\n" + "0\n" * 13 + "one.")],
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_each_rule_accepts_a_good_lesson_and_rejects_a_broken_one(rule):
    name = "07_count_the_sheep.ipynb"
    assert rule(notebook_of(GOOD), name)
    for old, new in BROKEN[rule]:
        assert old in GOOD
        assert not rule(notebook_of(GOOD.replace(old, new)), name), f"{old!r} became {new!r}"


def test_the_course_takes_two_days():
    assert 10 <= lessons.course_hours() <= 14


def test_a_stretch_does_not_count_in_the_hours():
    page = "**Minutes:** {}"
    pages = [page.format(60), page.format(30), page.format(15) + ". This is a stretch."]
    assert lessons.hours_of(pages) == 1.5


def test_the_first_lesson_states_number_and_hours():
    text = "# Start\n\nThe whole course takes about 1 hours: no lessons and their exercises."
    expected = (
        "# Start\n\nThe whole course takes about 8 hours: thirteen lessons and their exercises."
    )
    assert lessons.with_length(text, 13, 7.9) == expected
    with pytest.raises(ValueError, match="takes about 8 hours: 40 lessons"):
        lessons.with_length("# Start", 40, 7.9)


def test_a_lesson_without_its_task_is_refused_with_the_line_that_is_missing(tmp_path):
    path = tmp_path / "00_count.ipynb"
    path.write_text(json.dumps({"cells": [{"source": "# Count"}]}))
    with pytest.raises(ValueError, match="What you'll do"):
        lessons.read_lesson(path)


README = "# Kit\n\n| lesson | you can |\n|---|---|\n{}\nThe end.\n"
ROW = "| [00 Start](notebooks/00_start.ipynb) | find your way |\n"


@pytest.fixture
def lesson():
    """Return a Lesson that is in no file."""
    return lessons.Lesson(MATERIAL / "notebooks" / "00_start.ipynb", "Start", "check that all runs")


def test_a_row_of_the_table_keeps_its_words_when_the_lesson_moves(lesson):
    readme = README.format(ROW)
    assert lessons.with_table(readme, [lesson]) == readme
    moved = readme.replace("00", "07")
    assert lessons.with_table(moved, [lesson]) == readme


def test_a_missing_row_is_added_and_a_superfluous_one_removed(lesson):
    end = replace(lesson, path=lesson.path.with_name("01_end.ipynb"), title="End", task="sleep")
    both = README.format(f"{ROW}| [01 End](notebooks/01_end.ipynb) | sleep |\n")
    assert lessons.with_table(README.format(ROW), [lesson, end]) == both
    assert lessons.with_table(both, [lesson]) == README.format(ROW)


def test_a_page_without_the_table_is_refused(lesson):
    with pytest.raises(ValueError, match="table of lessons"):
        lessons.with_table("# Kit\n", [lesson])


def test_the_readme_lists_the_exercises_as_they_are_declared():
    readme = "# Kit\n\n| exercise | task | lesson |\n|---|---|---|\n{}\nThe end.\n"
    exercises, pages = all_exercises().values(), lessons.all_lessons()
    old = "| [gone](exercises/gone/gone.ipynb) | Go | 01 |\n"
    text = lessons.with_exercises(readme.format(old), exercises, pages)
    rows = [row for row in text.splitlines() if "(exercises/" in row]
    assert [row.partition("]")[0] for row in rows] == [f"| [{one.id}" for one in exercises]
    number = next(page.number for page in pages if page.name == list(exercises)[-1].lesson)
    assert rows[-1].endswith(
        f" | {number} | {exercise_points(list(exercises)[-1])} |"
    ) and text == readme.format("\n".join(rows) + "\n")
    with pytest.raises(ValueError, match="needs a table of exercises"):
        lessons.with_exercises("# Kit\n", exercises, pages)


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("**Next:** [Start](00_start.ipynb), at last.\n\nBye.", None),
        (
            "**Next:** [Begin](00_start.ipynb), at last.\n\nBye.",
            "**Next:** [Start](00_start.ipynb), at last.\n\nBye.",
        ),
        (
            "**Next:** [Start](07_start.ipynb), at last.\n\nBye.",
            "**Next:** [Start](00_start.ipynb), at last.\n\nBye.",
        ),
        (
            "**Next:** [End](01_end.ipynb), at last.\n\nBye.",
            "**Next:** [Start](00_start.ipynb): check that all runs.\n\nBye.",
        ),
        (
            "**Next:** your own.",
            "**Next:** [Start](00_start.ipynb): check that all runs.\n\n**Next:** your own.",
        ),
    ],
    ids=["right", "another title", "another number", "another lesson", "no link"],
)
def test_the_last_cell_links_the_next_lesson(lesson, last, expected):
    assert lessons.with_next(last, lesson) == (expected or last)
