"""Tell which client sent each command, where all of them share the address of a Unix socket.

MONITOR shows what was sent, in order, without names. The slow log of Redis, which notes every
command here, shows the name of the client, and of a pop that had to wait, when its wait ended.
"""

from collections import defaultdict, deque

from jobs_kit.redis_server.monitor import BLOCKING, MOVES, POPS

KEPT = 10_000  # commands in the slow log; if there are more, their senders stay unknown
SETTINGS = {"slowlog-log-slower-than": 0, "slowlog-max-len": KEPT}
WORDS, BYTES = 30, 100  # of a command that are compared: the log shortens longer ones
FOREVER = float("inf")


class Senders:
    """The sender of each command. commands: Commands, oldest first. log: the raw answer to SLOWLOG GET.

    clients: the address of each command's client, as CommandInterpreter takes it: "unix:NAME", or
    "NAME#2" for the second connection of NAME that waits at a list. names: the names alone, None
    where it is unknown. ended: {place in commands: [places of the pops whose wait ended after it]}.
    """

    def __init__(self, commands, log):
        self.commands, self.names, self.ended = commands, [None] * len(commands), {}
        self._until = {}  # place of a pop: the place after which it had its message, or gave up
        if len(log) < KEPT:
            self._match(commands, log)
        self._name_unfinished(commands)
        self._busy = defaultdict(list)  # name: until when each of its connections waits
        self.clients = [self._client(*placed) for placed in enumerate(commands)]

    def _match(self, commands, log):
        unmatched = defaultdict(deque)
        for place, command in enumerate(commands):
            unmatched[_words(command.name, command.arguments)].append(place)
        latest = -1
        for _, _, _, (name, *arguments), _, client, *_ in reversed(log):
            places = unmatched.get(_words(name.decode(errors="replace").upper(), arguments))
            if not places:
                continue
            place = places.popleft()
            self.names[place] = client.decode(errors="replace")
            latest = max(latest, place)
            self._until[place] = latest
            if latest > place and commands[place].name in BLOCKING:
                self.ended.setdefault(latest, []).append(place)

    def _name_unfinished(self, commands):
        """Give each pop that never ended the client that was heard last before it."""
        name = None
        for place, command in enumerate(commands):
            if command.name in BLOCKING and self.names[place] is None:
                self.names[place] = name
            elif self.names[place]:
                name = self.names[place]

    def _client(self, place, command):
        name = self.names[place]
        if command.by_script or not name:
            return command.client
        if command.name not in POPS | MOVES:
            return f"unix:{name}"
        busy = self._busy[name]
        slot = next((slot for slot, until in enumerate(busy) if until < place), len(busy))
        busy[slot : slot + 1] = [self._until.get(place, FOREVER)]
        return f"{name}#{slot + 1}"


def _words(name, arguments):
    return (name, *(argument[:BYTES] for argument in arguments[:WORDS]))
