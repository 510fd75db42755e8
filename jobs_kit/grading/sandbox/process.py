"""Follow a process that runs student code: its output, its report and its end."""

import contextlib
import json
import os
import signal
import time

from jobs_kit.grading.limits import (
    CALL_PROCESSOR_SECONDS,
    OUTPUT_BYTES,
    REPORT_BYTES,
    REPORT_LINES,
)
from jobs_kit.grading.programs.explanations import ending, is_of_given_file, printed
from jobs_kit.grading.programs.formats import decoded
from jobs_kit.grading.programs.hints import hint_for, hint_for_any

# the fields of each event and their types; a program may write other things on its pipe
EVENT_FIELDS = {
    "redis_connection": {"host": object, "port": object, "path": object, "db": object},
    "queue": {"name": str, "serializer": str | None, "socket_timeout": object, "db": int | str},
    "serving": {"host": object, "port": object},
    "error": {"type": str, "message": str, "frames": list},
    "value": {},
}


class Process:
    """A process that runs student code. Call pump() to read what is new.

    pid (int). call_text: the call as a check shows it; label: the program in a word.
    report (list of dict): see child/report.py. exit_code (int): None while it runs, negative if a
    signal ended it. ended_at: when, in seconds since 1970. http: the path of the
    socket at which it serves.
    """

    outcome_label = "found"

    def __init__(self, sandbox, pid, output, report, http):
        self._sandbox, self.pid, self.http, self.exit_code = sandbox, pid, http, None
        self.call_text = self.label = ""
        self.ended_at = None
        self.report, self._rest, self._report_bytes = [], b"", 0
        self._kept_output, self._output_bytes = bytearray(), 0  # how much there was in all
        self._open = {output: self._take_output, report: self._take_report}
        for fd in self._open:
            os.set_blocking(fd, False)

    def pump(self):
        """Read what the process has printed and reported so far, without waiting."""
        for fd, take in list(self._open.items()):
            with contextlib.suppress(BlockingIOError):
                for _ in range(64):
                    data = os.read(fd, 65536)
                    if not data:
                        os.close(fd)
                        del self._open[fd]
                        break
                    take(data)

    @property
    def open(self):
        """The file descriptors on which more may come."""
        return list(self._open)

    @property
    def output(self):
        """The text that it printed."""
        return self._kept_output.decode(errors="replace")

    @property
    def running(self):
        """Whether it has not ended yet."""
        return self.exit_code is None

    def events(self, name):
        """Return what it reported under a name, oldest first. name: such as "value"."""
        return [line[name] for line in self.report if name in line]

    @property
    def error(self):
        """The exception that it reported last, a dict with "type", "message", "frames"; or None."""
        return (self.events("error") or [None])[-1]

    @property
    def failed_in_given_file(self):
        """Whether its exception was raised in a file that students don't change."""
        return bool(self.error) and is_of_given_file(self.error)

    @property
    def hint(self):
        """The hint for its exception, or None."""
        return hint_for(self.error)

    @property
    def any_hint(self):
        """The hint for its exception, a general one if there is no better; None without exception."""
        return hint_for_any(self.error)

    @property
    def outcome_text(self):
        """How it ended, as text, or that it still runs."""
        return ending(self)

    @property
    def printed_text(self):
        """Its output; of a traceback only the lines in its own files."""
        return printed(self)

    def signal(self, number):
        """Send a signal to it and to all of its group."""
        self._sandbox.signal(self.pid, number)

    def processor_use(self):
        """Return whether it wants the processor now, and how many seconds it has had it."""
        return self._sandbox.processor_use(self.pid)

    def kill(self):
        """Kill it and all of its group, at once."""
        self.signal(signal.SIGKILL)

    def close(self):
        """Read the rest and close the pipes."""
        self.pump()
        for fd in self._open:
            os.close(fd)
        self._open.clear()

    def _take_output(self, data):
        self._kept_output += data[: OUTPUT_BYTES - len(self._kept_output)]
        self._output_bytes += len(data)
        if self._output_bytes > 10 * OUTPUT_BYTES:
            self._end("it printed without end")

    def _end(self, why):
        if not self.events("time_limit"):
            self.report.append({"time_limit": why})
            self.kill()

    def _take_report(self, data):
        self._report_bytes += len(data)
        if self._report_bytes > REPORT_BYTES or len(self.report) > REPORT_LINES:
            self._end("it reported without end")
            self._rest, data = b"", data[data.rfind(b"\n{") + 1 :]  # how it ended is the last line
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in filter(None, lines):
            # student code can write anything on the pipe
            with contextlib.suppress(ValueError, RecursionError):
                event = json.loads(line)
                if isinstance(event, dict) and _is_sound(event):
                    self._add(event)

    def _add(self, event):
        self.report.append(event)
        self.exit_code = event.get("exit", self.exit_code)
        if "exit" in event:
            self.ended_at = min(time.time(), event.get("at", time.time()))
        seconds, ended = event.get("processor") or 0, event.get("exit")
        killed = ended == -signal.SIGKILL and seconds >= CALL_PROCESSOR_SECONDS
        if killed or ended == -signal.SIGXCPU:
            # the system ended it, because it ignored the signal to stop
            self.report.append({"time_limit": "it used up its processor time"})


def _is_sound(event):
    """Tell whether an event of a report has the form that child/report.py gives it."""
    sound = isinstance(event.get("time_limit", ""), str) and isinstance(event.get("exit", 0), int)
    sound &= all(isinstance(event.get(name, 0), int | float) for name in ("processor", "at"))
    for name, types in EVENT_FIELDS.items():
        fields = event.get(name, {})
        sound &= isinstance(fields, dict) and (name not in event or _has(fields, types))
    sound &= not sound or all(map(_is_names, _lists_of_names(event)))
    frames = event["error"]["frames"] if sound and "error" in event else event.get("stack", [])
    sound &= _can_be_read(event.get("value", {}))
    return sound and isinstance(frames, list) and all(map(_is_frame, frames))


def _lists_of_names(event):
    """Return the lists of texts that an error may have, see child/report.py."""
    error = event.get("error", {})
    lists = [error.get(name, []) for name in ("names", "workers", "files")]
    return [*lists, [error.get("library", ""), error.get("name") or ""]]


def _is_names(names):
    return isinstance(names, list) and all(isinstance(name, str) for name in names)


def _has(fields, types):
    return types.keys() <= fields.keys() and all(isinstance(fields[n], types[n]) for n in types)


def _can_be_read(value):
    try:
        return isinstance(value, dict) and bool([decoded(value.get("value"))])
    except (ValueError, TypeError, AttributeError, RecursionError):
        return False


def _is_frame(frame):
    fields = {"file": str, "line": int | None, "name": str, "text": str}
    return isinstance(frame, dict) and _has(frame, fields)
