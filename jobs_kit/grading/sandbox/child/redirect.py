"""Lead the connections of student code to the check's Redis, and its servers to the HTTP socket.

Whatever address a program names is reported to the judge and not used.
"""

import os
import socket
import weakref

from report import here, send

INTERNET = (socket.AF_INET, socket.AF_INET6)

_bound = weakref.WeakKeyDictionary()  # a socket -> the address at which it would listen


def redirect(redis, hotqueue, serving):
    """Patch the modules redis and hotqueue, sockets that listen, and all modules in `serving`."""
    for kind in (redis.Connection, redis.SSLConnection, redis.UnixDomainSocketConnection):
        kind._connect = _connect
    for module in serving:
        module.run_simple = _serve
    _redirect_listeners()
    _record_queues(hotqueue.HotQueue)


def _connect(self):
    """Connect to the check's Redis, and report which address was asked for."""
    address = {name: getattr(self, name, None) for name in ("host", "port", "path", "db")}
    send({"redis_connection": address})
    # the session's number is that of the process which the judge knows; its children have it, too
    self.client_name = self.client_name or f"pid-{os.getsid(0)}"
    # the check's Redis knows no users of a class's
    self.username = self.password = self.credential_provider = None
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(self.socket_connect_timeout)
    connection.connect(here["redis"])
    connection.settimeout(self.socket_timeout)
    return connection


def _record_queues(kind):
    make = kind.__init__

    def record(self, name, *arguments, **options):
        make(self, name, *arguments, **options)
        names = {"name": str(name), "serializer": _name_of(self.serializer)}
        pool = options.get("connection_pool")
        patience = (pool.connection_kwargs if pool else options).get("socket_timeout", "not given")
        # read from the client, because it may come from a pool, an address or a default
        client = getattr(self, "_HotQueue__redis", None)
        db = client.connection_pool.connection_kwargs.get("db") if client else None
        send({"queue": names | {"socket_timeout": patience, "db": db or 0}})

    kind.__init__ = record


def _name_of(serializer):
    """Return the name of a serializer, a module, a class or an object; None is none."""
    if serializer is None:
        return None
    return str(getattr(serializer, "__name__", None) or type(serializer).__name__)


def _serve(hostname, port, application, **options):
    """Serve as app.run() would, at the check's socket."""
    from werkzeug.serving import make_server  # prepare() has imported it

    server = make_server("unix://http", 0, application, threaded=True, fd=here["http"])
    _report_serving(hostname, port, options)
    server.serve_forever()


def _report_serving(host, port, options):
    wanted = {"host": host, "port": port}
    for name in ("use_reloader", "use_debugger", "threaded"):
        wanted[name] = bool(options.get(name))
    here["serving"] = True
    send({"serving": wanted})


def _redirect_listeners():
    """Let every socket that would listen at a port listen at the check's socket."""
    kind = socket.socket
    really = {name: getattr(kind, name) for name in ("bind", "listen", "accept", "getsockname")}
    set_option = kind.setsockopt

    def bind(self, address):
        if not (here["folder"] and self.family in INTERNET and self.type == socket.SOCK_STREAM):
            return really["bind"](self, address)
        _bound[self] = address

    def listen(self, *backlog):
        if address := _bound.get(self):
            os.dup2(here["http"], self.fileno())
            os.set_blocking(self.fileno(), self.gettimeout() is None)
            _report_serving(*address[:2], {})
        really["listen"](self, *backlog)

    def accept(self):
        connection, address = really["accept"](self)
        return connection, ("127.0.0.1", 0) if self in _bound else address

    def getsockname(self):
        return _bound.get(self) or really["getsockname"](self)

    def setsockopt(self, level, *option):
        if level != socket.IPPROTO_TCP or not here["folder"]:  # the check's socket knows no TCP
            set_option(self, level, *option)

    kind.bind, kind.listen, kind.accept = bind, listen, accept
    kind.getsockname, kind.setsockopt = getsockname, setsockopt
