"""What a program can check in the files of this repository: storage, links, spelling, pins."""

import json
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from itertools import chain
from pathlib import Path
from urllib.parse import unquote

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
METADATA = {"kernelspec", "language_info"}  # of a notebook; other keys describe one run of it
# A path of an author's machine or the address of a package index means nothing elsewhere.
MACHINES = (
    r"(?<![\w.])/(work|farm|root|Users)/|(pypi|debian)[.]org|(pythonhosted|npmjs)[.](org|com)"
)


def files(pattern):
    """Return the paths of the repository's files that match, new ones included, ignored ones not.

    Fails where none matches, so that no test passes because it looked at nothing.
    """
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip(f"only a clone knows which files belong to it: {listed.stderr}")
    matches = [ROOT / name for name in listed.stdout.splitlines() if fnmatch(name, pattern)]
    matches = [path for path in matches if path.is_file()]
    assert matches, f"no file matches {pattern}"
    return matches


def text_of(path):
    """Return the text of a file."""
    return path.read_text(encoding="utf-8")


def markdown_of(path):
    """Return the prose of a page: an .md file's text, or a notebook's markdown cells."""
    if path.suffix == ".md":
        return text_of(path)
    cells = json.loads(text_of(path))["cells"]
    return "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def without_code(text):
    """Return Markdown without its blocks and pieces of code."""
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def anchors_of(path):
    """Return the anchors of a page's headings, as GitHub (.md) or JupyterLab makes them."""
    text = re.sub(r"```.*?```", "", markdown_of(path), flags=re.DOTALL)
    headings = [h.replace("`", "") for h in re.findall(r"^#+ (.*)$", text, re.MULTILINE)]
    if path.suffix == ".md":
        return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
    return {h.replace(" ", "-") for h in headings}


def broken_links(path):
    """Return the relative links of a page that lead nowhere."""
    text = without_code(markdown_of(path))
    links = re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", text)
    return [link for pair in links for link in pair if link and not leads_somewhere(path, link)]


def leads_somewhere(path, link):
    """Tell whether a link of a page leads to a file, and to a heading of it if it names one."""
    if re.match(r"[a-z]+:", link):
        return True  # a test must not depend on other people's servers
    name, _, anchor = unquote(link).partition("#")
    target = path.parent / name if name else path
    if not target.exists():
        return False
    return not anchor or target.suffix not in (".md", ".ipynb") or anchor in anchors_of(target)


def storage_faults(notebook):
    """Return the names of what a stored notebook lacks, or has although it belongs to one run."""
    faults = [f"metadata {name}" for name in set(notebook["metadata"]) - METADATA]
    faults += [] if notebook["nbformat"] == 4 and notebook["nbformat_minor"] >= 5 else ["format"]
    for number, cell in enumerate(notebook["cells"]):
        wrong = [
            not cell.get("id"),
            bool(set(cell["metadata"]) - {"tags"}),
            bool(cell.get("outputs")),
            cell.get("execution_count") is not None,
        ]
        names = ["no id", "metadata", "outputs", "execution_count"]
        faults += [f"cell {number}: {name}" for name, bad in zip(names, wrong, strict=True) if bad]
    return faults


def declared_dependencies():
    """Return the lines of all dependencies in pyproject.toml, those of every extra included."""
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    extras = project["optional-dependencies"].values()
    return [*project["dependencies"], *chain.from_iterable(extras)]


def run(*command):
    """Run `python -m COMMAND`; return (exit code, output)."""
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def test_notebooks_are_stored_without_outputs_and_foreign_metadata():
    faults = {p.name: storage_faults(json.loads(text_of(p))) for p in files("notebooks/*.ipynb")}
    assert {name: fault for name, fault in faults.items() if fault} == {}


def test_a_notebook_saved_after_a_run_is_found():
    notebook = json.loads(text_of(files("notebooks/*.ipynb")[0]))
    notebook["metadata"]["widgets"] = {}
    code = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    code |= {"outputs": [{}], "execution_count": 1, "metadata": {"collapsed": True}, "id": ""}
    faults = " ".join(storage_faults(notebook))
    assert all(word in faults for word in ("widgets", "no id", "outputs", "execution_count"))


