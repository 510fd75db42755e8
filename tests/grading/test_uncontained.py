"""Without namespaces, root runs student code as an unprivileged user, or refuses and says what helps."""

import os
import sys
import tempfile
from pathlib import Path

import pytest
from batch_runs import MOST, grade, points
from docker_like import RIGHTS, docker_like, root_in_docker

from jobs_kit.grading.batch import uncontained
from jobs_kit.grading.judge_process import _admit
from jobs_kit.grading.programs.redis_recorder import RedisRecorder
from jobs_kit.grading.sandbox import client, containment
from jobs_kit.grading.sandbox.packages import NO_PACKAGES
from jobs_kit.redis_server.socket_folder import base_folder

pytestmark = root_in_docker()
HIDDEN = """
from jobs_kit.grading import expect, points
EXERCISE = "echo_worker"
@points(1)
def test_more(source):
    "It has a file"
    expect(source.text("echo.py"), "a file")  # the hidden word: quince
"""
HOSTILE = """
import os, signal, socket
reached = []

def attempt(what, act):
    try:
        if act() is not None:
            reached.append(what)
    except OSError:
        pass

attempt("became root", lambda: (os.setuid(0), 1))
for folder in {folders!r}:
    attempt("listed " + folder, lambda: os.listdir(folder))
for folder in {folders!r} + ["/etc", "/usr", "/var", os.path.realpath("../..")]:
    attempt("wrote into " + folder, lambda: open(folder + "/planted", "w"))
for pid in filter(str.isdigit, os.listdir("/proc")):
    if os.path.exists("/proc/" + pid) and os.stat("/proc/" + pid).st_uid == 0:
        attempt("killed " + pid, lambda: (os.kill(int(pid), signal.SIGKILL), 1))
        attempt("read " + pid, lambda: open(f"/proc/{{pid}}/environ").read())
attempt("connected", lambda: (socket.socket(socket.AF_UNIX).connect({other!r}), 1))
if os.path.exists("/tmp/left"):
    reached.append("what an earlier answer left")
attempt("", lambda: open("/tmp/left", "w").close())
print("user", os.getuid(), os.getgroups(), "reached", reached)
"""
BECOMES_A_LINK = """
import os
os.rename("../answer", "../other")
os.symlink({target!r}, "../answer")
print("a link")
"""


def hostile(other, *folders):
    return HOSTILE.format(other=other, folders=[str(folder) for folder in folders])


def result(out, student):
    return (out / "results" / f"{student}.json").read_text()


def caches(folder):
    return {"XDG_CACHE_HOME": str(folder / "cache"), "MPLCONFIGDIR": containment.font_folder()}


@pytest.fixture
def elsewhere():
    """Start the Redis of another judge, whose student code has another user."""
    with tempfile.TemporaryDirectory(dir=base_folder()) as place:
        _admit(containment.FIRST_USER - 1, place)
        redis = RedisRecorder(place)
        yield redis
        redis.close()


def test_root_runs_student_code_as_an_unprivileged_user(place, tmp_path, elsewhere):
    hidden, out = tmp_path / "hidden", tmp_path / "out"
    tmp_path.chmod(0o755)  # pytest's folders are closed to others
    hidden.mkdir()
    (hidden / "test_more.py").write_text(HIDDEN)
    for student in ("ana", "ben"):
        folders = hidden, out, place.folder, place.folder / "cem"
        place(student, text=hostile(elsewhere.path, *folders))
    place("cem")
    for folder in (hidden, place.folder):
        folder.chmod(0o700)
    python = (*docker_like(tmp_path, landlock=False), sys.executable)
    options = ("--uncontained", "--hidden", hidden)
    code, output = grade(place, out, *options, python=python, env=os.environ | caches(tmp_path))
    assert code == 0 and "an unprivileged user" in output, output
    assert "Landlock" not in output and "it can use the network" in output
    assert points(out) == {"ana": 1, "ben": 1, "cem": MOST + 1}
    for student in ("ana", "ben"):
        assert "[] reached []" in result(out, student), result(out, student)
        assert "quince" not in result(out, student)


def test_root_refuses_where_student_code_would_run_as_root_or_not_at_all(place, tmp_path):
    place("ana")
    tmp_path.chmod(0o755)
    few = [right for right in RIGHTS if right != "SETUID"]
    for expected, options in (
        ("CAP_SETUID", {"rights": few}),
        (f"chmod -R go-rwx {place.folder}", {"landlock": False}),
        ("chmod go+x", {"opened": False}),
    ):
        python = (*docker_like(tmp_path, **options), sys.executable)
        code, output = grade(place, tmp_path / "out", "--uncontained", python=python)
        assert code == 1 and expected in output and "Traceback" not in output, output
        assert not (tmp_path / "out").exists()


def test_a_private_folder_among_the_systems_must_be_closed(tmp_path, monkeypatch):
    monkeypatch.setattr(containment, "has_landlock", lambda: True)
    monkeypatch.setattr(
        uncontained, "_look_as", lambda user, needed, seen: (None, [*seen, None][0])
    )
    uncontained.require_user([tmp_path], NO_PACKAGES)
    with pytest.raises(PermissionError, match="chmod -R go-rwx /usr/share"):
        uncontained.require_user([tmp_path, Path("/usr/share")], NO_PACKAGES)


@pytest.fixture
def shared():
    """Make a folder for student code with its own user, as a judge does."""
    with tempfile.TemporaryDirectory(dir=base_folder()) as folder:
        _admit(containment.FIRST_USER, folder)
        yield folder


def test_a_link_in_place_of_an_answer_leads_root_nowhere(tmp_path, shared, until, monkeypatch):
    monkeypatch.setattr(client, "SYSTEM", ["/"])  # as where the kernel has no Landlock
    private = tmp_path / "private"  # pytest's folder admits no other user
    private.mkdir()
    (private / "secret.txt").touch()
    with client.Sandbox(shared=shared, user=containment.FIRST_USER) as sandbox:
        folder = f"{sandbox.home}/answer"

        def run(file):
            process = sandbox.start({"do": "program", "file": file}, folder, "none")
            until(lambda: process.pump() or not process.running)
            return process.output

        text = BECOMES_A_LINK.format(target=str(private))
        sandbox.write(folder, {"program.py": text.encode()})
        assert run("program.py") == "a link\n"
        sandbox.remove(folder, "secret.txt")
        with pytest.raises(client.SandboxError):
            sandbox.write(folder, {"secret.txt": b"x"})
        assert "Permission denied" in run("secret.txt")
        sandbox.end_processes()
        sandbox.write(folder, {"program.py": b"print(1)"})
        assert run("program.py") == "1\n"
    assert (private / "secret.txt").read_bytes() == b""


def test_an_ordinary_user_is_told_what_uncontained_code_can_do(place, tmp_path):
    place("ana")
    command = [containment.bwrap(), "--unshare-user", "--uid", "1000", "--dev-bind", "/", "/"]
    code, output = grade(
        place, tmp_path / "out", "--uncontained", python=[*command, sys.executable]
    )
    assert code == 0 and "end your programs" in output and "unprivileged" not in output, output
    assert points(tmp_path / "out") == {"ana": MOST}
