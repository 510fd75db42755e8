"""Each gap of a lesson: its blank is not attempted, its answer passes, its wrong answers do not."""

import json
import re

import pytest

from jobs_kit.course.gap import all_gaps
from jobs_kit.course.lessons import all_lessons
from jobs_kit.course.places import MATERIAL
from jobs_kit.grading.judge import Judge

GAPS = all_gaps()
ANSWER = re.compile(r"<details><summary>Answer</summary>\s+```python\n(.*?)```", re.DOTALL)
each = pytest.mark.parametrize("gap", GAPS.values(), ids=lambda gap: gap.id)


@pytest.fixture(scope="module")
def judge():
    with Judge() as judge:
        yield judge


@pytest.fixture
def verdict_on(judge, tmp_path):
    """verdict_on(gap, cell): the Verdict on the text of a cell."""

    def judged(gap, cell):
        folder = tmp_path / gap.id
        folder.mkdir(exist_ok=True)
        for name, text in {**gap.beside, gap.files[0]: gap.program(cell)}.items():
            (folder / name).write_text(text, encoding="utf-8")
        return judge.check(gap, folder)

    return judged


def cells_of(lesson):
    """Return the texts of a lesson's cells; lesson: the stem of its file name."""
    path = MATERIAL / "notebooks" / f"{lesson}.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells]


def place_of(gap):
    """Return (the cell with the gap, the cell after its check) in the gap's lesson."""
    cells = cells_of(gap.lesson)
    number = cells.index(f'check("{gap.id}")')
    return cells[number - 1], cells[number + 1]


@each
def test_the_lesson_has_the_gap_as_the_check_file_has_it(gap):
    cell, _ = place_of(gap)
    assert cell.rstrip("\n") == gap.blank.rstrip("\n")


@each
def test_the_blank_is_not_attempted(verdict_on, gap):
    verdict = verdict_on(gap, gap.blank)
    assert verdict.outcome == "not attempted", str(verdict)


@each
def test_the_folded_answer_passes(verdict_on, gap):
    answer = ANSWER.search(place_of(gap)[1])
    assert answer, "the cell after the check has a folded answer with its code"
    verdict = verdict_on(gap, answer[1])
    assert verdict.passed, str(verdict)


@each
def test_each_wrong_answer_is_rejected(verdict_on, gap):
    for check, cell in gap.wrong:
        verdict = verdict_on(gap, cell)
        outcomes = {result.name: result.outcome for result in verdict.checks}
        assert outcomes[check] in ("fail", "timeout"), f"{cell}\n{verdict}"


@each
def test_each_check_rejects_something(gap):
    assert set(gap.checks) == {check for check, _ in gap.wrong}


def test_every_check_on_a_lesson_names_a_gap():
    named = {
        name
        for lesson in all_lessons()
        for cell in cells_of(lesson.path.stem)
        for name in re.findall(r'^check\("(\w+)"\)$', cell, re.MULTILINE)
    }
    assert named == set(GAPS)


@pytest.mark.parametrize("lesson", all_lessons(), ids=lambda lesson: lesson.path.stem)
def test_each_lesson_has_two_gaps(lesson):
    gaps = [gap for gap in GAPS.values() if gap.lesson == lesson.path.stem]
    assert len(gaps) >= (1 if lesson.number == "00" else 2)
