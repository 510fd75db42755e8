"""Check answers on a page, in a terminal and with pytest; show hints, solutions and progress."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from cases import write_stage

from jobs_kit import cli
from jobs_kit.course.exercise import find_exercise
from jobs_kit.course.gap import all_gaps
from jobs_kit.grading.judge import Judge
from jobs_kit.grading.progress import ExerciseProgress, first_unfinished
from jobs_kit.grading.results import ExerciseResult
from jobs_kit.lab import check, hint, solution

ROOT = Path(__file__).parents[2]
TEST_FILE = ROOT / "exercises" / "echo_worker" / "test_echo_worker.py"
WRONG = 'from hotqueue import HotQueue\nq = HotQueue("echo")\n@q.worker\ndef echo(item): pass\n'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An answer that never starts its worker, in the current directory."""
    folder = tmp_path / "echo_worker"
    folder.mkdir()
    (folder / "echo.py").write_text(WRONG)
    monkeypatch.chdir(folder)
    return folder


def terminal(*arguments, **options):
    command = [sys.executable, "-m", "jobs_kit.cli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, **options)
    return done.returncode, done.stdout + done.stderr


def by_pytest(folder, *options):
    command = [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "-p", "no:nbval"]
    command += ["-o", "addopts=", TEST_FILE, "--submission", folder, *options]
    quick = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # they take half of the time
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=quick)
    return done.returncode, done.stdout + done.stderr


def solve(folder):
    for path in folder.glob("*.py"):
        path.unlink()
    write_stage(find_exercise("echo_worker"), folder / "solved", "solved")
    (folder / "solved" / "echo.py").rename(folder / "echo.py")


def test_every_entry_point_gives_the_same_verdict(folder, tmp_path):
    page = check("echo_worker")
    assert page.outcome == "fail" and page.points == 0
    assert "Which line of yours calls it" in str(page)

    code, output = terminal("check", "echo_worker")
    assert code == 1
    assert str(page) in output

    code, output = by_pytest(folder, "--results", tmp_path / "results.json")
    assert code == 1
    assert str(page) in output
    result = ExerciseResult.from_dict(json.loads((tmp_path / "results.json").read_text())[0])
    for check_result in [*result.checks, *page.result.checks]:
        check_result.seconds = 0
    assert result == page.result


def test_every_entry_point_accepts_the_solution(folder):
    solve(folder)
    verdict = check("echo_worker").require_pass()
    assert verdict.points == verdict.max_points
    assert terminal("check", "echo_worker")[0] == 0
    code, output = by_pytest(folder)
    assert code == 0 and f"{len(verdict.checks)} passed" in output


def test_pytest_fails_on_an_untouched_starter(folder):
    (folder / "echo.py").write_text('"""Nothing yet."""\n')
    code, output = by_pytest(folder)
    assert code == 1
    assert "4 not attempted" in output and "passed" not in output


def test_require_pass_raises_with_the_verdict(folder):
    with pytest.raises(AssertionError, match="Which line of yours calls it"):
        check("echo_worker").require_pass()


def test_a_verdict_has_the_same_content_as_html_and_as_text(folder):
    verdict = check("echo_worker")
    page = verdict._repr_html_()
    for text in ("echo_worker: fail", "python echo.py", "Which line of yours calls it"):
        assert text in page and text in repr(verdict)


def test_a_verdict_shows_neither_seconds_nor_random_ids(folder):
    text = "import uuid\nfrom hotqueue import HotQueue\nq = HotQueue('echo', serializer=None)\n"
    (folder / "echo.py").write_text(text + "q.put(str(uuid.uuid4()))\n1/0\n")
    shown = repr(check("echo_worker"))
    assert "<id 1>" in shown
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}|\d seconds", shown)
    assert shown == repr(check("echo_worker"))


def test_an_unknown_exercise_raises_nothing_on_a_page():
    assert check("nonsense").outcome == "error"
    for answer in (check("nonsense"), hint("nonsense"), solution("nonsense")):
        assert "there is no exercise 'nonsense'; there are: " in repr(answer)
    assert "'echoworker': did you mean echo_worker?" in repr(check("echoworker"))
    code, output = terminal("check", "nonsense")
    assert code == 2 and "echo_worker" in output


def test_three_hints_follow_each_other_and_progress_is_kept(folder):
    rungs = find_exercise("echo_worker").hints
    assert rungs[0] in repr(hint("echo_worker"))
    assert rungs[1] in terminal("hint", "echo_worker")[1]
    for _ in range(2):
        assert f"hint 3 of 3, the last one: {rungs[2]}" in repr(hint("echo_worker"))


