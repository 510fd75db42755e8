"""Grade a class with several judges at once, each taking one submission after another.

    results = Batch("submissions", "out").run()

As soon as a student is done, OUT holds the whole result: a batch that was interrupted continues
where it was, and a submission that has not changed is not judged again. An exercise at which the
kit fails is judged again, alone, at the end.
"""

import functools
import hashlib
import os
import time
from pathlib import Path

from jobs_kit.course.exercise import all_exercises, find_exercise
from jobs_kit.course.places import EXERCISES, KIT
from jobs_kit.grading import limits
from jobs_kit.grading.batch import (
    hand_ins,
    out_folder,
    own_solutions,
    reports,
    second_look,
    uncontained,
    uploads,
)
from jobs_kit.grading.batch.capacity import most_judges
from jobs_kit.grading.batch.class_lists import match_roster
from jobs_kit.grading.batch.hidden_checks import HiddenChecks
from jobs_kit.grading.batch.judge_pool import JudgePool
from jobs_kit.grading.batch.missing_packages import missing_packages
from jobs_kit.grading.batch.workspace import Workspace
from jobs_kit.grading.judge import Judge
from jobs_kit.grading.results import (
    CheckResult,
    ExerciseResult,
    SubmissionResult,
    unjudged_exercise,
)
from jobs_kit.grading.sandbox import containment
from jobs_kit.grading.sandbox.packages import can_import, find_packages


class Batch:
    """One run over a folder of submissions.

    place, out: folders. exercises: ids, or none for all. jobs (int): how many judges at once.
    hidden: a folder of more checks, or None. contained (bool): False only where asked for.
    only: names of students who are graded again, even if nothing changed, or none for all. since:
    seconds since 1970; older work keeps its result. roster: a CSV file, or None. gradescope
    (bool): whether to write that format, too. allow: names of packages that answers may import
    besides those installed with the kit. single (bool): whether the folder is one student's work,
    whatever is in it.
    students: {name: Upload}. class_list: the ClassList of the roster. Raises NotContainedError,
    OSError, KeyError, ValueError; run() raises UnfairGradesError.
    """

    def __init__(
        self,
        place,
        out,
        exercises=(),
        jobs=None,
        hidden=None,
        contained=True,
        only=(),
        since=0,
        roster=None,
        gradescope=False,
        allow=(),
        single=False,
    ):
        if jobs is not None and jobs < 1:
            raise ValueError(f"--jobs {jobs}: use 1 or more")
        self.place, self.out = Path(place), Path(out)
        self.contained, self.gradescope = contained, gradescope
        self.jobs = jobs or most_judges()
        self.exercises = _chosen(exercises)
        self._hidden = HiddenChecks(hidden, self.exercises)
        self._only, self._since = set(only), since
        if contained:
            containment.require()
        self.single = single
        self.students = uploads.single_upload(place) if single else uploads.find_uploads(place)
        out_folder.require_separate(self.out, self.place)
        out_folder.require_same_exercises(self.out, self.exercises)
        self._require_students()
        private = [Path(folder).resolve() for folder in (place, out, hidden) if folder]
        self._packages = find_packages(allow, private)
        if not contained:
            uncontained.require_user(private, self._packages)
        self.ignored_files = [] if single else uploads.ignored_files(place)
        self.class_list = match_roster(roster, self.students)

    def _require_students(self):
        if unknown := self._only - set(self.students):
            raise KeyError(f"no submission of {', '.join(sorted(unknown))} in {self.place}")
        if not self.students:
            raise FileNotFoundError(
                f"there are no submissions in {self.place}: each student needs a folder or a "
                "zip file there"
            )

    def containment_measures(self):
        """Return the measures that contained student code, as a list of strings."""
        user = containment.student_user(1, os.getpid())
        return containment.containment_measures(user, self.contained)

    def findings(self, results):
        """Return remarks about SubmissionResults for the instructor, as a list of sentences."""
        return [
            *self.class_list.findings(),
            *_without_answer(results),
            *missing_packages(results),
        ]

    def run(self, on_result=lambda result, why_kept: None):
        """Grade all, write the reports; return the SubmissionResults in the order of the students.

        on_result(result, why_kept) is called as each student is done; why_kept is text where the
        result of an earlier run was kept, or else "".
        """
        # no student code may read the results of others where it is not contained
        self.out.mkdir(0o777 if self.contained else 0o700, parents=True, exist_ok=True)
        (self.out / "results").mkdir(exist_ok=True)
        with out_folder.locked(self.out), Workspace() as self._workspace:
            results = self._grade_all(on_result)
            reports.write(self, results)
            return results

    def _grade_all(self, on_result):
        results, failed = {}, []
        number = min(self.jobs, max(len(self.students), len(self.exercises)))
        with JudgePool(self._judges(number)) as pool:
            own_solutions.require_full_marks(pool, self.exercises, self.contained)
            for result, why_kept in pool.map(self._grade, self.students):
                results[result.student] = result
                if result.failed_exercises and not why_kept:
                    failed.append(result)
                else:
                    on_result(result, why_kept)
        if failed:
            self._grade_again(failed)
        for result in failed:
            on_result(result, "")
        return [results[student] for student in self.students]

    def _judges(self, number):
        return [Judge(one, self.contained, self._packages) for one in range(1, number + 1)]

    def _grade(self, judge, student):
        """Return a student's SubmissionResult, and why an earlier one was kept, or ""."""
        hand_in = hand_ins.read(self.students[student])
        known, digest = out_folder.read_result(self.out, student), self._digest(hand_in)
        if known and (why_kept := self._reason_to_keep(known, hand_in, digest)):
            return known, why_kept
        results, seconds = self._judge(judge, hand_in, self.exercises)
        result = SubmissionResult(student, results, hand_in.remarks, seconds)
        result.digest = None if result.failed_exercises else digest
        out_folder.write_result(self.out, result)
        return result, ""

    def _reason_to_keep(self, known, hand_in, digest):
        """Return why an earlier result stays, as text, or ""."""
        if hand_in.student in self._only:
            return ""
        if self._is_current(known, digest):
            return "as before"
        # a result of other exercises would be in the wrong columns
        if [one.id for one in known.exercises] != [one.id for one in self.exercises]:
            return ""
        if self._only:
            return "as before"
        return "older than --since" if hand_in.newest < self._since else ""

    def _is_current(self, known, digest):
        """Tell whether nothing has changed since an earlier result, and no package was installed."""
        new = [name for name in known.missing_packages if can_import(name, self._packages.folders)]
        return known.digest == digest and not new

    def _grade_again(self, failed):
        """Judge again, with no other judge at work, the results that SubmissionResults lack."""
        with JudgePool(self._judges(1)) as pool:
            for result in failed:
                pool.do(self._judge_again, result)
            second_look.reject_simulated_causes(pool, self.exercises, self._hidden, failed)
        for result in failed:
            out_folder.write_result(self.out, result)

    def _judge_again(self, judge, result):
        hand_in = hand_ins.read(self.students[result.student])
        exercises = [one for one in self.exercises if one.id in result.failed_exercises]
        results, seconds = self._judge(judge, hand_in, exercises)
        judged = {one.id: one for one in results}
        result.exercises = [judged.get(one.id, one) for one in result.exercises]
        result.seconds += seconds
        result.digest = None if result.failed_exercises else self._digest(hand_in)

    def _judge(self, judge, hand_in, exercises):
        """Return the ExerciseResults of a HandIn, and how many seconds judging took."""
        tests = [exercise.file for exercise in exercises if exercise.is_graded]
        tests += self._hidden.files_of(exercises)
        most, begun = limits.SUBMISSION_TIMEOUT_SECONDS, time.monotonic()
        with self._workspace.written(hand_in) as folder:
            try:
                judged = judge.check_all(tests, folder, most)
            except RuntimeError:  # the judge has ended
                judged = []
        seconds = round(time.monotonic() - begun, 2)
        judged = {result.id: result for result in judged}
        unjudged_outcome = "error" if seconds < most else "timeout"
        results = [self._result(one, hand_in, judged, unjudged_outcome) for one in exercises]
        return results, seconds

    def _result(self, exercise, hand_in, judged, unjudged_outcome):
        """Return the ExerciseResult of one exercise. judged: {id: ExerciseResult}."""
        if exercise.is_graded:
            result = judged.get(exercise.id) or unjudged_exercise(exercise, unjudged_outcome)
            self._hidden.add_missing(result, unjudged_outcome)
        else:
            result = _evidence_result(exercise, hand_in)
        result.folder = f"{hand_in.student}/{exercise.folder}"
        return result

    def _digest(self, hand_in):
        """Return what changes when the files, the checks or the choice of exercises change."""
        options = [exercise.id for exercise in self.exercises], self._packages
        digest = hashlib.sha256(repr(options).encode())
        for key, data in sorted(hand_in.files.items()):
            digest.update(repr(key).encode() + hashlib.sha256(data).digest())
        digest.update(repr(hand_in.remarks).encode())
        digest.update(_digest_of_checks(tuple(self._hidden.files)))
        return digest.hexdigest()


