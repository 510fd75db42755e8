"""The names that a lesson imports: find Redis, open shells, start programs, predict, check.

Each name is loaded when it is first used, so a lesson loads only the modules that it needs.
"""

import importlib

from jobs_kit.lab.ipykernel_patch import answer_clicks_at_once

_HOMES = {
    "check": "lab.checks",
    "draw_imports": "lab.imports",
    "draw_rows": "lab.rows",
    "draw_timeline": "lab.timeline",
    "examine": "lab.doctor",
    "find_redis": "redis_server.find",
    "hint": "lab.checks",
    "interrupt_after": "lab.experiments",
    "kill_at_work": "lab.experiments",
    "Moves": "lab.timeline",
    "nearest": "lab.experiments",
    "open_shells": "lab.shells",
    "predict": "lab.prediction",
    "prepare_service": "lab.service",
    "read_module": "lab.module_reader",
    "replay": "lab.board.board",
    "show_board": "lab.board.board",
    "solution": "lab.checks",
    "start_api": "lab.experiments",
    "start_celery": "lab.experiments",
    "start_program": "lab.programs",
    "start_redis": "lab.experiments",
    "stop_programs": "lab.programs",
    "used_in": "lab.module_reader",
    "wait_for_waiting": "lab.experiments",
    "wait_until": "lab.experiments",
    "watch_queue": "lab.checks",
    "watch_statuses": "lab.rows",
    "WorkerCrew": "lab.experiments",
}
__all__ = list(_HOMES)

answer_clicks_at_once()


def __getattr__(name):
    """Load a name from the module that defines it. Raises AttributeError for an unknown name."""
    if name not in _HOMES:
        raise AttributeError(f"jobs_kit.lab has no {name}; it has {', '.join(_HOMES)}")
    return getattr(importlib.import_module(f"jobs_kit.{_HOMES[name]}"), name)
