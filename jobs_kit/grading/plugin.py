"""Judge submissions with pytest: each test of an exercise gets a result.

    pytest exercises                       judge the answers in exercises/
    pytest exercises --submission DIR      judge those in another folder
    ... --results FILE                     write the results as JSON, too (see results.py)

A test takes the fixtures `source` (the files), `submission` (the programs), `redis` (what they did
there), `observation` (the Redis of the lessons) and `note`.
"""

import json
import re
from pathlib import Path

import pytest
from redis import RedisError

from jobs_kit.course.answer_folders import answer_folder
from jobs_kit.course.check_files import claim_of, points
from jobs_kit.course.exercise import Exercise, find_exercise
from jobs_kit.course.gap import Gap
from jobs_kit.course.places import EXERCISES
from jobs_kit.grading.expectations import (
    CheckError,
    NotAttemptedError,
    NotReachedError,
    TimedOutError,
)
from jobs_kit.grading.limits import CHECK_TEXT_CHARACTERS, TIMEOUTS_PER_EXERCISE
from jobs_kit.grading.outside_causes import OutsideCauses
from jobs_kit.grading.programs.hints import HINT_FOR_LINE
from jobs_kit.grading.programs.queue_observation import observation_of
from jobs_kit.grading.programs.redis_recorder import RedisRecorder
from jobs_kit.grading.programs.submission import Submission
from jobs_kit.grading.results import CheckResult, ExerciseResult
from jobs_kit.grading.sandbox.client import Sandbox
from jobs_kit.grading.sandbox.packages import can_import
from jobs_kit.grading.side_by_side import SideBySide, log_reports, run
from jobs_kit.grading.source.attempt import require_attempt
from jobs_kit.grading.source.files import Source
from jobs_kit.grading.source.project import Project
from jobs_kit.grading.verdict import MARKS, Verdict
from jobs_kit.redis_server.text import text

NAMES_A_LINE = re.compile(r"\.py, line \d+, in ")  # where something was raised: explanations.py
prepared = {}  # "sandbox", "redis": what a judge process keeps ready for the next check


def pytest_addoption(parser):
    """Add --submission and --results."""
    group = parser.getgroup("jobs-kit", "exercises that check themselves")
    group.addoption("--submission", metavar="DIR", help="folder of the answers")
    group.addoption("--results", metavar="FILE", help="write the results to this file, as JSON")


def pytest_ignore_collect(collection_path):
    """Ignore notebooks in exercises/, because a notebook can run although the answers are wrong."""
    if collection_path.suffix == ".ipynb" and collection_path.is_relative_to(EXERCISES):
        return True
    return None


def pytest_configure(config):
    """Declare the marker that points() sets, and start a Judgement."""
    place = config.getoption("--submission")
    if place and not prepared and not Path(place).is_dir():
        raise pytest.UsageError(f"--submission {place}: there is no such folder")
    config.addinivalue_line(
        "markers", "points(number, after, unless_late): what a check of an exercise is worth"
    )
    config.pluginmanager.register(Judgement(config), "jobs-kit-judgement")


