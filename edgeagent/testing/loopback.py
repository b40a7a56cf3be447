"""A server on loopback that does what a test wants, down to the byte.

    with Loopback(lambda request: reply(200, {"ok": True})) as server:
        ... server.url ...

A handler is given the request and returns the bytes of a whole response, or an iterator of pieces which are sent as
they come (so it can wait, drip, or just stop). Among the pieces `HANG_UP` resets the connection, `CLOSE` ends it in
order, and `Pause` lets time pass, in which the client's going away is noticed.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from typing_extensions import Self

if TYPE_CHECKING:
    import ssl

__all__ = ["CLOSE", "HANG_UP", "Handler", "Loopback", "Pause", "Request", "chunk", "events", "head", "reply"]

HANG_UP: Final = object()
"""Among the pieces of an answer: reset the connection."""
CLOSE: Final = object()
"""Among the pieces of an answer: close the connection in order."""


class Pause(NamedTuple):
    """Among the pieces of an answer: let so many seconds pass, or fewer if the client goes away."""

    seconds: float


@dataclass
class Request:
    """What arrived: the `connection`, counted from 1, and in how many `packets`."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int
    packets: int = 1

    def json(self) -> Any:
        """The body's value. Raises `ValueError` if it is not JSON."""
        return json.loads(self.body)


Handler = Callable[[Request], Any]
"""Bytes, or an iterable of pieces: bytes, `Pause`s, `HANG_UP`, `CLOSE`."""


def reply(status: int, body: Any = b"", *, length: int | None = None, **headers: str) -> bytes:
    """The bytes of a response with a Content-Length; `length` may lie. Underscores in names of headers are hyphens."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"content-type": "application/json", "content-length": str(len(content) if length is None else length)}
    return _head(status, fields, headers) + content


def head(status: int = 200, **headers: str) -> bytes:
    """The head of a chunked response."""
    return _head(status, {"content-type": "text/event-stream", "transfer-encoding": "chunked"}, headers)


def _head(status: int, fields: dict[str, str], headers: dict[str, str]) -> bytes:
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Status\r\n{lines}\r\n".encode()


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


@dataclass(eq=False)
class Loopback:
    """The server: runs while its `with` block does.

    `requests` is all that arrived, `connections` how many were ever made, `open` how many there are now, `peak` how
    many there were at most, `busy` how many requests are being answered; `closed` is set at each close.
    """

    handler: Handler
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    peak: int = 0
    busy: int = 0
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._ended = threading.Event()
        self.closed = threading.Event()

    @property
    def open(self) -> int:
        """How many connections there are now."""
        return len(self._open)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, name="loopback", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
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
                self.peak = max(self.peak, len(self._open))
                number = self.connections
            threading.Thread(target=self._serve, args=(connection, number), name="loopback", daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        plain = connection
        try:
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            buffer = b""
            while not self._ended.is_set():
                request, buffer = _receive(connection, buffer, number)
                if request is None:
                    return
                if not self._respond(connection, request):
                    return
        except OSError:
            pass
        finally:
            connection.close()
            with self._lock:
                self._open.discard(plain)
            self.closed.set()

    def _respond(self, connection: socket.socket, request: Request) -> bool:
        """Whether the connection may be used again."""
        self._count_busy(1)
        self.requests.append(request)
        try:
            answer = self.handler(request)
            return all(self._send(connection, piece) for piece in ([answer] if isinstance(answer, bytes) else answer))
        finally:
            self._count_busy(-1)

    def _count_busy(self, more: int) -> None:
        with self._lock:
            self.busy += more

    def _send(self, connection: socket.socket, piece: Any) -> bool:
        """Whether there is more to do for this connection."""
        if isinstance(piece, Pause):
            return self._pause(connection, piece.seconds)
        if piece is HANG_UP:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if piece is CLOSE:
            return False
        connection.sendall(piece)
        return True

    def _pause(self, connection: socket.socket, seconds: float) -> bool:
        """Whether the client is still there afterwards."""
        until = time.monotonic() + seconds
        if self.tls is None and seconds > 0:
            connection.settimeout(seconds)
            try:
                if not connection.recv(1, socket.MSG_PEEK):
                    return False
            except TimeoutError:
                return True
            finally:
                connection.settimeout(None)
        return not self._ended.wait(max(0.0, until - time.monotonic()))


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
