"""How is a class graded? By several judges at once, each taking one submission after another.

    report = Batch("submissions", "out").run()

OUT holds, when a student is done, all that is known of him: a batch that was interrupted goes on
where it was, and a submission that has not changed is not judged again.
"""

import contextlib
import fcntl
import functools
import hashlib
import json
import os
import queue
import tempfile
import threading
import time
from pathlib import Path

from jobs_kit.course.exercise import EXERCISES, ROOT, all_exercises, find_exercise, load
from jobs_kit.grading import limits
from jobs_kit.grading.batch import hand_ins, reports
from jobs_kit.grading.judge import Judge
from jobs_kit.grading.sandbox import containment
from jobs_kit.grading.unjudged import failed_of, points_for, tests_in, unfinished, unjudged
from jobs_kit.grading.verdict import overall

JUDGES_A_CORE = 2  # most of a check is waiting


class Batch:
    """One run over a folder of submissions.

    place, out: folders. exercises: ids, or none for all. jobs (int): how many at once.
    hidden: a folder of more checks, or None. contained (bool): False only where asked for.
    only: names of students, or none for all. since: seconds since 1970; older work is left as it
    was graded. Raises NotContainedError, NotADirectoryError, KeyError.
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
    ):
        if jobs is not None and jobs < 1:
            raise ValueError(f"--jobs {jobs}: one at least")
        self.place, self.out, self.roster = Path(place), Path(out), roster
        self.jobs, self.contained, self.gradescope = (
            jobs or JUDGES_A_CORE * (os.cpu_count() or 1),
            contained,
            gradescope,
        )
        chosen = [find_exercise(name) for name in dict.fromkeys(exercises)]
        chosen = chosen or list(all_exercises().values())
        self.exercises = sorted(chosen, key=lambda one: one.number)
        self.hidden = sorted(Path(hidden).resolve().glob("test_*.py")) if hidden else []
        if hidden and not self.hidden:
            raise FileNotFoundError(f"there are no checks (test_*.py) in {hidden}")
        homes = {file: _home_of(file) for file in self.hidden}
        self.hidden = [file for file in self.hidden if homes[file] in self.exercises]
        self._more = {  # exercise id -> {name: test} of its hidden checks
            one.id: {
                name: test
                for file in self.hidden
                if homes[file] is one
                for name, test in tests_in(file).items()
            }
            for one in self.exercises
        }
        self._only, self._since = set(only), since
        self._laying = threading.Lock()
        if contained:
            containment.require()
        self.students = hand_ins.students(place)
        require_a_place_of_its_own(self.out, self.place)
        if unknown := self._only - set(self.students):
            raise KeyError(f"no submission of {', '.join(sorted(unknown))} in {place}")
        self.ignored_files = hand_ins.ignored_files(place)
        if not self.students:
            raise FileNotFoundError(
                f"there are no submissions in {place}: a student is a folder or a zip file there"
            )
        reports.read_roster(roster, self.students)  # which says now what is wrong with it

    def run(self, told=lambda result, seconds: None):
        """Grade all, write the reports; return the results, a list in the order of the students.

        told(result, seconds) is called as each student is done; seconds is None where the result
        stands from an earlier run.
        """
        (self.out / "results").mkdir(parents=True, exist_ok=True)
        with _alone(self.out), tempfile.TemporaryDirectory(prefix="jobs-kit-grade-") as self._room:
            try:
                return self._run(told)
            except BaseException:
                self._laying.acquire()  # nothing more is laid into the room, which is removed now
                raise

    def _run(self, told):
        waiting, done = queue.Queue(), queue.Queue()
        for name in self.students:
            waiting.put(name)
        threads = [
            threading.Thread(target=self._work, args=(number, waiting, done), daemon=True)
            for number in range(1, min(self.jobs, len(self.students)) + 1)
        ]
        for thread in threads:
            thread.start()
        results = {}
        while len(results) < len(self.students):
            outcome = done.get()
            if isinstance(outcome, BaseException):
                raise outcome
            result, seconds = outcome
            results[result["student"]] = result
            told(result, seconds)
        for thread in threads:
            thread.join()
        ordered = [results[name] for name in self.students]
        reports.write(self, ordered)
        return ordered

    def containment_measures(self):
        """Return what held student code back, in words."""
        if not self.contained:
            return ["nothing but limits of time and memory: this run was asked not to contain it"]
        return containment.containment_measures(containment.student_user(1, os.getpid()))

    def _work(self, number, waiting, done):
        """Be one grader: take a student, grade, take the next."""
        try:
            with Judge(contained=number if self.contained else None) as judge:
                while True:
                    done.put(self._grade(waiting.get_nowait(), judge))
        except queue.Empty:
            pass
        except BaseException as problem:  # said by the thread that waits for us
            done.put(problem)

    def _grade(self, student, judge):
        hand_in = hand_ins.read(student, self.students[student])
        path = self.out / "results" / f"{reports.file_name(student)}.json"
        known, digest = _read(path), self._digest(hand_in)
        skipped = (self._only and student not in self._only) or hand_in.newest < self._since
        # a result of other exercises would stand in the wrong columns
        if known and (known["digest"] == digest or (skipped and self._has_all(known))):
            return known, None
        begun = time.monotonic()
        with self._unpacked(hand_in) as place:
            tests = [one.file for one in self.exercises if one.is_graded]
            try:
                found = judge.check_all(
                    [*tests, *self.hidden], place, limits.SUBMISSION_TIMEOUT_SECONDS
                )
            except RuntimeError:  # it is started anew; once more, then it is this submission
                found = self._again(judge, [*tests, *self.hidden], place)
        seconds = round(time.monotonic() - begun, 2)
        result = self._result(student, hand_in, found, seconds < limits.SUBMISSION_TIMEOUT_SECONDS)
        result["seconds"] = seconds
        result["digest"] = None if failed_of(result) else digest  # what failed is tried again
        _write(path, result)
        return result, result["seconds"]

    def _has_all(self, result):
        return [one["id"] for one in result["exercises"]] == [one.id for one in self.exercises]

    @contextlib.contextmanager
    def _unpacked(self, hand_in):
        """Write a submission into a folder of the room; say which, and remove it afterwards."""
        with self._laying:
            folder = tempfile.TemporaryDirectory(dir=self._room)
            hand_in.write(Path(folder.name))
        with folder as place:
            yield place

    def _again(self, judge, tests, place):
        try:
            return judge.check_all(tests, place, limits.SUBMISSION_TIMEOUT_SECONDS)
        except RuntimeError:
            self._require_judge(judge, tests)
            return []

    def _require_judge(self, judge, tests):
        """Raise OSError where it is not this submission that ends the judge: none comes up here."""
        with tempfile.TemporaryDirectory(dir=self._room) as nothing:
            try:
                judge.check_all(tests[:1], nothing, limits.SUBMISSION_TIMEOUT_SECONDS)
            except RuntimeError:
                raise OSError(
                    "no judge comes up on this computer; what it has said stands above. "
                    "`jobs-kit doctor` tells what is missing; grade again when it is there"
                ) from None

    def _result(self, student, hand_in, found, in_time):
        """found: what the judge has found; in_time: it had time for what it has not found."""
        judged, exercises = {one["id"]: one for one in found}, []
        for exercise in self.exercises:
            if not exercise.is_graded:
                exercises.append(_evidence_result(exercise, hand_in))
            else:
                outcome = "error" if in_time else "timeout"
                one = judged.get(exercise.id) or unfinished(exercise, outcome)
                exercises.append(self._with_hidden(one, outcome))
        return {
            "student": student,
            "exercises": exercises,
            "total": sum(one["points"] for one in exercises),
            "max": sum(one["max_points"] for one in exercises),
            "remarks": hand_in.remarks,
        }

    def _with_hidden(self, one, outcome):
        """Add the hidden checks that were not reached: everybody can have as many points."""
        names = {check["name"].partition("[")[0] for check in one["checks"]}
        for name, test in self._more[one["id"]].items():
            if name not in names:
                claim = (test.__doc__ or name).strip().splitlines()[0].rstrip(".")
                one["checks"].append(unjudged(name, claim, points_for(test), outcome))
                one["max_points"] += points_for(test)
                one["outcome"] = overall(one["checks"])
        return one

    def _digest(self, hand_in):
        """Return what changes when the files, the checks or the choice of them change."""
        made = hashlib.sha256(repr([one.id for one in self.exercises]).encode())
        for key, data in sorted(hand_in.files.items()):
            made.update(repr(key).encode() + hashlib.sha256(data).digest())
        made.update(repr(hand_in.remarks).encode() + _of_the_checks(tuple(self.hidden)))
        return made.hexdigest()


@functools.cache
def _of_the_checks(hidden):
    made = hashlib.sha256()
    judge = sorted((ROOT / "jobs_kit" / "grading").rglob("*.py"))
    for path in [*sorted(EXERCISES.glob("*/test_*.py")), *judge, *hidden]:
        made.update(path.read_bytes())
    return made.digest()


def _evidence_result(exercise, hand_in):
    """Return the result of an exercise that leaves evidence and no files: it gives no points."""
    recorded = hand_ins.has_evidence(hand_in, exercise)
    check = {
        "name": "evidence",
        "claim": "The live shells have recorded what was done in them",
        "outcome": "pass" if recorded else "not attempted",
        "points": 0,
        "max_points": 0,
        "message": "evidence is there" if recorded else "no evidence was handed in",
        "hint": None,
        "evidence": [],
        "notes": [],
        "seconds": 0,
    } | dict.fromkeys(("call", "got", "expected"))
    return {
        "id": exercise.id,
        "title": exercise.title,
        "outcome": check["outcome"],
        "points": 0,
        "max_points": 0,
        "checks": [check],
    }


def _home_of(file):
    """Return the Exercise of a file of hidden checks.

    Raises ValueError where the file would end the judging of everybody.
    """
    if list(EXERCISES.glob(f"*/{file.name}")):
        raise ValueError(f"{file}: the kit has a file of this name; give yours another one")
    try:
        home = find_exercise(load(file).EXERCISE)
        if not home.is_graded:
            raise ValueError(f"{home.id} leaves nothing that could be judged")
        return home
    except (Exception, SystemExit) as problem:  # whatever its first lines do
        raise ValueError(
            f"{file} cannot be used: {type(problem).__name__}: {problem}. Mend it; "
            "nothing was graded"
        ) from None


def require_a_place_of_its_own(out, place):
    """Raise ValueError or NotADirectoryError where grades cannot go to a folder (both Paths)."""
    out, place = out.resolve(), place.resolve()
    if out == place or place in out.parents:
        raise ValueError(
            f"--out {out} is in the folder of the submissions, where the next run would take it "
            "for one; name a folder elsewhere"
        )
    if out.exists() and not out.is_dir():
        raise NotADirectoryError(f"--out {out} is a file; name a folder")


@contextlib.contextmanager
def _alone(out):
    """Hold a folder, so that no other run writes there. Raises BlockingIOError."""
    folder = os.open(out, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise BlockingIOError(
            f"another run grades into {out}; wait for its end, or name another folder with --out"
        ) from None
    finally:
        os.close(folder)


def _read(path):
    """Return a result that an earlier run has written, or None where it is no whole one."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        known = json.loads(path.read_text(encoding="utf-8"))
        if {"student", "total", "max", "remarks", "seconds", "digest"} <= known.keys():
            return known if [one["id"] for one in known["exercises"]] else None


def _write(path, result):
    reports.write_whole(path, json.dumps(result, indent=1, ensure_ascii=False))
