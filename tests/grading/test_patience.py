"""A wait gives up after so many seconds of an idle machine, however busy this one is."""

from types import SimpleNamespace

import pytest

from jobs_kit.grading.limits import BUSY_MACHINE_FACTOR
from jobs_kit.grading.programs import patience
from jobs_kit.grading.programs.patience import Patience

SECONDS = 10


class Program:
    """A process that wants the processor, or sleeps, and gets a share of it."""

    running, pid = True, 1

    def __init__(self, wants=True, share=1.0, had=0):
        self.wants, self.share, self.had = wants, share, had

    def processor_use(self):
        now = patience.time.monotonic()
        return self.wants, self.had + self.share * now


@pytest.fixture
def waited(monkeypatch):
    """Return how long a wait for these programs takes, by a clock that only it moves."""

    def waited(*programs):
        clock = SimpleNamespace(now=0.0)
        clock.monotonic = lambda: clock.now
        monkeypatch.setattr(patience, "time", clock)
        wait = Patience(programs, SECONDS)
        while not wait.is_over():
            clock.now += 0.02
        return clock.now

    return waited


def test_a_program_that_gets_the_processor_has_the_usual_time(waited):
    assert waited(Program()) == pytest.approx(SECONDS, abs=0.2)


def test_a_program_that_sleeps_has_the_usual_time(waited):
    assert waited(Program(wants=False, share=0)) == pytest.approx(SECONDS, abs=0.2)
    assert waited() == pytest.approx(SECONDS, abs=0.2)


def test_a_program_that_gets_a_quarter_of_the_processor_has_four_times_as_long(waited):
    assert waited(Program(share=0.25)) == pytest.approx(4 * SECONDS, rel=0.1)
    assert waited(Program(share=0.25), Program(wants=False, share=0)) > 2 * SECONDS


def test_a_program_that_never_gets_the_processor_is_given_up(waited):
    most = BUSY_MACHINE_FACTOR * SECONDS
    assert waited(Program(share=0, had=7)) == pytest.approx(most, abs=0.5)
