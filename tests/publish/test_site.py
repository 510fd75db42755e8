"""The lessons as a website: a small course is run, and its pages need neither a kernel nor a network."""

import json
import os
import re
import shutil
from pathlib import Path

import nbformat
import pytest

from jobs_kit.publish.site.browser_check import browser_faults, find_axe, find_browser
from jobs_kit.publish.site.build import BrokenSiteError, build_site, run_sphinx
from jobs_kit.publish.site.built_pages import faults_of
from jobs_kit.publish.site.notebook_runs import BrokenPageError, PageRun, run_pages
from jobs_kit.publish.site.page_links import Links, linked_pages
from jobs_kit.publish.site.repository import binder_link, file_link, web_address
from jobs_kit.publish.site.source_folder import course_sections, landing_page, write_source
from jobs_kit.publish.site.static_outputs import VIEW, static_notebook

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".venv-site"
SPHINX = TOOLS / "bin" / "python"
GITHUB = "https://github.com/ana/jobs-kit"
LESSON, EXERCISE, WALK = (
    "notebooks/00_count.ipynb",
    "exercises/add/add.ipynb",
    "solutions/add/add.ipynb",
)
README = f"""# jobs-kit

Learn it.

```sh
make lab
```

## What you will build

A queue.

## For instructors

| lesson | afterwards you can |
|---|---|
| [00 Count]({LESSON}) | count |

[The exercise]({EXERCISE}), [the pages](notebooks), [the check](exercises/add/test_add.py).
See [CONTRIBUTING](CONTRIBUTING.md#how).
"""
FIRST = """# Count

**What you'll do:** count messages.

See [adding](../exercises/add/add.ipynb#The-task)."""
LESSON_CODE = """
import json, os
from hotqueue import HotQueue
from jobs_kit.lab import find_redis, predict, show_board
find_redis()
where = {"host": os.environ["REDIS_HOST"], "port": os.environ["REDIS_PORT"], "db": 1}
q = HotQueue("small", serializer=json, **where)
board = show_board(q)
board
---
q.put("</script> first"); q.put("second")
wait(lambda: len(board.picture["waiting"]) == 2)
---
guess = predict("How many?", ["1", "2"], why="Each put adds one.")
guess
---
print("two of them")
guess.settle(len(q))
"""
WAIT = """import time
def wait(condition):
    while not condition():
        time.sleep(0.02)
    return True"""
FOLD = "<details><summary>Answer</summary>\n\nIt is `2`.\n</details>"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course of a lesson, an exercise and its walk-through."""
    folder = tmp_path_factory.mktemp("course")
    code = [WAIT, *LESSON_CODE.strip().split("\n---\n")]
    write_page(folder / LESSON, FIRST, *code, "## A fold\n\n" + FOLD)
    task = "# Add\n\n## The task\n\nRead [the lesson](../../notebooks/00_count.ipynb)."
    write_page(folder / EXERCISE, task)
    write_page(folder / WALK, task)
    (folder / "exercises" / "add" / "test_add.py").write_text("")
    (folder / "README.md").write_text(README)
    (folder / "CONTRIBUTING.md").write_text("# Contributing\n\n## How\n\nLike this.\n")
    return folder


def write_page(path, *cells):
    """Write a notebook; a cell that begins with # or < is Markdown."""
    makers = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    notebook = nbformat.v4.new_notebook(cells=[makers[cell[0] not in "#<"](cell) for cell in cells])
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def runs(course):
    return run_pages([LESSON, EXERCISE, WALK], course, report=lambda text: None)


