"""What a lesson imports: Redis found or started, live shells, programs, predictions, checks.

Each name is imported when it is first asked for: the judge and the commands use server.py and
find.py, and should not wait for widgets.
"""

import importlib

from jobs_kit.lab.ipykernel_patch import answer_at_once

_HOMES = {
    "check": "lab.checks",
    "draw_imports": "lab.imports",
    "draw_timeline": "lab.timeline",
    "examine": "lab.doctor",
    "find_redis": "redis_server.find",
    "hint": "lab.checks",
    "prepare_service": "lab.service",
    "open_shells": "lab.shells",
    "predict": "lab.predict",
    "replay": "lab.board.board",
    "show_board": "lab.board.board",
    "solution": "lab.checks",
    "start_program": "lab.programs",
    "watch_queue": "lab.checks",
}
__all__ = list(_HOMES)

answer_at_once()


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"jobs_kit.lab has no {name}; it has {', '.join(_HOMES)}")
    found = getattr(importlib.import_module(f"jobs_kit.{_HOMES[name]}"), name)
    globals()[name] = found  # or else `predict` would be the module predict.py from now on
    return found
