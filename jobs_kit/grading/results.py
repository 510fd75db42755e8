"""Hold the results of grading: of one check, one exercise, one student's submission.

The judge process sends these as JSON, and `jobs-kit grade` stores them as results/<student>.json.
"""

from dataclasses import asdict, dataclass, field

from jobs_kit.course.check_files import exercise_points
from jobs_kit.grading.limits import SUBMISSION_TIMEOUT_SECONDS

UNJUDGED = {  # outcome: the message of a check that was not run, and its hint
    "timeout": (
        f"the time for one submission ({SUBMISSION_TIMEOUT_SECONDS} s) was over before "
        "this exercise",
        "Which exercise above ran out of time? Look at that one first.",
    ),
    "error": (
        "the judge ended before it had a verdict; this is not about your answer",
        "There is nothing for you to fix. Your instructor grades it again.",
    ),
}


@dataclass
class CheckResult:
    """The result of one check.

    name: of its test function. claim: what a right submission does. outcome: "pass", "fail",
    "not attempted", "timeout", "error" (the kit failed) or "not reached". message: why it was not
    judged. call, got, got_label, expected, hint, waits_for: see CheckError and NotReachedError.
    evidence: what Redis showed, as lines. recording: what happened there, see check_recording.py.
    is_outside: whether the cause of an error seems to be outside of the answer, and not in the kit
    (see outside_causes.py). in_hidden_check: whether it is in the code of an instructor's check.
    """

    name: str
    claim: str
    outcome: str
    points: float = 0
    max_points: float = 0
    message: str | None = None
    call: str | None = None
    got: str | None = None
    got_label: str = "found"
    expected: str | None = None
    hint: str | None = None
    waits_for: str | None = None
    evidence: list[str] = field(default_factory=list)
    recording: dict | None = None
    notes: list[str] = field(default_factory=list)
    seconds: float = 0
    is_outside: bool = False
    in_hidden_check: bool = False

    def to_dict(self):
        """Return the fields as a dict that JSON can carry."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields):
        """Return the CheckResult of such a dict."""
        return cls(**fields)


@dataclass
class ExerciseResult:
    """The results of all checks of one exercise. Its outcome and points follow from them.

    folder: the one that was judged, as text; "" for a gap, which is on the page. missing_packages:
    names of what it imports and answers cannot, because it is not installed where they run.
    """

    id: str
    title: str
    checks: list[CheckResult] = field(default_factory=list)
    folder: str = ""
    missing_packages: list[str] = field(default_factory=list)

    @property
    def outcome(self):
        """The outcome of the exercise: its checks' worst, or "pass" if all pass."""
        outcomes = {check.outcome for check in self.checks}
        for outcome in ("error", "timeout", "fail", "not attempted"):
            if outcome in outcomes:
                return outcome
        # a check that was not reached, without any of these, needs another exercise
        return "pass" if outcomes == {"pass"} else "fail" if outcomes else "error"

    @property
    def points(self):
        """The points that were reached."""
        return sum(check.points for check in self.checks)

    @property
    def max_points(self):
        """The points that all checks are worth."""
        return sum(check.max_points for check in self.checks)

    def to_dict(self):
        """Return the result as a dict that JSON can carry."""
        return {
            "id": self.id,
            "title": self.title,
            "folder": self.folder,
            "missing_packages": self.missing_packages,
            "outcome": self.outcome,
            "points": self.points,
            "max_points": self.max_points,
            "checks": [check.to_dict() for check in self.checks],
        }

    @classmethod
    def from_dict(cls, fields):
        """Return the ExerciseResult of such a dict."""
        checks = [CheckResult.from_dict(check) for check in fields["checks"]]
        rest = (fields[name] for name in ("folder", "missing_packages"))
        return cls(fields["id"], fields["title"], checks, *rest)


@dataclass
class SubmissionResult:
    """The results of all exercises of one student.

    remarks: lines about files that were left out. seconds: how long judging took. digest: changes
    when the files or the checks do; None where the kit failed and the next run tries again.
    """

    student: str
    exercises: list[ExerciseResult]
    remarks: list[str] = field(default_factory=list)
    seconds: float = 0
    digest: str | None = None

    @property
    def points(self):
        """The points that were reached."""
        return sum(exercise.points for exercise in self.exercises)

    @property
    def max_points(self):
        """The points that all exercises are worth."""
        return sum(exercise.max_points for exercise in self.exercises)

    @property
    def missing_packages(self):
        """The names of packages that it imports and answers cannot, sorted."""
        return sorted({name for exercise in self.exercises for name in exercise.missing_packages})

    @property
    def failed_exercises(self):
        """The ids of the exercises that are not fully judged because the kit itself failed."""
        return [
            exercise.id
            for exercise in self.exercises
            if any(check.outcome == "error" for check in exercise.checks)
        ]

    def to_dict(self):
        """Return the result as a dict that JSON can carry."""
        return {
            "student": self.student,
            "exercises": [exercise.to_dict() for exercise in self.exercises],
            "total": self.points,
            "max": self.max_points,
            "remarks": self.remarks,
            "seconds": self.seconds,
            "digest": self.digest,
        }

    @classmethod
    def from_dict(cls, fields):
        """Return the SubmissionResult of such a dict. Raises KeyError, TypeError."""
        exercises = [ExerciseResult.from_dict(exercise) for exercise in fields["exercises"]]
        rest = (fields[name] for name in ("remarks", "seconds", "digest"))
        return cls(fields["student"], exercises, *rest)


def kit_failure(exercise_id, message, folder=""):
    """Return the result "error" of an exercise that could not be judged."""
    check = CheckResult(exercise_id, "The check can run", "error", message=message)
    return ExerciseResult(exercise_id, exercise_id, [check], str(folder))


def unjudged_exercise(exercise, outcome):
    """Return the result of an Exercise that was not judged. outcome: a key of UNJUDGED."""
    claim = "This exercise was judged completely"
    check = unjudged_check("all", claim, exercise_points(exercise), outcome)
    return ExerciseResult(exercise.id, exercise.title, [check])


def unjudged_check(name, claim, max_points, outcome):
    """Return the result of a check that was not run. outcome: a key of UNJUDGED."""
    message, hint = UNJUDGED[outcome]
    result = CheckResult(name, claim, outcome, max_points=max_points, message=message, hint=hint)
    result.is_outside = outcome == "error"
    return result
