"""The gaps of lesson 10; see 02_consume_messages.py for the form."""

from jobs_kit.grading import Gap, expect

HOW_LONG = Gap(
    __file__,
    "how_long",
    "From throughput to the time of one job",
    blank="""def how_long(workers, throughput):
    ...
""",
    hint="One worker and ten jobs a second: how long is one job in progress? And with two workers?",
    wrong=(
        (
            "test_it_knows_both_cases",
            "def how_long(workers, throughput):\n    return 1 / throughput\n",
        ),
        (
            "test_it_knows_both_cases",
            "def how_long(workers, throughput):\n    return throughput / workers\n",
        ),
    ),
)


@HOW_LONG.check
def test_it_knows_both_cases(submission):
    """It is right for one worker and for eight"""
    for arguments, seconds in [((1, 10), 0.1), ((8, 20), 0.4), ((2, 40), 0.05)]:
        call = submission.call("how_long", "how_long", *arguments)
        expect(
            isinstance(call.value, int | float) and abs(call.value - seconds) < 1e-6,
            f"{seconds} seconds",
            call=call,
            hint="How many jobs are in progress at each moment, if every worker is busy?",
        )


TOTAL_TIME = Gap(
    __file__,
    "total_time",
    "How long do waiting jobs take?",
    blank="""def total_time(jobs, workers, seconds):
    ...
""",
    hint="How many rounds do the workers need, and how long is one round?",
    wrong=(
        (
            "test_the_last_round_counts_in_full",
            "def total_time(jobs, workers, seconds):\n    return jobs / workers * seconds\n",
        ),
        (
            "test_the_last_round_counts_in_full",
            "def total_time(jobs, workers, seconds):\n    return (jobs // workers + 1) * seconds\n",
        ),
    ),
)


@TOTAL_TIME.check
def test_the_last_round_counts_in_full(submission):
    """Each round takes as long as one job, the last one too"""
    for arguments, seconds in [((9, 8, 1), 2), ((8, 8, 1), 1), ((3, 8, 0.5), 0.5), ((17, 8, 2), 6)]:
        call = submission.call("total_time", "total_time", *arguments)
        expect(
            isinstance(call.value, int | float) and abs(call.value - seconds) < 1e-6,
            f"{seconds} seconds",
            call=call,
            hint="What do the other workers do in the last round?",
        )
