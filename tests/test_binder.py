"""What a launch on Binder does, done here: the start script, and the three questions."""

import os
import subprocess
import sys
from pathlib import Path

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


# a board, and a consumer that takes the only message
LESSON = """
import json
from hotqueue import HotQueue
from jobs_kit.lab import find_redis, show_board, wait_until
server, consumer = find_redis(), None
queue = HotQueue("photos", serializer=json, **server.address, db=1, socket_timeout=None)
board = show_board("photos")
queue.put("cat")
queue.get()
wait_until(lambda: board.picture["workers"])
print(repr(server.prefix), len(board.picture["workers"]), board.picture["note"])
"""


def test_the_board_sees_who_takes_a_message(launch):
    result = launch("python", "-c", LESSON)
    assert result.stdout == "'' 1 \n", result.stderr


def test_students_cannot_administer_the_redis(launch):
    code = "import os, redis; redis.Redis.from_url(os.environ['REDIS_URL']).config_get('*')"
    assert "NoPermissionError" in launch("python", "-c", code).stderr


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
