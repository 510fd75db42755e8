"""Draw rows of marks: which program printed which line, and which job has which status."""

from jobs_kit.lab.experiments import wait_until

MARKS = {"submitted": "·", "in progress": "▶", "complete": "■"}


def draw_rows(programs, lines):
    """Print a row for each Program: a square where it has printed a line, a dot where it hasn't."""
    width = max(len(program.name) for program in programs)
    for program in programs:
        squares = "".join("■" if line in program.lines else "·" for line in lines)
        print(f"{program.name:{width}} {squares}")


def watch_statuses(jids, status_of, seconds=60):
    """Print a row with a mark for each job whenever a status changes, until all are complete.

    status_of(jid) returns the status of a job as a string. Return how many jobs were in progress
    at the same time, at most. Raises TimeoutError after so many seconds.
    """
    rows = []

    def look():
        # the last job first: else one that ends meanwhile and the next one both seem in progress
        marks = {jid: MARKS[status_of(jid)] for jid in reversed(jids)}
        row = "".join(marks[jid] for jid in jids)
        if row not in rows:
            rows.append(row)
            print(row)
        return set(row) == {MARKS["complete"]}

    wait_until(look, seconds)
    return max(row.count(MARKS["in progress"]) for row in rows)
