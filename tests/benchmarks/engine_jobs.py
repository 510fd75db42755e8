"""The same job on each engine: it writes one byte, so that the benchmark can count.

    ENGINE=rq python engine_jobs.py worker        start a worker (Ctrl-C ends it)
    ENGINE=rq python engine_jobs.py enqueue 1000  print the median seconds of one enqueue, and all

REDIS_URL and DONE_FILE say where the queue is, and where the bytes go. Status and result are kept
where the engine can keep them.
"""

import asyncio
import json
import os
import statistics
import sys
import time
from urllib.parse import urlsplit

URL = os.environ.get("REDIS_URL", "")
HOST, PORT = urlsplit(URL).hostname, urlsplit(URL).port
DATES = ("2012-01-01", "2012-01-31")


def done():
    """Count one job."""
    descriptor = os.open(os.environ["DONE_FILE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, b".")
    os.close(descriptor)


def jobs_kit():
    """The reference service."""
    from jobs_kit import jobs

    def work():
        finished = None
        while True:
            finished = jobs.next_job(finished, result={"days": 31})
            done()

    return lambda: jobs.add_job(*DATES), work


def unit():
    """The code that students write, without its analysis."""
    from hotqueue import HotQueue
    from redis import Redis

    rd = Redis(HOST, PORT, db=0)
    q = HotQueue("queue", host=HOST, port=PORT, db=1, serializer=json, socket_timeout=None)

    def enqueue():
        from uuid import uuid4

        job = {"id": str(uuid4()), "status": "submitted", "start": DATES[0], "end": DATES[1]}
        rd.hset(f"job.{job['id']}", mapping=job)
        q.put(job["id"])

    @q.worker
    def execute_job(jid):
        job = rd.hgetall(f"job.{jid}")
        rd.hset(f"job.{jid}", "status", "in progress")
        done()
        rd.hset(f"job.{jid}", mapping={"result": '{"days": 31}'})
        rd.hset(f"job.{jid}", "status", "complete" if job else "failed")

    return enqueue, execute_job


def redis_py():
    """RPUSH and BLPOP: what no engine on a Redis list can beat, one message after the other."""
    from redis import Redis

    rd = Redis(HOST, PORT, socket_timeout=None)

    def work():
        while True:
            rd.blpop("queue")
            done()

    return lambda: rd.rpush("queue", json.dumps(DATES)), work


def rq():
    """RQ with SimpleWorker, which doesn't fork for each job."""
    from redis import Redis
    from rq import Queue, SimpleWorker

    connection = Redis(HOST, PORT)
    queue = Queue(connection=connection, serializer="json")
    worker = SimpleWorker([queue], connection=connection, serializer="json")
    return lambda: queue.enqueue("engine_jobs.done"), lambda: worker.work(logging_level="ERROR")


def huey():
    """Huey with one worker thread."""
    from huey import RedisHuey

    app = RedisHuey(url=URL, blocking=True)

    @app.task()
    def work_once():
        done()
        return 31

    return work_once, app.create_consumer(workers=1, periodic=False).run


def dramatiq():
    """Dramatiq with one worker thread."""
    import dramatiq
    from dramatiq.brokers.redis import RedisBroker

    broker = RedisBroker(url=URL)
    dramatiq.set_broker(broker)
    actor = dramatiq.actor(done)

    def work():
        dramatiq.Worker(broker, worker_threads=1).start()
        while True:
            time.sleep(1)

    return actor.send, work


def celery():
    """Celery with the solo pool; results are kept in Redis."""
    from celery import Celery

    app = Celery("bench", broker=URL, backend=URL)
    app.conf.worker_hijack_root_logger = False
    task = app.task(done, name="bench.done")
    words = ["worker", "--pool=solo", "--loglevel=ERROR", "--without-gossip", "--without-mingle"]
    return task.delay, lambda: app.worker_main(words)


def arq():
    """Arq with one job at a time, and its shortest poll."""
    from arq import Worker, create_pool, func
    from arq.connections import RedisSettings

    settings = RedisSettings.from_dsn(URL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    pool = []

    async def done_async(ctx):
        done()
        return 31

    def enqueue():
        if not pool:
            pool.append(loop.run_until_complete(create_pool(settings)))
        loop.run_until_complete(pool[0].enqueue_job("done_async"))

    def work():
        options = {"max_jobs": 1, "poll_delay": 0.01, "handle_signals": False}
        Worker([func(done_async, name="done_async")], redis_settings=settings, **options).run()

    return enqueue, work


ENGINES = {f.__name__: f for f in (jobs_kit, unit, redis_py, huey, arq, celery, dramatiq, rq)}


def main():
    """Run the command of the command line."""
    enqueue, work = ENGINES[os.environ["ENGINE"]]()
    if sys.argv[1] == "worker":
        return work()
    enqueue()  # connects
    seconds = []
    for _ in range(int(sys.argv[2]) - 1):
        begun = time.perf_counter()
        enqueue()
        seconds.append(time.perf_counter() - begun)
    print(statistics.median(seconds or [0]), sum(seconds))


if __name__ == "__main__":
    main()
