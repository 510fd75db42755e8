"""A timeline of one message: a row for each place where it was, as a picture and as text.

    draw_timeline([(0.0, "on the queue"), (0.4, "with worker 1"), (1.2, "lost")])

    on the queue  ■■■■■■■■■■■■■··························· 0.0 to 0.4 s
    with worker 1 ·············■■■■■■■■■■■■■■■■■■■■■■■■■■· 0.4 to 1.2 s
    lost          ·······································■ from 1.2 s on

Only the differences of the times count, so seconds since 1970 work too.
"""

import html
import time
from itertools import pairwise

COLUMNS = 40  # of the text form
WIDTH, ROW, MARGIN, LETTER = 480, 34, 24, 8  # of the picture, in pixels
INK, GREY, BLUE, PALE = "#111111", "#555555", "#1d4ed8", "#dbeafe"


class Moves(list):
    """The places of one message over time: pairs (seconds, place), for draw_timeline()."""

    def to(self, place):
        """Record that the message is at a place from this moment on."""
        self.append((time.monotonic(), place))


def draw_timeline(moves):
    """Return a Timeline of [(seconds, place), ...], which a cell shows.

    At each time the message arrived at a place; it stays at the last one. Raises ValueError for
    fewer than two moves, or for times that go back.
    """
    times = [float(seconds) for seconds, _ in moves]
    if len(times) < 2 or times != sorted(times):
        raise ValueError(f"give two or more moves, in the order of their times; got {moves!r}")
    return Timeline(
        [(time - times[0], str(place)) for time, (_, place) in zip(times, moves, strict=True)]
    )


class Timeline:
    """The places of one message. moves: [(seconds since the first move, place), ...]."""

    def __init__(self, moves):
        self.moves = moves
        self._duration = moves[-1][0] or 1.0
        self._places = list(dict.fromkeys(place for _, place in moves))

    def stays(self, place):
        """Return [(arrival, departure), ...] at a place; the very last departure is None."""
        ends = [end for end, _ in self.moves[1:]]
        all_stays = zip(self.moves, [*ends, None], strict=True)
        return [(start, end) for (start, where), end in all_stays if where == place]

    def describe(self, place):
        """Return when the message was at a place: "0.0 to 0.4 s"."""
        return ", ".join(
            f"from {start:.1f} s on" if end is None else f"{start:.1f} to {end:.1f} s"
            for start, end in self.stays(place)
        )

    def __repr__(self):
        longest = max(map(len, self._places))
        return "\n".join(
            f"{place:{longest}} {self._row(place)} {self.describe(place)}" for place in self._places
        )

    def _repr_html_(self):
        return _picture(self, self._places, self._duration)

    def _row(self, place):
        cells = ["·"] * COLUMNS
        for start, end in self.stays(place):
            first, last = (round(_share(at, self._duration) * (COLUMNS - 1)) for at in (start, end))
            for number in range(first, max(last, first + 1)):
                cells[number] = "■"
        return "".join(cells)


def _share(seconds, duration):
    return 1 if seconds is None else seconds / duration


def _picture(timeline, places, duration):
    left = MARGIN + LETTER * max(map(len, places)) + 12
    rows = {place: MARGIN + ROW * number for number, place in enumerate(places)}
    parts = [_label(place, left, y, timeline.describe(place)) for place, y in rows.items()]
    stops = [(left + WIDTH * seconds / duration, rows[place]) for seconds, place in timeline.moves]
    for (start, y), (end, to) in pairwise(stops):
        parts += [_bar(start, end, y), _step(end, y, to)]
    texts = [f"{place}: {timeline.describe(place)}" for place in places]
    room = LETTER * max(len(timeline.describe(place)) for place in places)
    width, height = left + WIDTH + room + MARGIN, MARGIN + ROW * len(places)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" style="max-width: 100%; height: auto" role="img" '
        f'aria-label="{html.escape("; ".join(texts))}" font-family="sans-serif" font-size="13">'
        f'<rect width="100%" height="100%" rx="8" fill="#ffffff"/>{"".join(parts)}'
        f"{_end(*stops[-1])}</svg>"
    )


def _label(place, left, y, times):
    return (
        f'<text x="{left - 12}" y="{y + 4}" fill="{INK}" text-anchor="end">{html.escape(place)}'
        f'</text><path d="M{left} {y}h{WIDTH}" stroke="{GREY}" stroke-dasharray="1 5"/>'
        f'<text x="{left + WIDTH + 14}" y="{y + 4}" fill="{GREY}">{times}</text>'
    )


def _bar(start, end, y):
    width = max(end - start, 2)
    return (
        f'<rect x="{start:.0f}" y="{y - 9}" width="{width:.0f}" height="18" '
        f'fill="{PALE}" stroke="{BLUE}"/>'
    )


def _step(x, y, to):
    return f'<path d="M{x:.0f} {y}V{to}" stroke="{BLUE}" stroke-width="2" stroke-dasharray="4 3"/>'


def _end(x, y):
    return f'<circle cx="{x:.0f}" cy="{y}" r="6" fill="{BLUE}"/>'
