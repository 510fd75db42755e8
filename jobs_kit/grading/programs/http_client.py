"""Send requests to a student's API, over HTTP, at the socket on which its app.run() serves."""

import contextlib
import http.client
import json
import re
import socket
import time

from jobs_kit.grading.expectations import CheckError
from jobs_kit.grading.limits import CHECK_TIMEOUT_SECONDS
from jobs_kit.grading.programs.explanations import own_traceback
from jobs_kit.grading.programs.formats import UUID, dicts_in, ids_in, tells_something
from jobs_kit.grading.programs.hints import hint_for_view
from jobs_kit.grading.text import short

MOST_BODY_BYTES = 1 << 20


class Api:
    """A student's API that serves. process: its Process. serving: the event of that name."""

    def __init__(self, submission, process):
        self._submission, self.process = submission, process
        self.serving = process.events("serving")[-1]

    def get(self, path):
        """GET a path, and follow one redirect; return a Response."""
        response = self._request("GET", path, None)
        # Flask redirects to a route that ends in a slash, and clients follow
        return self._request("GET", f"{path}/", None) if response.status == 308 else response

    def post(self, path, body):
        """POST a body (bytes, or anything that JSON can express); return a Response."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._request("POST", path, data)

    def _request(self, method, path, data):
        body = "" if data is None else data.decode(errors="replace") or "(an empty body)"
        call_text = f"{method} {path}  {body}".rstrip()
        before = len(self.process.output)
        with contextlib.closing(_UnixHTTP(self.process.http)) as connection:
            try:
                response, body = self._exchange(connection, method, path, data)
            except (OSError, http.client.HTTPException) as problem:
                raise self._no_response(problem, call_text, f"{method} {path}") from None
        self._submission.until(lambda: True)
        # with debug=True its traceback is printed after the response
        if response.status >= 500:
            self._submission.until(lambda: "Traceback" in self.process.output[before:], seconds=0.5)
        content_type = response.headers.get_content_type()
        output = self.process.output[before:]
        return Response(call_text, response.status, content_type, body, output, self._submission)

    def _exchange(self, connection, method, path, data):
        """Send a request; return the HTTPResponse and its body. Raises TimedOutError, OSError."""
        connection.request(method, path, data, {"Content-Type": "application/json"})
        # the program's output is read meanwhile, or it would stop at a full pipe
        self._submission.until(
            lambda: _has_come(connection.sock) or not self.process.running,
            watched=[connection.sock],
        )
        if not _has_come(connection.sock) and self.process.running:
            raise self._submission.timed_out(self.process, f"{method} {path} is answered")
        connection.sock.deadline = time.monotonic() + CHECK_TIMEOUT_SECONDS
        response = connection.getresponse()
        return response, response.read(MOST_BODY_BYTES)

    def _no_response(self, problem, call_text, request):
        """Return the CheckError for a request whose connection has failed."""
        self._submission.until(lambda: not self.process.running, seconds=0.5)
        if self.process.events("time_limit"):
            return self._submission.timed_out(self.process, f"{request} is answered")
        return CheckError(
            "the API answers",
            call=call_text,
            got=f"{type(problem).__name__}: {problem}",
            hint="The connection closed before a response came. Which line of yours ends the "
            "thread or the program that should send it?",
        )


class Response:
    """A response over HTTP. status (int), content_type (str), body (bytes), json (or None).

    call_text: the request. outcome_text: the response, as a check shows it. files: the names of the
    answer's modules.
    """

    outcome_label = "returned"

    def __init__(self, call, status, content_type, body, output, submission):
        self.call_text, self.status, self.content_type, self.body = call, status, content_type, body
        self._output, self._redis = output, submission.redis
        self.files = [file.removesuffix(".py") for file in submission.source.modules()]
        try:
            self.json = json.loads(body)
        except (ValueError, RecursionError):
            self.json = None

    @property
    def objects(self):
        """Every dict in its JSON, those in JSON texts that it holds included."""
        return dicts_in(self.json)

    @property
    def is_taken(self):
        """Whether its status code says that a job was taken."""
        return self.status in (200, 201, 202)

    @property
    def hint(self):
        """A question that leads from the traceback of a failing view to its cause, or None."""
        return hint_for_view(self)

    @property
    def job_id(self):
        """The id of a job that it contains, if possible of one that was queued; or None."""
        ids = [*ids_in(self.json), *UUID.findall(self.body.decode(errors="replace"))]
        queued = (jid for jid in ids if self._redis.pushes_of(jid))
        return next(queued, ids[0] if ids else None)

    def tells_something(self, known):
        """Tell whether its JSON holds a string that is not known, or a number with a name."""
        return tells_something(self.json, known)

    def holds(self, fields, in_texts=True):
        """Tell whether a JSON object in it has these fields, at whatever depth.

        in_texts: whether to look into JSON texts that it holds.
        """
        return any(
            all(found.get(name) == value for name, value in fields.items())
            for found in dicts_in(self.json, in_texts)
        )

    @property
    def shows_bytes(self):
        """Whether the body holds bytes as Python prints them; an id may end with b, too."""
        return bool(re.search(rb"\bb'", self.body))

    @property
    def outcome_text(self):
        """The status, the type, the body in short, and the student's lines of a traceback."""
        page = re.search(rb"<title>(.*?)</title>", self.body[:2000])
        body = b"a page with the title " + page[1] if page else self.body.strip()
        outcome = f"{self.status} {self.content_type}: {short(body, 500)}"
        if self.status >= 500 and "Traceback" in self._output:
            outcome += "\n" + own_traceback(self._output)
        return outcome


class _DeadlineSocket(socket.socket):
    """A socket that gives up at a deadline, also if bytes keep coming."""

    deadline = None

    def recv_into(self, *arguments):
        if self.deadline:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the response never ends")
            self.settimeout(left)
        return super().recv_into(*arguments)


class _UnixHTTP(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=CHECK_TIMEOUT_SECONDS)
        self._path = path

    def connect(self):
        self.sock = _DeadlineSocket(socket.AF_UNIX)
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
