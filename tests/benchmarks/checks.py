"""Measure how long a student waits for a verdict, beside a plain import: `make bench-check`.

For each exercise: the median of five checks of its solution by a judge that is warm, how much of it
is the kit's own and not the work of the checks, and both as a multiple of the time that a fresh
Python needs for `import flask, redis, hotqueue` in the same run.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "grading"))

from cases import write_stage

from jobs_kit.course.exercise import all_exercises
from jobs_kit.grading.judge import Judge

RUNS = 5


def timed(action):
    """Return (seconds, what the action returned)."""
    begun = time.perf_counter()
    value = action()
    return time.perf_counter() - begun, value


def main():
    """Print the table."""
    command = [sys.executable, "-c", "import flask, redis, hotqueue"]
    runs = [timed(lambda: subprocess.run(command, check=True))[0] for _ in range(RUNS)]
    plain = statistics.median(runs)
    print(f"python -c 'import flask, redis, hotqueue': {plain:.3f} s, median of {RUNS}")
    with tempfile.TemporaryDirectory() as place, Judge() as judge:
        begun = time.perf_counter()
        first = next(one for one in all_exercises().values() if one.files)
        judge.check(first, place)
        print(
            f"the first verdict, with the start of the judge: {time.perf_counter() - begun:.3f} s"
        )
        print(f"{'exercise':24}{'verdict':>10}{'the kit':>10}{'ratio':>8}{'the kit':>10}")
        for exercise in all_exercises().values():
            if not exercise.files:
                continue
            folder = Path(place, exercise.id, exercise.folder)
            write_stage(exercise, folder, "solved")
            runs = [timed(partial(judge.check, exercise, folder)) for _ in range(RUNS)]
            assert all(verdict.passed for _, verdict in runs), str(runs[0][1])
            total = statistics.median(taken for taken, _ in runs)
            own = statistics.median(
                taken - sum(check.seconds for check in verdict.checks) for taken, verdict in runs
            )
            print(
                f"{exercise.id:24}{total:9.3f}s{own:9.3f}s{total / plain:8.2f}{own / plain:10.2f}"
            )


if __name__ == "__main__":
    main()
