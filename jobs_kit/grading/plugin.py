"""How does pytest judge an answer? This plugin gives each test of an exercise its verdict.

    pytest exercises                       the answers in exercises/
    pytest exercises --submission DIR      those in another folder
    ... --results FILE                     the results as JSON as well (see verdict.py)

A test takes the fixtures `answer` (the files), `student` (the programs) and `redis` (the evidence).
"""

import json
from functools import partial
from pathlib import Path

import pytest
from redis import RedisError

from jobs_kit.course.exercise import EXERCISES, Exercise, answer_folder, find_exercise
from jobs_kit.course.gap import Gap
from jobs_kit.grading.expectations import (
    CheckError,
    NotAttemptedError,
    NotReachedError,
    TimedOutError,
)
from jobs_kit.grading.limits import CHECK_TEXT_CHARACTERS, TIMEOUTS_PER_EXERCISE
from jobs_kit.grading.programs.redis_recorder import RedisRecorder
from jobs_kit.grading.programs.submission import Submission
from jobs_kit.grading.sandbox.client import Sandbox
from jobs_kit.grading.source.files import Source
from jobs_kit.grading.verdict import MARKS, Verdict, overall
from jobs_kit.redis_server.text import text

warm = {}  # "sandbox", "redis": what a process that judges again and again has ready


def points(number, after=()):
    """Decorate a check: what it is worth (int), and the checks that must pass before it can say
    anything (the name of one test function, or a tuple of them)."""
    return pytest.mark.points(number, after=(after,) if isinstance(after, str) else tuple(after))


def pytest_addoption(parser):
    group = parser.getgroup("jobs-kit", "exercises that check themselves")
    group.addoption("--submission", metavar="DIR", help="the folder of the answers")
    group.addoption("--results", metavar="FILE", help="write the results there, as JSON")


def pytest_ignore_collect(collection_path):
    """`pytest exercises` judges answers; a notebook that runs through says nothing about them."""
    if collection_path.suffix == ".ipynb" and collection_path.is_relative_to(EXERCISES):
        return True
    return None


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "points(number, after): what a check of an exercise is worth"
    )
    config.pluginmanager.register(Judgement(config), "jobs-kit-judgement")


class Judgement:
    """The results of one run of pytest. results: {exercise id: [check, ...]}."""

    def __init__(self, config):
        self.place, self.file = config.getoption("--submission"), config.getoption("--results")
        self.results, self.exercises, self._own = {}, {}, []
        self._answers, self._attempts = {}, {}

    def source(self, exercise):
        if exercise.id not in self._answers:
            self._answers[exercise.id] = Source(exercise, answer_folder(exercise, self.place))
        return self._answers[exercise.id]

    def _is_attempted(self, exercise):
        if exercise.id not in self._attempts:
            self._attempts[exercise.id] = None
            try:
                self.source(exercise).require_attempt()
            except NotAttemptedError as nothing:
                self._attempts[exercise.id] = nothing
        return self._attempts[exercise.id] is None

    def part(self, name, make):
        """Return the warm sandbox or Redis, or one that lives as long as this run."""
        if name not in warm:
            warm[name] = make()
            self._own.append(name)
        return warm[name]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item):
        exercise = _exercise(item)
        if not exercise:
            return
        self.exercises[exercise.id] = exercise
        if not self._is_attempted(exercise):
            raise self._attempts[exercise.id]
        self._stop_when_time_runs_out(exercise)
        outcomes = {check["name"]: check["outcome"] for check in self.results.get(exercise.id, [])}
        for name in _marker(item).kwargs["after"]:
            if outcomes.get(name, "pass") != "pass":
                claim = next(c["claim"] for c in self.results[exercise.id] if c["name"] == name)
                raise NotReachedError(f"blocked by: {claim}")

    def _stop_when_time_runs_out(self, exercise):
        slow = [c for c in self.results.get(exercise.id, []) if c["outcome"] == "timeout"]
        if len(slow) >= TIMEOUTS_PER_EXERCISE:
            claims = "; ".join(check["claim"] for check in slow)
            raise NotReachedError(f"earlier checks already ran out of time: {claims}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        exercise = _exercise(item)
        if not exercise:
            return report
        if call.when == "setup" and report.passed:
            return report
        if call.when == "teardown":
            if report.failed:
                self._add(exercise, _check(item, call), replace=True)
            return report
        check = _check(item, call)
        self._add(exercise, check)
        report.jobs_kit = check["outcome"]
        if check["outcome"] != "pass":
            report.outcome, report.longrepr = "failed", check["message"] or check["expected"]
        return report

    def _add(self, exercise, check, replace=False):
        checks = self.results.setdefault(exercise.id, [])
        if replace:
            checks[:] = [one for one in checks if one["name"] != check["name"]]
        checks.append(check)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report):
        outcome = getattr(report, "jobs_kit", None)
        if outcome and outcome != "pass":
            return outcome, MARKS[outcome], outcome.upper()
        return None

    def verdicts(self):
        """Return the Verdict of each exercise, in the order in which they ran."""
        return [Verdict(_result(self.exercises[name], c)) for name, c in self.results.items()]

    def pytest_terminal_summary(self, terminalreporter):
        verdicts = self.verdicts()
        for verdict in verdicts:
            terminalreporter.write_line(f"\n{verdict}")
        if verdicts:
            got, most = (sum(getattr(v, n) for v in verdicts) for n in ("points", "max_points"))
            terminalreporter.write_line(f"\ntotal: {got} of {most} points")

    def pytest_runtest_teardown(self, item, nextitem):
        # after each exercise: what is judged is kept, whatever comes
        if self.file and (nextitem is None or nextitem.path != item.path):
            self._write()

    def _write(self):
        Path(self.file).write_text(json.dumps([one.result for one in self.verdicts()]))

    def pytest_sessionfinish(self):
        if self.file:
            self._write()
        for name in self._own:
            warm.pop(name).close()
        self._own.clear()


