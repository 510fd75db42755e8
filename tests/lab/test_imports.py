"""The import graph: the imports it reads, the cycles it finds, and the diagram that shows them."""

import html
import itertools
import re
import subprocess
import sys

import pytest

from jobs_kit.lab.imports import draw_imports


@pytest.fixture
def graph(tmp_path):
    """Return a function that writes files and returns their ImportGraph.

    graph(api="import jobs") writes api.py.
    """

    def draw(folder=tmp_path, **files):
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
        return draw_imports(folder)

    return draw


def labels(graph):
    """Return the text of each box of the diagram, {id: [line, ...]}."""
    boxes = re.findall(r'^(\w+)\["(.*?)"\]', graph.mermaid(), re.MULTILINE)
    return {box: [plain(line) for line in label.split("<br>")] for box, label in boxes}


def plain(text):
    """Return a line of a Mermaid label as a reader sees it."""
    text = text.removeprefix("<b>").removesuffix("</b>")
    assert "<" not in text and '"' not in text
    return html.unescape(text.replace("#", "&#"))


def arrows(graph):
    """Return [(importer, word on the arrow, imported), ...] of the diagram, files by name."""
    names = {box: lines[0] for box, lines in labels(graph).items()}
    pattern = r"^(\w+) (?:-->|--? ?(.+?) --?>|-\. (.+?) \.->) (\w+)$"
    found = re.findall(pattern, graph.mermaid(), re.MULTILINE)
    return [(names[a], word or dotted, names[b]) for a, word, dotted, b in found]


def test_each_file_is_listed_with_its_imports_and_where_they_come_from(graph):
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
        "import importlib\nb = importlib.import_module('b')",
    ],
)
def test_every_form_of_import_is_read(graph, line):
    drawn = graph(a=line, b="")
    assert drawn.imports() == [("a", "b")]
    assert drawn.modules["a"].later == []


def test_an_import_inside_a_function_is_dotted_and_closes_no_cycle(graph):
    drawn = graph(a="import b", b="def f():\n    if f:\n        import a\n    import json")
    assert drawn.cycles == [] and drawn.imports() == [("a", "b")]
    assert "b.py: imports none of these files; inside a function: a.py" in repr(drawn)
    assert arrows(drawn) == [("a.py", "", "b.py"), ("b.py", "inside a function", "a.py")]


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
    assert f'title: "{line}"' in drawn.mermaid()
    words = {(importer, imported): word for importer, word, imported in arrows(drawn)}
    for pair in itertools.pairwise(f"{name}.py" for name in cycle):
        assert words[pair] == "cycle"


def test_only_the_arrows_of_a_cycle_are_red_and_dashed(graph):
    drawn = graph(a="import b", b="import c, a", c="def f():\n    import a")
    words = [word for _, word, _ in arrows(drawn)]
    assert words == ["cycle", "", "cycle", "inside a function"]
    styled = re.findall(r"linkStyle (\d) stroke:#\w+,stroke-dasharray", drawn.mermaid())
    assert styled == ["0", "2"]


def test_python_finds_a_circular_import_where_the_graph_finds_a_cycle(graph, tmp_path):
    drawn = graph(api="from worker import f\nq = 1", worker="from api import q\ndef f(): pass")
    command = [sys.executable, "api.py"]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "circular import" in process.stderr
    assert drawn.cycles


def test_two_cycles_are_told_apart(graph):
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
    assert labels(drawn)["file0"][1].startswith("cannot be read, ")
    assert re.search(r"^file0.*:::fault$", drawn.mermaid(), re.MULTILINE)


def test_tests_and_init_are_left_out_and_nothing_runs(graph, tmp_path):
    drawn = graph(test_a="import a", __init__="import a", a=f"open({str(tmp_path / 'ran')!r}, 'w')")
    assert list(drawn.modules) == ["a"]
    assert not (tmp_path / "ran").exists()


def test_a_package_is_drawn_by_its_full_names(graph, tmp_path):
    text = "import kit.jobs\nfrom kit import settings\nfrom kit.lab import x\nfrom .jobs import q"
    drawn = graph(tmp_path / "kit", __init__="", api=text, jobs="import json", settings="", json="")
    assert drawn.imports() == [("api", "jobs"), ("api", "settings")]
    assert "jobs.py: imports none of these files; standard library: json" in repr(drawn)


def test_an_empty_or_missing_folder_is_reported_in_place_of_a_graph(tmp_path):
    empty, missing = draw_imports(tmp_path), draw_imports(tmp_path / "no")
    assert repr(empty) == f"There is nothing to draw: no Python files at {tmp_path}"
    assert repr(missing) == f"There is nothing to draw: no folder at {tmp_path / 'no'}"
    assert missing._repr_mimebundle_() == {"text/plain": repr(missing)}


def test_a_page_gets_the_diagram_and_a_terminal_the_text(graph):
    drawn = graph(api="import jobs", jobs="")
    assert drawn._repr_mimebundle_() == {
        "text/vnd.mermaid": drawn.mermaid(),
        "text/plain": repr(drawn),
    }


def test_a_screen_reader_gets_the_text(graph, tmp_path):
    drawn = graph(**{"{a}": "import json"})
    assert f"accTitle: Who imports whom in {tmp_path.name}\n" in drawn.mermaid()
    description = re.search(r"accDescr \{\n([^}]*)\n\}", drawn.mermaid())[1]
    assert description == "(a).py: imports none of these files; standard library: json\nNo cycle."


def test_a_box_shows_the_name_of_a_file_and_where_other_imports_come_from(graph):
    drawn = graph(api="import json, os, redis", jobs="import jbos")
    assert labels(drawn) == {
        "file0": ["api.py", "standard library: json, os", "third party: redis"],
        "file1": ["jobs.py", "not found: jbos"],
    }


def test_characters_with_a_meaning_in_mermaid_are_shown_literally(graph):
    drawn = graph(**{'a<b>&"]#_': 'x = "<i>" ('})
    assert labels(drawn)["file0"][0] == 'a<b>&"]#_.py'


def test_the_kits_own_service_has_no_cycle():
    import jobs_kit

    assert draw_imports(jobs_kit.__path__[0]).cycles == []
