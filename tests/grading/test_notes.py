"""Which remarks does a check add to its verdict?"""

from unittest.mock import Mock

import pytest

from jobs_kit.grading.programs.submission import Submission
from jobs_kit.redis_server.monitor import parse_command


@pytest.mark.parametrize(
    ("pop", "is_noted"),
    [
        ('"BLPOP" "hotqueue:echo" "0"', True),
        ('"BLPOP" "hotqueue:echo" "90"', True),
        ('"BLPOP" "hotqueue:echo" "5"', False),
        ('"BLMPOP" "2.5" "1" "hotqueue:echo" "LEFT"', False),
        ('"LPOP" "hotqueue:echo"', False),
    ],
)
def test_only_a_program_that_waits_for_a_minute_gets_a_note_on_its_time_out(pop, is_noted):
    submission, note = Submission.__new__(Submission), Mock()
    submission.redis = Mock(pops=lambda: [parse_command(f"1.5 [0 127.0.0.1:1] {pop}".encode())])
    process = Mock(events=lambda kind: [{"socket_timeout": "not given"}])
    submission.note_socket_timeout(process, note)
    assert note.called == is_noted
    if is_noted:
        assert "costs no points" in note.call_args[0][0]
