"""What stands between client and server: it loses an answer, and it is away for a moment."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


class Fault(Enum):
    """What happens to one request."""

    LOST_ANSWER = "the server stores it, and the client never hears"
    AWAY = "503 before the server sees it"


@dataclass
class Gateway:
    """Passes requests on to a server, with the given faults for the first ones."""

    upstream: str
    faults: list[Fault] = field(default_factory=lambda: [Fault.LOST_ANSWER, Fault.AWAY])
    url: str = ""
    encodings: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_fault(self, encoding: str) -> Fault | None:
        with self.lock:
            self.encodings.append(encoding)
            return self.faults.pop(0) if self.faults else None


@contextmanager
def running_gateway(upstream: str) -> Iterator[Gateway]:
    """Yield a gateway on a free port."""
    gateway = Gateway(upstream)

    class Handler(_Handler):
        pass

    Handler.gateway = gateway
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    gateway.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    gateway: Gateway
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self._body()
        fault = self.gateway.next_fault(self.headers.get("Content-Encoding", ""))
        if fault is Fault.AWAY:
            self._answer(503, b"{}")
            return
        status, answer = self._passed_on(body)
        if fault is Fault.LOST_ANSWER:
            self.close_connection = True
            return
        self._answer(status, answer)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().strip() or b"0", 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _passed_on(self, body: bytes) -> tuple[int, bytes]:
        where = urlsplit(self.gateway.upstream)
        dropped = {"host", "content-length", "transfer-encoding", "connection"}
        headers = {name: value for name, value in self.headers.items() if name.lower() not in dropped}
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        try:
            connection.request("POST", self.path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the base class
        """Keep quiet."""