class Judgement:
    """The results of one run of pytest. results: {exercise id: ExerciseResult}."""

    def __init__(self, config):
        self.place, self.file = config.getoption("--submission"), config.getoption("--results")
        self.results, self._own = {}, []
        self._sources, self._not_attempted = {}, {}
        self._side_by_side, self._is_fork = {}, False  # {exercise id: SideBySide}

    def source(self, exercise):
        """Return the Source of an Exercise, read once."""
        if exercise.id not in self._sources:
            self._sources[exercise.id] = Source(exercise, answer_folder(exercise, self.place))
        return self._sources[exercise.id]

    def part(self, name, start):
        """Return the prepared sandbox or Redis, or start one that ends with this run."""
        if name not in prepared:
            prepared[name] = start()
            self._own.append(name)
        return prepared[name]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item, nextitem):
        """Take the result of a check that ran side by side with others; None lets pytest run it."""
        exercise = _exercise(item)
        if (
            self._is_fork
            or not getattr(exercise, "side_by_side", False)
            or not self._is_reached(item)
        ):
            return None
        done = self._forks_of(exercise, item.session).result(item)
        if done is None:
            return None
        self._result(exercise).checks.append(CheckResult.from_dict(done["check"]))
        log_reports(item, done["reports"])
        self._write_after(item, nextitem)
        return True

    def _is_reached(self, item):
        try:
            self.pytest_runtest_setup(item)
        except CheckError:
            return False
        return True

    def _forks_of(self, exercise, session):
        """Return the SideBySide that runs the checks of an exercise, which this starts."""
        if exercise.id not in self._side_by_side:
            items = [
                item for item in session.items if getattr(_exercise(item), "id", 0) == exercise.id
            ]
            sandbox, _ = self.part("sandbox", Sandbox), self.part("redis", RedisRecorder)
            forks = SideBySide(items, self._run_in_fork, _needs, sandbox, self._become_fork)
            self._side_by_side[exercise.id] = forks
        return self._side_by_side[exercise.id]

    def _become_fork(self, branch):
        self._is_fork, self.file = True, None
        self._parents = dict(prepared)  # kept: what nothing refers to is ended
        prepared.update(sandbox=branch, redis=RedisRecorder(prepared["redis"].place))

    def _run_in_fork(self, item):
        reports = run(item)
        check = self._result(_exercise(item)).checks[-1]
        return {"check": check.to_dict(), "failed": check.outcome != "pass", "reports": reports}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item):
        """Raise where a check is not worth running; see the errors in expectations.py."""
        item.jobs_kit_causes = OutsideCauses()
        exercise = _exercise(item)
        if not exercise:
            return
        result = self._result(exercise)
        self._require_attempt(exercise)
        self._require_time(result)
        require_earlier_checks(result, **_marker(item).kwargs)

    def _result(self, exercise):
        if exercise.id not in self.results:
            self.results[exercise.id] = ExerciseResult(exercise.id, exercise.title)
            if isinstance(exercise, Exercise):
                self._describe(self.source(exercise), self.results[exercise.id])
        return self.results[exercise.id]

    def _describe(self, source, result):
        """Note in an ExerciseResult where the answer is, and what it imports and cannot."""
        result.folder = str(source.folder)
        sandbox = prepared.get("sandbox")
        folders = sandbox.packages.folders if sandbox else ()
        result.missing_packages = [
            m for m in source.packages() if not can_import(m, tuple(folders))
        ]

    def _require_attempt(self, exercise):
        if exercise.id not in self._not_attempted:
            self._not_attempted[exercise.id] = None
            try:
                require_attempt(self.source(exercise))
            except NotAttemptedError as reason:
                self._not_attempted[exercise.id] = reason
        if self._not_attempted[exercise.id]:
            raise self._not_attempted[exercise.id]

    def _require_time(self, result):
        slow = [check for check in result.checks if check.outcome == "timeout"]
        if len(slow) >= TIMEOUTS_PER_EXERCISE:
            claims = "; ".join(check.claim for check in slow)
            raise NotReachedError(
                f"two earlier checks ran out of time, and this one would, too: {claims}"
            )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        """Turn the end of a test into a CheckResult, and fail its report unless it passed."""
        report = yield
        exercise = _exercise(item)
        if not exercise or (call.when == "setup" and report.passed):
            return report
        checks = self._result(exercise).checks
        if call.when == "teardown":
            if report.failed:
                checks[:] = [check for check in checks if check.name != item.name]
                checks.append(_check_result(item, call))
            return report
        check = _check_result(item, call)
        checks.append(check)
        report.jobs_kit = check.outcome
        if check.outcome != "pass":
            report.outcome, report.longrepr = "failed", check.message or check.expected
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report):
        """Show our outcomes where pytest shows its own."""
        outcome = getattr(report, "jobs_kit", None)
        if outcome and outcome != "pass":
            return outcome, MARKS[outcome], outcome.upper()
        return None

    def pytest_terminal_summary(self, terminalreporter):
        """Print the verdicts, in the order in which the exercises ran."""
        verdicts = [Verdict(result) for result in self._judged()]
        for verdict in verdicts:
            terminalreporter.write_line(f"\n{verdict}")
        if verdicts:
            points, most = (sum(getattr(v, n) for v in verdicts) for n in ("points", "max_points"))
            terminalreporter.write_line(f"\ntotal: {points} of {most} points")

    def pytest_runtest_teardown(self, item, nextitem):
        """Write the results after each exercise: they are kept if a later one ends the judge."""
        self._write_after(item, nextitem)

    def _write_after(self, item, nextitem):
        if self.file and (nextitem is None or nextitem.path != item.path):
            self._write()

    def pytest_sessionfinish(self):
        """Write the results, and end what this run has started."""
        if self.file:
            self._write()
        for forks in self._side_by_side.values():
            forks.close()
        for name in self._own:
            prepared.pop(name).close()
        self._own.clear()

    def _judged(self):
        return [result for result in self.results.values() if result.checks]

    def _write(self):
        Path(self.file).write_text(json.dumps([result.to_dict() for result in self._judged()]))


