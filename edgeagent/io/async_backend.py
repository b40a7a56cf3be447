"""The sockets of event loops: httpcore's on anyio, which serves asyncio and trio, with what it leaves out."""

# ruff: noqa: ASYNC109  # the signatures are httpcore's

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import anyio
import httpcore
from httpcore import AsyncNetworkBackend, AsyncNetworkStream, WriteError

from edgeagent.io.backend import is_head

if TYPE_CHECKING:
    from httpcore import SOCKET_OPTION

__all__ = ["AsyncBackend"]


class AsyncStream(AsyncNetworkStream):
    """A socket's stream that closes its socket when a handshake is cancelled.

    The head of a request is held until its body is written or an answer is read, so that both leave in one packet.
    """

    def __init__(self, stream: AsyncNetworkStream) -> None:
        self._stream = stream
        self._head = b""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read."""
        if self._head:
            with contextlib.suppress(WriteError):  # as httpcore does: a server may answer before it hangs up
                await self.write(b"", timeout)
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write."""
        if self._head:
            buffer, self._head = self._head + buffer, b""
        elif is_head(buffer):
            self._head = buffer
            return
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close the socket."""
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> AsyncNetworkStream:
        """Shake hands."""
        try:
            return AsyncStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        """What the socket's stream says."""
        return self._stream.get_extra_info(info)


class AsyncBackend(AsyncNetworkBackend):
    """Makes such streams."""

    def __init__(self) -> None:
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        """Connect."""
        return AsyncStream(await self._backend.connect_tcp(host, port, timeout, local_address, socket_options))
