"""Workers are real processes that the tests stop, kill and leave without a Redis."""

import signal
import time

import pytest

from jobs_kit.redis_server.server import start_server

YEAR = ("2012-01-01", "2012-12-31")


@pytest.fixture
def jobs(service):
    return service("jobs")


@pytest.fixture
def worker(run_and_read):
    """Return a function that starts a worker; .lines is its log.

    worker(NAME="value") sets NAME in its environment.
    """

    def start(*arguments, **environment):
        return run_and_read(*(arguments or ("-m", "jobs_kit.worker")), **environment)

    return start


BURST = ("-c", "from jobs_kit.worker import work; work(burst=True)")


def status(jobs, job):
    return jobs.get_job(job["id"])["status"]


def test_a_worker_does_the_real_analysis(jobs, worker, until):
    job = jobs.add_job(*YEAR)
    process = worker(JOBS_KIT_WORKER_NAME="ana")
    until(lambda: status(jobs, job) == "complete")
    result, error = jobs.get_outcome(job["id"])
    assert (result["days"], result["wettest_day"], error) == (366, "2012-11-19", None)
    assert jobs.get_plot(job["id"]).startswith(b"\x89PNG")
    until(lambda: sum(job["id"] in line for line in process.lines) == 2)
    begun, done = [line for line in process.lines if job["id"] in line]
    assert " ana job " in begun and begun.endswith("in progress")
    assert " ana job " in done and " complete " in done


def test_a_job_outside_the_data_fails_and_the_worker_goes_on(jobs, worker, until):
    bad = jobs.add_job("2016-01-01", "2016-12-31")
    jobs.q.put("nobody")
    good = jobs.add_job(*YEAR)
    process = worker(*BURST)
    assert process.wait(30) == 0
    assert (status(jobs, bad), status(jobs, good)) == ("failed", "complete")
    assert "the data goes from 2012-01-01 to 2015-12-31" in jobs.get_outcome(bad["id"])[1]


def test_burst_drains_the_queue_and_ends(jobs, worker):
    added = [jobs.add_job(*YEAR) for _ in range(3)]
    assert worker(*BURST).wait(60) == 0
    assert [status(jobs, job) for job in added] == ["complete"] * 3
    assert len(jobs.q) == 0


def test_a_job_takes_at_least_the_seconds_of_the_setting(jobs, worker):
    job = jobs.add_job(*YEAR)
    assert worker(*BURST, JOBS_KIT_JOB_SECONDS="1.5").wait(30) == 0
    times = [at for at, _ in jobs.get_history(job["id"])]
    assert times[2] - times[1] >= 1.5