def test_a_hint_for_a_gap_is_the_same_on_a_page_and_in_a_terminal(folder):
    gap = next(iter(all_gaps().values()))
    assert repr(hint(gap.id)) == terminal("hint", gap.id)[1].rstrip("\n")
    assert gap.hint in repr(hint(gap.id))


def test_a_gap_is_checked_on_its_page_only(folder):
    gap = next(iter(all_gaps()))
    for command in ("check", "solution", "catch-up"):
        code, printed = terminal(command, gap)
        assert code == 2 and f'run check("{gap}") on its page' in printed
    assert f'run check("{gap}") on its page' in repr(solution(gap))


def test_a_solution_opens_after_three_attempts(folder):
    for attempts in range(3):
        assert f"So far you have made {attempts};" in repr(solution("echo_worker"))
        assert terminal("solution", "echo_worker")[0] == 1
        (folder / "echo.py").write_text(f"{WRONG}\n# attempt {attempts}\n")
        check("echo_worker")
    assert "@q.worker" in repr(solution("echo_worker"))
    code, output = terminal("solution", "echo_worker")
    assert code == 0 and "@q.worker" in output


def test_checking_an_unchanged_file_again_does_not_count_as_an_attempt(folder):
    for _ in range(2):
        assert check("echo_worker").outcome == "fail"
    terminal("check", "echo_worker")
    assert "So far you have made 1;" in repr(solution("echo_worker"))


def test_checking_an_untouched_starter_does_not_count_as_an_attempt(folder):
    (folder / "echo.py").unlink()
    for _ in range(3):
        assert check("echo_worker").outcome == "not attempted"
    assert "@q.worker" not in repr(solution("echo_worker"))


def test_a_solution_opens_after_a_pass(folder):
    solve(folder)
    check("echo_worker")
    assert "@q.worker" in repr(solution("echo_worker"))


def test_catching_up_keeps_backups_of_the_files(folder):
    desk = ExerciseProgress(find_exercise("echo_worker"))
    code, output = terminal("catch-up", "echo_worker")
    assert code == 0 and "echo.py.bak" in output
    assert (folder / "echo.py.bak").read_text() == WRONG
    assert list(desk.catch_up()) == []
    (folder / "echo.py").write_text("# another try\n")
    assert len(list(desk.catch_up())) == 1
    assert (folder / "echo.py.bak").read_text() == WRONG
    assert (folder / "echo.py.bak2").read_text() == "# another try\n"
    assert check("echo_worker").outcome == "not attempted"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """The folders of the service, without `worker.py`, and of the bugs, which is the current one."""
    for name in ("jobs_service", "find_the_bugs"):
        shutil.copytree(ROOT / "exercises" / name, tmp_path / name)
    (tmp_path / "jobs_service" / "jobs.py").write_text("# mine\n")
    (tmp_path / "jobs_service" / "worker.py").unlink()
    monkeypatch.chdir(tmp_path / "find_the_bugs")
    return tmp_path


