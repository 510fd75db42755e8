"""Find the folder of a student's answer.

    exercises/jobs_service/jobs.py     the kit's own folders
    backup/jobs_service/jobs.py        a folder with the name of an exercise, or one that holds it
    my_bugs/find_the_bugs.ipynb        a folder with another name, known by its pages
    my_service/jobs.py                 or else by its files

A command that acts on the wrong folder reports a pass that means nothing, or overwrites files. So a
folder that is named for another exercise, or has its page, is never taken.
"""

from pathlib import Path

from jobs_kit.course.exercise import all_exercises, exercises_in, folder_of_file
from jobs_kit.course.places import EXERCISES, course_around, course_folder
from jobs_kit.redis_server.text import text

# these folders of a course contain files with the same names, but no answers
NO_ANSWERS = ("jobs_kit", "notebooks", "tests")


def answer_folder(exercise, place=None):
    """Return the folder (Path) of the answer to an Exercise or a Gap.

    place: a folder that was named: it is the answer's, or holds it. Without one it is the current
    folder if that belongs to the exercise, and else in exercises/ of the course folder. Raises
    CourseNotFoundError.
    """
    if place:
        place = Path(place).absolute()
        return _folder_in(place, exercise, _files(exercise)) or place / exercise.folder
    here = Path.cwd()
    if not _is_in(here, NO_ANSWERS):
        # two folders may have a file of this name: it belongs to the first in the course
        files = [n for n in _files(exercise) if folder_of_file(n) == exercise.folder]
        if found := _folder_in(here, exercise, files):
            return found
        if _named_for(here) and (here.parent / exercise.folder).is_dir():
            return here.parent / exercise.folder
    return course_folder() / EXERCISES.name / exercise.folder


def require_folder(exercise, place):
    """Raise ValueError if a folder that was named is the one of other exercises."""
    place = Path(place).absolute()
    others = _named_for(place)
    if others and not _folder_in(place, exercise, ()):
        ids = ", ".join(other.id for other in others)
        raise ValueError(f"{place} is the folder of {ids}, and not of {exercise.id}")


def exercises_for(place):
    """Return the Exercises whose answers can be in a named folder; all for None."""
    exercises = list(all_exercises().values())
    return (place and _named_for(Path(place).absolute())) or exercises


def short_path(path):
    """Return a path as printable text.

    Inside a course folder, and seen from there, it is relative to that folder.
    """
    course = course_around(Path.cwd())
    if course and Path(path).is_relative_to(course):
        path = Path(path).relative_to(course)
    return text(path)


def _is_in(place, names):
    """Tell whether a folder is in one of the folders with these names of its course."""
    course = course_around(place)
    return course is not None and place.relative_to(course).parts[:1] in [(n,) for n in names]


def _folder_in(place, exercise, files):
    """Return the folder of an answer: a place itself, or one in it; None if it is not there.

    files: the names of those by which a folder without a name or a page is known.
    """
    ids = {one.id for one in _named_for(place)}
    is_named = exercise.id in ids or exercise.folder in _names(place)
    has_files = any((place / name).is_file() for name in files)
    if is_named and has_files:
        return place
    inner = [place / exercise.folder, place / EXERCISES.name / exercise.folder]
    if found := next(filter(Path.is_dir, inner), None):
        return found
    return place if is_named or (has_files and not _named_for(place)) else None


def _named_for(place):
    """Return the Exercises whose folder or id is the name of a folder, or else whose pages are in it."""
    exercises, names = all_exercises().values(), _names(place)
    pages = {one.folder for one in exercises if (place / f"{one.id}.ipynb").is_file()}
    by_name = [one for one in exercises if names & {one.folder, one.id}]
    return by_name or [one for one in exercises if one.folder in pages]


def _names(place):
    """Return the name of a folder, and of the one that it links to."""
    return {place.name, place.resolve().name}


def _files(exercise):
    """Return the names of the files by which the folder of an exercise can be known."""
    names = [name for one in exercises_in(exercise.folder) for name in one.files]
    return dict.fromkeys([*exercise.files, *names])
