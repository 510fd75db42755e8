"""Recordings: events that add up, files, and the forms of a board without a widget."""

import json
import re
import xml.etree.ElementTree

import pytest

from jobs_kit.lab.board.board import Replay, replay
from jobs_kit.queue_watch import recording as board_record
from jobs_kit.queue_watch.picture import MOST_ENDED, MOST_WAITING, apply, depth, empty_picture
from jobs_kit.queue_watch.player.text import as_svg, as_text
from jobs_kit.queue_watch.recording import NotARecordingError, Recording

JID = "1f6e3c1c-6f5e-4c53-9a29-7d0a54a9a1e9"


def put(number, at=1000.0, text=None, first=False):
    text = text or f"m{number}"
    return {
        "at": at,
        "did": "put",
        "message": str(number),
        "text": text,
        "who": "notebook",
        "first": first,
    }


def take(number, at=1001.0, who="worker-1", text=""):
    return {"at": at, "did": "take", "message": str(number), "text": text, "who": who}


def did(word, number=None, at=1002.0, **more):
    return {"at": at, "did": word, **({"message": str(number)} if number else {}), **more}


def recording_of(*events):
    return Recording(empty_picture("some_queue"), events)


@pytest.fixture
def story():
    """Four messages: one is done, one failed, one is held, one waits."""
    return recording_of(
        *[put(number) for number in (1, 2, 3, 4)],
        *[event for number in (1, 2, 3) for event in (take(number), did("done", number))][:-1],
        did("fail", 2, why="because"),
        did("worker", who="worker-2", waits=True),
        did("gone", who="worker-3"),
    )


def test_the_forms_tell_the_story(story):
    assert as_text(story.now) == (
        "Queue some_queue: 1 waiting, 1 of 2 workers busy, 1 done, 1 failed\n"
        "  producers  notebook (4 put)\n"
        '  waiting    "m4"\n'
        '  worker-1   works on "m3"\n'
        "  worker-2   waits\n"
        '  done       "m1"\n'
        '  failed     "m2" because'
    )


def test_the_picture_is_an_svg_that_says_the_same(story):
    root = xml.etree.ElementTree.fromstring(as_svg(story.now))
    assert root.tag.endswith("svg") and root.get("role") == "img"
    assert root[0].text == as_text(story.now)
    assert {"m1", "m2", "m3", "m4", "because"} <= {node.text for node in root.iter()}


def test_no_form_takes_a_message_for_markup_or_shows_a_whole_id():
    now = recording_of(put(1, text="<b>&'\""), put(2, text=JID), put(3, text="x" * 500)).now
    text = as_text(now)
    assert "<b>&'\"" in text and "1f6e3c1c…" in text and JID not in text
    assert max(map(len, text.splitlines())) < 120
    assert xml.etree.ElementTree.fromstring(as_svg(now))[0].text == text


def test_of_many_the_rest_is_counted():
    now = recording_of(*[put(number) for number in range(1, 3001)]).now
    assert depth(now) == 3000 and len(now["waiting"]) == len(now["messages"]) == MOST_WAITING
    assert '"m5", "m6" and 2,994 more' in as_text(now)


def test_a_glimpse_is_small_and_whole():
    recording = recording_of(*[put(number) for number in range(1, 1001)])
    glimpse = recording.glimpse()
    assert depth(glimpse) == 1000 and len(glimpse["waiting"]) < 100
    assert set(glimpse["waiting"]) == set(glimpse["messages"])
    glimpse["waiting"].clear()
    glimpse["messages"]["1"]["text"] = "changed"
    assert depth(recording.now) == 1000, "it is a copy"
    assert recording.now["messages"]["1"]["text"] == "m1"


def test_what_has_ended_long_ago_is_forgotten_and_counted():
    count = MOST_ENDED + 10
    recording = recording_of()
    for number in range(1, count + 1):
        for event in (put(number), take(number), did("done", number)):
            recording.add(event)
    now = recording.now
    assert now["counts"]["done"] == now["workers"]["worker-1"]["done"] == count
    assert len(now["done"]) == len(now["messages"]) == MOST_ENDED


