"""What does the board say where no widget can be shown? The same in lines of text, and as an SVG.

For terminals, notebooks that are only read, and screen readers.
"""

import html
import re

from jobs_kit.lab.board_picture import depth

SHOWN = 6  # messages in a line
UUID = re.compile(r"([0-9a-f]{8})-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
WIDTH, ROW = 720, 26  # of the SVG


def summary(picture):
    """Return the picture in one sentence."""
    workers = [one for one in picture["workers"].values() if not one["gone"]]
    busy = sum(bool(one["holds"]) for one in workers)
    counts = picture["counts"]
    parts = [
        f"{depth(picture):,} waiting",
        f"{busy} of {_plural(len(workers), 'worker')} busy" if workers else "no workers",
        f"{counts['done']:,} done",
        f"{counts['failed']:,} failed",
    ]
    if counts["taken"]:
        parts.insert(2, f"{counts['taken']:,} taken")
    return ", ".join(parts)


def as_text(picture):
    """Return the picture as lines: what waits, who holds what, what is done and what failed."""
    rows = "".join(f"\n  {name:<11}{text}" for name, text in _rows(picture))
    return f"Queue {picture['queue']}: {summary(picture)}{rows}"


def as_svg(picture):
    """Return the same rows as an SVG, which carries the text for those who cannot see it."""
    rows = list(_rows(picture))
    height = ROW * (len(rows) + 1) + 16
    text = [
        _svg_text(12, 22, f"Queue {picture['queue']}", "font-weight='600'"),
        _svg_text(WIDTH - 12, 22, summary(picture), "text-anchor='end'"),
    ]
    for number, (name, words) in enumerate(rows, start=1):
        top = 10 + ROW * number
        fill = "#fdecea" if name == "failed" else "#eef3fa"
        text += [
            _svg_text(12, top + 16, name, "fill='#555'"),
            f"<rect x='120' y='{top}' width='{WIDTH - 132}' height='{ROW - 5}' rx='4' "
            f"fill='{fill}' stroke='#b8c4d6'/>",
            _svg_text(128, top + 15, _shorten(words, 92)),
        ]
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height}' "
        f"viewBox='0 0 {WIDTH} {height}' role='img' font-family='sans-serif' font-size='12'>"
        f"<title>{html.escape(as_text(picture))}</title>"
        f"<rect width='{WIDTH}' height='{height}' rx='6' fill='#fff' stroke='#bdbdbd'/>"
        f"{''.join(text)}</svg>"
    )


def _rows(picture):
    """Yield (name, words) for each line."""
    if not picture["here"]:
        yield "Redis", "does not answer; the board waits for it"
    if picture["note"]:
        yield "note", picture["note"]
    if picture["producers"]:
        puts = [f"{who} ({count:,} put)" for who, count in picture["producers"].items()]
        yield "producers", _some(puts, len(puts))
    yield "waiting", _some(_quoted(picture, picture["waiting"]), depth(picture)) or "nothing"
    for who, worker in picture["workers"].items():
        yield who, _worker_in_words(picture, worker)
    if picture["taken"]:
        yield "taken", _last(_quoted(picture, picture["taken"]), picture["counts"]["taken"])
    if picture["done"]:
        yield "done", _last(_quoted(picture, picture["done"]), picture["counts"]["done"])
    for message in picture["failed"][: -SHOWN - 1 : -1]:
        *_, why = picture["messages"][message]["steps"][-1]
        yield "failed", f"{_quote(picture, message)} {why}".strip()


def _worker_in_words(picture, worker):
    holds = _some(_quoted(picture, worker["holds"]), len(worker["holds"]))
    if worker["gone"]:
        return f"has ended, and Redis keeps {holds}" if holds else "has ended"
    return f"works on {holds}" if holds else "waits" if worker["waits"] else "is there"


def _quoted(picture, messages):
    return [_quote(picture, message) for message in messages]


def _quote(picture, message):
    text = UUID.sub(r"\1…", picture["messages"][message]["text"])
    return f'"{_shorten(text, 40)}"'


def _some(texts, count):
    shown = texts[:SHOWN]
    more = [f"{count - len(shown):,} more"] if count > len(shown) else []
    return ", ".join(shown + more)


def _last(texts, count):
    return _some(texts[::-1], count)


def _plural(count, noun):
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _shorten(text, length):
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"


def _svg_text(x, y, text, more=""):
    return f"<text x='{x}' y='{y}' {more}>{html.escape(text)}</text>"
