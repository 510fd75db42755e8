"""An IPython kernel as a child process: start it, run code in it, interrupt it, end it.

A kernel has its own process group. One thread starts it and reads its messages. This module knows
nothing about pages; shells.py shows a kernel on one.
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
    # The installed "python3" kernel may belong to another environment, without our packages.
    def get_kernel_spec(self, kernel_name):
        return KernelSpec(**get_kernel_dict())


class Kernel:
    """One kernel process, which reports its life by three callbacks from its own thread.

    on_ready(kernel): it accepts input now.
    on_message(kernel, message): it printed something, or began or finished an input.
    on_end(kernel, reason): it ended or failed to start without a call of end(). reason is a str.
    """

    def __init__(self, folder, on_ready, on_message, on_end):
        self._folder = folder
        self._on_ready, self._on_message, self._on_end = on_ready, on_message, on_end
        self._manager = KernelManager(kernel_spec_manager=_ThisPython())
        # The Keeper ends the process with ours, but would leave its connection file behind.
        atexit.register(self._manager.cleanup_connection_file)
        self._client = self._process = None
        self._asking = threading.Lock()  # only one thread at a time may use a ZeroMQ socket
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._live, name="live shell", daemon=True)
        self._thread.start()

    @property
    def process_id(self):
        """The process id (int), or None before the process has started."""
        return self._process and self._process.pid

    def execute(self, code):
        """Send code to run; return the message id that the messages about it will carry."""
        with self._asking:
            return self._client.execute(code, allow_stdin=False)

    def interrupt(self):
        """Send the signal that Ctrl-C sends."""
        if self._manager.has_kernel and not self._ended.is_set():
            self._manager.interrupt_kernel()

    def end(self):
        """Kill the process; return when it has ended."""
        self._ended.set()
        self._thread.join(START_SECONDS)

    def _live(self):
        keeper = None
        try:
            keeper = self._start()
            self._wait_until_ready()
            self._on_ready(self)
            self._read()
            reason = _describe_exit(self._process.poll())
        except Exception as error:
            reason = f"it did not start: {error}"
        if self._client:
            with self._asking:
                self._client.stop_channels()
        if self._manager.has_kernel:
            self._manager.shutdown_kernel(now=True)
        if keeper:
            keeper.end()
        if not self._ended.is_set():
            self._on_end(self, reason)

    def _start(self):
        self._manager.start_kernel(
            cwd=str(self._folder),
            env=os.environ.copy(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # keep its inputs out of the history of the reader's own IPython
            extra_arguments=["--HistoryManager.hist_file=:memory:"],
        )
        self._process = self._manager.provisioner.process
        keeper = Keeper()
        keeper.keep(self._process)
        return keeper

    def _wait_until_ready(self):
        client = self._manager.blocking_client()
        client.start_channels(stdin=False, hb=False, control=False)
        self._client = client
        for _ in range(START_SECONDS):
            try:
                return client.wait_for_ready(timeout=1)
            except RuntimeError:
                if self._ended.is_set() or self._process.poll() is not None:
                    raise
        raise RuntimeError(f"no answer within {START_SECONDS} s")

    def _read(self):
        while not self._ended.is_set():
            try:
                self._on_message(self, self._client.get_iopub_msg(timeout=QUIET_SECONDS))
            except queue.Empty:
                # A reply may overtake the output, so replies are read only when no output is left.
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


def _describe_exit(exit_code):
    if exit_code is not None and exit_code < 0:
        return f"its process was killed by signal {-exit_code}"
    return f"its process ended with exit code {exit_code}"