@pytest.fixture
def source(request):
    """Return the files of the submission, a Source."""
    return _judgement(request).source(_exercise(request.node))


@pytest.fixture
def project(source):
    """Return a Project: how its modules depend on each other. Raises CheckError for bad syntax."""
    return Project(source)


@pytest.fixture
def redis(request):
    """Return a RedisRecorder: an empty Redis for this check alone."""
    redis = _judgement(request).part("redis", RedisRecorder)
    redis.reset()
    return redis


@pytest.fixture
def submission(request, source, redis):
    """Return a Submission: its programs, ready to run."""
    submission = Submission(source, _judgement(request).part("sandbox", Sandbox), redis)
    request.node.jobs_kit_evidence = submission
    yield submission
    submission.close()


@pytest.fixture
def api(submission):
    """Return an Api: its api.py, which serves. Raises CheckError where it does not."""
    return submission.serve()


@pytest.fixture
def observation(request, source):
    """Return a QueueObservation: what the Redis of the lessons shows, for work done there."""
    request.node.jobs_kit_evidence = observation_of(source)
    return request.node.jobs_kit_evidence


@pytest.fixture
def note(request):
    """Return a function that adds a remark (str) to the check, whatever its outcome."""
    request.node.jobs_kit_notes = []
    return request.node.jobs_kit_notes.append


def _judgement(request):
    return request.config.pluginmanager.getplugin("jobs-kit-judgement")


def _exercise(item):
    gap = getattr(getattr(item, "function", None), "exercise", None)
    exercise = gap or getattr(getattr(item, "module", None), "EXERCISE", None)
    if isinstance(exercise, str) and item.config.getoption("--submission"):
        # an instructor's hidden checks name the exercise that they add to
        exercise = find_exercise(exercise)
    return exercise if isinstance(exercise, Exercise | Gap) else None


def _marker(item):
    worth = 0 if isinstance(_exercise(item), Gap) else 1
    return item.get_closest_marker("points") or points(worth).mark


def _needs(item):
    """Return the checks that must pass before one is run, as items of the same exercise."""
    names, exercise = _marker(item).kwargs["after"], _exercise(item)
    others = item.session.items
    return [one for one in others if one.name in names and _exercise(one) is exercise]


def require_earlier_checks(result, after, unless_late):
    """Raise NotReachedError where a check waits for another one in vain; see points()."""
    checks = {check.name: check for check in result.checks}
    failed = [name for name in after if name in checks and checks[name].outcome != "pass"]
    late = [name for name in checks if name == unless_late and checks[name].outcome == "timeout"]
    for name in failed + late:
        reason = f"it waits for another check: {checks[name].claim}"
        raise NotReachedError(reason, waits_for=name)


