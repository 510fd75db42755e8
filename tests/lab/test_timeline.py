"""The timeline of a message: where it was and when, as text and as a picture that says the same."""

from xml.etree import ElementTree

import pytest

from jobs_kit.lab.timeline import COLUMNS, draw_timeline

SVG = "{http://www.w3.org/2000/svg}"
LOST = [(10.0, "on the queue"), (10.5, "with <worker> 1"), (12.0, "lost")]
BACK = [(0, "queue"), (1, "ana"), (3, "queue"), (3, "ben"), (4, "done")]


def picture(moves):
    return ElementTree.fromstring(draw_timeline(moves)._repr_html_())


def rows(moves):
    """Return {place: its forty columns}."""
    lines = repr(draw_timeline(moves)).splitlines()
    return {line[:5].strip(): line.split()[1] for line in lines}


def test_the_text_has_a_row_for_each_place():
    assert repr(draw_timeline(LOST)).splitlines() == [
        "on the queue    ■■■■■■■■■■" + "·" * 30 + " 0.0 to 0.5 s",
        "with <worker> 1 ··········" + "■" * 29 + "· 0.5 to 2.0 s",
        "lost            " + "·" * 39 + "■ from 2.0 s on",
    ]


def test_a_place_that_is_seen_twice_has_one_row():
    found = rows(BACK)
    assert list(found) == ["queue", "ana", "ben", "done"]
    assert draw_timeline(BACK).stays("queue") == [(0, 1), (3, 3)]
    assert {len(row) for row in found.values()} == {COLUMNS}


def test_a_moment_is_seen_however_short():
    assert rows(BACK)["queue"].count("■") == 11  # a quarter of the time, and the moment at 3
    assert all("■" in row for row in rows([(0, "a"), (0, "b"), (0, "c")]).values())


def test_the_picture_says_what_the_text_says():
    drawn = picture(LOST)
    words = [text.text for text in drawn.iter(f"{SVG}text")]
    for part in ("on the queue", "0.0 to 0.5 s", "with <worker> 1", "lost", "from 2.0 s on"):
        assert part in words
        assert part in drawn.get("aria-label")


def test_the_picture_has_a_bar_for_each_stay_within_its_frame():
    drawn = picture(BACK)
    frame, *bars = drawn.iter(f"{SVG}rect")
    assert frame.get("fill") == "#ffffff"
    assert len(bars) == len(BACK) - 1
    for bar in bars:
        assert float(bar.get("x")) + float(bar.get("width")) < float(drawn.get("width"))
        assert float(bar.get("y")) + float(bar.get("height")) < float(drawn.get("height"))


@pytest.mark.parametrize("moves", [[], [(0, "queue")], [(1, "queue"), (0, "ana")]])
def test_it_asks_for_moves_in_order(moves):
    with pytest.raises(ValueError, match="two or more moves"):
        draw_timeline(moves)
