"""Find a worker that takes each message inside the call for the previous one.

Python ends that with a RecursionError after some hundred messages.
"""

import signal
from collections import Counter

from jobs_kit.grading.expectations import expect
from jobs_kit.grading.programs.explanations import frame_text

NESTED_CALLS = 3  # of one function in itself, that count as a recursion


def expect_no_recursion(submission, process):
    """Expect that no function of a waiting program has called itself for each message.

    process: a worker that has taken three messages or more and waits for the next.
    """
    before = len(process.events("stack"))
    process.signal(signal.SIGUSR1)
    submission.until(lambda: len(process.events("stack")) > before or not process.running)
    stacks = process.events("stack")[before:]
    frames = Counter(tuple(frame.items()) for stack in stacks for frame in stack)
    frame, times = (frames.most_common(1) or [((), 0)])[0]
    expect(
        times < NESTED_CALLS,
        "the work for a message ends before the next one is taken",
        call=process.call_text,
        got=f"while it waits, this call is nested {times} times, once for each message; "
        "after some hundred messages Python raises a RecursionError\n"
        f"{times and frame_text(dict(frame))}",
        hint="What asks for the next message: the worker's loop, or a call in your function?",
    )
