"""State what a check expects of a submission, and raise an error if that is not the case.

The plugin turns these errors into results (results.py). Every text in them is for the student.
"""


class CheckError(Exception):
    """The submission is wrong.

    expected: what a right submission does. call: what the check did. got: what happened instead.
    hint: a question that leads on. Each is text, or None where there is none.
    got_label: "returned" where `got` is what a call returned, else "found".
    """

    outcome, got_label = "fail", "found"

    def __init__(self, expected, *, call=None, got=None, hint=None):
        super().__init__(expected)
        self.expected, self.call, self.got, self.hint = expected, call, got, hint


class TimedOutError(CheckError):
    """Student code did not end, or did not do in time what the check waited for."""

    outcome = "timeout"


class NotAttemptedError(CheckError):
    """There is nothing to judge yet."""

    outcome = "not attempted"


class NotReachedError(CheckError):
    """This check depends on another one, which has failed.

    waits_for: the name of that check's function, or None if it belongs to another exercise.
    """

    outcome = "not reached"

    def __init__(self, expected, *, waits_for=None, **texts):
        super().__init__(expected, **texts)
        self.waits_for = waits_for


def expect(condition, expected, *, call=None, got=None, hint=None):
    """Raise a CheckError with these texts unless the condition is true.

    call may be a Call or a Response: it brings its own text, and its outcome as `got`.
    """
    if condition:
        return
    if not hasattr(call, "outcome_text"):
        raise CheckError(expected, call=call, got=None if got is None else str(got), hint=hint)
    got = call.outcome_text if got is None else str(got)
    fault = CheckError(expected, call=call.call_text, got=got, hint=hint)
    if got.startswith(call.outcome_text):
        fault.got_label = call.outcome_label
    raise fault


def expect_none(lines, expected, *, call=None, hint=None):
    """Raise a CheckError that shows these lines, each once, if there are any."""
    expect(not lines, expected, call=call, got="\n".join(dict.fromkeys(lines)), hint=hint)
