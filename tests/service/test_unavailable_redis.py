"""A Redis that is full, busy, read-only or away: workers wait and go on, reading still works."""

import contextlib
import shutil
import socket
import threading

import pytest
import redis
from redis.exceptions import OutOfMemoryError, ReadOnlyError

from jobs_kit.queues import is_temporary
from jobs_kit.redis_server.server import start_server

pytestmark = pytest.mark.redis_server
MONTH = ("2012-01-01", "2012-01-31")


@pytest.fixture
def server(monkeypatch):
    """Start a separate server, which the environment names."""
    server = start_server()
    monkeypatch.setenv("REDIS_URL", server.url)
    yield server
    server.stop()


@pytest.fixture
def client(server):
    return server.connect()


@contextlib.contextmanager
def full(client, until):
    client.config_set("maxmemory", 1)
    yield
    client.config_set("maxmemory", 0)


@contextlib.contextmanager
def read_only(client, until):
    with socket.create_server(("127.0.0.1", 0)) as nowhere:
        client.replicaof("127.0.0.1", nowhere.getsockname()[1])
        yield
        client.replicaof("NO", "ONE")


@contextlib.contextmanager
def no_disk(client, until):
    client.config_set("save", "3600 1")
    shutil.rmtree(client.config_get("dir")["dir"])
    client.bgsave()
    until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
    yield
    client.config_set("save", "")


@contextlib.contextmanager
def busy(client, until):
    client.config_set("lua-time-limit", 50)
    endless = threading.Thread(target=_run_endless_script, args=(client,))
    endless.start()
    yield
    client.script_kill()
    endless.join()


def _run_endless_script(client):
    with contextlib.suppress(redis.RedisError):
        client.eval("while true do end", 0)


@pytest.mark.parametrize("trouble", [full, read_only, no_disk, busy])
def test_a_worker_waits_and_finishes_its_job(trouble, client, service, run_and_read, until):
    jobs = service("jobs")
    worker = run_and_read("-m", "jobs_kit.worker", JOBS_KIT_JOB_SECONDS="1.5")
    first = jobs.add_job(*MONTH)
    until(lambda: jobs.get_job(first["id"])["status"] == "in progress")
    with trouble(client, until):
        until(lambda: any("not available" in line for line in worker.lines))
        if trouble is not busy:
            assert jobs.get_job(first["id"])["status"] == "in progress"
            assert len(jobs.q) == 0
        with pytest.raises(redis.RedisError):
            jobs.add_job(*MONTH)
    second = jobs.add_job(*MONTH)
    for job in (first, second):
        until(lambda: jobs.get_job(job["id"])["status"] == "complete")  # noqa: B023
        history = [status for _, status in jobs.get_history(job["id"])]
        assert history == ["submitted", "in progress", "complete"]
    assert worker.poll() is None


def test_a_worker_that_starts_at_a_full_redis_waits_for_room(client, service, run_and_read, until):
    job = service("jobs").add_job(*MONTH)
    with full(client, until):
        worker = run_and_read("-m", "jobs_kit.worker")
        until(lambda: any("not available" in line for line in worker.lines))
    until(lambda: service("jobs").get_job(job["id"])["status"] == "complete")


@pytest.mark.parametrize(
    "error",
    [
        redis.ConnectionError("refused"),
        redis.TimeoutError("time-out"),
        redis.exceptions.BusyLoadingError("Redis is loading the dataset in memory"),
        redis.ResponseError("BUSY Redis is busy running a script."),
        redis.ResponseError("MISCONF Redis is configured to save RDB snapshots"),
        redis.ResponseError(
            "Error running script (call to f_1): @user_script:9: -OOM command not allowed"
        ),
        OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
        ReadOnlyError("You can't write against a read only replica."),
        redis.exceptions.MasterDownError("Link with MASTER is down"),
        redis.exceptions.ClusterDownError("The cluster is down"),
    ],
)
def test_what_passes_is_temporary(error):
    assert is_temporary(error)


@pytest.mark.parametrize(
    "text", ["WRONGTYPE Operation against a key", "unknown command", "NOSCRIPT No matching script"]
)
def test_what_stays_wrong_is_not_temporary(text):
    assert not is_temporary(redis.ResponseError(text))
