"""Run tasks on several judges at once."""

import queue
import threading


class JudgePool:
    """Several Judges, each of which does one task after another."""

    def __init__(self, judges):
        self._waiting, self._done = queue.Queue(), queue.Queue()
        self._threads = [
            threading.Thread(target=self._work, args=(judge,), daemon=True) for judge in judges
        ]

    def map(self, function, items):
        """Yield function(judge, item) of each item, as they end. Raises what one of them raises."""
        items = list(items)
        for item in items:
            self._waiting.put((function, item))
        for _ in items:
            result = self._done.get()
            if isinstance(result, BaseException):
                raise result
            yield result

    def do(self, function, item):
        """Return function(judge, item)."""
        return next(self.map(function, [item]))

    def _work(self, judge):
        with judge:
            while task := self._waiting.get():
                function, item = task
                try:
                    self._done.put(function(judge, item))
                except BaseException as problem:  # raised again by the thread that waits for it
                    self._done.put(problem)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind, *_):
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads if kind is None else ():  # an interrupted run ends at once
            thread.join()
