"""Show the result of an exercise, as text and as HTML."""

import html
import itertools
import json
from dataclasses import dataclass

from jobs_kit.course.answer_folders import short_path
from jobs_kit.course.exercise import all_exercises
from jobs_kit.grading.programs.formats import UUID
from jobs_kit.queue_watch.player.page import page_of, players_of
from jobs_kit.queue_watch.story import story_lines

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
SAME = "the same as above"
PAGE_BYTES = 130_000  # of all recordings on a page, which has 200,000 with the player
LEFT_OUT = "{} more: check the exercise by itself to watch what does not fit on this page."


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
        """The exercise, its outcome and its points, in one line; and its tally, if it has one."""
        points = f", {self.points} of {self.max_points} points" if self.max_points else ""
        return f"{self.id}: {self.outcome}{points}{self._tally()}"

    def _tally(self):
        exercise = all_exercises().get(self.id)
        if not (exercise and exercise.tally):
            return ""
        text, beginning = exercise.tally
        passes = [
            check.outcome == "pass" for check in self.checks if check.claim.startswith(beginning)
        ]
        return f", {text}: {sum(passes)} of {len(passes)}"

    @property
    def place(self):
        """The folder that was judged, as a line; "" for a gap."""
        return f"in {short_path(self.result.folder)}" if self.result.folder else ""

    def __str__(self):
        place = [f"  {self.place}"] if self.place else []
        return "\n".join([f"{MARKS[self.outcome]} {self.headline}", *place, *self._lines()])

    __repr__ = __str__

    def _lines(self):
        if self.outcome == "not attempted":
            yield f"  {_name_ids(self.checks[0].message)}" if self.checks else ""
            return
        for entry in entries(self.checks):
            yield f"  {MARKS[entry.outcome]} {entry.heading}"
            for label, text in entry.rows:
                first, *more = text.splitlines() or [""]
                yield f"      {label:<10}{first}"
                yield from (f"      {'':<10}{line}" for line in more)
        for claim, recording in self.recordings[:1]:  # the first fault; the others often follow
            yield f"  what happened in Redis: {claim}"
            yield from (f"    {line}" for line in story_lines(recording))

    @property
    def recordings(self):
        """What happened in Redis during the checks that failed: [(claim, recording), ...]."""
        return [(check.claim, named_recording(check)) for check in self.checks if check.recording]

    def _repr_html_(self):
        return self.as_html(watch_fold)

    def as_html(self, fold):
        """Return the verdict as HTML. fold(recordings): returns what shows the recordings."""
        if self.outcome == "not attempted":
            rows = f"<p>{html.escape(next(iter(self._lines()), ''))}</p>"
        else:
            rows = "".join(map(_entry_as_html, entries(self.checks)))
        return (
            f'<div style="border-left: 4px solid {COLOURS[self.outcome]}; padding: 2px 12px">'
            f"<b>{MARKS[self.outcome]} {html.escape(self.headline)}</b>"
            f"<div>{html.escape(self.place)}</div>{rows}"
            f"{fold(self.recordings) if self.recordings else ''}</div>"
        )


@dataclass(frozen=True)
class Entry:
    """One line of a verdict, with the rows below it: [(label, text), ...]."""

    outcome: str
    heading: str
    rows: list


def entries(checks):
    """Yield the Entries of CheckResults.

    Checks that were not run share one line: below the check that they wait for, or with those that
    were not run for the same reason. What Redis showed twice is printed once.
    """
    groups, contents = _groups(checks), set()
    for check in checks:
        if check.outcome != "not reached":
            rows = [_without_repetition(row, contents) for row in details(check)]
            yield Entry(check.outcome, f"{check.claim} ({_outcome_and_points(check)})", rows)
            if group := groups.get(check.name):
                count = (
                    "1 more check waits" if len(group) == 1 else f"{len(group)} more checks wait"
                )
                yield Entry("not reached", f"{count} for this one{_points_in_brackets(group)}", [])
        elif check in (groups.get(check.message) or [None])[:1]:
            yield _group_as_entry(groups[check.message])


