"""How is a student's API asked? Over HTTP, at the socket on which its app.run() serves."""

import http.client
import json
import re
import socket
import time

from jobs_kit.grading.expectations import CheckError
from jobs_kit.grading.limits import CHECK_TIMEOUT_SECONDS
from jobs_kit.grading.programs.explanations import own_traceback
from jobs_kit.grading.text import short


class Api:
    """A student's API at work. Every answer comes over HTTP."""

    def __init__(self, submission, process):
        self._student, self.process = submission, process
        self.serving = process.events("serving")[-1]

    def get(self, path):
        """GET a path, and the one that it leads on to; return a Response."""
        response = self._ask("GET", path, None)
        # Flask leads on to a route that ends in a slash, and clients follow
        return self._ask("GET", f"{path}/", None) if response.status == 308 else response

    def post(self, path, body):
        """POST a body (bytes, or anything that JSON can express); return a Response."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._ask("POST", path, data)

    def _ask(self, method, path, data):
        said = "" if data is None else data.decode(errors="replace") or "(an empty body)"
        shown = f"{method} {path}  {said}".rstrip()
        connection = _UnixHTTP(self.process.http)
        before = len(self.process.output)
        try:
            connection.request(method, path, data, {"Content-Type": "application/json"})
            # the program is read while we wait, or it would stop at a full pipe
            self._student.until(
                lambda: _has_come(connection.sock) or not self.process.running,
                watched=[connection.sock],
            )
            if not _has_come(connection.sock) and self.process.running:
                raise self._student.timed_out(self.process, f"{method} {path} is answered")
            connection.sock.deadline = time.monotonic() + CHECK_TIMEOUT_SECONDS
            response = connection.getresponse()
            body = response.read(1 << 20)
            content_type = response.headers.get_content_type()
        except (OSError, http.client.HTTPException) as problem:
            self._student.until(lambda: not self.process.running, seconds=0.5)
            if self.process.events("time_limit"):
                raise self._student.timed_out(
                    self.process, f"{method} {path} is answered"
                ) from None
            raise CheckError(
                "the API answers",
                call=shown,
                got=f"{type(problem).__name__}: {problem}",
                hint="The connection was closed without an answer. Which line of yours ends the "
                "thread or the program that was to give one?",
            ) from None
        finally:
            connection.close()
        self._student.until(lambda: True)
        if response.status >= 500:  # with debug=True its traceback is printed after the answer
            self._student.until(lambda: "Traceback" in self.process.output[before:], seconds=0.5)
        return Response(shown, response.status, content_type, body, self.process.output[before:])


class Response:
    """An answer over HTTP. status (int), content_type (str), body (bytes), json (or None)."""

    def __init__(self, call, status, content_type, body, output):
        self.call_text, self.status, self.content_type, self.body = call, status, content_type, body
        self._output = output
        try:
            self.json = json.loads(body)
        except (ValueError, RecursionError):
            self.json = None

    @property
    def outcome_text(self):
        page = re.search(rb"<title>(.*?)</title>", self.body[:2000])
        body = b"a page with the title " + page[1] if page else self.body.strip()
        said = f"{self.status} {self.content_type}: {short(body, 500)}"
        if self.status >= 500 and "Traceback" in self._output:
            said += "\n" + own_traceback(self._output)
        return said


class _Patient(socket.socket):
    """A socket for which an answer that comes byte by byte ends as well. deadline: when."""

    deadline = None

    def recv_into(self, *arguments):
        if self.deadline:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer does not come to an end")
            self.settimeout(left)
        return super().recv_into(*arguments)


class _UnixHTTP(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=CHECK_TIMEOUT_SECONDS)
        self._path = path

    def connect(self):
        self.sock = _Patient(socket.AF_UNIX)
        self.sock.settimeout(CHECK_TIMEOUT_SECONDS)
        self.sock.connect(self._path)


def _has_come(connection):
    try:
        connection.setblocking(False)
        return bool(connection.recv(1, socket.MSG_PEEK)) or True
    except BlockingIOError:
        return False
    finally:
        connection.settimeout(CHECK_TIMEOUT_SECONDS)