def files_in(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.py*")}


def test_a_check_in_the_folder_of_another_exercise_judges_the_right_one(course):
    page = check("save_and_queue")
    code, printed = terminal("check", "save_and_queue")
    for text in (printed, str(page), page._repr_html_()):
        assert "save_and_queue: not attempted" in text and f"in {course / 'jobs_service'}" in text
    code, printed = terminal("check", "save_and_queue", "--in", ".")
    assert code == 2 and "is the folder of find_the_bugs, and not of save_and_queue" in printed
    assert "not attempted" in str(check("find_the_bugs"))
    assert f"in {course / 'find_the_bugs'}" in str(check("find_the_bugs"))


def test_catching_up_in_the_folder_of_another_exercise_spares_its_files(course):
    before, service = files_in(course / "find_the_bugs"), course / "jobs_service"
    code, printed = terminal("catch-up", "execute_job")
    assert code == 0 and files_in(course / "find_the_bugs") == before
    backup = service / "jobs.py.bak"
    assert f"wrote {service / 'jobs.py'}; your version is now {backup}" in printed
    assert f"wrote {service / 'worker.py'}\n" in printed and backup.read_text() == "# mine\n"
    assert terminal("catch-up", "execute_job") == (
        0,
        f"nothing to do: {service} is ready for execute_job\n",
    )


def test_a_backup_replaces_neither_a_file_nor_a_link(folder, tmp_path):
    progress = ExerciseProgress(find_exercise("echo_worker"))
    (folder / "echo.py.bak").symlink_to(tmp_path / "elsewhere.py")  # it leads to no file
    (folder / "echo.py.bak2").mkdir()
    [(path, backup)] = progress.catch_up()
    assert (path.name, backup.name) == ("echo.py", "echo.py.bak3")
    assert backup.read_text() == WRONG and not (tmp_path / "elsewhere.py").exists()


@pytest.mark.parametrize("command", ["check", "hint", "solution", "catch-up"])
def test_a_folder_that_does_not_exist_is_an_error_that_names_it(folder, command, capsys):
    for name, problem in (("nowhere", "there is no folder 'nowhere'"), ("echo.py", "is a file")):
        with pytest.raises(SystemExit) as ended:
            cli.main([command, "echo_worker", "--in", name])
        assert ended.value.code == 2 and problem in capsys.readouterr().err
    assert files_in(folder) == {"echo.py": WRONG.encode()}


def test_pytest_refuses_a_folder_that_does_not_exist(tmp_path):
    code, printed = by_pytest(tmp_path / "nowhere")
    assert code == pytest.ExitCode.USAGE_ERROR
    assert "nowhere: there is no such folder" in printed


def test_catching_up_does_not_overwrite_the_solutions(monkeypatch):
    monkeypatch.chdir(ROOT / "solutions" / "echo_worker")
    assert cli.main(["catch-up", "echo_worker"]) == 2


@pytest.mark.parametrize(
    "text",
    [
        '{"echo_worker": 7, "worker": "x"',
        "[" * 1_000_000,
        '{"echo_worker": {"attempts": "many", "hints": {}}, "echo.py": 7}',
        '{"echo_worker": {"attempts": 1' + "0" * 4000 + "}}",
    ],
    ids=["cut off", "too deep", "of the wrong types", "a huge number"],
)
def test_unreadable_progress_is_ignored(folder, text):
    (folder / ".progress.json").write_text(text)
    assert check("echo_worker").outcome == "fail"
    assert json.loads((folder / ".progress.json").read_text())["echo_worker"]["attempts"] == 1


def test_watching_checks_at_each_save_and_continues_with_the_next(folder, run_and_read, until):
    watcher = run_and_read("-m", "jobs_kit.cli", "check", "echo_worker", "--watch")
    until(lambda: any("save a file" in line for line in watcher.lines))
    assert not any("✓ echo_worker" in line for line in watcher.lines)
    solve(folder)
    until(lambda: any("✓ echo_worker: pass" in line for line in watcher.lines))
    following = first_unfinished(after="echo_worker")
    until(lambda: any(following.id in line for line in watcher.lines))


def test_a_killed_judge_is_started_again(folder):
    exercise = find_exercise("echo_worker")
    with Judge() as judge:
        assert judge.check(exercise, folder).outcome == "fail"
        judge._process.kill()
        judge._process.wait()
        assert judge.check(exercise, folder).outcome == "fail"


def test_an_answer_named_like_a_module_of_python_does_not_break_the_judge(folder):
    (folder / "queue.py").write_text("raise SystemExit('the judge has imported an answer')")
    with Judge() as judge:
        assert judge.check(find_exercise("echo_worker"), folder).outcome == "fail"


def test_without_tests_a_judge_does_not_even_start(folder):
    judge = Judge()
    assert judge.check_all([], folder) == []
    assert judge._process is None


def test_a_closed_judge_leaves_no_process(folder, until):
    before = set(psutil.Process().children(recursive=True))
    with Judge() as judge:
        judge.check(find_exercise("echo_worker"), folder)
        theirs = set(psutil.Process(judge._process.pid).children(recursive=True)) - before
        assert theirs
    until(lambda: not any(one.is_running() for one in theirs))


def test_two_checks_at_once_do_not_disturb_each_other(folder):
    command = [sys.executable, "-m", "jobs_kit.cli", "check", "echo_worker"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [one.communicate(timeout=60)[0] for one in both]
    assert outputs[0] == outputs[1] and "fail" in outputs[0]


def test_a_check_does_not_change_the_answer(folder):
    check("echo_worker")
    assert sorted(os.listdir(folder)) == [".progress.json", "echo.py"]
    assert (folder / "echo.py").read_text() == WRONG


def test_the_kit_s_folder_may_have_any_name(tmp_path):
    kit = tmp_path / "it's a [kit] copy"
    for name in ("jobs_kit", "exercises", "solutions", "notebooks"):
        shutil.copytree(ROOT / name, kit / name, ignore=shutil.ignore_patterns("__pycache__"))
    answer = "echo_worker/echo.py"
    shutil.copy(kit / "solutions" / answer, kit / "exercises" / answer)
    environment = os.environ | {"PYTHONPATH": str(kit)}
    code, lines = terminal("check", "echo_worker", cwd=kit, env=environment)
    assert code == 0 and "5 of 5 points" in lines, lines
