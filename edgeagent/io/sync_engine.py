"""HTTP for code that blocks, by pools of our own on httpcore."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast

from edgeagent.effects import Open, Send, Timeout
from edgeagent.io.decoding import inflater
from edgeagent.io.ending import in_exit_handlers
from edgeagent.io.faults import connection_fault, is_fault, is_timeout
from edgeagent.io.messages import MAX_REDIRECTS, Body, address_of, core_request, headers_of, redirected, timeouts
from edgeagent.io.sources import Exchange, ResponseSource
from edgeagent.wire.http import HTTPRequest, HTTPResponse

if TYPE_CHECKING:
    import httpcore

    from edgeagent.io.egress import Egress, Route
    from edgeagent.io.threads import Threads

    _Pools: TypeAlias = dict[tuple[Route, bool], httpcore.ConnectionPool]  # the last ones are of exit handlers

__all__ = ["PoolEngine", "SyncEngine", "end"]

T = TypeVar("T")

logger = logging.getLogger("edgeagent")


EARLY_SECONDS: Final = 0.02
"""How much before its limit a wait may end: TLS rounds it."""


class SyncEngine:
    """Sends requests. A subclass says how one is sent and how its response is ended."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    def send(self, effect: Send) -> HTTPResponse:
        """The whole answer."""
        request, deadline = effect.request, effect.deadline
        exchange = self._open(effect)
        try:
            content = self._guarded(request, exchange.rest, deadline, sending=False)
        finally:
            self._give_back(exchange)
        return HTTPResponse(exchange.status_code, exchange.headers, content, request)

    def open(self, effect: Open) -> ResponseSource:
        """The head of the answer, and its body to come."""
        guard = partial(self._guarded, effect.request, sending=False)
        return ResponseSource(self._open(effect), guard, self._give_back)

    def close(self) -> None:
        """Close what belongs to us."""

    def _open(self, effect: Send | Open) -> Exchange:
        request, deadline = effect.request, effect.deadline
        return self._guarded(request, lambda: self._request(request, effect.timeout, deadline), deadline)

    def _request(self, request: HTTPRequest, timeout: Timeout, deadline: float | None) -> Exchange:
        raise NotImplementedError

    def _give_back(self, exchange: Exchange) -> None:
        raise NotImplementedError

    def _guarded(
        self, request: HTTPRequest, step: Callable[[], T], deadline: float | None, *, sending: bool = True
    ) -> T:
        """One step on the wire; the library's exceptions become ours."""
        try:
            return step()
        except Exception as error:
            if not is_fault(error):
                raise
            fault = self._fault(error, request, deadline, sending=sending)
        try:
            raise fault
        finally:
            del fault  # no cycle through this frame

    def _fault(self, error: Exception, request: HTTPRequest, deadline: float | None, *, sending: bool) -> Exception:
        """Our exception for one of the library's."""
        early = EARLY_SECONDS if is_timeout(error) else 0.0
        passed = deadline is not None and self._clock() >= deadline - early
        return connection_fault(error, request, past_deadline=passed, sending=sending)


class _Calls(threading.local):
    """How deep this thread is in httpcore, and what it is to give back once it is out."""

    def __init__(self) -> None:
        self.depth = 0
        self.later: list[Exchange] = []


