"""A board ends when no page shows it any more, and not before."""

import pytest

from jobs_kit.lab.board import page
from jobs_kit.lab.board.page import BoardPage

CLOSE = {"do": "close"}


@pytest.fixture
def board(monkeypatch):
    """A BoardPage that keeps its messages: board.got, a list."""
    monkeypatch.setattr(page, "UNSEEN_SECONDS", 0.05)
    got = []
    board = BoardPage(got.append)
    board.got = got
    return board


def hear(board, *words):
    """Take such messages from pages, and wait until what they begin has ended."""
    for word in words:
        board._receive({"do": word})
    board._unseen.join()


def test_a_board_that_has_left_its_only_page_is_closed(board):
    hear(board, "here", "left")
    assert board.got == [CLOSE]


def test_a_board_that_another_page_shows_stays(board):
    hear(board, "here", "here", "left", "here")
    assert board.got == []


def test_of_two_that_leave_the_last_one_decides(board):
    board._receive({"do": "left"})
    first = board._unseen
    hear(board, "left")
    first.join()
    assert board.got == [CLOSE]