@pytest.fixture(scope="module")
def source(course, runs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    write_source(folder, course, runs, GITHUB)
    return folder


def places_of(notebook):
    """Return the traits of all widgets on a page, a list of dicts."""
    scripts = re.findall(r'<script type="application/json">(.*?)</script>', html_of(notebook), re.S)
    return [json.loads(text) for text in scripts]


def html_of(notebook):
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    return "\n".join("".join(output.get("data", {}).get("text/html", "")) for output in outputs)


def test_a_board_replays_and_a_prediction_knows_its_verdicts(runs):
    notebook = static_notebook(runs[LESSON])
    board, prediction = places_of(notebook)
    texts = [event["text"] for event in board["recording"]["events"] if event["did"] == "put"]
    assert texts == ["</script> first", "second"]
    assert prediction["verdicts"] == {
        "1": "You predicted 1. The answer is: 2. Each put adds one.",
        "2": "You predicted 2, and that is right.",
    }
    settling = notebook["cells"][5]
    assert set(settling["metadata"]["tags"]) == {prediction["settled_by"], "hide-output"}
    assert [output["output_type"] for output in settling["outputs"]] == ["stream"]
    assert "You made no prediction" not in json.dumps(notebook)
    assert VIEW not in json.dumps(notebook)


def test_a_page_that_fails_is_named_with_its_error(course, tmp_path):
    write_page(tmp_path / LESSON, "# Broken", "first = 1", "1 / 0")
    with pytest.raises(BrokenPageError, match=rf"(?s)^{LESSON} did not.*ZeroDivisionError"):
        run_pages([LESSON], tmp_path, report=lambda text: None)


def test_a_folder_with_other_files_is_not_replaced(course, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="holds something other than a site"):
        build_site(course, tmp_path, SPHINX)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_the_links_of_the_landing_page_lead_somewhere():
    sections = course_sections(ROOT)
    pages = [name for section in sections for name in section.names]
    texts = linked_pages(ROOT, "README.md")
    page = landing_page(ROOT, sections, texts, Links(ROOT, [*pages, *texts]), "")
    targets = [link.partition("#") for link in re.findall(r"\]\(([^)\s]+)\)", page)]
    assert {name for name, *_ in targets} >= set(sections[0].names) | {"README.md"}
    for name, _, anchor in targets:
        text = (ROOT / name).read_text(encoding="utf-8", errors="replace").lower()
        assert not anchor or f"\n## {anchor.replace('-', ' ')}\n" in text, f"{name}#{anchor}"


def shell_run(cell_outputs, transcripts):
    """Return the run of a page with one shell, whose cells had such outputs."""
    traits = {
        "title": "producer",
        "kind": "shell",
        "transcript": "",
        "buttons": {"Interrupt": True},
    }
    states = {
        "p": {"kind": "Pane", "traits": traits},
        "row": {"kind": "BoxModel", "traits": {"children": ["IPY_MODEL_p"]}},
    }
    cells = [nbformat.v4.new_code_cell("x", outputs=outputs) for outputs in cell_outputs]
    notebook = nbformat.v4.new_notebook(cells=cells)
    return PageRun("notebooks/00_x.ipynb", json.loads(json.dumps(notebook)), states, transcripts)


def test_a_shell_shows_what_came_so_far_and_below_each_cell_what_is_new():
    view = [nbformat.v4.new_output("display_data", {VIEW: {"model_id": "row"}})]
    run = shell_run(
        [view, [], [], [], view],
        {
            0: {"p": ""},
            1: {"p": "In [1]: <a>\n"},
            2: {"p": "In [1]: <a>\n"},
            3: {"p": "In [1]: <a>\nb"},
            4: {"p": "In [1]: <a>\nb"},
        },
    )
    notebook = static_notebook(run)
    shown = [places_of({"cells": [cell]}) for cell in notebook["cells"]]
    transcripts = [[pane["transcript"] for pane in panes] for panes in shown]
    assert transcripts == [[""], ["In [1]: <a>"], [], ["b"], ["In [1]: <a>\nb"]]
    assert "buttons" not in shown[0][0]


def test_a_transcript_whose_beginning_was_cut_is_shown_as_a_whole():
    notebook = static_notebook(
        shell_run([[], []], {0: {"p": "old lines"}, 1: {"p": "[1 earlier lines were cut]"}})
    )
    assert places_of(notebook)[1]["transcript"] == "[1 earlier lines were cut]"


def test_pages_say_where_they_run_and_walk_throughs_warn(source):
    first = {
        name: json.loads((source / name).read_text())["cells"][0]["source"]
        for name in (LESSON, WALK)
    }
    assert f'href="{binder_link(GITHUB, LESSON)}"' in first[LESSON]
    assert "(../README.md)" in first[LESSON] and "Spoilers" not in first[LESSON]
    assert first[WALK].startswith("# Walk-through: Add\n")
    assert "(../../exercises/add/add.ipynb)" in first[WALK]
    landing = (source / "index.md").read_text()
    assert "00 Count <notebooks/00_count>" in landing and "make lab" not in landing
    assert landing.index(":caption: Walk-throughs (spoilers)") > landing.index("exercises/add/add")


def test_without_an_address_there_is_no_link_to_binder(course, runs, tmp_path):
    write_source(tmp_path, course, runs)
    assert not [path for path in tmp_path.rglob("*.*[md,ipynb]") if "mybinder" in path.read_text()]


def test_links_lead_to_pages_files_or_the_repository(course):
    links = Links(course, [LESSON, EXERCISE], GITHUB)
    text = "[a](../exercises/add/add.ipynb#The-task) [b](../exercises/add) [c](#A-Fold) `[d](no.md)` [e](https://x.org)"
    assert links.rewritten(text, LESSON) == (
        "[a](../exercises/add/add.ipynb#the-task) "
        f"[b]({GITHUB}/tree/HEAD/exercises/add) [c](#a-fold) `[d](no.md)` [e](https://x.org)"
    )
    elsewhere = Links(course, [LESSON], "https://git.example.org/ana/kit")
    assert (
        elsewhere.rewritten("[b](exercises/add) [f](exercises/add/test_add.py)", "README.md")
        == "b [f](exercises/add/test_add.py)"
    )
    assert elsewhere.files == {"exercises/add/test_add.py"}


@pytest.mark.parametrize(
    "remote, address",
    [
        ("https://github.com/ana/jobs-kit.git", GITHUB),
        ("https://ana:secret@github.com/ana/jobs-kit", GITHUB),
        ("git@github.com:ana/jobs-kit.git", GITHUB),
        ("ssh://git@git.example.org:2222/ana/kit.git/", "https://git.example.org/ana/kit"),
        ("http://localhost:3000/ana/kit", "http://localhost:3000/ana/kit"),
        ("/srv/git/kit.git", ""),
        ("../kit", ""),
        ("file:///srv/kit.git", ""),
        ("C:\\kit", ""),
        ("https://github.com/", ""),
        ("", ""),
    ],
)
def test_the_address_of_a_remote(remote, address):
    assert web_address(remote) == address


def test_binder_takes_repositories_of_any_host():
    assert binder_link(GITHUB, LESSON) == (
        f"https://mybinder.org/v2/gh/ana/jobs-kit/HEAD?urlpath=lab/tree/{LESSON}"
    )
    assert binder_link("https://git.example.org/ana/kit", "a b.ipynb") == (
        "https://mybinder.org/v2/git/https%3A%2F%2Fgit.example.org%2Fana%2Fkit/HEAD?urlpath=lab/tree/a%20b.ipynb"
    )
    assert file_link("https://git.example.org/ana/kit", "a.py") == ""


def test_broken_links_and_outside_resources_are_found(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.html").write_text('<p id="x"><a href="../two.html#y">')
    (tmp_path / "two.html").write_text(
        '<a href="a/one.html#x"></a><a href="a/one.html#z"></a><a href="no.html"></a><a href="#y"></a>'
        '<a href="https://x.org"></a><script src="//cdn.org/a.js"></script><img src="no.png">'
        '<img src="data:,">'
        '<link rel="canonical" href="https://x.org/"><link rel="stylesheet" href="https://x.org/a.css">'
    )
    assert faults_of(tmp_path) == [
        "a/one.html: ../two.html#y leads nowhere",
        "two.html: loads //cdn.org/a.js from elsewhere",
        "two.html: loads https://x.org/a.css from elsewhere",
        "two.html: a/one.html#z leads nowhere",
        "two.html: no.html leads nowhere",
        "two.html: #y leads nowhere",
        "two.html: no.png leads nowhere",
    ]


@pytest.fixture(scope="module")
def pages(source, tmp_path_factory):
    """The site of the small course, built by Sphinx."""
    if not SPHINX.exists():
        require_site("Sphinx is not installed: make .venv-site/ready")
    folder = tmp_path_factory.mktemp("pages")
    run_sphinx(os.path.relpath(SPHINX), source, folder)
    return folder


def require_site(problem):
    """Skip a test, or fail it where the site's tools must be there."""
    if os.environ.get("JOBS_KIT_REQUIRE_SITE") == "1":
        pytest.fail(f"{problem} (JOBS_KIT_REQUIRE_SITE=1 asks for these tests)")
    pytest.skip(problem)


def test_sphinx_builds_the_pages(pages):
    lesson = (pages / "notebooks" / "00_count.html").read_text()
    fold = lesson.split('class="cell tag_settles-5 tag_hide-output', 1)[1].split("</details>")[0]
    assert "Show the result (predict first)" in fold and "two of them" in fold
    assert 'class="jk-player"' in lesson and 'data-kind="prediction"' in lesson
    assert faults_of(pages) == []


def test_a_warning_of_sphinx_breaks_the_site(pages, source, tmp_path):
    folder = tmp_path / "source"
    (folder / "_static").mkdir(parents=True)
    for name in ("conf.py", "settings.json"):
        shutil.copyfile(source / name, folder / name)
    (folder / "index.md").write_text("# A page\n\n[x](no_such_page.md)\n")
    with pytest.raises(BrokenSiteError, match=r"^index.md.*no_such_page"):
        run_sphinx(SPHINX, folder, tmp_path / "pages")


BAD_PAGE = """<!DOCTYPE html><html><title>Bad</title>
<p style="color: #aaa; background: #fff">pale<img src="x.png"><div style="width: 2000px">wide</div>
<script src="https://cdn.example.org/a.js"></script><script>missing()</script></html>"""


def test_a_browser_finds_the_faults_of_a_page(pages):
    if not find_browser():
        require_site("no Chromium on the PATH")
    (pages / "bad.html").write_text(BAD_PAGE)
    names = ["bad.html", "index.html", LESSON.replace(".ipynb", ".html")]
    faults = browser_faults(pages, find_axe(TOOLS), lambda text: None, names)
    assert [fault for fault in faults if not fault.startswith("bad.html")] == []
    text = "\n".join(faults)
    for view in ("desktop", "phone"):
        start = rf"bad.html \({view}\): "
        for fault in ("requests https://cdn", "404 for .*x.png", "a script fails: .*missing"):
            assert re.search(start + fault, text), text
        for fault in ("is [0-9]+ pixels too wide", "color-contrast", "image-alt", "html-has-lang"):
            assert re.search(start + fault, text), text
