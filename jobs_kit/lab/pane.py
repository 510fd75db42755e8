"""How does a lesson page show something alive? As a pane: a title, a state, a transcript.

A pane shows what others write; a shell's pane also takes input. Everything that it shows is in
its traits, so that a page which is opened again, or another front end, gets it without asking.
Clicks and typed text arrive as messages: {"do": "run", "code": "..."} or {"do": "Interrupt"}.
"""

from pathlib import Path

import anywidget
from ipywidgets import Box, Layout
from traitlets import Bool, Dict, List, Unicode

HERE = Path(__file__).parent


class Pane(anywidget.AnyWidget):
    """One live pane. on_message(message) is called for every click and every typed input."""

    _esm = HERE / "pane.js"
    _css = HERE / "pane.css"

    title = Unicode().tag(sync=True)
    kind = Unicode().tag(sync=True)  # "shell" or "program"
    state = Unicode().tag(sync=True)  # one word, which picks the colour
    state_text = Unicode().tag(sync=True)  # the same in words
    transcript = Unicode().tag(sync=True)
    notice = Unicode().tag(sync=True)  # what to do about an input that was refused
    buttons = Dict().tag(sync=True)  # {"Interrupt": True}: name and whether it can be pressed
    takes_input = Bool().tag(sync=True)
    history = List(Unicode()).tag(sync=True)

    def __init__(self, on_message, **traits):
        super().__init__(layout=Layout(flex="1 1 24em", min_width="0", margin="0"), **traits)
        self.on_msg(lambda _, message, __: on_message(message))

    def show(self, **traits):
        """Change several traits in one message to the page."""
        with self.hold_sync():
            for name, value in traits.items():
                setattr(self, name, value)


def side_by_side(panes):
    """Return a widget that shows the panes beside each other, below each other if it is narrow."""
    return Box(panes, layout=Layout(display="flex", flex_flow="row wrap", grid_gap="10px"))


def display_form(widget, text):
    """Return what Jupyter needs to show the widget, with text for all that shows no widgets."""
    bundle = widget._repr_mimebundle_()
    data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
    return data | {"text/plain": text}, metadata
