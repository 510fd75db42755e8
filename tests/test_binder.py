"""What a launch on Binder does, done here: the start script, and the three questions."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.redis_server
BINDER = Path(__file__).parents[1] / "binder"


@pytest.fixture
def launch(redis_url, monkeypatch):
    """launch(command…) runs it through binder/start; returns the completed process."""
    monkeypatch.delenv("REDIS_URL")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")

    def run(*command, **environment):
        return subprocess.run(
            [BINDER / "start", *command],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


def test_start_names_a_redis_that_answers_and_becomes_the_command(launch, until):
    code = (
        "import os, redis, sys;"
        "r = redis.Redis(host=os.environ['REDIS_HOST'], port=int(os.environ['REDIS_PORT']));"
        "assert redis.Redis.from_url(os.environ['REDIS_URL']).ping();"
        "print(r.info('server')['process_id']);"
        "print(repr(os.environ['JOBS_KIT_PREFIX']), sys.argv[1:]);"
        "r.config_get('*')"
    )
    result = launch("python", "-c", code, "an argument")
    pid, rest = result.stdout.splitlines()
    assert rest == "'' ['an argument']"
    assert "NoPermissionError" in result.stderr  # students cannot administer it
    assert result.returncode == 1  # of the command itself: start became the command
    until(lambda: not psutil.pid_exists(int(pid)))


def test_verify_asks_all_three(launch):
    result = launch(BINDER / "verify")
    assert result.returncode == 0, result.stderr
    lines = [line.split(":")[0] for line in result.stdout.splitlines()]
    assert lines == ["Redis", "the API", "a worker"]
    assert "'days': 366" in result.stdout


def test_verify_leaves_nothing_in_redis(launch):
    keys = "import os, redis; print(redis.Redis.from_url(os.environ['REDIS_URL']).keys())"
    result = launch("sh", "-c", f'"{BINDER}/verify" && python -c "{keys}"')
    assert result.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("environment", "who"),
    [
        ({"REDIS_URL": "redis://127.0.0.1:1"}, "Redis"),
        ({"JOBS_KIT_API_PORT": "x", "JOBS_KIT_LEASE": "x"}, "the API"),
        ({"JOBS_KIT_JOB_SECONDS": "x"}, "a worker"),
    ],
)
def test_verify_names_what_does_not_answer(launch, environment, who):
    assigned = [f"{name}={value}" for name, value in environment.items()]
    result = launch("env", *assigned, BINDER / "verify")
    assert result.returncode == 1
    assert f"{who} does not answer" in result.stderr