def test_the_job_of_a_killed_worker_is_done_by_another(jobs, worker, until):
    job = jobs.add_job(*YEAR)
    victim = worker(JOBS_KIT_JOB_SECONDS="60")
    until(lambda: status(jobs, job) == "in progress")
    victim.kill()
    worker()
    until(lambda: status(jobs, job) == "complete")
    steps = [step for _, step in jobs.get_history(job["id"])]
    assert steps == ["submitted", "in progress", "submitted", "in progress", "complete"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_current_job_end_and_claims_no_other(jobs, worker, until, number):
    job, other = jobs.add_job(*YEAR), jobs.add_job(*YEAR)
    process = worker(JOBS_KIT_JOB_SECONDS="3")
    # Its status is not enough: a signal before the worker gets the reply makes it requeue the job.
    until(lambda: any("in progress" in line for line in process.lines))
    process.send_signal(number)
    assert process.wait(30) == 0
    assert (status(jobs, job), status(jobs, other)) == ("complete", "submitted")
    assert not any("Traceback" in line for line in process.lines)


def test_a_second_signal_ends_the_worker_at_once_and_the_job_is_requeued(jobs, worker, until):
    job = jobs.add_job(*YEAR)
    process = worker(JOBS_KIT_JOB_SECONDS="60", JOBS_KIT_LEASE="0.5")
    until(lambda: status(jobs, job) == "in progress")
    process.terminate()
    time.sleep(0.2)
    assert process.poll() is None
    process.terminate()
    assert process.wait(5) == -signal.SIGTERM
    worker(JOBS_KIT_LEASE="0.5")
    until(lambda: status(jobs, job) == "complete")


def test_a_signal_ends_an_idle_worker(jobs, worker, until):
    process = worker()
    until(lambda: any("waits for jobs" in line for line in process.lines))
    until(lambda: any(c["cmd"] == "blmove" for c in jobs.rd.client_list()))
    process.terminate()
    assert process.wait(5) == 0
    job = jobs.add_job(*YEAR)
    time.sleep(0.3)
    assert status(jobs, job) == "submitted"  # no connection of that worker waits for jobs any more


def test_eight_workers_share_fifty_jobs_and_each_is_done_once(jobs, worker, until):
    added = [jobs.add_job("2012-01-01", "2012-01-31") for _ in range(50)]
    for _ in range(8):
        worker()
    until(lambda: all(status(jobs, job) == "complete" for job in added), seconds=60)
    for job in added:
        steps = [step for _, step in jobs.get_history(job["id"])]
        assert steps == ["submitted", "in progress", "complete"]


def test_a_restart_of_redis_under_load_loses_no_job(worker, until, service, monkeypatch):
    server = start_server(append_only=True)
    monkeypatch.setenv("REDIS_URL", server.url)
    monkeypatch.setenv("JOBS_KIT_LEASE", "1")
    jobs = service("jobs")
    workers = [worker(JOBS_KIT_JOB_SECONDS="0.4") for _ in range(2)]
    accepted = [jobs.add_job("2012-01-01", "2012-01-31") for _ in range(12)]
    for pause in (0.2, 3):
        until(lambda: any(status(jobs, job) == "in progress" for job in accepted))
        server.stop(keep=True)
        time.sleep(pause)
        server.start()
        accepted.append(jobs.add_job("2012-01-01", "2012-01-31"))
    until(lambda: all(status(jobs, job) == "complete" for job in accepted), seconds=60)
    for job in accepted:
        steps = [step for _, step in jobs.get_history(job["id"])]
        assert steps == ["submitted", "in progress", "complete"]
        assert jobs.get_outcome(job["id"])[0]["days"] == 31
    assert jobs.q.dead_letters() == []
    assert all(process.poll() is None for process in workers)
    server.stop()


def test_a_worker_that_starts_before_redis_waits_for_it(worker, until, service, monkeypatch):
    server = start_server(append_only=True)
    monkeypatch.setenv("REDIS_URL", server.url)
    server.stop(keep=True)
    process = worker()
    until(lambda: any("not available at" in line for line in process.lines))
    time.sleep(2)  # it tries again every second
    lines = [line for line in process.lines if "not available at" in line]
    assert len(lines) == 1 and "`jobs-kit redis`, or set REDIS_URL" in lines[0]
    server.start()
    job = service("jobs").add_job(*YEAR)
    until(lambda: status(service("jobs"), job) == "complete")
    server.stop()


def test_a_signal_without_redis_ends_an_idle_worker(worker, until, monkeypatch):
    server = start_server()
    monkeypatch.setenv("REDIS_URL", server.url)
    process = worker()
    # Wait for its first claim: it ends with an error if Redis never answered one.
    until(lambda: any(one["cmd"] == "blmove" for one in server.connect().client_list()))
    server.stop()
    until(lambda: any("trying again" in line for line in process.lines))
    process.terminate()
    assert process.wait(30) == 0
    assert not any("Traceback" in line for line in process.lines)


@pytest.mark.slow
def test_an_idle_worker_is_alive_and_takes_work_after_seventy_seconds(jobs, worker, until):
    process = worker()
    until(lambda: any("waits for jobs" in line for line in process.lines))
    time.sleep(70)
    assert process.poll() is None
    job = jobs.add_job(*YEAR)
    until(lambda: status(jobs, job) == "complete")
    assert not any("trying again" in line for line in process.lines)
