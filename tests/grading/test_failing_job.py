"""When does failing_job count as attempted? When worker.py is another than it was before."""

import json

import pytest
from cases import write_stage

from jobs_kit.course.exercise import all_exercises
from jobs_kit.grading.progress import ExerciseProgress

HANDED_OUT = 'jobs.update_job_status(jid, "complete")'
OWN = 'jobs.update_job_status(jid, "complete"); print("done")'
CATCHING = (
    'try:\n        jobs.update_job_status(jid, "complete")\n    except KeyError:\n        pass'
)


@pytest.mark.parametrize(
    ("line", "recorded", "outcome"),
    [
        (HANDED_OUT, False, "not attempted"),
        (OWN, False, "fail"),
        (OWN, True, "not attempted"),
        (CATCHING, True, "fail"),
    ],
)
def test_a_worker_that_passed_before_is_not_attempted(judge, tmp_path, line, recorded, outcome):
    exercise, folder = all_exercises()["failing_job"], tmp_path / "jobs_service"
    write_stage(exercise, folder, "blank")
    worker = folder / "worker.py"
    assert HANDED_OUT in worker.read_text()
    worker.write_text(worker.read_text().replace(HANDED_OUT, line))
    if recorded:
        # as a tree: what is recorded may be laid out otherwise
        text = worker.read_text() + "\n\n# a comment\n"
        (folder / ".progress.json").write_text(json.dumps({"worker.py": ["no Python (", text]}))
    assert judge.check(exercise, folder).outcome == outcome


def test_the_worker_that_first_passes_an_earlier_exercise_is_recorded(judge, tmp_path):
    exercise, folder = all_exercises()["execute_job"], tmp_path / "jobs_service"
    write_stage(exercise, folder, "solved")
    worker = folder / "worker.py"
    first = worker.read_text()
    assert ExerciseProgress(exercise, folder).check(judge).passed
    worker.write_text(f"{first}# a later comment\n")
    assert ExerciseProgress(exercise, folder).check(judge).passed
    noted = json.loads((folder / ".progress.json").read_text())
    assert noted["worker.py"] == [first]
