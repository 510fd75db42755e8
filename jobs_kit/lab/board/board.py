"""Show a board in a lesson: one show_board(), as the last line of a cell.

    show_board("some_queue")                           # live: who puts, what waits, who works
    board = show_board(jobs.q, worker="worker.py")     # its "Start a worker" runs this program
    board.save("monday.json")
    replay("monday.json")                              # shows it again, without a Redis

A board takes nothing from its queue, which other programs use meanwhile. It ends when its
cell is run again or no page shows it any more, at board.close(), or with the kernel; so do the
workers that it has started.
"""

import contextlib
import json
import threading
from functools import cached_property

from hotqueue import HotQueue
from IPython import get_ipython

from jobs_kit import settings
from jobs_kit.lab.board.page import BoardPage, OnPage
from jobs_kit.lab.board.worker_pool import WorkerPool
from jobs_kit.queue_watch.client_names import Names
from jobs_kit.queue_watch.player.page import replay_traits
from jobs_kit.queue_watch.queue_address import find_queue
from jobs_kit.queue_watch.queue_reader import QueueReader
from jobs_kit.queue_watch.queue_recorder import QueueRecorder
from jobs_kit.queue_watch.recording import Recording
from jobs_kit.queue_watch.watcher import Watcher

MOST_AT_ONCE = 1000  # messages that one click puts
FIRST_LOOK_SECONDS = 3

_open = []  # the boards of this process that watch


def show_board(queue, put=None, worker=None, seconds=1.0, failure="fail", role="worker"):
    """Watch a queue; return the Board, which a cell shows.

    queue: its name, as in HotQueue("some_queue", ..., db=1), or a HotQueue.
    put: what "Put" does with a string, for example lambda text: jobs.add_job(...); by default it puts
    the text on the queue. worker: what "Start a worker" runs, a file such as "worker.py" or Python
    code; by default a program that holds each message for so many seconds, and that raises an error
    at the message failure. With failure=None the page has no button for such a message.
    role: what the board calls those that take messages, "worker" or "consumer".
    """
    address, cell = find_queue(queue), _this_cell()
    for board in list(_open):
        if board.gives_way(address, cell):
            board.close()
    board = Board(address, put, worker, seconds, failure, role, cell)
    _open.append(board)
    return board


def replay(path):
    """Return the Replay of what board.save(path) wrote; a cell shows it. Raises NotARecordingError."""
    return Replay(Recording.load(path))


class Replay(OnPage):
    """A recording of a board, which plays without a Redis."""

    def __init__(self, recording):
        super().__init__(f"Recording of {recording.now['queue']}", recording)

    @cached_property
    def page(self):
        """The widget."""
        return BoardPage(**replay_traits(self.title, self.recording.as_dict()))


class Board(OnPage):
    """A live view of one queue."""

    def __init__(self, address, put, worker, seconds, failure, role, cell):
        self._address, self._put, self._failure, self._cell = address, put, failure, cell
        self._is_closed, self._shown, self._showing = False, 0, threading.Lock()
        url = settings.without_password(address.server.url)
        arguments = [url, address.db, address.name, seconds, failure or ""]
        self._pool = WorkerPool(address.name, worker, arguments, self._show)
        reader = QueueReader(address)
        self._names = Names(self._pool.processes, reader.clients, role=role)
        queue = QueueRecorder(
            address.db, address.key, self._names, reader.job_key_start, self._pool.exit_reason
        )
        super().__init__(f"Queue {address.name}", queue.recording)
        self._watcher = Watcher(queue, reader, self._show)
        self._watcher.has_seen.wait(FIRST_LOOK_SECONDS)

    @property
    def picture(self):
        """A copy of the present picture, see picture.py."""
        return self.recording.glimpse()

    @property
    def state(self):
        """Whether it is "live", "away" or "closed"."""
        return "closed" if self._is_closed else "live" if self.recording.now["here"] else "away"

    def put(self, *messages):
        """Put messages, as the page's button does."""
        if self._put:
            for message in messages:
                self._put(message)
        else:
            self._queue.put(*messages)

    def fail(self):
        """Put the message that a worker fails at. Raises RuntimeError where there is none."""
        if self._failure is None:
            raise RuntimeError("this board has no message that fails")
        self.put(self._failure)

    def start_worker(self):
        """Start one more worker, a real process; return its Program."""
        if self._is_closed:
            raise RuntimeError("this board is closed; run its cell again")
        return self._pool.start(self._names.next("worker"))

    def kill_worker(self, name=None):
        """Kill a worker that this board has started, whatever it is doing; by default the last."""
        self._pool.kill(name)

    def close(self):
        """End the watch, and the workers that this board has started."""
        self._is_closed = True
        if self in _open:
            _open.remove(self)
        self._watcher.close()
        self._pool.end()
        self._show()

    def gives_way(self, address, cell):
        """Tell whether a new board takes the place of this one: it has its queue, or its cell."""
        mine, its = self._address, address
        same_queue = (mine.server.url, mine.db, mine.key) == (its.server.url, its.db, its.key)
        same_cell = cell and self._cell and cell[0] == self._cell[0] and cell[1] != self._cell[1]
        return bool(same_queue or same_cell)

    @cached_property
    def page(self):
        """The widget."""
        self._shown = self.recording.count
        return BoardPage(self._receive, title=self.title, **self._looks())

    @cached_property
    def _queue(self):
        client = self._address.connect(db=self._address.db)
        return HotQueue(self._address.name, serializer=json, connection_pool=client.connection_pool)

    def _receive(self, message):
        """Carry out a click on the page."""
        acts = {
            "put": lambda: self.put(*_numbered(message.get("text"), message.get("times"))),
            "fail": self.fail,
            "start": self.start_worker,
            "kill": lambda: self.kill_worker(message.get("who")),
            "close": self.close,
        }
        if message.get("do") in acts:
            # it may take a moment, and the page's messages come one after another
            act = acts[message["do"]]
            threading.Thread(target=self._try, args=(act,), daemon=True).start()

    def _try(self, act):
        try:
            act()
            notice = ""
        except Exception as problem:  # what put= was given may raise anything
            notice = f"{type(problem).__name__}: {problem}"
        self.page.notice = notice

    def _show(self):
        """Bring the page up to date."""
        if "page" in self.__dict__:  # a board that no cell shows needs no widget
            with self._showing:
                self.page.show(**self._looks())

    def _looks(self):
        with self.recording.lock:
            news = {"first": self._shown, "events": self.recording.since(self._shown)}
            self._shown = self.recording.count
            return {
                "state": self.state,
                "picture": self.recording.glimpse(),
                "news": news | {"last": self._shown},
                "controls": {"workers": list(self._pool.running()), "failure": self._failure},
            }


def _numbered(text, times):
    """Return the messages that one click puts: "hello", or "hello 1", "hello 2", ..."""
    text, times = str(text or "hello"), max(1, min(int(times or 1), MOST_AT_ONCE))
    return [text] if times == 1 else [f"{text} {number}" for number in range(1, times + 1)]


def _this_cell():
    """Return (its id, the id of this run of it) of the cell that runs, or None."""
    with contextlib.suppress(AttributeError, KeyError, TypeError):
        parent = get_ipython().kernel.get_parent()
        return parent["metadata"]["cellId"], parent["header"]["msg_id"]
    return None
