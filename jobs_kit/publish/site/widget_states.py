"""Report what the widgets of a page show. This module runs inside the page's kernel."""

import json

from ipywidgets import Widget

from jobs_kit.lab.board.page import shown_boards
from jobs_kit.lab.pane import Pane


def transcripts():
    """Return {model id: transcript} of the page's live shells, as JSON."""
    states = Widget.get_manager_state()["state"]
    kinds = {name: widget["state"] for name, widget in states.items()}
    return json.dumps(
        {
            name: state["transcript"]
            for name, state in kinds.items()
            if _kind(state) == Pane.__name__ and state["kind"] == "shell"
        }
    )


def all_states():
    """Return {model id: {"kind": class name, "traits": {...}}} of all widgets, as JSON.

    A board's traits are its title and its recording.
    """
    states = {}
    for name, widget in Widget.get_manager_state()["state"].items():
        traits = {key: value for key, value in widget["state"].items() if not key.startswith("_")}
        states[name] = {"kind": _kind(widget["state"]) or widget["model_name"], "traits": traits}
    for board in shown_boards():
        traits = {"title": board.title, "recording": board.recording.as_dict()}
        states[board.page.model_id] = {"kind": "BoardPage", "traits": traits}
    return json.dumps(states)


def _kind(state):
    """Return the class name of one of the kit's widgets, "" for any other."""
    return state.get("_anywidget_id", "").rpartition(".")[2]
