"""The HTTP server in front of Flask: waitress, with limits and errors that suit a JSON API."""

import json
import time

from waitress import create_server
from waitress.channel import HTTPChannel
from waitress.task import ErrorTask

BODY_BYTES = 16 * 1024
REQUEST_SECONDS = 20  # from the first byte of a request to its last
OPTIONS = {
    "threads": 32,  # requests that wait for Redis at the same time
    "connection_limit": 1000,
    "asyncore_use_poll": True,  # select() serves no more than 1,024 files
    "channel_timeout": REQUEST_SECONDS,  # of a connection without a request
    "cleanup_interval": 5,
    "max_request_body_size": BODY_BYTES + 1,  # waitress refuses as many
}


class JsonErrorTask(ErrorTask):
    """Responds as the API does, {"error": ...}, to a request that never reaches Flask."""

    def execute(self):
        """Send the response."""
        error = self.request.error
        body = json.dumps({"error": f"{error.reason}: {error.body}"}).encode() + b"\n"
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/json"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class PunctualChannel(HTTPChannel):
    """A connection that is closed when a client sends its request too slowly."""

    error_task_class = JsonErrorTask
    _begun = None  # when the request began that isn't complete yet

    def received(self, data):
        """Take the bytes of a request."""
        taken = super().received(data)
        if self.request is None:
            self._begun = None
        else:
            self._begun = self._begun or time.monotonic()
            self.will_close |= time.monotonic() - self._begun > REQUEST_SECONDS
        return taken


def make_server(app, port):
    """Return a waitress server of a WSGI app on 127.0.0.1. Raises OSError if the port is taken."""
    server = create_server(app, host="127.0.0.1", port=port, **OPTIONS)
    server.channel_class = PunctualChannel
    return server
