"""A server on loopback that does what a test wants, down to the byte.

    with Loopback(lambda request: reply(200, {"ok": True})) as server:
        ... server.url ...

A handler is given the request and returns the bytes of a whole response, or an iterator of pieces which are sent as
they come (so it can wait, drip, or just stop). `HANG_UP` among the pieces resets the connection.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from typing_extensions import Self

HANG_UP = object()


@dataclass
class Request:
    """What arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int
    packets: int = 1

    def json(self) -> Any:
        return json.loads(self.body)


Handler = Callable[[Request], Any]


def reply(status: int, body: Any = b"", *, length: int | None = None, **headers: str) -> bytes:
    """The bytes of a response with a Content-Length; `length` may lie."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"content-type": "application/json", "content-length": str(len(content) if length is None else length)}
    fields.update({name.replace("_", "-"): value for name, value in headers.items()})
    head = f"HTTP/1.1 {status} Status\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return head.encode() + b"\r\n" + content


def head(status: int = 200, **headers: str) -> bytes:
    """The head of a chunked response."""
    fields = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
    fields.update({name.replace("_", "-"): value for name, value in headers.items()})
    return (
        f"HTTP/1.1 {status} Status\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
    ).encode()


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body; b"" is the last one."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def events(items: Iterable[Any], *, end: bool = True) -> Iterable[bytes]:
    """A streamed response: one server-sent event a piece, dicts as JSON, text as it is."""
    yield head()
    for item in items:
        data = item if isinstance(item, str) else json.dumps(item)
        yield chunk(f"data: {data}\n\n".encode())
    if end:
        yield chunk(b"")


@dataclass
class Loopback:
    """The server. `requests` is all that arrived, `open` counts open connections, `closed` is set at each close."""

    handler: Handler
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self.closed = threading.Event()

    @property
    def open(self) -> int:
        return len(self._open)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        self.url = f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A blocked accept() is woken by shutting the socket down, not by closing it.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.connections += 1
                self._open.add(connection)
                number = self.connections
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        plain = connection
        try:
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            buffer = b""
            while True:
                request, buffer = _receive(connection, buffer, number)
                if request is None:
                    return
                self.requests.append(request)
                answer = self.handler(request)
                for piece in [answer] if isinstance(answer, bytes) else answer:
                    if piece is HANG_UP:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        return
                    connection.sendall(piece)
        except OSError:
            pass
        finally:
            connection.close()
            with self._lock:
                self._open.discard(plain)
            self.closed.set()


def _receive(connection: socket.socket, buffer: bytes, number: int) -> tuple[Request | None, bytes]:
    packets = 0
    while b"\r\n\r\n" not in buffer:
        data = connection.recv(65536)
        if not data:
            return None, b""
        packets += 1
        buffer += data
    raw, _, buffer = buffer.partition(b"\r\n\r\n")
    first, *lines = raw.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", 0))
    while len(buffer) < length:
        data = connection.recv(65536)
        if not data:
            return None, b""
        packets += 1
        buffer += data
    return Request(method, path, headers, buffer[:length], number, packets), buffer[length:]
