"""A proxy between a client and Redis that loses replies, and counts what goes through it."""

import contextlib
import socket
import threading


class FaultyProxy:
    """Listens on a free port of 127.0.0.1 and passes everything on to Redis.

    lose(request, reply_number) -> None, "close" (lose this reply and break the connection) or
    "swallow" (lose it and stay silent). requests: the bytes of every request, one each.
    """

    def __init__(self, host, port, lose=lambda request, number: None):
        self.target, self.lose, self.requests = (host, port), lose, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sockets = [self.listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        """Close all connections and stop listening."""
        for connection in self.sockets:
            # shutdown() also wakes the thread that waits in accept() or recv()
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                try:
                    server = socket.create_connection(self.target)
                except OSError:  # Redis is away, and the client sees that
                    client.close()
                    continue
                self.sockets += [client, server]
                threading.Thread(target=self._serve, args=(client, server), daemon=True).start()

    def _serve(self, client, server):
        """Pass requests on, one for each sendall of the client, and the replies in a thread."""
        loss = []
        back = threading.Thread(target=self._reply, args=(client, server, loss), daemon=True)
        back.start()
        with contextlib.suppress(OSError), client, server:
            while request := client.recv(1 << 20):
                self.requests.append(request)
                loss[:] = [self.lose(request, len(self.requests))]
                server.sendall(request)

    def _reply(self, client, server, loss):
        with contextlib.suppress(OSError), client, server:
            while reply := server.recv(1 << 20):
                if loss == ["close"]:
                    client.shutdown(socket.SHUT_RDWR)
                    return
                if loss != ["swallow"]:
                    client.sendall(reply)