def test_ended_workers_are_forgotten_unless_redis_keeps_a_message_for_them():
    now = recording_of(
        put(1),
        take(1, who="a"),
        *[did("worker", who=who, waits=True) for who in "bcde"],
        *[did("gone", who=who) for who in "abcd"],
    ).now
    assert list(now["workers"]) == ["e", "a", "c", "d"]
    assert 'has ended, and Redis keeps "m1"' in as_text(now)


def test_a_message_that_comes_back_waits_at_the_head():
    now = recording_of(put(1), put(2), take(1), did("back", 1)).now
    assert now["waiting"] == ["1", "2"] and now["workers"]["worker-1"]["holds"] == []
    now = recording_of(put(1), put(2), take(1), did("fail", 1, why=""), put(1, first=True)).now
    assert now["waiting"] == ["1", "2"] and now["counts"]["failed"] == 0


def test_a_client_that_took_a_message_waits_no_more():
    now = recording_of(did("worker", who="worker-1", waits=True), put(1), take(1)).now
    assert now["workers"]["worker-1"] == {"holds": ["1"], "waits": False, "gone": False, "done": 0}


def test_behind_messages_that_are_only_counted_others_are_counted_too():
    now = recording_of(did("look", waiting=[["1", "m1"]], beyond=5), put(2)).now
    assert now["waiting"] == ["1"] and depth(now) == 7
    for event in (take(1), take(9, text="m9")):
        apply(now, event)
    assert depth(now) == 5 and now["messages"]["9"]["text"] == "m9"


def test_a_look_sets_things_right():
    waiting = [["2", "m2"], ["9", "new"], ["1", "m1"]]
    now = recording_of(put(1), put(2), put(3), take(1), did("look", waiting=waiting, beyond=5)).now
    assert now["waiting"] == ["2", "9", "1"] and depth(now) == 8
    assert now["workers"]["worker-1"]["holds"] == [] and "3" not in now["messages"]


def test_the_last_minute_is_counted_by_the_second():
    now = recording_of(put(1, at=1000.2), put(2, at=1000.9), take(1, at=1003.5)).now
    assert now["minute"] == [[1000, 2, 0], [1003, 1, 1]]
    for event in (put(3, at=1064.5), put(4, at=1070.0)):
        apply(now, event)
    assert now["minute"] == [[1003, 1, 1], [1064, 2, 0], [1070, 3, 0]]


def test_old_events_merge_into_the_start(monkeypatch):
    monkeypatch.setattr(board_record, "MOST_EVENTS", 100)
    recording = recording_of(*[put(number) for number in range(1, 351)])
    assert len(recording.events) <= 100 and recording.count == 350
    assert depth(recording.start) == 350 - len(recording.events)
    assert Recording(recording.start, recording.events).now == recording.now
    assert [event["text"] for event in recording.since(348)] == ["m349", "m350"]
    assert recording.since(350) == recording.since(1) == []


def test_a_recording_is_read_as_it_was_written(story, tmp_path):
    path = tmp_path / "story.json"
    story.save(path)
    shown = replay(path)
    assert repr(shown) == as_text(story.now)
    assert shown.recording.now == story.now and shown.recording.events == story.events
    assert shown.page.state == "recorded" and shown.page.recording["events"] == story.events
    shown.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == path.read_text()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "another"}', '{"format": "jobs-kit board 2", "start": {}}']
)
def test_another_file_is_no_recording(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(NotARecordingError, match=r"a\.json' is not a recording that board\.save"):
        replay(path)


def test_a_separate_page_needs_nothing_else(story, tmp_path):
    story.add(put(5, text="</script><b>{x}"))
    (tmp_path / "a.json").write_text(json.dumps(story.as_dict()))
    replay(tmp_path / "a.json").save_page(tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text("utf-8")
    links = re.findall(r"""(?:src|href)=|@import|url\(|\bfetch\(|https?://[^"'\s]+""", page)
    assert set(links) == {"http://www.w3.org/2000/svg"}
    assert page.count("</script>") == 2, "the recording as data, and the player"
    assert "works on" in page.split("<noscript>")[1]


def test_a_board_shows_itself_in_three_forms(story):
    bundle, _ = Replay(story)._repr_mimebundle_()
    assert bundle["text/plain"] == as_text(story.now)
    assert bundle["image/svg+xml"] == as_svg(story.now)
    assert "application/vnd.jupyter.widget-view+json" in bundle