def _check_result(item, call):
    """Return the CheckResult of a test. item, call: as pytest hands them to its hooks."""
    problem = _problem(call)
    outcome = "pass" if problem is None else getattr(problem, "outcome", "error")
    cause = _outside_cause(item, problem) if outcome not in ("pass", "not attempted") else None
    outcome = "error" if cause else outcome
    worth = _marker(item).args[0]
    result = CheckResult(
        name=item.name,
        claim=claim_of(item.function, item.name),
        outcome=outcome,
        points=worth if outcome == "pass" else 0,
        max_points=worth,
        notes=[_printable(note) for note in getattr(item, "jobs_kit_notes", [])],
        seconds=round(call.duration, 3),
        is_outside=bool(cause),
    )
    if isinstance(problem, CheckError) and not cause:
        _add_findings(result, problem)
    if outcome == "error":
        failure = None if cause else _failure_of_hidden_check(item, call)
        result.in_hidden_check = bool(failure)
        result.message = _printable(cause or failure or _kit_failure(call))
    elif outcome in ("not attempted", "not reached"):
        result.message, result.expected = result.expected, None
    elif outcome in ("fail", "timeout"):
        raised = NAMES_A_LINE.search(result.got or "")
        result.hint = result.hint or (HINT_FOR_LINE if raised else _exercise(item).hints[0])
        evidence = getattr(item, "jobs_kit_evidence", None)
        result.evidence = [_printable(line) for line in evidence.evidence()] if evidence else []
        result.recording = evidence.recording() if isinstance(evidence, Submission) else None
    return result


def _outside_cause(item, problem):
    """Return the cause outside of the answer that made a check fail, as text, or None."""
    submission = getattr(item, "jobs_kit_evidence", None)
    processes = submission.processes if isinstance(submission, Submission) else ()
    try:
        return item.jobs_kit_causes.find(problem, **prepared, processes=processes)
    except OSError as another:  # the sandbox has ended meanwhile
        return item.jobs_kit_causes.find(another)


def _problem(call):
    """Return the exception that ended a test, or None."""
    problem = call.excinfo and call.excinfo.value
    if not isinstance(problem, RedisError):
        return problem
    # the judge's own connection: student code has stalled the server
    return TimedOutError(
        "Redis keeps answering while the program runs",
        got=f"Redis stopped answering: {problem}",
        hint="Which command of the program keeps Redis busy for so long?",
    )


def _add_findings(result, fault):
    for name in ("call", "got", "expected", "hint"):
        setattr(result, name, _printable(getattr(fault, name)))
    result.got_label = fault.got_label
    result.waits_for = getattr(fault, "waits_for", None)


def _failure_of_hidden_check(item, call):
    """Return what an instructor's own check raised and where, as text; None for the kit's checks."""
    is_hidden = isinstance(getattr(item.module, "EXERCISE", None), str)
    lines = [one.lineno + 1 for one in call.excinfo.traceback if one.path == item.path]
    if isinstance(call.excinfo.value, pytest.FixtureLookupError):
        lines = [item.location[1] + 1]  # of a function whose argument is no fixture
    if not is_hidden or not lines:
        return None
    return (
        f"Your hidden check {item.path.name} raised {call.excinfo.typename} in line {lines[-1]}; "
        "correct it and run the command again"
    )


def _kit_failure(call):
    where = call.excinfo.traceback[-1]
    where = f"{where.path.name}, line {where.lineno + 1}"
    return f"the kit itself failed: {call.excinfo.value!r} ({where})"


def _printable(value):
    """Return a value as text that every file, page and terminal can carry; None stays None.

    It may hold what student code printed: half characters, codes of a terminal, a whole book.
    """
    if value is None:
        return None
    return "\n".join(text(line) for line in str(value)[:CHECK_TEXT_CHARACTERS].split("\n"))
