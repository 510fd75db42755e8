"""Decide about an error that remains when a submission is judged again, alone."""

from jobs_kit.grading.batch import own_solutions


def reject_simulated_causes(pool, exercises, hidden, results):
    """Turn the errors of SubmissionResults into failures where only the submission has them.

    An answer can use up memory, processes or its disk to look as if the system lacked them. The
    kit's own solution of the exercise decides: it is judged now, by the same pool of one judge, and
    where the judge has no trouble with it, the cause is in the answer. hidden: HiddenChecks.
    """
    in_doubt = {one.id for result in results for one in result.exercises if _doubtful(one)}
    exercises = [exercise for exercise in exercises if exercise.id in in_doubt]
    own = own_solutions.judge(pool, exercises, hidden) if exercises else []
    fair = {result.id for result in own if not _is_in_trouble(result)}
    for result in results:
        for exercise in result.exercises:
            for check in _doubtful(exercise) if exercise.id in fair else ():
                _turn_into_failure(check)


def _doubtful(exercise):
    return [check for check in exercise.checks if check.outcome == "error" and check.is_outside]


def _is_in_trouble(result):
    """Tell whether the judge could not do its work; hidden checks may reject the own solution."""
    return any(check.outcome in ("error", "timeout") for check in result.checks)


def _turn_into_failure(check):
    check.outcome, check.got, check.message = "fail", check.message, None
    check.expected = "it can be judged, as the kit's own solution can: both were judged alone"
    check.hint = "What does your program use up: memory, processes, files, or its Redis?"
