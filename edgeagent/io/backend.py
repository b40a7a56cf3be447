"""Sockets that know when the call ends.

An HTTP read timeout is per read, so a server that drips one byte a second would never trip it. Here every wait on a
socket is cut to what is left of the call's deadline, in headers, body, TLS and connecting alike. A blocking call runs
in one thread, so its deadline is kept per thread.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import httpcore
from httpcore import ConnectError, ConnectTimeout, NetworkBackend, NetworkStream, ReadTimeout, WriteError, WriteTimeout

if TYPE_CHECKING:
    from httpcore import SOCKET_OPTION

    from edgeagent.io.lanes import Lanes
    from edgeagent.io.threads import Threads

__all__ = ["Deadline", "DeadlineBackend", "is_head"]

WRITE_PIECE: Final = 256 * 1024


class Deadline(threading.local):
    """The deadline of the call that this thread performs, in seconds of `clock`; None: no limit."""

    def __init__(self, clock: Callable[[], float], lanes: Lanes) -> None:
        self.clock = clock
        self.lanes = lanes
        self.at: float | None = None

    def clamp(self, timeout: float | None, expired: type[Exception]) -> float | None:
        """The shorter of the two limits; raises `expired` when nothing is left."""
        if self.at is None:
            return timeout
        left = self.at - self.clock()
        if left <= 0:
            raise expired
        return left if timeout is None else min(timeout, left)


class DeadlineStream(NetworkStream):
    """A socket's stream whose waits are cut to the deadline.

    The head of a request is held until its body is written or an answer is read, so that both leave in one packet.
    """

    def __init__(self, stream: NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline
        self._head = b""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read, no longer than is left."""
        if self._head:
            with contextlib.suppress(WriteError):  # as httpcore does: a server may answer before it hangs up
                self.write(b"", timeout)
        limit = self._deadline.clamp(timeout, ReadTimeout)
        if self._deadline.lanes.current is None:
            return self._stream.read(max_bytes, limit)
        with self._deadline.lanes.waiting(self._wake):
            return self._stream.read(max_bytes, limit)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write piece by piece, each no longer than is left."""
        if self._head:
            buffer, self._head = self._head + buffer, b""
        elif is_head(buffer):
            self._head = buffer
            return
        for start in range(0, len(buffer), WRITE_PIECE):
            piece = buffer if len(buffer) <= WRITE_PIECE else buffer[start : start + WRITE_PIECE]
            limit = self._deadline.clamp(timeout, WriteTimeout)
            with self._deadline.lanes.waiting(self._wake):
                self._stream.write(piece, limit)

    def close(self) -> None:
        """Close the socket."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> NetworkStream:
        """Shake hands, no longer than is left."""
        limit = self._deadline.clamp(timeout, ConnectTimeout)
        with _shut_down_by(self._deadline.lanes, self._stream.get_extra_info("socket")):
            return DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, limit), self._deadline)

    def _wake(self) -> None:
        _shut_down(self._stream.get_extra_info("socket"))

    def get_extra_info(self, info: str) -> Any:
        """What the socket's stream says."""
        return self._stream.get_extra_info(info)


def is_head(buffer: bytes) -> bool:
    """Whether this may be the head of a request: it does no harm to hold back something else that looks like one."""
    return buffer.endswith(b"\r\n\r\n") and len(buffer) < WRITE_PIECE


class DeadlineBackend(NetworkBackend):
    """Makes such streams.

    Args:
        deadline: of the calls.
        threads: where a host's name is looked up, since nothing else could end a lookup that nobody answers.
    """

    def __init__(self, deadline: Deadline, threads: Threads) -> None:
        self._backend = httpcore.SyncBackend()
        self._deadline = deadline
        self._threads = threads

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> NetworkStream:
        """Connect to the first of the host's addresses that answers, all of it no longer than is left."""
        options = tuple(socket_options or ())
        *others, last = self._addresses(host, port, timeout)
        for address in others:
            with contextlib.suppress(ConnectError, ConnectTimeout):
                return self._connected(address, port, timeout, local_address, options)
        return self._connected(last, port, timeout, local_address, options)

    def _connected(
        self, address: str, port: int, timeout: float | None, local: str | None, options: Iterable[SOCKET_OPTION]
    ) -> NetworkStream:
        limit = self._deadline.clamp(timeout, ConnectTimeout)
        with self._deadline.lanes.in_foreign_code():
            stream = self._backend.connect_tcp(address, port, limit, local, options)
        return DeadlineStream(stream, self._deadline)

    def _addresses(self, host: str, port: int, timeout: float | None) -> list[str]:
        if _numeric(host):
            return [host]
        limit = self._deadline.clamp(timeout, ConnectTimeout)

        def look_up() -> list[str]:
            return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]

        try:
            found = (
                look_up()
                if limit is None and self._deadline.lanes.current is None
                else self._threads.call(look_up, limit)
            )
        except TimeoutError:
            raise ConnectTimeout("The host's name could not be looked up in time.") from None
        except OSError as error:
            raise ConnectError(str(error)) from error
        return list(dict.fromkeys(found))


def _numeric(host: str) -> bool:
    if ":" in host:
        return True
    try:
        socket.inet_pton(socket.AF_INET, host)
    except OSError:
        return False
    return True


def _shut_down(sock: socket.socket) -> None:
    """End what waits for it. Closing it would not; and TLS's own `shutdown` forgets its state while that is in use."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


@contextlib.contextmanager
def _shut_down_by(lanes: Lanes, sock: socket.socket) -> Iterator[None]:
    """A handshake's end by another thread: through a copy, since the handshake takes the socket out of its object."""
    if lanes.current is None:
        yield
        return
    with socket.fromfd(sock.fileno(), sock.family, sock.type) as copy, lanes.waiting(lambda: _shut_down(copy)):
        yield
