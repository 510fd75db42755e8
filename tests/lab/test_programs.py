"""Programs beside a lesson: their output, their ends, and their children."""

import re
import shutil
import signal
import subprocess
import sys

import psutil
import pytest

from jobs_kit.lab import transcript
from jobs_kit.lab.programs import start_program, stop_programs

SECONDS = 20
FOREVER = "import time\nprint('ready')\ntime.sleep(600)"


@pytest.fixture
def start():
    """start_program(...), each program ended after the test."""
    programs = []

    def start(*arguments, **options):
        programs.append(start_program(*arguments, **options))
        return programs[-1]

    yield start
    for program in programs:
        program.kill()


def gone(number):
    """Tell whether a process has ended."""
    try:
        return psutil.Process(number).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_file_runs_with_its_arguments_in_its_folder(start, tmp_path):
    (tmp_path / "who.py").write_text("import os, sys\nprint(sys.argv, os.getcwd())")
    program = start("who.py", "a", 7, folder=tmp_path)
    assert program.wait(SECONDS) == 0
    assert program.name == "who.py"
    assert program.lines == [f"['who.py', 'a', '7'] {tmp_path}"]


def test_the_output_is_there_while_the_program_runs(start, monkeypatch):
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    program = start(code=FOREVER)
    program.wait_for("ready", SECONDS)
    assert program.running and program.exit_code is None
    assert program.lines == ["ready"]


def test_all_programs_are_stopped_but_those_that_are_named(start):
    programs = {name: start(code=FOREVER, name=name) for name in ("api", "worker", "worker 2")}
    stop_programs("api")
    assert [name for name, program in programs.items() if program.running] == ["api"]


def test_a_program_that_fails_shows_its_traceback_and_exit_code(start):
    program = start(code="print('before')\n1/0")
    assert program.wait(SECONDS) == program.exit_code == 1
    assert not program.running
    assert program.lines[0] == "before"
    assert program.lines[-1] == "ZeroDivisionError: division by zero"
    assert program.pane.state_text == "ended with exit code 1"


def test_programs_inherit_the_environment(start, monkeypatch):
    monkeypatch.setenv("SOME_SETTING", "from the lesson")
    start(code="import os; print(os.environ['SOME_SETTING'])").wait_for("from the lesson", SECONDS)


@pytest.mark.parametrize(
    ("how", "number"),
    [("stop", signal.SIGTERM), ("kill", signal.SIGKILL), ("interrupt", signal.SIGINT)],
)
def test_a_program_can_be_ended(start, how, number):
    program = start(code=FOREVER)
    program.wait_for("ready", SECONDS)
    getattr(program, how)()
    assert program.wait(SECONDS) == -number
    assert program.pane.state_text == f"ended by the signal {number.name}"


def test_stop_kills_a_program_that_ignores_sigterm(start, monkeypatch):
    monkeypatch.setattr("jobs_kit.lab.programs.STOP_SECONDS", 0.5)
    program = start(code=f"import signal\nsignal.signal(15, print)\n{FOREVER}")
    program.wait_for("ready", SECONDS)
    program.stop()
    assert program.wait(SECONDS) == -signal.SIGKILL


def test_the_same_name_stops_the_earlier_program_and_another_does_not(start):
    first, other = start(code=FOREVER, name="worker 1"), start(code=FOREVER, name="worker 2")
    for program in (first, other):
        program.wait_for("ready", SECONDS)
    again = start(code=FOREVER, name="worker 1")
    assert first.exit_code == -signal.SIGTERM
    assert again.running and other.running


@pytest.mark.parametrize("group", ["", ", process_group=0"])
def test_children_end_with_their_program(start, until, group):
    """This includes a child with its own process group, such as the work horse of RQ."""
    code = f"import subprocess\nprint('child', subprocess.Popen(['sleep', '600']{group}).pid)"
    program = start(code=code)
    assert program.wait(SECONDS) == 0
    child = int(program.text.split()[1])
    until(lambda: gone(child))


def test_a_timeout_shows_the_end_of_the_output(start):
    program = start(code=FOREVER, name="worker 1")
    program.wait_for("ready", SECONDS)
    with pytest.raises(
        TimeoutError, match=r"'worker 1' did not print 'x' within 0\.1 s\n.*\nready"
    ):
        program.wait_for("x", timeout=0.1)
    with pytest.raises(TimeoutError, match=r"still runs after 0\.1 s"):
        program.wait(timeout=0.1)


def test_waiting_for_text_ends_with_the_program(start):
    with pytest.raises(
        TimeoutError, match="did not print 'x' within 600 s and has ended with exit code 3"
    ):
        start(code="import sys; sys.exit(3)").wait_for("x", timeout=600)


def test_a_flood_is_cut_to_its_last_lines(start):
    program = start(code="for n in range(200_000): print(n)")
    assert program.wait(60) == 0
    assert re.fullmatch(r"\[[\d,]+ earlier lines were cut\]", program.lines[0])
    assert program.lines[-1] == "199999"
    assert len(program.lines) <= transcript.MAX_LINES + 1
    cut = int(re.sub(r"\D", "", program.lines[0]))
    assert cut + len(program.lines) - 1 == 200_000


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_programs_end_with_the_lesson_even_if_it_is_killed(until, end):
    knows_sessions = sys.platform == "linux" and shutil.which("pkill")
    inner = f"import os, time; os.fork() or {'os.setpgrp()' if knows_sessions else 'None'}; "
    inner += "print(end=str(os.getpid()) + chr(10)); time.sleep(600)"
    code = (
        "import time\nfrom jobs_kit.lab.programs import start_program\n"
        f"program = start_program(code='{inner}')\n"
        "while program.text.count(chr(10)) < 2: time.sleep(0.01)\n"
        "print(*program.lines, flush=True); time.sleep(600)"
    )
    lesson = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    numbers = [int(word) for word in lesson.stdout.readline().split()]
    assert len(numbers) == 2 and not any(map(gone, numbers))
    lesson.send_signal(end)
    lesson.communicate()
    until(lambda: all(map(gone, numbers)))


def test_the_buttons_of_the_page_act(start, until):
    program = start(code=FOREVER)
    assert program.pane.buttons == {"Stop": True, "Kill": True}
    program.pane._handle_custom_msg({"do": "Stop"}, [])
    until(lambda: program.exit_code == -signal.SIGTERM)
    until(lambda: program.pane.buttons == {"Stop": False, "Kill": False})


def test_the_text_form_is_the_same_every_time(start):
    program = start(code=FOREVER, name="worker 1")
    text = "Program 'worker 1', a Python process beside this page"
    assert repr(program) == program._repr_mimebundle_()[0]["text/plain"] == text


def test_a_call_without_a_program_to_run_is_refused(tmp_path):
    with pytest.raises(ValueError, match="name a file"):
        start_program()
    with pytest.raises(ValueError, match="not both"):
        start_program("a.py", code="1")
    with pytest.raises(FileNotFoundError, match=r"no program 'a\.py'"):
        start_program("a.py", folder=tmp_path)
    with pytest.raises(FileNotFoundError, match="no folder"):
        start_program(code="1", folder=tmp_path / "none")
