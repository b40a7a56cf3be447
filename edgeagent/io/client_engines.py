"""HTTP through a client of the caller's own, httpx's or httpx2's: its proxies, certificates, hooks and transports.

The client is never closed here. Its redirects are its own business, and so are its retries.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from edgeagent.effects import Timeout
from edgeagent.errors import ConfigurationError
from edgeagent.io.async_engine import AsyncEngine
from edgeagent.io.async_sources import AsyncExchange
from edgeagent.io.messages import Body, OnePiece, fields_of, timeouts
from edgeagent.io.sources import Exchange
from edgeagent.io.sync_engine import SyncEngine, end
from edgeagent.wire.http import Headers, HTTPRequest

if TYPE_CHECKING:
    from edgeagent.io.threads import Threads

__all__ = ["AsyncClientEngine", "ClientEngine"]

T = TypeVar("T")


class ClientEngine(SyncEngine):
    """A client that blocks.

    Its sockets do not know the deadline, so under one, or in a race, every step runs in a thread that can be given up.
    """

    def __init__(self, client: Any, clock: Callable[[], float], threads: Threads) -> None:
        super().__init__(clock)
        self._client = _usable(client)
        self._threads = threads

    def _request(self, request: HTTPRequest, timeout: Timeout, deadline: float | None) -> Exchange:
        built = self._client.build_request(
            request.method, request.url, headers=fields_of(request), content=request.content
        )
        limits = timeouts(timeout)
        if deadline is not None:
            left = max(0.001, deadline - self._clock())
            limits = {name: left if limit is None else min(limit, left) for name, limit in limits.items()}
        built.extensions = {**built.extensions, "timeout": limits}
        try:
            response = self._client.send(built, stream=True)
        except Exception as error:
            return _answered(error)
        headers = Headers(response.headers.multi_items())
        return Exchange(response.status_code, headers, response, response.iter_bytes(), None)

    def _give_back(self, exchange: Exchange) -> None:
        if not exchange.ended:
            _wake(exchange.response)
        end(exchange.response)

    def _guarded(
        self, request: HTTPRequest, step: Callable[[], T], deadline: float | None, *, sending: bool = True
    ) -> T:
        if deadline is not None or self._threads.lanes.current is not None:
            step = self._bounded(step, deadline)
        return super()._guarded(request, step, deadline, sending=sending)

    def _bounded(self, step: Callable[[], T], deadline: float | None) -> Callable[[], T]:
        def late(outcome: T) -> None:
            if isinstance(outcome, Exchange):
                self._give_back(outcome)

        def bounded() -> T:
            return self._threads.call(step, None if deadline is None else deadline - self._clock(), late)

        return bounded


class AsyncClientEngine(AsyncEngine):
    """An async client."""

    def __init__(self, client: Any, clock: Callable[[], float], exchanges: set[AsyncExchange]) -> None:
        super().__init__(clock, exchanges)
        self._client = _usable(client)

    async def _request(self, request: HTTPRequest, timeout: Timeout, body: Body) -> AsyncExchange:
        built = self._client.build_request(
            request.method, request.url, headers=fields_of(request), content=request.content
        )
        built.extensions = {**built.extensions, "timeout": timeouts(timeout)}
        body.sent = True  # who knows what it does first
        try:
            response = await self._client.send(built, stream=True)
        except Exception as error:
            gone = _answered(error)
            return AsyncExchange(gone.status_code, gone.headers, gone.response, OnePiece(gone.rest()), None)
        headers = Headers(response.headers.multi_items())
        return AsyncExchange(response.status_code, headers, response, response.aiter_bytes(), None)


def _wake(response: Any) -> None:
    """End a read that was given up: closing a socket does not, shutting it down does. HTTP/2 shares its socket."""
    extensions = getattr(response, "extensions", {})
    stream = extensions.get("network_stream")
    sock = stream.get_extra_info("socket") if stream is not None else None
    if sock is not None and extensions.get("http_version") != b"HTTP/2":
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


def _answered(error: Exception) -> Exchange:
    """The answer that a hook of the caller's client turned into an exception (`raise_for_status`); else raises it."""
    response = getattr(error, "response", None)
    if type(error).__name__ != "HTTPStatusError" or response is None:
        raise error
    try:
        content = response.content
    except Exception:  # not read before it was closed; each library has its own class for that
        content = b""
    return Exchange(response.status_code, Headers(response.headers.multi_items()), response, iter([content]), None)


def _usable(client: Any) -> Any:
    if getattr(client, "is_closed", False):
        raise ConfigurationError("The http_client is closed.")
    return client
