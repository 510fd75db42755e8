"""The import graph: what is read off files, what is called a cycle, and what the picture says."""

import html
import re
import subprocess
import sys
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from jobs_kit.lab.import_picture import Box, _arrange, _place, _rows_of, _way
from jobs_kit.lab.imports import draw_imports

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def graph(tmp_path):
    """graph(api="import jobs", …) writes these files and draws their imports."""

    def draw(folder=tmp_path, **files):
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
        return draw_imports(folder)

    return draw


def picture(graph):
    return ElementTree.fromstring(re.match(r"<svg.*?</svg>", graph._repr_html_(), re.DOTALL)[0])


def words(graph):
    return [text.text for text in picture(graph).iter(f"{SVG}text")]


def test_it_says_who_imports_whom_and_where_the_rest_comes_from(graph):
    drawn = graph(
        api="import json\nfrom flask import Flask, request\nimport jobs\n",
        jobs="import uuid\nimport redis",
        worker="from jobs import q\nimport jbos",
    )
    assert repr(drawn).splitlines() == [
        "api.py: imports jobs.py; standard library: json; third party: flask",
        "jobs.py: imports none of these files; standard library: uuid; third party: redis",
        "worker.py: imports jobs.py; not found: jbos",
        "No cycle.",
    ]
    assert drawn.imports() == [("api", "jobs"), ("worker", "jobs")]
    assert drawn.cycles == []


@pytest.mark.parametrize(
    "line",
    [
        "import b",
        "import os, b as c",
        "from b import x",
        "from b import *",
        "import b.x",
        "from . import b",
        "from .b import x as y",
        "if True:\n    import b",
        "try:\n    import b\nexcept ImportError:\n    pass",
        "class A:\n    import b",
        "import b\ndef f():\n    import b",
    ],
)
def test_every_form_of_import_is_seen(graph, line):
    drawn = graph(a=line, b="")
    assert drawn.imports() == [("a", "b")]
    assert drawn.modules["a"].later == []


def test_an_import_inside_a_function_is_told_apart_and_closes_no_cycle(graph):
    drawn = graph(a="import b", b="def f():\n    if f:\n        import a\n    import json")
    assert drawn.cycles == [] and drawn.imports() == [("a", "b")]
    assert "b.py: imports none of these files; inside a function: a.py" in repr(drawn)
    assert words(drawn).count("inside a function") == 1


@pytest.mark.parametrize(
    ("files", "cycle"),
    [
        ({"api": "import worker", "worker": "from api import q"}, ["api", "worker", "api"]),
        ({"redis": "from redis import Redis"}, ["redis", "redis"]),
        ({"a": "import b", "b": "import c", "c": "import a, d", "d": ""}, ["a", "b", "c", "a"]),
        ({"a": "import b, c", "b": "import a", "c": "import b"}, ["a", "b", "a"]),
    ],
)
def test_a_cycle_is_found_and_marked(graph, files, cycle):
    drawn = graph(**files)
    assert drawn.cycles == [cycle]
    line = "CYCLE: " + " → ".join(f"{name}.py" for name in cycle)
    assert repr(drawn).endswith(line)
    assert line in words(drawn)
    assert words(drawn).count("cycle") >= len(cycle) - 1


def test_what_python_says_of_a_cycle_is_what_the_graph_says(graph, tmp_path):
    drawn = graph(api="from worker import f\nq = 1", worker="from api import q\ndef f(): pass")
    said = subprocess.run([sys.executable, "api.py"], cwd=tmp_path, capture_output=True, text=True)
    assert "circular import" in said.stderr
    assert drawn.cycles


def test_two_cycles_are_two(graph):
    drawn = graph(a="import b", b="import a", c="import d, a", d="import c")
    assert drawn.cycles == [["a", "b", "a"], ["c", "d", "c"]]
    assert not drawn.in_a_cycle("c", "a")


def test_a_file_of_the_folder_wins_over_a_library_of_the_same_name(graph):
    assert graph(json="", a="import json").imports() == [("a", "json")]


@pytest.mark.parametrize("text", ["x = (\n", "q = “queue”\n", "\0"])
def test_a_file_that_does_not_parse_is_named_and_the_others_are_drawn(graph, text):
    drawn = graph(a=text, b="import a")
    assert repr(drawn).startswith("a.py: cannot be read, ")
    assert drawn.imports() == [("b", "a")]
    assert any(word.startswith("cannot be read") for word in words(drawn))


def test_tests_and_init_are_left_out_and_nothing_runs(graph, tmp_path):
    drawn = graph(test_a="import a", __init__="import a", a=f"open({str(tmp_path / 'ran')!r}, 'w')")
    assert list(drawn.modules) == ["a"]
    assert not (tmp_path / "ran").exists()


def test_a_package_is_drawn_by_its_full_names(graph, tmp_path):
    text = "import kit.jobs\nfrom kit import settings\nfrom kit.lab import x\nfrom .jobs import q"
    drawn = graph(tmp_path / "kit", __init__="", api=text, jobs="import json", settings="", json="")
    assert drawn.imports() == [("api", "jobs"), ("api", "settings")]
    assert "jobs.py: imports none of these files; standard library: json" in repr(drawn)


def test_where_nothing_is_it_says_so(tmp_path):
    assert (
        repr(draw_imports(tmp_path)) == f"There is nothing to draw: no Python files at {tmp_path}"
    )
    missing = draw_imports(tmp_path / "no")
    assert repr(missing) == f"There is nothing to draw: no folder at {tmp_path / 'no'}"
    assert missing._repr_html_() == f"<pre>{html.escape(repr(missing))}</pre>"


def test_the_picture_is_labelled_with_the_text_and_shows_it_too(graph):
    drawn = graph(api="import jobs", jobs="")
    assert picture(drawn).get("aria-label") == repr(drawn).replace("\n", ". ")
    assert picture(drawn).get("role") == "img"
    assert f"<pre>{drawn!r}</pre></details>" in drawn._repr_html_()


def test_text_of_a_file_is_shown_as_text(graph):
    drawn = graph(**{"a<b>&": 'x = "<i>" ('})
    assert "a<b>&.py" in words(drawn)
    assert "<b>" not in drawn._repr_html_()


def test_no_arrow_passes_through_a_box_and_no_boxes_overlap(graph):
    """An arrow that leads past a row has a place of its own there."""
    drawn = graph(
        api="import jobs, clients, settings",
        worker="import jobs, clients, analysis",
        jobs="import clients, settings",
        clients="import settings",
        settings="",
        analysis="",
    )
    rows = _rows_of(drawn)
    assert rows == {"api": 0, "worker": 0, "jobs": 1, "clients": 2, "settings": 3, "analysis": 1}
    boxes = {name: Box(row, width=100, height=30) for name, row in rows.items()}
    ways = [_way(boxes[who], boxes[whom]) for who, whom in drawn.imports()]
    placed = _arrange(boxes, ways)
    width, _ = _place(placed, 0, 20)
    assert [len(way) for way in ways] == [2, 3, 4, 2, 2, 3, 2, 3, 2]
    for row in placed:
        ends = [(box.x - box.width / 2, box.x + box.width / 2) for box in row]
        assert ends[0][0] >= 0 and ends[-1][1] <= width
        assert all(right < left for (_, right), (left, _) in pairwise(ends))


def test_the_kits_own_service_has_no_cycle():
    import jobs_kit

    assert draw_imports(jobs_kit.__path__[0]).cycles == []