@pytest.fixture
def source(request):
    """The files of the answer."""
    return _judgement(request).source(_exercise(request.node))


@pytest.fixture
def redis(request):
    """A Redis of the check's own, with nothing in it."""
    redis = _judgement(request).part("redis", RedisRecorder)
    redis.reset()
    return redis


@pytest.fixture
def submission(request, source, redis):
    """The programs of the answer, ready to run."""
    submission = Submission(source, _judgement(request).part("sandbox", Sandbox), redis)
    request.node.jobs_kit_evidence = submission
    yield submission
    submission.close()


@pytest.fixture
def observation(request, source):
    """What the Redis of the student's lessons shows, for work that is done there."""
    from jobs_kit.grading.programs.queue_observation import (
        observation_of,  # which imports what imports this package
    )

    request.node.jobs_kit_evidence = observation_of(source)
    return request.node.jobs_kit_evidence


@pytest.fixture
def note(request):
    """note(text) adds a remark to the check, whatever its outcome."""
    request.node.jobs_kit_notes = []
    return request.node.jobs_kit_notes.append


def _judgement(request):
    return request.config.pluginmanager.getplugin("jobs-kit-judgement")


def _exercise(item):
    gap = getattr(getattr(item, "function", None), "exercise", None)
    exercise = gap or getattr(getattr(item, "module", None), "EXERCISE", None)
    if isinstance(exercise, str) and item.config.getoption("--submission"):
        # more checks for an exercise, by an instructor
        exercise = find_exercise(exercise)
    return exercise if isinstance(exercise, Exercise | Gap) else None


def _marker(item):
    worth = 0 if isinstance(_exercise(item), Gap) else 1
    return item.get_closest_marker("points") or points(worth).mark


def _check(item, call):
    """Return what is said of one check, see verdict.py."""
    problem = call.excinfo and call.excinfo.value
    if isinstance(problem, RedisError):  # the judge's own connection: student code has stalled it
        problem = TimedOutError(
            "Redis answers, whatever the program asks of it",
            got=f"it no longer does: {problem}",
            hint="What did the program ask of Redis that keeps it busy for so long?",
        )
    fault = problem if isinstance(problem, CheckError) else CheckError(None)
    worth = _marker(item).args[0]
    outcome = "pass" if problem is None else getattr(problem, "outcome", "error")
    submission = getattr(item, "jobs_kit_evidence", None)
    looked = outcome in ("fail", "timeout") and submission
    message = None
    if outcome == "error":
        where = call.excinfo.traceback[-1]
        where = f"{where.path.name}, line {where.lineno + 1}"
        message = _shown(f"the kit itself failed: {problem!r} ({where})")
    elif outcome in ("not attempted", "not reached"):
        message = _shown(fault.expected)
    return {
        "name": item.name,
        "claim": (item.function.__doc__ or item.name).strip().splitlines()[0].rstrip("."),
        "outcome": outcome,
        "points": worth if outcome == "pass" else 0,
        "max_points": worth,
        "message": message,
        "call": _shown(fault.call),
        "got": _shown(fault.got),
        "expected": None if message else _shown(fault.expected),
        "hint": _shown(fault.hint)
        or (outcome in ("fail", "timeout") and _exercise(item).hints[0])
        or None,
        "evidence": [_shown(line) for line in submission.evidence()] if looked else [],
        "notes": [_shown(line) for line in getattr(item, "jobs_kit_notes", [])],
        "seconds": round(call.duration, 3),
    }


def _shown(said):
    """Return a text so that every file, page and terminal can carry it; None stays None.

    It may hold what student code has said: half characters, codes of a terminal, a whole book.
    """
    return said and "\n".join(text(line) for line in str(said)[:CHECK_TEXT_CHARACTERS].split("\n"))


def _result(exercise, checks):
    total = partial(lambda name: sum(check[name] for check in checks))
    return {
        "id": exercise.id,
        "title": exercise.title,
        "outcome": overall(checks),
        "points": total("points"),
        "max_points": total("max_points"),
        "checks": checks,
    }
