"""The lessons as they describe themselves, and what other pages say about them.

A lesson is its notebook and nothing else: its first cell holds title, task and minutes. From these
follow the table of lessons in README.md, the length of the course in the first lesson, and the link
with which each lesson ends. README.md's table of exercises follows from their declarations and checks.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from jobs_kit.course.check_files import exercise_points
from jobs_kit.course.exercise import all_exercises
from jobs_kit.course.places import MATERIAL

TITLE = re.compile(r"# (.+)")
TASK = re.compile(r"^\*\*What you'll do:?\*\*:? (.+?)\.?$", re.MULTILINE)
MINUTES = re.compile(r"\*\*Minutes:?\*\*:? (\d+)")
STRETCH = "a stretch"  # marks a page that is not counted in the length of the course

ROWS = re.compile(r"^(\| \[[^\n]*\]\(notebooks/[^\n]*\n)+", re.MULTILINE)
ROW = re.compile(r"^\| \[[^\n]*\]\(notebooks/\d\d_(.*)\.ipynb\) \| (.*) \|$", re.MULTILINE)
EXERCISE_ROWS = re.compile(r"^(\| \[[^\n]*\]\(exercises/[^\n]*\n)+", re.MULTILINE)
LENGTH = re.compile(r"The whole course takes about \d+ hours: [\w-]+ lessons")
NEXT = re.compile(r"\*\*Next:\*\* \[[^\]]+\]\(\d\d_(?P<name>[^)/]+)\.ipynb\)(?P<words>[^\n]*)")
NUMBERS = {12: "twelve", 13: "thirteen", 14: "fourteen", 15: "fifteen", 16: "sixteen"}


@dataclass(frozen=True)
class Lesson:
    """One lesson. path: its notebook. title, task: what its first cell states."""

    path: Path
    title: str
    task: str

    @property
    def number(self):
        """The number in the notebook's name, such as "07"."""
        return self.path.name[:2]

    @property
    def name(self):
        """The notebook's name without the number, such as "build_the_jobs_service"."""
        return self.path.stem[3:]


def all_lessons(root=MATERIAL):
    """Return the Lessons of a copy of the kit, in the order of the course."""
    return [read_lesson(path) for path in sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))]


def read_lesson(path):
    """Return the Lesson in a notebook. Raises ValueError where its first cell lacks a part."""
    first = first_cell(path)
    title, task = TITLE.match(first), TASK.search(first)
    if not (title and task):
        raise ValueError(
            f"{path}: the first cell needs a title (# …) and a line **What you'll do:** …"
        )
    return Lesson(path, title[1], task[1])


def first_cell(path):
    """Return the text of a notebook's first cell."""
    return _read(path)["cells"][0]["source"]


def course_hours(root=MATERIAL):
    """Return the hours (float) that all lessons and exercises take, those of a stretch left out."""
    pages = [lesson.path for lesson in all_lessons(root)]
    pages += sorted((root / "solutions").glob("*/*.ipynb"))
    return hours_of([first_cell(path) for path in pages])


def hours_of(pages):
    """Return the hours (float) that pages take, each given as the text of its first cell."""
    return sum(int(MINUTES.search(page)[1]) for page in pages if STRETCH not in page) / 60


def refreshed_pages(root=MATERIAL):
    """Return {path: text} of README.md and of the lessons that the list of lessons changes.

    Only rows and links that are missing or wrong are written, and the length of the course.
    """
    lessons, readme = all_lessons(root), root / "README.md"
    text = with_table(readme.read_text(encoding="utf-8"), lessons)
    pages = {readme: with_exercises(text, all_exercises().values(), lessons)}
    for lesson, follower in zip(lessons, [*lessons[1:], None], strict=True):
        notebook = _read(lesson.path)
        first, last = notebook["cells"][0], notebook["cells"][-1]
        if lesson is lessons[0]:
            first["source"] = with_length(first["source"], len(lessons), course_hours(root))
        if follower:
            last["source"] = with_next(last["source"], follower)
        if notebook != _read(lesson.path):
            pages[lesson.path] = _text_of(notebook)
    return pages


def with_table(readme, lessons):
    """Return README.md's text with a row for each lesson. Raises ValueError without a table.

    A lesson that has a row keeps its words, also when its number has changed; a new one gets its
    task.
    """
    table = ROWS.search(readme)
    if not table:
        raise ValueError(
            "README.md needs a table of lessons, with rows | [07 …](notebooks/…) | … |"
        )
    words = dict(ROW.findall(table[0]))
    rows = [
        f"| [{lesson.number} {lesson.title}](notebooks/{lesson.path.name}) "
        f"| {words.get(lesson.name, lesson.task)} |\n"
        for lesson in lessons
    ]
    return readme[: table.start()] + "".join(rows) + readme[table.end() :]


def with_exercises(readme, exercises, lessons):
    """Return README.md's text with a row for each Exercise. Raises ValueError without a table."""
    numbers = {lesson.name: lesson.number for lesson in lessons}
    rows = [
        f"| [{one.id}](exercises/{one.folder}/{one.id}.ipynb) | {one.title} | {numbers[one.lesson]} "
        f"| {exercise_points(one) if one.is_graded else '–'} |\n"
        for one in exercises
    ]
    text, found = EXERCISE_ROWS.subn(lambda match: "".join(rows), readme)
    if not found:
        raise ValueError(
            "README.md needs a table of exercises, with rows | [add_job](exercises/…) |"
        )
    return text


def with_length(first, count, hours):
    """Return the first lesson's first cell with the number of lessons and hours of the course."""
    number = NUMBERS.get(count, count)
    sentence = f"The whole course takes about {round(hours)} hours: {number} lessons"
    text, found = LENGTH.subn(sentence, first)
    if not found:
        raise ValueError(f"the first cell of the first lesson needs the sentence: {sentence} …")
    return text


def with_next(last, follower):
    """Return a lesson's last cell with the link to its follower at the beginning.

    The words after a link to the follower stay, also when its number has changed. A link to
    another lesson is replaced together with its paragraph, which speaks of that lesson.
    """
    link = NEXT.match(last)
    is_right = link and link["name"] == follower.name
    words = link["words"] if is_right else f": {follower.task}."
    paragraph = f"**Next:** [{follower.title}]({follower.path.name}){words}"
    return paragraph + (last[link.end() :] if link else f"\n\n{last}")


def _read(path):
    """Return a notebook as a dict, the source of each cell as one string."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return notebook


def _text_of(notebook):
    """Return a notebook as the text of its file."""
    cells = [
        cell | {"source": cell["source"].splitlines(keepends=True)} for cell in notebook["cells"]
    ]
    return json.dumps(notebook | {"cells": cells}, indent=1, ensure_ascii=False) + "\n"
