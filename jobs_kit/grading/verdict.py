"""Show the result of an exercise, as text and as HTML."""

import html

from jobs_kit.grading.programs.formats import UUID

MARKS = {
    "pass": "✓",
    "fail": "✗",
    "not attempted": "○",
    "timeout": "⏱",
    "error": "⚠",
    "not reached": "·",
}
COLOURS = {
    "pass": "#2e7d32",
    "fail": "#c62828",
    "not attempted": "#757575",
    "timeout": "#e65100",
    "error": "#6a1b9a",
    "not reached": "#757575",
}


class Verdict:
    """Shows an ExerciseResult. id, outcome, points, max_points and checks are the result's."""

    def __init__(self, result):
        self.result = result
        self.id, self.outcome, self.checks = result.id, result.outcome, result.checks
        self.points, self.max_points = result.points, result.max_points

    @property
    def passed(self):
        """Whether all checks passed."""
        return self.outcome == "pass"

    def require_pass(self):
        """Return this verdict if it is a pass; raise AssertionError with its text if not."""
        if not self.passed:
            raise AssertionError(str(self))
        return self

    @property
    def headline(self):
        """The exercise, its outcome and its points, in one line."""
        points = f", {self.points} of {self.max_points} points" if self.max_points else ""
        return f"{self.id}: {self.outcome}{points}"

    def __str__(self):
        return "\n".join([f"{MARKS[self.outcome]} {self.headline}", *self._lines()])

    __repr__ = __str__

    def _lines(self):
        if self.outcome == "not attempted":
            yield f"  {_name_ids(self.checks[0].message)}" if self.checks else ""
            return
        for check in self.checks:
            yield f"  {MARKS[check.outcome]} {check.claim} ({_outcome_and_points(check)})"
            for label, text in details(check):
                first, *more = text.splitlines() or [""]
                yield f"      {label:<10}{first}"
                yield from (f"      {'':<10}{line}" for line in more)

    def _repr_html_(self):
        if self.outcome == "not attempted":
            rows = f"<p>{html.escape(next(iter(self._lines()), ''))}</p>"
        else:
            rows = "".join(map(_check_as_html, self.checks))
        return (
            f'<div style="border-left: 4px solid {COLOURS[self.outcome]}; padding: 2px 12px">'
            f"<b>{MARKS[self.outcome]} {html.escape(self.headline)}</b>{rows}</div>"
        )


def details(check):
    """Return [(label, text), ...] of a CheckResult; random ids become short names."""
    rows = [("note", note) for note in check.notes]
    if check.outcome != "pass":
        findings = [
            ("", check.message),
            ("call", check.call),
            ("came back", check.got),
            ("expected", check.expected),
            ("in Redis", "\n".join(check.evidence)),
            ("hint", check.hint),
        ]
        rows = [(label, text) for label, text in findings if text] + rows
    # all texts at once, so that an id has the same name in each of them
    texts = _name_ids("\0".join(text for _, text in rows)).split("\0")
    return list(zip([label for label, _ in rows], texts, strict=False)) if rows else []


def _outcome_and_points(check):
    """Return the outcome of a check, with its points if it is worth any."""
    if not check.max_points:
        return check.outcome
    return f"{check.outcome}, {check.points} of {check.max_points}"


def _check_as_html(check):
    rows = "".join(
        f'<tr><td style="text-align:left; vertical-align:top; white-space:nowrap">'
        f"<i>{label}</i></td>"
        f'<td style="text-align:left"><pre style="margin:0; white-space:pre-wrap; background:none">'
        f"{html.escape(text)}</pre></td></tr>"
        for label, text in details(check)
    )
    table = f"<table>{rows}</table>" if rows else ""
    return (
        f'<div><span style="color:{COLOURS[check.outcome]}">{MARKS[check.outcome]}</span> '
        f"{html.escape(check.claim)} <small>({_outcome_and_points(check)})</small>{table}</div>"
    )


def _name_ids(text):
    """Give each random id a short name, the same wherever the id occurs."""
    names = {}
    return UUID.sub(lambda match: names.setdefault(match[0], f"<id {len(names) + 1}>"), text)
