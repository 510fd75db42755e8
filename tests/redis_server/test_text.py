"""Messages of any kind, shown as text."""

import pytest

from jobs_kit.redis_server.text import message_text


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (b'"hello"', "hello"),
        (b'{"a": 1}', '{"a": 1}'),
        (b"hello", "hello"),
        (b'"\xc3\xb6"', "ö"),
        (b"\x80\x04K\x01.", "(a pickle of 5 bytes)"),
        (b"\xff", "\\xff"),
        (b"[" * 100_000, "[" * 299 + "…"),
    ],
)
def test_messages_are_shown_as_text(message, text):
    assert message_text(message) == text
