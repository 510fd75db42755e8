"""Whatever clients and workers do, and in whatever order: no job is lost, and none ends twice."""

import json
import re

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

pytestmark = pytest.mark.redis_server

WORKERS = st.sampled_from(["ana", "ben", "cleo"])
LEGAL = re.compile(r"submitted(,in progress,submitted)*(,in progress(,complete|,failed)?)?")


class Worker:
    """The state of a worker: its latest claim, and the job it got with it."""

    def __init__(self):
        self.number, self.job, self.job_number = 0, None, ""


class JobsMachine(RuleBasedStateMachine):
    """Sends the steps of clients and workers; a model says which job each worker really holds."""

    jobs = None  # the module, with the clients of an empty database

    def __init__(self):
        super().__init__()
        self.q = self.jobs.q
        self.q.redis.flushdb()
        self.workers = {}
        self.holder = {}  # job: the worker that holds it in Redis
        self.accepted, self.ended, self.deaths = [], {}, {}
        self.q.step("heartbeat", "bystander")  # someone is alive: Redis was never away

    @rule()
    def add(self):
        self.accepted.append(self.jobs.add_job("2012-01-01", "2012-01-31")["id"])

    @rule(worker=WORKERS, outcome=st.sampled_from(["complete", "failed"]))
    def finish_and_claim(self, worker, outcome):
        state = self.workers.setdefault(worker, Worker())
        self.step_next(worker, state, outcome)

    @rule(worker=WORKERS)
    def lose_the_reply_and_send_again(self, worker):
        state = self.workers.setdefault(worker, Worker())
        number, job_number = state.number, state.job_number
        self.step_next(worker, state, "complete")
        reply = self.q.step("next", worker, number + 1, job_number, "complete", "", "")
        assert (reply and json.loads(reply[0])) == state.job

    @rule(worker=WORKERS)
    def die(self, worker):
        self.workers.pop(worker, None)
        self.let_the_lease_end(worker)

    @rule(worker=WORKERS)
    def freeze(self, worker):
        """Its messages are requeued, and it goes on as if nothing had happened."""
        self.let_the_lease_end(worker)

    @rule(worker=WORKERS)
    def stop(self, worker):
        self.workers.pop(worker, None)
        self.q.step("close", worker, "", "", "", "", "")
        self.release(worker)

    @rule()
    def queue_an_id_twice(self):
        if self.accepted:
            self.q.put(self.accepted[-1])

    @invariant()
    def nothing_is_lost_or_ends_twice(self):
        held = {
            worker: [json.loads(text) for text in self.q.redis.lrange(self.held(worker), 0, -1)]
            for worker in ("ana", "ben", "cleo")
        }
        waiting = [json.loads(text) for text in self.q.redis.lrange(self.q.key, 0, -1)]
        for job in self.accepted:
            history = ",".join(status for _, status in self.jobs.get_history(job))
            assert LEGAL.fullmatch(history), history
            status = history.split(",")[-1]
            worker = self.holder.get(job)
            if job in self.ended:
                assert status == self.ended[job]
            elif worker:
                assert job in held[worker] and status == "in progress"
            else:
                assert job in waiting and status == "submitted"

    def step_next(self, worker, state, outcome):
        state.number += 1
        finished, holds = state.job, self.holder.get(state.job) == worker
        reply = self.q.step("next", worker, state.number, state.job_number, outcome, "", "")
        if holds:
            self.ended[finished] = outcome
            del self.holder[finished]
        state.job, state.job_number = None, ""
        if reply:
            state.job, state.job_number = json.loads(reply[0]), state.number
            assert state.job not in self.ended
            assert self.holder.setdefault(state.job, worker) == worker

    def let_the_lease_end(self, worker):
        self.q.redis.zadd(f"{self.q.key}:workers", {worker: 1})
        self.q.step("heartbeat", "bystander")
        for job in self.release(worker):
            self.deaths[job] = self.deaths.get(job, 0) + 1
            if self.deaths[job] == 3:
                self.ended[job] = "failed"

    def release(self, worker):
        jobs = [job for job, holder in self.holder.items() if holder == worker]
        for job in jobs:
            del self.holder[job]
        return jobs

    def held(self, worker):
        return f"{self.q.key}:held:{worker}"


def test_no_job_is_lost_and_none_ends_twice(service):
    JobsMachine.jobs = service("jobs")
    options = settings(
        max_examples=60,
        stateful_step_count=40,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(JobsMachine, settings=options)
