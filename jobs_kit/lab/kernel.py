"""How is an IPython kernel started, asked, interrupted and ended? Nothing here knows of pages.

A kernel is a child process with a group of its own; one thread starts it and reads what it says.
"""

import atexit
import os
import queue
import subprocess
import threading

from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import KernelManager

from jobs_kit.redis_server.process_keeper import Keeper

START_SECONDS = 60
QUIET_SECONDS = 0.2


class _ThisPython(KernelSpecManager):
    # an installed "python3" kernel may belong to another environment, without our packages
    def get_kernel_spec(self, kernel_name):
        return KernelSpec(**get_kernel_dict())


class Kernel:
    """One kernel process. It calls, from its own thread:

    on_ready(kernel): it takes input now;
    on_message(kernel, message): it printed something, began or finished an input;
    on_end(kernel, how): it ended, or did not start, although nobody called end().
    """

    def __init__(self, folder, on_ready, on_message, on_end):
        self._folder = folder
        self._on_ready, self._on_message, self._on_end = on_ready, on_message, on_end
        self._manager = KernelManager(kernel_spec_manager=_ThisPython())
        # the process itself ends with ours (see Keeper); its connection file would stay
        atexit.register(self._manager.cleanup_connection_file)
        self._client = self._process = None
        self._asking = threading.Lock()  # a ZeroMQ socket is for one thread at a time
        self._unwanted = threading.Event()
        self._thread = threading.Thread(target=self._live, name="live shell", daemon=True)
        self._thread.start()

    @property
    def process_id(self):
        """The number of its process, None before it has started."""
        return self._process and self._process.pid

    def execute(self, code):
        """Send code to be run; return the id that the messages about it will carry."""
        with self._asking:
            return self._client.execute(code, allow_stdin=False)

    def interrupt(self):
        """Send what Ctrl-C sends."""
        if self._manager.has_kernel and not self._unwanted.is_set():
            self._manager.interrupt_kernel()

    def end(self):
        """Kill the process, and return when it is gone."""
        self._unwanted.set()
        self._thread.join(START_SECONDS)

    def _live(self):
        keeper = None
        try:
            keeper = self._start()
            self._wait_until_ready()
            self._on_ready(self)
            self._read()
            how = _in_words(self._process.poll())
        except Exception as problem:
            how = f"it did not start: {problem}"
        if self._client:
            with self._asking:
                self._client.stop_channels()
        if self._manager.has_kernel:
            self._manager.shutdown_kernel(now=True)
        if keeper:
            keeper.release()
        if not self._unwanted.is_set():
            self._on_end(self, how)

    def _start(self):
        self._manager.start_kernel(
            cwd=str(self._folder),
            env=os.environ.copy(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # its inputs are no part of the history of the reader's own IPython
            extra_arguments=["--HistoryManager.hist_file=:memory:"],
        )
        self._process = self._manager.provisioner.process
        return Keeper(self._process)

    def _wait_until_ready(self):
        client = self._manager.blocking_client()
        client.start_channels(stdin=False, hb=False, control=False)
        self._client = client
        for _ in range(START_SECONDS):
            try:
                return client.wait_for_ready(timeout=1)
            except RuntimeError:
                if self._unwanted.is_set() or self._process.poll() is not None:
                    raise
        raise RuntimeError(f"no answer within {START_SECONDS} s")

    def _read(self):
        while not self._unwanted.is_set():
            try:
                self._on_message(self, self._client.get_iopub_msg(timeout=QUIET_SECONDS))
            except queue.Empty:
                # replies count only when all output is there; they come even if output was lost
                for reply in self._replies():
                    self._on_message(self, reply)
                if self._process.poll() is not None:
                    return

    def _replies(self):
        with self._asking:
            replies = []
            while self._client.shell_channel.msg_ready():
                replies.append(self._client.get_shell_msg(timeout=1))
            return replies


def _in_words(exit_code):
    if exit_code is not None and exit_code < 0:
        return f"its process was killed by signal {-exit_code}"
    return f"its process ended with exit code {exit_code}"