def _chosen(names):
    """Return the Exercises of these ids, or all, in the order of the course. Raises KeyError."""
    exercises = [find_exercise(name) for name in dict.fromkeys(names)]
    exercises = exercises or list(all_exercises().values())
    return sorted(exercises, key=lambda exercise: exercise.number)


@functools.cache
def _digest_of_checks(hidden):
    digest = hashlib.sha256()
    engine = sorted((KIT / "grading").rglob("*.py"))
    for path in [*sorted(EXERCISES.glob("*/test_*.py")), *engine, *hidden]:
        digest.update(path.read_bytes())
    return digest.digest()


def _without_answer(results):
    """Return a sentence about the submissions with a remark that explains why nothing was graded."""
    names = [
        result.student
        for result in results
        if result.remarks and all(one.outcome == "not attempted" for one in result.exercises)
    ]
    if len(names) == 1:
        return [f"1 submission contains no answer; the remarks on its page explain why: {names[0]}"]
    reason = f"no answer; the remarks on their pages explain why: {', '.join(names)}"
    return [f"{len(names)} submissions contain {reason}"] if names else []


def _evidence_result(exercise, hand_in):
    """Return the result of an exercise that leaves evidence and no files: it gives no points."""
    recorded = hand_ins.has_evidence(hand_in, exercise)
    check = CheckResult(
        name="evidence",
        claim="The live shells recorded the work",
        outcome="pass" if recorded else "not attempted",
        message="the recording is there" if recorded else "no recording was submitted",
    )
    return ExerciseResult(exercise.id, exercise.title, [check])
