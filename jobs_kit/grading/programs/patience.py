"""Wait for programs as long as an idle machine would need, and no longer."""

import time

from jobs_kit.grading.limits import BUSY_MACHINE_FACTOR

SAMPLE_SECONDS = 0.1  # between two looks at the processes


class Patience:
    """The time that a check waits for processes, in seconds of an idle machine.

    While one of them wants the processor, only the processor time that it gets counts: on a busy
    machine it may get a tenth.
    """

    def __init__(self, processes, seconds):
        self._processes, self._seconds = processes, seconds
        self._begun = self._sampled = time.monotonic()
        self._waited, self._used = 0, {}  # process id -> processor seconds at the last look

    def is_over(self):
        """Tell whether the time is up."""
        now = time.monotonic()
        passed = now - self._sampled
        # a wait that is shorter than one look at the processes need not ask for any
        if passed >= min(SAMPLE_SECONDS, self._seconds):
            self._waited += min(passed, self._counted_seconds(passed))
            self._sampled = now
        return (
            self._waited >= self._seconds or now - self._begun > BUSY_MACHINE_FACTOR * self._seconds
        )

    def _counted_seconds(self, passed):
        """Return how much of the time since the last look (seconds) counts."""
        wants, had = False, 0
        for process in self._processes:
            if process.running:
                runs, used = process.processor_use()
                wants |= runs
                had += used - self._used.get(process.pid, 0)
                self._used[process.pid] = used
        return had if wants else passed
