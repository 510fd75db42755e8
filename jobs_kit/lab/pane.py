"""A live pane on a lesson page: a title, a state and a transcript.

A shell's pane also takes input. The traits hold everything that a pane shows, so a page that is
opened again, or a second front end, shows the same without asking the kernel. Clicks and typed
text arrive as messages: {"do": "run", "code": "..."} or {"do": "Interrupt"}.
"""

from pathlib import Path

import anywidget
from ipywidgets import Box, Layout
from traitlets import Bool, Dict, List, Unicode

from jobs_kit.queue_watch.player.page import PANE_STYLE

HERE = Path(__file__).parent


class Pane(anywidget.AnyWidget):
    """One live pane. It calls on_message(message) for every click and every typed input."""

    _esm = HERE / "pane.js"
    _css = PANE_STYLE

    title = Unicode().tag(sync=True)
    kind = Unicode().tag(sync=True)  # "shell" or "program"
    state = Unicode().tag(sync=True)  # one word, which selects the colour
    state_text = Unicode().tag(sync=True)  # the state as the reader sees it
    transcript = Unicode().tag(sync=True)
    notice = Unicode().tag(sync=True)  # why an input was refused, and what to do
    buttons = Dict().tag(sync=True)  # {"Interrupt": True}: name, and whether it is enabled
    takes_input = Bool().tag(sync=True)
    history = List(Unicode()).tag(sync=True)

    def __init__(self, on_message, **traits):
        super().__init__(layout=Layout(flex="1 1 24em", min_width="0", margin="0"), **traits)
        self.on_msg(lambda _, message, __: on_message(message))

    def show(self, **traits):
        """Set several traits; the page gets them in one message."""
        with self.hold_sync():
            for name, value in traits.items():
                setattr(self, name, value)


def arrange_side_by_side(panes):
    """Return a widget with the panes in a row, or in a column where the page is narrow."""
    return Box(panes, layout=Layout(display="flex", flex_flow="row wrap", grid_gap="10px"))


def display_form(widget, text):
    """Return (data, metadata) for Jupyter to show a widget, with text for other front ends."""
    bundle = widget._repr_mimebundle_()
    data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
    return data | {"text/plain": text}, metadata
