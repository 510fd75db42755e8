"""Show a board where there is no widget: in lines of text, and as an SVG.

For terminals, notebooks that are only read, and screen readers.
"""

import html
import re

from jobs_kit.queue_watch.picture import depth

SHOWN = 6  # messages in a line
UUID = re.compile(r"([0-9a-f]{8})-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
WIDTH, ROW = 720, 26  # of the SVG
MARKS = {"": "", "ghost": "(not the job's key)", "missing": "(not saved)"}
FILLS = {"done": "#e3f1e6", "failed": "#fdecea"}


def summary(picture):
    """Return the picture in one sentence."""
    workers = [worker for worker in picture["workers"].values() if not worker["gone"]]
    busy = sum(bool(worker["holds"]) for worker in workers)
    counts, role = picture["counts"], picture["role"]
    parts = [
        f"{depth(picture):,} waiting",
        f"{busy} of {_plural(len(workers), role)} busy" if workers else f"no {role}s",
        f"{counts['done']:,} done",
        f"{counts['failed']:,} failed",
    ]
    if counts["taken"]:
        parts.insert(2, f"{counts['taken']:,} taken")
    return ", ".join(parts)


def as_text(picture):
    """Return the picture as lines: the messages that wait, are held, are done and have failed."""
    lines = [f"Queue {picture['queue']}: {summary(picture)}"]
    for name, words, texts, after in _rows(picture):
        quoted = ", ".join(f'"{text}"' for text in texts)
        lines.append(f"  {name:<11}{' '.join(filter(None, [words, quoted, after]))}")
    return "\n".join(lines)


def as_svg(picture):
    """Return the same as an SVG, which carries the text for those who cannot see it."""
    rows = list(_rows(picture))
    height = ROW * (len(rows) + 1) + 16
    drawn = [
        _svg_text(12, 22, f"Queue {picture['queue']}", "font-weight='600'"),
        _svg_text(WIDTH - 12, 22, summary(picture), "text-anchor='end'"),
    ]
    for number, row in enumerate(rows, start=1):
        drawn.append(_svg_row(26 + ROW * number, *row))
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height}' "
        f"viewBox='0 0 {WIDTH} {height}' role='img' font-family='sans-serif' font-size='12'>"
        f"<title>{html.escape(as_text(picture))}</title>"
        f"<rect width='{WIDTH}' height='{height}' rx='6' fill='#fff' stroke='#bdbdbd'/>"
        f"{''.join(drawn)}</svg>"
    )


def _rows(picture):
    """Yield (name, words, messages as text, words after them) for each line."""
    if not picture["here"]:
        yield "Redis", "does not answer; the board waits for it", [], ""
    if picture["note"]:
        yield "note", picture["note"], [], ""
    if picture["producers"]:
        puts = [f"{who} ({count:,} put)" for who, count in picture["producers"].items()]
        yield "producers", ", ".join(puts[:SHOWN]), [], _more(len(puts))
    words = "" if depth(picture) else "nothing"
    yield "waiting", words, *_first(picture, picture["waiting"], depth(picture))
    for who, worker in picture["workers"].items():
        yield who, _does(worker), *_first(picture, worker["holds"], len(worker["holds"]))
    for key, record in picture["records"].items():
        fields = [f"{name} {value}" for name, value in record["fields"].items()]
        yield "job", " ".join([key, *fields, MARKS[record["mark"]]]).rstrip(), [], ""
    for place in ("taken", "done"):
        if picture[place]:
            yield place, "", *_first(picture, picture[place][::-1], picture["counts"][place])
    for message in picture["failed"][: -SHOWN - 1 : -1]:
        *_, why = picture["messages"][message]["steps"][-1]
        yield "failed", "", [_text(picture, message)], why


def _does(worker):
    if worker["gone"]:
        return "has ended, and Redis keeps" if worker["holds"] else "has ended"
    if worker["holds"]:
        return "works on"
    return "waits" if worker["waits"] else "is there"


def _first(picture, messages, count):
    return [_text(picture, message) for message in messages[:SHOWN]], _more(count)


def _text(picture, message):
    return _shorten(UUID.sub(r"\1…", picture["messages"][message]["text"]), 40)


def _more(count):
    return f"and {count - SHOWN:,} more" if count > SHOWN else ""


def _svg_row(y, name, words, texts, after):
    """Return one row of the SVG: its name, its words, a box for each message."""
    drawn, x = [_svg_text(12, y, name, "fill='#555'")], 120
    if words:
        drawn.append(_svg_text(x, y, _shorten(words, 90)))
        x += 7 * len(words) + 8
    for text in texts:
        shown = _shorten(text, 10)
        wide = 7 * len(shown) + 16
        box = f"<rect x='{x}' y='{y - 15}' width='{wide}' height='21' rx='4'"
        drawn.append(f"{box} fill='{FILLS.get(name, '#eef3fa')}' stroke='#8a99b0'/>")
        drawn.append(_svg_text(x + wide / 2, y, shown, "text-anchor='middle'"))
        x += wide + 6
    return "".join([*drawn, _svg_text(x, y, _shorten(after, 70))])


def _plural(count, noun):
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _shorten(text, length):
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"


def _svg_text(x, y, text, more=""):
    return f"<text x='{x}' y='{y}' {more}>{html.escape(text)}</text>"
