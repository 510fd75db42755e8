"""Predictions: a small widget records what the reader expects before a cell runs.

    guess = predict("How many messages are waiting?", ["0", "1", "3"], why="Each put adds one.")
    guess                                              # shows the question

    guess.settle(len(q))         # later: You predicted 1. The answer is 3. Each put adds one.

settle() never fails, whether the reader made a guess or not.
"""

import html
from functools import cached_property
from pathlib import Path

import anywidget
from IPython.display import display
from traitlets import Bool, List, Unicode

from jobs_kit.lab.pane import display_form

HERE = Path(__file__).parent


def predict(question, options=None, why=""):
    """Ask the reader for a prediction; return it as a Prediction, which a cell shows.

    options: two or more choices, all different; without options the widget has a text box.
    why: one sentence for a reader who guessed wrong.
    Raises ValueError for one option or two equal ones.
    """
    options = [str(option) for option in options or []]
    if len(options) == 1 or len(set(options)) < len(options):
        raise ValueError(f"give two or more options, all different, or none; got {options}")
    return Prediction(str(question), options, why)


class Prediction:
    """A question and the reader's guess."""

    def __init__(self, question, options, why=""):
        self.question, self.options, self.why = question, options, why
        self._is_settled, self._last_guess = False, None

    @property
    def value(self):
        """The guess as text, None before there is one. It stays the same after settle()."""
        if not self._is_settled:
            self._last_guess = self._question.guess.strip() or None
        return self._last_guess

    def settle(self, actual):
        """Show the guess beside the actual value, and lock the guess."""
        verdict = Verdict(self.value, str(actual).strip(), self.why)
        self._is_settled = True
        self._question.verdict, self._question.settled = str(verdict), True
        display(verdict, metadata={"prediction": self._record(str(actual).strip())})

    def __repr__(self):
        choices = [f"  ( ) {option}" for option in self.options] or ["  ______"]
        return "\n".join([f"Predict: {self.question}", *choices])

    def _repr_mimebundle_(self, **_):
        return display_form(self._question, repr(self))

    def _record(self, actual):
        """Return what a page without a kernel needs to answer each guess, as the output's metadata."""
        verdicts = {option: str(Verdict(option, actual, self.why)) for option in self.options}
        return {"question": self._question.model_id, "answer": actual, "verdicts": verdicts}

    @cached_property
    def _question(self):
        return Question(question=self.question, options=self.options)


class Question(anywidget.AnyWidget):
    """The widget: the question, the options, the guess and, once settled, the verdict."""

    _esm = HERE / "prediction.js"
    _css = HERE / "prediction.css"

    question = Unicode().tag(sync=True)
    options = List(Unicode()).tag(sync=True)
    guess = Unicode().tag(sync=True)
    settled = Bool().tag(sync=True)
    verdict = Unicode().tag(sync=True)


class Verdict:
    """One line that compares a guess (None if there is none) with the actual value."""

    def __init__(self, guess, actual, why=""):
        self.is_right = guess is not None and _normalize(guess) == _normalize(actual)
        if guess is None:
            self._text = f"You made no prediction. The answer is: {actual}."
        elif self.is_right:
            self._text = f"You predicted {guess}, and that is right."
        else:
            self._text = f"You predicted {guess}. The answer is: {actual}. {why}".strip()

    def __repr__(self):
        return self._text

    def _repr_html_(self):
        colour = "success-color1, #388e3c" if self.is_right else "border-color1, #999"
        return (
            f'<div style="border-left: 3px solid var(--jp-{colour}); padding: 2px 10px">'
            f"{html.escape(self._text)}</div>"
        )


def _normalize(text):
    """Return a value for comparisons: 3 equals 3.0, Yes equals yes, extra spaces don't count."""
    try:
        return float(text)
    except ValueError:
        return " ".join(text.split()).casefold()
