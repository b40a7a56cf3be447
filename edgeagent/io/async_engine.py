"""HTTP for code that awaits, by pools of our own on httpcore, one set per event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

from edgeagent.effects import Open, Send, Timeout
from edgeagent.io.async_sources import AsyncExchange, AsyncResponseSource
from edgeagent.io.decoding import inflater
from edgeagent.io.faults import connection_fault, deadline_fault, is_fault
from edgeagent.io.limits import until
from edgeagent.io.loops import Loop, at_end
from edgeagent.io.messages import MAX_REDIRECTS, Body, address_of, core_request, headers_of, redirected, timeouts
from edgeagent.wire.http import HTTPRequest, HTTPResponse

if TYPE_CHECKING:
    import httpcore

    from edgeagent.io.egress import Egress, Route

__all__ = ["AsyncEngine", "AsyncPoolEngine"]

T = TypeVar("T")


class AsyncEngine:
    """Sends requests. A subclass says how one is sent.

    Args:
        clock: monotonic seconds.
        exchanges: holds what is open: left to the collector of garbage, a body's generators could not be closed
            properly.
    """

    def __init__(self, clock: Callable[[], float], exchanges: set[AsyncExchange]) -> None:
        self._clock = clock
        self._exchanges = exchanges

    async def send(self, effect: Send) -> HTTPResponse:
        """The whole answer."""
        exchange = await self._open(effect)
        try:
            content = await self.guarded(effect.request, exchange.rest, effect.deadline)
        finally:
            await self.give_back(exchange)
        return HTTPResponse(exchange.status_code, exchange.headers, content, effect.request)

    async def open(self, effect: Open) -> AsyncResponseSource:
        """The head of the answer, and its body to come."""
        return AsyncResponseSource(self, effect.request, await self._open(effect))

    async def aclose(self) -> None:
        """Close what belongs to us."""

    async def give_back(self, exchange: AsyncExchange) -> None:
        """End an exchange."""
        self._exchanges.discard(exchange)
        await exchange.aclose()

    async def guarded(
        self,
        request: HTTPRequest,
        step: Callable[[], Awaitable[T]],
        deadline: float | None,
        body: Body | None = None,
    ) -> T:
        """One step on the wire under its deadline; the library's exceptions become ours.

        `body` is the request's while it is sent, None once the response has begun.
        """

        def late(begun: bool) -> Exception:
            return deadline_fault(request, sent=body is None or (begun and body.sent))

        try:
            return await until(deadline, self._clock, step, late)
        except Exception as error:
            if not is_fault(error):
                raise
            fault = connection_fault(error, request, past_deadline=False, sending=body is not None)
        try:
            raise fault
        finally:
            del fault  # no cycle through this frame

    async def _open(self, effect: Send | Open) -> AsyncExchange:
        request = effect.request
        body = Body(request.content)
        step = partial(self._request, request, effect.timeout, body)
        exchange = await self.guarded(request, step, effect.deadline, body)
        self._exchanges.add(exchange)
        return exchange

    async def _request(self, request: HTTPRequest, timeout: Timeout, body: Body) -> AsyncExchange:
        raise NotImplementedError


class AsyncPoolEngine(AsyncEngine):
    """The connections of one event loop: closed when the loop ends, at the latest, or when nobody has them any more.

    Args:
        clock: monotonic seconds.
        egress: how connections leave.
        ended: told when the loop has ended.
    """

    def __init__(self, clock: Callable[[], float], egress: Egress, ended: Callable[[], object]) -> None:
        super().__init__(clock, set())
        self._egress = egress
        self._pools: dict[Route, httpcore.AsyncConnectionPool] = {}
        self._loop = Loop()
        self._guard = at_end(partial(_end, self._pools, ended))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._guard.aclose()

    def close_soon(self) -> None:
        """Have the loop do it. May be called from any thread."""
        if self._guard.ag_frame is not None:  # else it has been done
            self._loop.spawn(self._guard.aclose)

    def _pool(self, url: httpcore.URL) -> httpcore.AsyncConnectionPool:
        route = self._egress.route(url)
        pool = self._pools.get(route)
        if pool is None:
            import httpcore

            from edgeagent.io.async_backend import AsyncBackend

            options = self._egress.options(route)
            pool = self._pools[route] = httpcore.AsyncConnectionPool(network_backend=AsyncBackend(), **options)
        return pool

    async def _request(self, request: HTTPRequest, timeout: Timeout, body: Body) -> AsyncExchange:
        for _ in range(MAX_REDIRECTS + 1):
            address = address_of(request.url)
            message = core_request(request, address, timeouts(timeout), body)
            response = await self._pool(address.url).handle_async_request(message)
            headers = headers_of(response.headers)
            following = redirected(request, response.status, headers)
            if following is None:
                break
            await response.aclose()
            request = following
        raw = aiter(cast("AsyncIterator[bytes]", response.stream))
        return AsyncExchange(response.status, headers, response, raw, inflater(headers.get("content-encoding")))


async def _end(pools: dict[Route, httpcore.AsyncConnectionPool], ended: Callable[[], object]) -> None:
    ended()
    while pools:
        _, pool = pools.popitem()
        await pool.aclose()
