"""How does an import graph look? As SVG: a file that imports stands above what it imports.

The picture is labelled with the text form, for screen readers. What closes a cycle is red, dashed
and called so. A dotted arrow is an import inside a function.
"""

import html
import textwrap
from dataclasses import dataclass
from itertools import pairwise

MARGIN, GAP, ROW_GAP, LINE = 24, 32, 66, 17
LETTER, SMALL = 9.2, 6.6  # the width of a letter of 15 and of 12 pixels, rather too wide
INK, GREY, BLUE, RED = "#111111", "#555555", "#1d4ed8", "#b91c1c"
LEGEND = "An arrow leads from the file that imports to the file that it imports."


@dataclass(eq=False)
class Box:
    """A place in a row: of a file, with text; or, without, of an arrow on its way past the row."""

    row: int
    lines: tuple = ()
    x: float = 0  # its middle
    top: float = 0
    width: float = 10
    height: float = 0

    @property
    def bottom(self):
        return self.top + self.height


def draw(graph):
    """Return the picture of an ImportGraph that has modules, as the text of an SVG element."""
    boxes = {name: _box(row, name, graph.modules[name]) for name, row in _rows_of(graph).items()}
    arrows = [(who, whom, False) for who, whom in graph.imports()]
    arrows += [(who, whom, True) for who, one in graph.modules.items() for whom in one.later]
    ways = [_way(boxes[who], boxes[whom]) for who, whom, _ in arrows]
    rows = _arrange(boxes, ways)
    notes = [(text, RED if graph.cycles else INK) for text in graph.verdict()] + [(LEGEND, GREY)]
    room = ROW_GAP if any(way[0].row == way[-1].row for way in ways) else MARGIN + LINE
    width, height = _place(rows, max(len(text) for text, _ in notes) * SMALL, room)
    parts = []
    for way, (who, whom, is_later) in zip(ways, arrows, strict=True):
        parts.append(_arrow(way, not is_later and graph.in_a_cycle(who, whom), is_later))
    parts += [_drawn(box, graph.modules[name].fault) for name, box in boxes.items()]
    for number, (text, colour) in enumerate(notes):
        parts.append(_text(MARGIN, height + number * LINE, text, colour, 12, "start"))
    height += len(notes) * LINE + MARGIN / 2
    label = html.escape(repr(graph).replace("\n", ". "))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" style="max-width: 100%; height: auto" '
        f'role="img" aria-label="{label}" font-family="sans-serif">'
        f'<rect width="100%" height="100%" rx="8" fill="#ffffff"/>{"".join(parts)}</svg>'
    )


def _rows_of(graph):
    """Return {name: row}: below all that import it, beside those that it is in a cycle with."""
    rows = dict.fromkeys(graph.modules, 0)
    changed = True
    while changed:
        before = dict(rows)
        for who, whom in graph.imports():
            below = 0 if graph.in_a_cycle(who, whom) else 1
            rows[whom] = max(rows[whom], rows[who] + below)
        changed = rows != before
    return rows


def _box(row, name, module):
    parts = [f"{kind}: {', '.join(names)}" for kind, names in module.outside.items() if names]
    if module.fault:
        parts = [f"cannot be read, {module.fault}"]
    lines = [line for part in parts for line in textwrap.wrap(part, 34)]
    width = max([(len(name) + 3) * LETTER, *(len(line) * SMALL for line in lines)]) + 24
    return Box(row, (f"{name}.py", *lines), width=width, height=LINE * len(lines) + 32)


def _way(who, whom):
    """Return the places that an arrow passes: a box of its own in each row in between."""
    step = 1 if who.row < whom.row else -1
    return [who, *(Box(row) for row in range(who.row + step, whom.row, step)), whom]


def _arrange(boxes, ways):
    """Return the rows, lists of Box; each box stands under those that lead to it, or near."""
    passing = [box for way in ways for box in way[1:-1]]
    rows = [[] for _ in range(max(box.row for box in boxes.values()) + 1)]
    for box in [*boxes.values(), *passing]:
        rows[box.row].append(box)
    steps = [pair for way in ways for pair in pairwise(way)]
    for upper, row in pairwise(rows):
        places = {box: (number + 0.5) / len(upper) for number, box in enumerate(upper)}

        def place(box, places=places):
            found = [places[a] for a, b in steps if b is box and a in places]
            return sum(found) / len(found) if found else 0.5

        row.sort(key=place)
    return rows


