"""What does the reader expect before a cell runs? A small widget records the guess.

    guess = predict("How many messages wait?", ["0", "1", "3"])
    guess                                              # shows the question

    guess.settle(len(q))                               # later: You predicted 1. It is 3.

Nothing that the reader does or leaves out makes settle() fail.
"""

import html
from functools import cached_property
from pathlib import Path

import anywidget
from IPython.display import display
from traitlets import Bool, List, Unicode

from jobs_kit.lab.pane import display_form

HERE = Path(__file__).parent


def predict(question, options=None):
    """Ask the reader for a prediction; return it as a Prediction, which a cell shows.

    options: what to choose from (two or more, all different), else a box for free text.
    """
    options = [str(option) for option in options or []]
    if len(options) == 1 or len(set(options)) < len(options):
        raise ValueError(f"give two or more options, all different, or none; got {options}")
    return Prediction(str(question), options)


class Prediction:
    """A question, and what the reader expects. value: the guess as text, None before it is made."""

    def __init__(self, question, options):
        self.question, self.options = question, options
        self._is_settled, self._last_guess = False, None

    @property
    def value(self):
        if not self._is_settled:
            self._last_guess = self._question.guess.strip() or None
        return self._last_guess

    def settle(self, actual):
        """Show what was predicted beside what is true. From then on the guess stays as it is."""
        verdict = Verdict(self.value, str(actual).strip())
        self._is_settled = True
        self._question.verdict, self._question.settled = str(verdict), True
        display(verdict)

    def __repr__(self):
        choices = [f"  ( ) {option}" for option in self.options] or ["  ______"]
        return "\n".join([f"Predict: {self.question}", *choices])

    def _repr_mimebundle_(self, **_):
        return display_form(self._question, repr(self))

    @cached_property
    def _question(self):
        return Question(question=self.question, options=self.options)


class Question(anywidget.AnyWidget):
    """The widget: the question, what can be chosen, and what was."""

    _esm = HERE / "predict.js"
    _css = HERE / "predict.css"

    question = Unicode().tag(sync=True)
    options = List(Unicode()).tag(sync=True)
    guess = Unicode().tag(sync=True)
    settled = Bool().tag(sync=True)
    verdict = Unicode().tag(sync=True)


class Verdict:
    """One line that compares a guess (None if there is none) with what came out."""

    def __init__(self, guess, actual):
        self.is_right = guess is not None and _plain(guess) == _plain(actual)
        if guess is None:
            self._text = f"No prediction was recorded. It is {actual}."
        elif self.is_right:
            self._text = f"You predicted {guess}, and {guess} it is."
        else:
            self._text = f"You predicted {guess}. It is {actual}."

    def __repr__(self):
        return self._text

    def _repr_html_(self):
        colour = "success-color1, #388e3c" if self.is_right else "border-color1, #999"
        return (
            f'<div style="border-left: 3px solid var(--jp-{colour}); padding: 2px 10px">'
            f"{html.escape(self._text)}</div>"
        )


def _plain(text):
    """Return what counts in a comparison: 3 equals 3.0, Yes equals yes, spaces don't matter."""
    try:
        return float(text)
    except ValueError:
        return " ".join(text.split()).casefold()
