"""Run commands in a terminal whose encoding has few characters."""

import io
import os
import subprocess
import sys

import pytest
from batch_runs import ANYHOW, MOST, RIGHT

from jobs_kit import cli
from jobs_kit.cli import instructor


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_each_command_shows_question_marks_for_what_a_terminal_lacks(
    place, tmp_path, monkeypatch, encoding
):
    name = "Zoë 测试"
    place(name, "Echo ö.py")
    own = tmp_path / name
    own.mkdir()
    roster = tmp_path / "list ö.csv"
    roster.write_text(f"Name\n{name}\nÄnne 测\n", encoding="utf-8")
    monkeypatch.setattr(
        instructor, "end_at_sigterm", lambda: None
    )  # these signals are pytest's here
    commands = [
        [*words, "echo_worker", "--in", own]
        for words in (["hint"], ["solution"], ["check"], ["catch-up"])
    ]
    commands += [["--help"], ["grade", "--help"], ["doctor"], ["check", "测"]]
    graded = ["grade", place.folder, "--out", tmp_path / "ö", "--roster", roster, *ANYHOW]
    for words in (*commands, [*graded, "--exercise", "echo_worker"]):
        terminal = io.TextIOWrapper(io.BytesIO(), encoding, errors="strict")
        monkeypatch.setattr(sys, "stdout", terminal)
        monkeypatch.setattr(sys, "stderr", terminal)
        try:
            code = cli.main([str(word) for word in words])
        except SystemExit as ended:
            code = ended.code
        terminal.flush()
        shown = terminal.buffer.getvalue().decode(encoding)
        assert code in (0, 1, 2) and shown, words
    zoe = name.encode(encoding, "replace").decode(encoding)
    assert f"{zoe}: {MOST} of {MOST} points" in shown and "submitted nothing: " in shown


def test_names_are_read_as_utf_8_whatever_the_locale_is(place, tmp_path):
    name = "Zoë 测试"
    place(name, "Echo ö.py", f"print('größe', flush=True)\n{RIGHT}")
    roster = tmp_path / "list.csv"
    roster.write_text(f"Name\n{name}\n", encoding="utf-8")
    command = [sys.executable, "-m", "jobs_kit.cli", "grade", place.folder, *ANYHOW]
    command += ["--exercise", "echo_worker", "--out", tmp_path / "out", "--roster", roster]
    ascii_only = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(command, env=ascii_only, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    grades = (tmp_path / "out" / "grades.csv").read_text(encoding="utf-8")
    assert f'"{name}","{name}","{MOST}","{MOST}","{MOST}"' in grades
