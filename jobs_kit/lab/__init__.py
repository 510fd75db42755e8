"""What a lesson imports: Redis found or started, live shells, programs, predictions, checks.

Each name is imported when it is first asked for: the judge and the commands use server.py and
find.py, and should not wait for widgets.
"""

import importlib

from jobs_kit.lab.clicks import answer_at_once

_HOMES = {
    "check": "checks",
    "draw_imports": "imports",
    "draw_timeline": "timeline",
    "examine": "doctor",
    "find_redis": "find",
    "hint": "checks",
    "lay_service": "service",
    "open_shells": "shells",
    "predict": "predict",
    "replay": "board.board",
    "show_board": "board.board",
    "solution": "checks",
    "start_program": "programs",
    "watch_queue": "watch.watch",
}
__all__ = list(_HOMES)

answer_at_once()


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"jobs_kit.lab has no {name}; it has {', '.join(_HOMES)}")
    found = getattr(importlib.import_module(f"jobs_kit.lab.{_HOMES[name]}"), name)
    globals()[name] = found  # or else `predict` would be the module predict.py from now on
    return found
