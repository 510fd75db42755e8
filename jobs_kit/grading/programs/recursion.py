"""Does a program take each message inside the call for the one before? Python ends that, some day.

expect_flat(student, process)     after three messages or more, when it waits for the next
"""

import signal
from collections import Counter

from jobs_kit.grading.expectations import expect
from jobs_kit.grading.programs.explanations import frame_text

DEEP = 3  # so often the same call stands in itself


def expect_no_recursion(submission, process):
    """Expect that no function of a waiting program has called itself for each message."""
    told = len(process.events("stack"))
    process.signal(signal.SIGUSR1)
    submission.until(lambda: len(process.events("stack")) > told or not process.running)
    frames = [tuple(one.items()) for stack in process.events("stack")[told:] for one in stack]
    frame, times = (Counter(frames).most_common(1) or [((), 0)])[0]
    expect(
        times < DEEP,
        "the work for a message ends before the next one is taken",
        call=process.call_text,
        got=f"while it waits, this call stands {times} times in itself, once for each message; after "
        f"some hundred messages that is a RecursionError\n{times and frame_text(dict(frame))}",
        hint="Who asks for the next message: the loop of the worker, or your function, once more?",
    )