def _place(rows, at_least, room):
    """Give each box its place; return the width of the picture, and the height that is used.

    room: what to leave free above the first row and below the last, for arrows within a row.
    """
    widths = [sum(box.width + GAP for box in row) - GAP for row in rows]
    width = max(*widths, at_least, 0) + 2 * MARGIN
    top = room
    for row, row_width in zip(rows, widths, strict=True):
        left = (width - row_width) / 2
        for box in row:
            box.x, box.top = left + box.width / 2, top
            left += box.width + GAP
        tallest = max(box.height for box in row)
        for box in row:
            box.height = box.height or tallest  # an arrow goes past the tallest of the row
        top += tallest + ROW_GAP
    return width, top - ROW_GAP + room


def _arrow(way, is_in_cycle, is_later):
    who, whom = way[0], way[-1]
    if who is whom:
        path, tip, label = _loop(who)
    elif who.row == whom.row:
        path, tip, label = _arc(who, whom)
    else:
        path, tip, label = _line(way)
    colour = RED if is_in_cycle else GREY if is_later else BLUE
    dashes = ' stroke-dasharray="7 4"' if is_in_cycle else ' stroke-dasharray="2 4"'
    drawn = (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"'
        f'{dashes if is_in_cycle or is_later else ""}/><path d="{tip}" fill="{colour}"/>'
    )
    word = "cycle" if is_in_cycle else "inside a function" if is_later else ""
    return drawn + (_text(*label, word, colour, 12, "middle") if word else "")


def _line(way):
    """From row to row: out of the first box, past what stands between, into the last."""
    down = 1 if way[0].row < way[-1].row else -1
    enter = [box.top if down == 1 else box.bottom for box in way]
    leave = [box.bottom if down == 1 else box.top for box in way]
    path = f"M{way[0].x:.0f} {leave[0]:.0f}"
    for n, (a, b) in enumerate(pairwise(way), start=1):
        goal = enter[n] - (8 * down if b is way[-1] else 0)
        half = (leave[n - 1] + goal) / 2
        path += f"C{a.x:.0f} {half:.0f} {b.x:.0f} {half:.0f} {b.x:.0f} {goal:.0f}"
        path += f"V{leave[n]:.0f}" if b is not way[-1] else ""
    return path, _tip(way[-1].x, enter[-1], down), ((a.x + b.x) / 2 + 50, half + 4)


def _arc(who, whom):
    """Within a row: over the boxes to the right, under them to the left."""
    down = 1 if who.x < whom.x else -1
    start, goal = who.x + 20 * down, whom.x - 20 * down
    y, z = (who.top, whom.top) if down == 1 else (who.bottom, whom.bottom)
    far = min(y, z) - 46 if down == 1 else max(y, z) + 46
    path = f"M{start:.0f} {y:.0f}C{start:.0f} {far:.0f} {goal:.0f} {far:.0f} "
    path += f"{goal:.0f} {z - 8 * down:.0f}"
    return path, _tip(goal, z, down), ((start + goal) / 2, far + (5 if down == 1 else 2))


def _loop(box):
    """From a file to itself."""
    left, right, y = box.x - 14, box.x + 14, box.top
    path = f"M{left:.0f} {y:.0f}C{left:.0f} {y - 44:.0f} {right:.0f} {y - 44:.0f} "
    path += f"{right:.0f} {y - 8:.0f}"
    return path, _tip(right, y, 1), (box.x, y - 40)


def _tip(x, y, down):
    return f"M{x:.0f} {y:.0f}l-5 {-9 * down}h10z"


def _drawn(box, fault):
    left = box.x - box.width / 2
    fill, stroke = ("#fee2e2", RED) if fault else ("#dbeafe", BLUE)
    parts = [
        f'<rect x="{left:.0f}" y="{box.top:.0f}" width="{box.width:.0f}" '
        f'height="{box.height:.0f}" rx="8" fill="{fill}" stroke="{stroke}"/>',
        _text(box.x, box.top + 21, box.lines[0], INK, 15, "middle", "bold"),
    ]
    for number, line in enumerate(box.lines[1:]):
        parts.append(_text(box.x, box.top + 40 + number * LINE, line, INK, 12, "middle"))
    return "".join(parts)


def _text(x, y, text, colour, size, anchor, weight="normal"):
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" fill="{colour}" font-size="{size}" '
        f'font-weight="{weight}" text-anchor="{anchor}">{html.escape(text)}</text>'
    )