def _groups(checks):
    """Return {name of the check that others wait for, or a reason: [CheckResults not run]}."""
    by_name, groups = {check.name: check for check in checks}, {}
    for check in checks:
        if check.outcome == "not reached":
            first = check
            while first.outcome == "not reached" and first.waits_for in by_name:
                first = by_name[first.waits_for]
            key = first.message if first.outcome == "not reached" else first.name
            groups.setdefault(key, []).append(check)
    return groups


def _group_as_entry(group):
    """Return the Entry of checks that were not run for the same reason."""
    if len(group) == 1:
        heading = f"{group[0].claim} ({_outcome_and_points(group[0])})"
    else:
        heading = f"{len(group)} checks were not run{_points_in_brackets(group)}"
    return Entry("not reached", heading, details(group[0]))


def _points_in_brackets(checks):
    most = sum(check.max_points for check in checks)
    return f" (0 of {most} points)" if most else ""


def _without_repetition(row, contents):
    """Return a row; of what Redis showed above, only that it is the same. contents: a set."""
    label, text = row
    if label != "in Redis" or len(text) <= len(SAME):
        return row
    if text in contents:
        return label, SAME
    contents.add(text)
    return row


def details(check):
    """Return [(label, text), ...] of a CheckResult; random ids become short names."""
    return _named(check)[0]


def named_recording(check):
    """Return the recording of a CheckResult, with the names of its details for random ids."""
    return _named(check)[1]


def _named(check):
    """Return (details, recording) of a CheckResult, with short names for random ids."""
    rows = _rows(check)
    # all texts at once, so that an id has the same name in each of them
    texts = [text for _, text in rows] + [json.dumps(check.recording)]
    *texts, recording = _name_ids("\0".join(texts)).split("\0")
    return list(zip([label for label, _ in rows], texts, strict=True)), json.loads(recording)


def _rows(check):
    rows = [("note", note) for note in check.notes]
    if check.outcome == "pass":
        return rows
    findings = [
        ("", check.message),
        ("call", check.call),
        (check.got_label, check.got),
        ("expected", check.expected),
        ("in Redis", "\n".join(check.evidence)),
        ("hint", check.hint),
    ]
    return [(label, text) for label, text in findings if text] + rows


def _outcome_and_points(check):
    """Return the outcome of a check, with its points if it is worth any."""
    if not check.max_points:
        return check.outcome
    return f"{check.outcome}, {check.points} of {check.max_points}"


def _frame(recordings):
    """Return a page that plays recordings, in a frame: neither styles nor scripts leave it."""
    page = page_of(recordings, margin="0").replace("&", "&amp;").replace("'", "&#39;")
    return (
        f"<iframe srcdoc='{page}' sandbox='allow-scripts' loading='lazy' title='watch it happen' "
        "style='width:100%; height:30em; border:0; resize:vertical'></iframe>"
    )


def watch_fold(recordings, most=PAGE_BYTES, show=_frame):
    """Return a fold in which recordings are watched, as HTML; what doesn't fit is left out.

    most: bytes of all recordings. show(recordings): returns what plays them, as HTML.
    """
    sizes = itertools.accumulate(len(players_of([one]).encode()) for one in recordings)
    fitting = [one for one, size in zip(recordings, sizes, strict=True) if size <= most]
    missing = len(recordings) - len(fitting)
    rest = f"<p>{LEFT_OUT.format(missing)}</p>" if missing else ""
    return (
        '<details style="margin-top:6px"><summary>watch it happen</summary>'
        f"{show(fitting) if fitting else ''}{rest}</details>"
    )


def _entry_as_html(entry):
    rows = "".join(
        f'<tr><td style="text-align:left; vertical-align:top; white-space:nowrap">'
        f"<i>{label}</i></td>"
        f'<td style="text-align:left"><pre style="margin:0; white-space:pre-wrap; background:none">'
        f"{html.escape(text)}</pre></td></tr>"
        for label, text in entry.rows
    )
    table = f"<table>{rows}</table>" if rows else ""
    return (
        f'<div><span style="color:{COLOURS[entry.outcome]}">{MARKS[entry.outcome]}</span> '
        f"{html.escape(entry.heading)}{table}</div>"
    )


def _name_ids(text):
    """Give each random id a short name, the same wherever the id occurs."""
    names = {}
    return UUID.sub(lambda match: names.setdefault(match[0], f"<id {len(names) + 1}>"), text)
