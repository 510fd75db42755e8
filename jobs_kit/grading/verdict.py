"""What is said of an answer: the words of a verdict, and how it is shown.

A check raises CheckError (through expect()) when the answer is wrong; TimedOutError,
NotAttemptedError and NotReachedError say the rest. From these the plugin makes a result, a dict
that JSON can carry:

    {"id", "title", "outcome", "points", "max_points", "checks": [
        {"name", "claim", "outcome", "points", "max_points", "message", "call", "got", "expected",
         "hint", "evidence": [line, ...], "notes": [line, ...], "seconds"}, ...]}
"""

import html

from jobs_kit.grading.programs.formats import UUID

OUTCOMES = ("pass", "fail", "not attempted", "timeout", "error")
MARKS = {
    "pass": "✓",
    "fail": "✗",
    "not attempted": "○",
    "timeout": "⏱",
    "error": "⚠",
    "not reached": "·",
}


def overall(checks):
    """Return the outcome of an exercise from those of its checks."""
    outcomes = {check["outcome"] for check in checks}
    for outcome in ("error", "timeout", "fail", "not attempted"):
        if outcome in outcomes:
            return outcome
    # what was not reached without any of these leans on another exercise
    return "pass" if outcomes == {"pass"} else "fail" if outcomes else "error"


class Verdict:
    """The result of one exercise, shown as text or on a page.

    outcome (str): one of OUTCOMES. points, max_points (numbers). checks (list of dict).
    """

    def __init__(self, result):
        self.result = result
        self.id, self.outcome = result["id"], result["outcome"]
        self.points, self.max_points = result["points"], result["max_points"]
        self.checks = result["checks"]

    @property
    def passed(self):
        return self.outcome == "pass"

    def require_pass(self):
        """Return this verdict if it is a pass; raise AssertionError with its text if not."""
        if not self.passed:
            raise AssertionError(str(self))
        return self

    @property
    def headline(self):
        points = f", {self.points} of {self.max_points} points" if self.max_points else ""
        return f"{self.id}: {self.outcome}{points}"

    def __str__(self):
        return "\n".join([f"{MARKS[self.outcome]} {self.headline}", *self._lines()])

    __repr__ = __str__

    def _lines(self):
        if self.outcome == "not attempted":
            yield f"  {_shown(self.checks[0]['message'])}" if self.checks else ""
            return
        for check in self.checks:
            yield f"  {MARKS[check['outcome']]} {check['claim']} ({_outcome_of(check)})"
            for label, text in details(check):
                first, *more = text.splitlines() or [""]
                yield f"      {label:<10}{first}"
                yield from (f"      {'':<10}{line}" for line in more)

    def _repr_html_(self):
        if self.outcome == "not attempted":
            rows = f"<p>{html.escape(next(iter(self._lines()), ''))}</p>"
        else:
            rows = "".join(_row(check) for check in self.checks)
        return (
            f'<div style="border-left: 4px solid {_COLOURS[self.outcome]}; padding: 2px 12px">'
            f"<b>{MARKS[self.outcome]} {html.escape(self.headline)}</b>{rows}</div>"
        )


def details(check):
    """Return [(label, text), ...] of what there is to say about a check, ids made readable."""
    found = [("note", note) for note in check["notes"]]
    if check["outcome"] != "pass":
        rows = [
            ("", check["message"]),
            ("call", check["call"]),
            ("came back", check["got"]),
            ("expected", check["expected"]),
            ("in Redis", "\n".join(check["evidence"])),
            ("hint", check["hint"]),
        ]
        found = [(label, text) for label, text in rows if text] + found
    shown = _shown("\0".join(text for _, text in found)).split("\0")
    return list(zip([label for label, _ in found], shown, strict=False)) if found else []


def _outcome_of(check):
    """Return the outcome of a check, with its points if it is worth any."""
    if not check["max_points"]:
        return check["outcome"]
    return f"{check['outcome']}, {check['points']} of {check['max_points']}"


def _row(check):
    rows = "".join(
        f'<tr><td style="text-align:left; vertical-align:top; white-space:nowrap">'
        f"<i>{label}</i></td>"
        f'<td style="text-align:left"><pre style="margin:0; white-space:pre-wrap; background:none">'
        f"{html.escape(text)}</pre></td></tr>"
        for label, text in details(check)
    )
    table = f"<table>{rows}</table>" if rows else ""
    colour = _COLOURS[check["outcome"]]
    return (
        f'<div><span style="color:{colour}">{MARKS[check["outcome"]]}</span> '
        f"{html.escape(check['claim'])} <small>({_outcome_of(check)})</small>{table}</div>"
    )


def _shown(text):
    """Give each random id a short name, the same wherever it stands."""
    names = {}
    return UUID.sub(lambda found: names.setdefault(found[0], f"<id {len(names) + 1}>"), text)


_COLOURS = {
    "pass": "#2e7d32",
    "fail": "#c62828",
    "not attempted": "#757575",
    "timeout": "#e65100",
    "error": "#6a1b9a",
    "not reached": "#757575",
}
