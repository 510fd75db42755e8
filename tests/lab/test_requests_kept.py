"""The pinned ipykernel answers a request that comes just as a reply goes out.

Versions 7.1 to 7.3 left it unread until the next one came.
"""

import queue
import random
import time

import pytest
from jupyter_client.manager import KernelManager

from jobs_kit.lab.kernel import _ThisPython

SECONDS = 10
ROUNDS = 150  # with 7.3.0, each of eleven kernels was stuck by round 25


@pytest.fixture
def client():
    manager = KernelManager(kernel_spec_manager=_ThisPython())
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_a_request_that_meets_a_reply_is_answered(client):
    pauses = random.Random(0)
    for _ in range(ROUNDS):
        asked = set()
        for _ in range(pauses.choice([1, 2, 3, 5])):
            asked.add(client.execute("pass"))
            time.sleep(pauses.uniform(0, 0.003))
        while asked:
            try:
                reply = client.get_shell_msg(timeout=SECONDS)
            except queue.Empty:
                pytest.fail(f"{len(asked)} requests were not answered within {SECONDS} s")
            asked.discard(reply["parent_header"].get("msg_id"))
