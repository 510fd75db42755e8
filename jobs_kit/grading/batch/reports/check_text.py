"""Show the result of a check as plain text, in formats that have one field for it."""


def check_text(check):
    """Return the findings of a CheckResult, one a line."""
    names = ("message", "call", "got", "expected", "hint")
    lines = [f"{name}: {getattr(check, name)}" for name in names if getattr(check, name)]
    return "\n".join([*lines, *(f"in Redis: {line}" for line in check.evidence)])