class PoolEngine(SyncEngine):
    """Our own connections: httpcore with sockets that know the call's deadline.

    httpcore guards a pool with a lock that its thread cannot take twice, and a stream that was dropped is given back by
    whoever collects the garbage, at any allocation: maybe in that lock. So what is open is held here, out of the
    collector's reach, and is given back once this thread has left httpcore.
    """

    def __init__(self, clock: Callable[[], float], egress: Egress, threads: Threads) -> None:
        super().__init__(clock)
        from edgeagent.io.backend import Deadline, DeadlineBackend

        self._egress = egress
        self._deadline = Deadline(clock, threads.lanes)
        self._backend = DeadlineBackend(self._deadline, threads)
        self._calls = _Calls()
        self._open_exchanges: set[Exchange] = set()
        self._lock = threading.Lock()
        self._pools: _Pools = {}
        self._pid = os.getpid()
        # A forgotten engine gives its connections back. By a finalizer that holds the pools, not by __del__: of what is
        # collected together, a socket may otherwise be the first, and warns that nobody closed it. At the interpreter's
        # exit as well; exit handlers have pools of their own.
        self._finalizer = weakref.finalize(self, _close, self._pools, self._open_exchanges, self._pid)

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            pools = list(self._pools.values())
            self._pools.clear()
        for pool in pools:
            pool.close()

    def _pool(self, url: httpcore.URL) -> httpcore.ConnectionPool:
        route, last = self._egress.route(url), in_exit_handlers()
        pool = self._pools.get((route, last))
        if pool is None:
            import httpcore

            with self._lock:
                pool = self._pools.get((route, last))
                if pool is None:
                    options = self._egress.options(route)
                    if last:  # nobody is left to close what is kept
                        options["max_keepalive_connections"] = 0
                    pool = httpcore.ConnectionPool(network_backend=self._backend, **options)
                    self._pools[route, last] = pool
        return pool

    def _request(self, request: HTTPRequest, timeout: Timeout, deadline: float | None) -> Exchange:
        from httpcore import PoolTimeout

        del deadline  # the guard has set it for this thread
        limits = timeouts(timeout)
        for _ in range(MAX_REDIRECTS + 1):
            limits["pool"] = self._deadline.clamp(timeout.pool, PoolTimeout)
            address = address_of(request.url)
            response = self._pool(address.url).handle_request(
                core_request(request, address, limits, Body(request.content))
            )
            headers = headers_of(response.headers)
            following = redirected(request, response.status, headers)
            if following is None:
                break
            response.close()
            request = following
        raw = iter(cast("Iterator[bytes]", response.stream))
        exchange = Exchange(response.status, headers, response, raw, inflater(headers.get("content-encoding")))
        self._open_exchanges.add(exchange)
        return exchange

    def _give_back(self, exchange: Exchange) -> None:
        if self._pid != os.getpid():  # the parent's connection is the parent's
            return
        calls = self._calls
        calls.later.append(exchange)
        if not calls.depth:
            self._give_back_later(calls)

    def _give_back_later(self, calls: _Calls) -> None:
        calls.depth += 1
        try:
            while calls.later:
                exchange = calls.later.pop()
                self._open_exchanges.discard(exchange)
                end(exchange.response)
        finally:
            calls.depth -= 1

    def _guarded(
        self, request: HTTPRequest, step: Callable[[], T], deadline: float | None, *, sending: bool = True
    ) -> T:
        calls, before = self._calls, self._deadline.at
        self._deadline.at = deadline
        calls.depth += 1
        try:
            return step()
        except Exception as error:
            if not is_fault(error):
                raise
            fault = self._fault(error, request, deadline, sending=sending)
        finally:
            self._deadline.at = before
            calls.depth -= 1
            if calls.later and not calls.depth:
                self._give_back_later(calls)
        try:
            raise fault
        finally:
            del fault  # no cycle through this frame


def _close(pools: _Pools, exchanges: set[Exchange], pid: int) -> None:
    if pid != os.getpid():  # in a forked child they are the parent's
        return
    if not in_exit_handlers():
        for pool in list(pools.values()):
            pool.close()
        return
    # What daemon threads are at goes on until they are stopped: they must not be told of it.
    others = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}
    for exchange in [exchange for exchange in list(exchanges) if exchange.thread not in others]:
        end(exchange.response)
    for pool in list(pools.values()):
        for connection in pool.connections:
            if connection.is_idle():
                connection.close()


def end(response: Any) -> None:
    """Close a response; its connection is gone even if that fails."""
    try:
        response.close()
    except Exception:
        logger.debug("closing a response failed", exc_info=True)
