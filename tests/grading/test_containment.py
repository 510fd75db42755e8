"""Student code is contained wherever that is possible; elsewhere the message says what helps."""

import subprocess
import sys

from batch_runs import MOST, contained, grade, points
from cases import hostile_entries

from jobs_kit.grading.sandbox import containment


def as_root_of_a_namespace(*options):
    """Return the start of a command that runs as root, with a single user id and these rights."""
    namespace = ["--unshare-user", "--uid", "0", "--gid", "0", "--dev-bind", "/", "/"]
    return [containment.bwrap(), *namespace, "--cap-add", "ALL", *options, sys.executable]


@contained
def test_root_with_a_single_user_id_grades_like_an_ordinary_user(place, tmp_path):
    place("ana")
    command = as_root_of_a_namespace()
    code, output = grade(place, tmp_path / "out", python=command)
    assert code == 0 and "an unprivileged user" not in output, output
    assert points(tmp_path / "out") == {"ana": MOST}
    look = "print([line for line in open('/proc/self/status') if line.startswith('CapEff')])"
    sandboxed = [*command, "-c", SANDBOXED.format(look=look)]
    assert "CapEff:\\t0000000000000000" in subprocess.check_output(sandboxed, text=True)


@contained
def test_an_ordinary_user_grades_those_after_a_program_that_changes_its_parent(place, tmp_path):
    place("ana", text=hostile_entries()["spoils_those_after_it"]["code"])
    place("ben")
    code, output = grade(place, tmp_path / "out", python=as_root_of_a_namespace())
    assert code == 0 and points(tmp_path / "out") == {"ana": 0, "ben": MOST}, output


SANDBOXED = """
import tempfile, time
from jobs_kit.grading.sandbox.client import Sandbox
with tempfile.TemporaryDirectory() as shared, Sandbox(contained=True, shared=shared) as sandbox:
    folder = sandbox.home + "/answer"
    sandbox.write(folder, {{"look.py": b"{look}"}})
    process = sandbox.start({{"do": "program", "file": "look.py"}}, folder, "none")
    while process.running:
        process.pump()
        time.sleep(0.01)
    print(process.output)
"""


@contained
def test_root_without_the_right_to_namespaces_is_told_that_an_ordinary_user_has_it():
    command = as_root_of_a_namespace("--cap-drop", "CAP_SYS_ADMIN")
    require = "from jobs_kit.grading.sandbox.containment import require\nrequire()"
    errors = subprocess.run([*command, "-c", require], capture_output=True, text=True).stderr
    assert "Operation not permitted" in errors and "an ordinary user can grade contained" in errors


@contained
def test_where_no_user_may_create_namespaces_the_message_says_so():
    command = as_root_of_a_namespace("--disable-userns", "--cap-drop", "CAP_SYS_ADMIN")
    require = "from jobs_kit.grading.sandbox.containment import require\nrequire()"
    errors = subprocess.run([*command, "-c", require], capture_output=True, text=True).stderr
    assert "Namespaces are forbidden here" in errors and "ordinary user can" not in errors
