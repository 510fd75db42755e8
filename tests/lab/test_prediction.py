"""Predictions: recorded, settled, locked, and never in the way."""

import pytest

from jobs_kit.lab.prediction import Verdict, predict


@pytest.fixture
def guess():
    return predict("How many messages wait?", [0, 1, 3])


def click(prediction, choice):
    """Do what the page does when the reader chooses."""
    prediction._question.set_state({"guess": choice})


@pytest.mark.parametrize(
    ("choice", "actual", "line"),
    [
        ("1", 3, "You predicted 1. The answer is: 3."),
        ("3", 3, "You predicted 3, and that is right."),
        ("3", "3.0", "You predicted 3, and that is right."),
        ("", 3, "You made no prediction. The answer is: 3."),
        ("  ", 3, "You made no prediction. The answer is: 3."),
        ("Yes ", "yes", "You predicted Yes, and that is right."),
        ("a  queue", "A queue", "You predicted a  queue, and that is right."),
        ("<b>", None, "You predicted <b>. The answer is: None."),
    ],
)
def test_settle_shows_one_line(capsys, choice, actual, line):
    guess = predict("What?")
    click(guess, choice)
    guess.settle(actual)
    assert capsys.readouterr().out == line + "\n"
    assert guess._question.settled and guess._question.verdict == line


def test_a_wrong_guess_gets_the_explanation(capsys):
    for choice, explained in [("0", True), ("3", False), ("", False)]:
        guess = predict("What?", [0, 1, 3], why="Each put adds one.")
        click(guess, choice)
        guess.settle(3)
        assert ("Each put adds one." in capsys.readouterr().out) == explained


def test_the_guess_can_be_read(guess):
    assert guess.value is None
    click(guess, "1")
    assert guess.value == "1"


def test_settle_may_be_run_again(guess, capsys):
    click(guess, "1")
    guess.settle(0)
    guess.settle(1)
    expected = "You predicted 1. The answer is: 0.\nYou predicted 1, and that is right.\n"
    assert capsys.readouterr().out == expected


def test_a_guess_that_comes_late_changes_nothing(guess):
    guess.settle(3)
    click(guess, "3")
    assert guess.value is None


def test_the_page_shows_text_as_text():
    assert (
        "You predicted &lt;b&gt;. The answer is: &lt;i&gt;." in Verdict("<b>", "<i>")._repr_html_()
    )


def test_the_text_form_is_the_same_every_time(guess):
    text = "Predict: How many messages wait?\n  ( ) 0\n  ( ) 1\n  ( ) 3"
    click(guess, "1")
    assert repr(guess) == guess._repr_mimebundle_()[0]["text/plain"] == text
    assert repr(predict("What?")) == "Predict: What?\n  ______"


@pytest.mark.parametrize("options", [["only one"], ["1", 1]])
def test_options_that_leave_no_choice_are_refused(options):
    with pytest.raises(ValueError, match="two or more options, all different"):
        predict("What?", options)
