"""Keep what an earlier run left in the folder of the grades."""

import errno
import fcntl
import os
import stat

import pytest
from batch_runs import ANYHOW, MOST

from jobs_kit.grading.batch.out_folder import locked


def test_the_lock_is_a_file_open_for_writing_as_nfs_needs_it(tmp_path, monkeypatch):
    modes = []

    def lock(file, operation):
        descriptor = file if isinstance(file, int) else file.fileno()
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
        modes.append((stat.S_ISREG(os.fstat(descriptor).st_mode), flags & os.O_ACCMODE))

    monkeypatch.setattr(fcntl, "flock", lock)
    with locked(tmp_path):
        assert modes in ([(True, os.O_WRONLY)], [(True, os.O_RDWR)])


@pytest.mark.parametrize("error", ["ENOLCK", "EIO"])
def test_a_folder_that_knows_no_locks_is_used_without(tmp_path, monkeypatch, error):
    def refuse(*_):
        raise OSError(getattr(errno, error), "no lock")

    monkeypatch.setattr(fcntl, "flock", refuse)
    if error == "ENOLCK":
        with locked(tmp_path):
            pass
    else:
        with pytest.raises(OSError, match="no lock"), locked(tmp_path):
            pass


def test_grades_of_other_exercises_are_not_replaced(place, grade_here, tmp_path):
    place("ana")
    out, more = tmp_path / "out", (*ANYHOW, "--exercise", "two_shells")
    assert grade_here(out, *more)[0] == 0
    before = (out / "grades.csv").read_bytes()
    code, output = grade_here(out, *ANYHOW)
    assert code == 2 and "two_shells" in output and "another folder with --out" in output
    assert (out / "grades.csv").read_bytes() == before
    assert grade_here(out, *more)[0] == 0 and f"{MOST}".encode() in before