@pytest.mark.parametrize("pattern", ["*.md", "notebooks/*.md", "notebooks/*.ipynb"])
def test_relative_links_lead_somewhere(pattern):
    broken = {str(path.relative_to(ROOT)): broken_links(path) for path in files(pattern)}
    assert {name: links for name, links in broken.items() if links} == {}


def test_a_link_that_leads_nowhere_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A page\n[a](no.md) [b](#a-page) [c](#no) ![d](x.png) `[e](in_code.md)`")
    assert broken_links(page) == ["no.md", "#no", "x.png"]


def test_a_pattern_that_matches_no_file_fails():
    with pytest.raises(AssertionError, match="no file matches"):
        files("*.nothing")


def test_words_are_spelled_right():
    code, output = run("codespell_lib", *map(str, files("*")))
    assert code == 0, output


def test_a_misspelled_word_is_found(tmp_path):
    (tmp_path / "page.md").write_text("It was rec" + "ieved")
    assert run("codespell_lib", str(tmp_path / "page.md"))[0] != 0


def test_code_is_linted_and_formatted():
    assert run("ruff", "check", ".")[0] == 0, run("ruff", "check", ".")[1]
    assert run("ruff", "format", "--check", ".")[0] == 0, run("ruff", "format", "--diff", ".")[1]


def test_imports_only_go_down():
    command = [Path(sys.executable).parent / "lint-imports"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "2 kept, 0 broken" in done.stdout


def test_every_dependency_is_pinned_inside_its_range():
    pins = {}
    for line in text_of(ROOT / "requirements.txt").splitlines():
        pin = Requirement(line)  # a line with an option or an address is no pin
        assert re.fullmatch(r"==[^,*]+", str(pin.specifier)), line
        pins.setdefault(pin.name, []).append(str(pin.specifier).removeprefix("=="))
    wanted = declared_dependencies()
    assert wanted
    for dependency in map(Requirement, wanted):
        assert dependency.name in pins, f"{dependency} is not pinned"
        for version in pins[dependency.name]:
            assert dependency.specifier.contains(version), f"{dependency} is pinned to {version}"


def test_the_version_is_the_same_everywhere():
    version = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["version"]
    assert f"\nversion: {version}\n" in text_of(ROOT / "CITATION.cff")
    assert f"\n## {version} " in text_of(ROOT / "CHANGELOG.md")


def test_no_file_names_a_machine_or_a_package_index():
    assert re.search(MACHINES, "see /" + "work/notes"), "the pattern itself"
    lines = [
        f"{path.relative_to(ROOT)}: {line.strip()[:100]}"
        for path in files("*")
        if path.suffix not in (".png", ".svg")
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
        if re.search(MACHINES, line)
    ]
    assert lines == []
    assert not (ROOT / "uv.lock").exists(), "uv.lock carries addresses of a package index"


def test_the_commands_of_the_pages_exist():
    targets = re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE)
    pages = "\n".join(map(text_of, files("*.md")))
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", pages, re.DOTALL))
    makes = set(re.findall(r"\bmake ([a-z-]+)", code))
    assert {"lab", "test"} <= makes, "the README shows the two commands"
    assert makes <= set(targets)
    commands = set(re.findall(r"\bjobs-kit ([a-z-]+)", code))
    assert commands, "the README shows jobs-kit"
    unknown = [name for name in commands if run("jobs_kit.cli", name, "--help")[0]]
    assert unknown == []


def test_each_dependency_is_explained():
    wanted = declared_dependencies()
    names = {Requirement(dependency).name for dependency in wanted}
    page = text_of(ROOT / "CONTRIBUTING.md")
    rows = re.findall(r"^\| ([^|]+) \| [^|]{10,} \|$", page, re.MULTILINE)
    explained = {name for row in rows for name in row.split(", ")}
    assert sorted(names - explained) == []


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"])
def test_each_top_level_page_is_written(name):
    assert len(text_of(ROOT / name)) > 300


def test_the_licence_names_both_licences():
    text = text_of(ROOT / "LICENSE")
    assert "BSD 3-Clause License" in text
    assert "CC BY 4.0" in text
