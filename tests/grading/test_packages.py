"""Answers import what is installed beside the kit, and what the instructor allows."""

import os
from types import SimpleNamespace

import pytest
from batch_runs import ANYHOW, MOST, RIGHT, contained, grade, points

from jobs_kit.course.exercise import find_exercise
from jobs_kit.course.places import MATERIAL
from jobs_kit.grading.batch.batch import Batch
from jobs_kit.grading.batch.missing_packages import missing_packages
from jobs_kit.grading.results import ExerciseResult, SubmissionResult
from jobs_kit.grading.sandbox.packages import NO_PACKAGES, can_import, find_packages
from jobs_kit.grading.source.files import Source


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Return a folder on the path, outside the environment, with packages in it."""
    folder = tmp_path / "site"
    metadata = "Name: Weather-Lib\nVersion: 1\n"
    for name, text in {
        "weather/__init__.py": "from weather.tools import hot\n",
        "weather/tools.py": "hot = 30\n",
        "single.py": "",
        "broken.py": "import nothing_like_this\n",
        "weather_lib-1.dist-info/METADATA": metadata,
        "weather_lib-1.dist-info/top_level.txt": "weather\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.mark.parametrize("name", ["weather", "Weather_Lib", "weather-lib"])
def test_a_package_is_found_by_its_module_and_as_pip_knows_it(site, name):
    packages = find_packages([name, "single"])
    assert packages.names == ("weather", "single") and packages.folders == (str(site),)
    assert can_import("weather", packages.folders) and not can_import("weather")


def test_what_is_installed_beside_the_kit_needs_no_folder():
    assert find_packages(["redis", "json"]).folders == ()
    assert can_import("redis") and can_import("json") and not can_import("nothing_like_this")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing-like-this", "is not installed.*-m pip install nothing-like-this"),
        ("broken", "cannot be imported: ModuleNotFoundError: No module named 'nothing_like_this'"),
        ("jobs-kit", "of its own files"),
        ("jobs_kit", "of its own files"),
        ("../weather", "is not installed"),
    ],
)
def test_a_package_that_cannot_be_allowed_is_an_error(site, name, message):
    with pytest.raises(ValueError, match=message):
        find_packages([name])


def test_a_folder_that_holds_more_than_packages_is_not_shown_to_answers(site, tmp_path):
    with pytest.raises(ValueError, match=r"would see .*submissions.*pip install weather"):
        find_packages(["weather"], [site / "submissions"])
    find_packages(["weather"], [tmp_path])


def test_what_an_answer_imports_from_elsewhere_is_known(tmp_path):
    (tmp_path / "jobs.py").write_text(
        "import json, pandas.core as pd\nfrom . import keys\nfrom helpers import x\n"
        f"import worker, analysis, Api, mine, {'long' * 80}\n"
        "__import__('\\x1b[31m'); __import__('numpy')\n"
        "try:\n    import rq\nexcept ImportError:\n    rq = None\n"
    )
    (tmp_path / "worker.py").write_text("def broken(:\n")
    (tmp_path / "mine").mkdir()
    source = Source(find_exercise("job_results"), tmp_path)
    assert source.packages() == ["helpers", "json", "numpy", "pandas", "rq"]


def result_of(student, *names):
    exercise = ExerciseResult("echo_worker", "Echo", missing_packages=list(names))
    return SubmissionResult(student, [exercise, exercise], digest="digest")


def test_missing_packages_are_counted_by_students():
    results = [result_of("ana", "pandas"), result_of("ben", "pandas", "polars"), result_of("cem")]
    assert missing_packages(results) == [
        "2 students import pandas, which answers can't use (ana, ben): to allow it, install it, or "
        "add --allow pandas if it is installed elsewhere",
        "1 student imports polars, which answers can't use (ben): to allow it, install it, or "
        "add --allow polars if it is installed elsewhere",
    ]


def test_a_result_is_kept_until_a_package_that_it_misses_is_installed():
    batch = SimpleNamespace(_packages=NO_PACKAGES)
    for name, is_kept in (("nothing_like_this", True), ("redis", False)):
        assert Batch._is_current(batch, result_of("ana", name), "digest") == is_kept


@contained
def test_a_class_uses_a_package_that_is_allowed(site, place, tmp_path):
    place("ana", text=f"import weather\nassert weather.hot\n{RIGHT}")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(site), str(MATERIAL)])}
    code, printed = grade(place, tmp_path / "out", env=environment)
    sentence = "1 student imports weather, which answers can't use (ana): to allow it"
    assert code == 0 and sentence in printed
    assert points(tmp_path / "out") == {"ana": 0}
    assert "which answers can&#39;t use" in (tmp_path / "out" / "summary.html").read_text()
    code, printed = grade(place, tmp_path / "out", "--allow", "weather", env=environment)
    assert code == 0 and "can't use" not in printed
    assert points(tmp_path / "out") == {"ana": MOST}


def test_a_package_that_is_not_installed_ends_the_command(place, grade_here, tmp_path):
    place("ana")
    code, printed = grade_here(tmp_path / "out", *ANYHOW, "--allow", "nothing_like_this")
    assert code == 2 and "-m pip install nothing_like_this" in printed
    assert not (tmp_path / "out").exists()
