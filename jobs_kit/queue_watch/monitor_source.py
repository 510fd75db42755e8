"""Listen to a Redis by MONITOR, and look at it at a known moment among the commands.

This is exact, and for the kit's own server: MONITOR needs a user that may administer it, shows
everything, and slows a busy server down.
"""

import secrets

from jobs_kit.redis_server.monitor import Monitor, parse_command

MOST_LINES = 2_000  # that are read in one go


class MonitorSource:
    """Brings commands and looks to one listener.

    client: a redis.Redis that may send MONITOR. listener: has
        concerns(line): whether a line (bytes) of MONITOR is worth parsing
        hear(command): takes in a Command
        ask(mark): returns what Redis shows; sends the mark (str) at the very moment of the look
        compare(look, mark): takes in what ask() returned; mark: the Command that sent the mark
    """

    def __init__(self, client, listener):
        self._listener, self._monitor = listener, Monitor(client)

    def wait(self, seconds):
        """Wait until a command has come, so many seconds at most (None: forever); tell whether."""
        return self._monitor.wait(seconds)

    def read(self):
        """Hear the commands that have come; tell whether one concerned the listener."""
        heard = False
        for _ in range(MOST_LINES):
            heard = self._hear(self._monitor.line()) or heard
            if not self._monitor.wait(0):
                break
        return heard

    def look(self):
        """Look at Redis, and compare when all commands before that moment were heard."""
        mark = f"mark-{secrets.token_hex(4)}"
        look = self._listener.ask(mark)
        while mark.encode() not in (line := self._monitor.line()):
            self._hear(line)
        self._listener.compare(look, parse_command(line))

    def _hear(self, line):
        concerns = self._listener.concerns(line)
        if concerns:
            self._listener.hear(parse_command(line))
        return concerns

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._monitor.close()
