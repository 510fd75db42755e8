"""Hold the outcome of a call of a student's function."""

from jobs_kit.grading.expectations import CheckError
from jobs_kit.grading.programs.explanations import ending
from jobs_kit.grading.programs.formats import decoded, jid_of
from jobs_kit.grading.text import short


class Call:
    """A call in a separate process, once it has ended or waits for a message.

    process: the Process. waits (bool): whether it is blocked on a queue. call_text: the call itself.
    error: the event "error" (see sandbox/child/report.py), or None. hint: the question that leads to
    its cause, or None. ended (bool): False if its time was up.
    """

    def __init__(self, process, waits):
        self.process, self.call_text, self._waits = process, process.call_text, waits
        self._value = (process.events("value") or [None])[-1]
        self.error, self.hint = process.error, process.hint
        self.ended = bool(self._value or self.error or waits or not process.running)

    @property
    def values(self):
        """The values that its calls returned. Raises CheckError when one of them raised."""
        if self.error:
            raise CheckError(
                "each call returns a value", call=self.call_text, got=self.outcome_text
            )
        return [decoded(event.get("value")) for event in self.process.events("value")]

    @property
    def value(self):
        """The value that it returned. Raises CheckError when it raised or waits instead."""
        if self._value is None:
            raise CheckError(
                "it returns a value",
                call=self.call_text,
                got=self.outcome_text,
                hint=self.hint,
            )
        return decoded(self._value.get("value"))

    @property
    def returned(self):
        """Whether it returned a value; importing a module counts as one."""
        return self._value is not None

    @property
    def job_id(self):
        """The id of the job that add_job() returned in whatever form, or None."""
        return jid_of(self.value) if self.returned else None

    @property
    def job_ids(self):
        """The ids of the jobs of all its calls. Raises CheckError when one of them raised."""
        return [jid_of(value) for value in self.values]

    @property
    def outcome_label(self):
        """The label of that outcome: "returned" for a value, else "found"."""
        return "returned" if "repr" in (self._value or ()) else "found"

    @property
    def outcome_text(self):
        """The value as Python shows it, or how the process ended instead."""
        if self._value is not None:
            return short(self._value.get("repr", "imported"), 500)
        return ending(self.process, self._waits)
