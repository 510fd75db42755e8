"""Judge the kit's own solutions, as if a student had submitted them.

They get full marks wherever grading is fair: where the system, the environment or the kit keeps
right answers from passing, it keeps these from it, too.
"""

import tempfile
from pathlib import Path

from jobs_kit.course import starters
from jobs_kit.course.exercise import all_exercises, shuffled_in
from jobs_kit.grading import cgroups
from jobs_kit.grading.batch.capacity import most_judges
from jobs_kit.grading.batch.environment import KnownPasses, unreadable_path
from jobs_kit.grading.batch.judge_pool import JudgePool
from jobs_kit.grading.judge import Judge
from jobs_kit.grading.results import unjudged_exercise
from jobs_kit.grading.sandbox import containment
from jobs_kit.grading.verdict import details


class UnfairGradesError(OSError):
    """Right answers would lose points here; the message gives the reason and a remedy."""


def examine():
    """Return the ExerciseResults of all solutions, judged contained.

    Raises NotContainedError, UnfairGradesError.
    """
    containment.require()
    with JudgePool([Judge(number, True) for number in range(1, most_judges() + 1)]) as pool:
        return require_full_marks(pool, all_exercises().values(), contained=True, again=True)


def require_full_marks(pool, exercises, contained, again=False):
    """Raise UnfairGradesError unless the solutions of these Exercises get full marks.

    Returns the ExerciseResults of those that were judged now: those that got full marks before are
    not, unless something has changed since, or again (bool). pool: a JudgePool. contained (bool):
    whether its judges are.
    """
    known, shortages = KnownPasses(contained), cgroups.shortages()
    results = judge(pool, [one for one in exercises if again or one.id not in known.ids])
    results = [one if has_full_marks(one) else _judge_again(pool, one) for one in results]
    if not all(map(has_full_marks, results)):
        known.forget()
        raise UnfairGradesError(_explanation(results, contained, shortages))
    known.add(result.id for result in results)
    return results


def judge(pool, exercises, hidden=None):
    """Return the ExerciseResults of the kit's solutions, without those that cannot be submitted.

    hidden: HiddenChecks to run, too, or None.
    """
    exercises = [exercise for exercise in exercises if exercise.is_graded]
    with tempfile.TemporaryDirectory(prefix="jobs-kit-solutions-") as place:
        for folder in {exercise.folder for exercise in exercises}:
            _write(folder, Path(place, folder))

        def judge_one(judge, exercise):
            tests = [*exercise.tests, *(hidden.files_of([exercise]) if hidden else ())]
            try:
                [result] = judge.check_all(tests, place)
            except (RuntimeError, ValueError):  # the judge has ended, or has no result
                result = unjudged_exercise(exercise, "error")
            return result

        # the last ones take longest
        results = list(pool.map(judge_one, exercises[::-1]))
    return sorted(results, key=lambda result: all_exercises()[result.id].number)


def _judge_again(pool, result):
    """Return the ExerciseResult of one solution, judged while no other judge is at work."""
    [result] = judge(pool, [all_exercises()[result.id]])
    return result


def has_full_marks(result):
    """Tell whether an ExerciseResult has all points."""
    return result.outcome == "pass"


def _write(folder, target):
    """Write the solution of all exercises of a folder."""
    texts = starters.stage(folder, set(all_exercises()))
    shuffled = shuffled_in(folder).items()
    texts |= {name: starters.shuffled_definitions(exercise) for name, exercise in shuffled}
    target.mkdir()
    for name, text in texts.items():
        (target / name).write_text(text, encoding="utf-8")


def _explanation(results, contained, shortages):
    if shortages != cgroups.shortages():
        return (
            "grades would be unfair here, so none are given: the system ran out of memory, or of "
            "processes, with the kit's own solutions. Give it more, or grade with --jobs 1"
        )
    if all(check.outcome == "error" for result in results for check in result.checks):
        return (
            "no judge starts on this computer; its output is above. Run `jobs-kit doctor` to see "
            "what is missing, then grade again"
        )
    points, most = (sum(getattr(one, name) for one in results) for name in ("points", "max_points"))
    short = next(result for result in results if not has_full_marks(result))
    check = next(check for check in short.checks if check.outcome != "pass")
    reason = "; ".join(" ".join(text.split()) for _, text in details(check)[:3])
    help_text = "Run `jobs-kit doctor` to see what is missing"
    if path := contained and unreadable_path():
        help_text = (
            f"Student code runs as a user who may not read {path} (installed under umask 077?): "
            f"run `chmod -R go+rX {path}`"
        )
    return (
        f"grades would be unfair here, so none are given: the kit's own solutions get {points:g} of "
        f"{most:g} points. First, {short.id}: {check.claim} ({check.outcome}): {reason}. "
        f"{help_text}, then try `jobs-kit doctor --grading`"
    )
