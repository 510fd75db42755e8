"""The gaps of lesson 06; see 02_consume_messages.py for the form."""

from jobs_kit.grading import Gap, expect

PHOTOS = '''"""What a photo is, where its status is kept, and how it is queued."""
import json, os
import redis
from hotqueue import HotQueue

where = {"host": os.environ["REDIS_HOST"], "port": os.environ["REDIS_PORT"]}
q = HotQueue("shop", db=1, serializer=json, socket_timeout=None, **where)
rd = redis.Redis(db=0, **where)

def find_status(name):
    return (rd.get("photo." + name) or b"unknown").decode()

def save_status(name, status):
    rd.set("photo." + name, status)
'''

GUARDED = Gap(
    __file__,
    "guarded",
    "Start a worker only as the entry point",
    blank="""%%writefile scratch/shop/guarded.py
import json, os
from hotqueue import HotQueue

q = HotQueue("guarded", host=os.environ["REDIS_HOST"], port=os.environ["REDIS_PORT"], db=1, serializer=json, socket_timeout=None)

@q.worker
def shrink(name):
    print("shrinking", name)

shrink()
""",
    hint="Which name has a file that was started, and which line asks for it?",
    wrong=(
        (
            "test_it_still_works_as_a_program",
            """%%writefile scratch/shop/guarded.py
import json, os
from hotqueue import HotQueue

q = HotQueue("guarded", host=os.environ["REDIS_HOST"], port=os.environ["REDIS_PORT"], db=1, serializer=json, socket_timeout=None)

@q.worker
def shrink(name):
    print("shrinking", name)
""",
        ),
        (
            "test_an_import_comes_back",
            """%%writefile scratch/shop/guarded.py
import json, os
from hotqueue import HotQueue

q = HotQueue("guarded", host=os.environ["REDIS_HOST"], port=os.environ["REDIS_PORT"], db=1, serializer=json, socket_timeout=None)

@q.worker
def shrink(name):
    print("shrinking", name)

if __name__ == "guarded" or __name__ == "__main__":
    shrink()
""",
        ),
    ),
)


@GUARDED.check
def test_an_import_comes_back(submission):
    """import guarded comes back"""
    call = submission.call("guarded", None)
    expect(
        not call.error and not submission.redis.pops(),
        "the import ends, and asks no queue",
        call=call,
        hint="What is __name__ in a file that is imported?",
    )


@GUARDED.check
def test_it_still_works_as_a_program(submission):
    """python guarded.py starts the worker"""
    submission.redis.put(1, "hotqueue:guarded", b'"sea"')
    process = submission.start("guarded.py")
    submission.settle(process)
    expect(
        process.output.split() == ["shrinking", "sea"],
        "shrinking sea",
        call="python guarded.py, with one name on its queue",
        got=process.output.strip() or "it printed nothing",
        hint="Two underscores on each side: which name has a file that you start?",
    )


SHOP_WORKER = Gap(
    __file__,
    "shop_worker",
    "Write the worker of the shop",
    beside={"photos.py": PHOTOS},
    blank="""%%writefile scratch/shop/worker.py
def shrink(name):
    ...
""",
    hint="The queue and save_status() belong to photos. How do you reach them, and what starts the worker?",
    wrong=(
        (
            "test_it_saves_the_status",
            """%%writefile scratch/shop/worker.py
import photos

@photos.q.worker
def shrink(name):
    photos.save_status(name, "small")
""",
        ),
        (
            "test_the_worker_can_be_imported",
            """%%writefile scratch/shop/worker.py
import photos

@photos.q.worker
def shrink(name):
    photos.save_status(name, "small")

shrink()
""",
        ),
    ),
)


@SHOP_WORKER.check
def test_the_worker_can_be_imported(submission):
    """import worker comes back"""
    call = submission.call("worker", None)
    expect(
        not call.error and not submission.redis.pops(),
        "the import ends, and asks no queue",
        call=call,
        hint="Which line belongs under if __name__ == ...?",
    )


@SHOP_WORKER.check
def test_it_saves_the_status(submission):
    """python worker.py saves the status small for each name"""
    submission.redis.put(1, "hotqueue:shop", b'"sea"')
    process = submission.start("worker.py")
    submission.settle(process)
    status = submission.redis.client(0).get("photo.sea")
    expect(
        status == b"small",
        "the status of sea is small",
        call="python worker.py, with one name on the queue",
        got=f"its status is {status.decode()}" if status else "it has no status",
        hint="Which function of photos saves a status, and is the worker started?",
    )
