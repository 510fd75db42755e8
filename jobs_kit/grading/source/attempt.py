"""Decide whether a submission is an attempt: whether it differs from the starter."""

from jobs_kit.grading.expectations import CheckError, NotAttemptedError


def require_attempt(source):
    """Raise NotAttemptedError if nothing has been done yet in the files of a Source."""
    try:
        attempted = _is_attempted(source)
    except NotAttemptedError:  # the exercise explains it better
        raise
    except CheckError:  # a file that cannot be read is not the starter
        attempted = True
    if not attempted:
        raise NotAttemptedError(f"nothing to judge yet; still to do: {_to_do(source.exercise)}")


def _is_attempted(source):
    exercise = source.exercise
    if exercise.is_attempted:
        return bool(exercise.is_attempted(source))
    changes = [(name, file) for file, names in exercise.changes.items() for name in names]
    renamed = any(not source.definitions_like(name) for name, _ in changes)
    return any(source.differs(*change) for change in changes) or (
        renamed and source.has_other_definitions()
    )


def _to_do(exercise):
    changes = exercise.changes.items()
    parts = [f"{' and '.join(names)} in {file}" if names else file for file, names in changes]
    return ", ".join(parts) or "the source"
