"""Everything of one client that lives outside the pipeline: drivers, pools, threads, the clock."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from edgeagent.effects import Flow, Scope
from edgeagent.errors import ConfigurationError
from edgeagent.io.async_driver import AsyncDriver
from edgeagent.io.background import Background
from edgeagent.io.heartbeat import Heartbeat
from edgeagent.io.lanes import Lanes
from edgeagent.io.sync_driver import SyncDriver
from edgeagent.io.writer import Writer

if TYPE_CHECKING:
    from edgeagent.io.aside import Aside
    from edgeagent.io.async_engine import AsyncEngine, AsyncPoolEngine
    from edgeagent.io.async_sources import AsyncExchange
    from edgeagent.io.bridge import Bridge
    from edgeagent.io.egress import Egress
    from edgeagent.io.sync_engine import SyncEngine
    from edgeagent.io.threads import Threads

__all__ = ["Runtime"]

T = TypeVar("T")

logger = logging.getLogger("edgeagent")

WORKERS: Final = 64
"""How many blocking calls may run at once for one event loop."""

CLOSE_SECONDS: Final = 30.0
"""How long `close` waits for background writes."""


class Runtime:
    """Makes what is needed when it is first needed, and gives it back.

    Pools belong to an event loop and end with it. After a fork the child begins anew and leaves the parent's sockets
    and threads alone.

    Args:
        http_client: an httpx or httpx2 client of the caller's, used instead of our pools; never closed here.
        clock: monotonic seconds.
        wall: seconds since the epoch.
        write_queue: how many background writes may be pending.
        proxies: proxy URLs by scheme, or for "all", instead of the environment's.
    """

    def __init__(
        self,
        *,
        http_client: Any = None,
        proxies: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        write_queue: int = 10_000,
    ) -> None:
        self.clock = clock
        self.wall = wall
        self._client = http_client
        self._proxies = proxies
        self.writer = Writer(write_queue)
        self._heartbeat = Heartbeat(clock)
        self._lanes = Lanes()
        self.sync_driver = SyncDriver(self._sync_engine, self._get_bridge, self._get_threads, self._lanes, clock)
        self.async_driver = AsyncDriver(self._async_engine, self._in_thread, self._get_aside, clock)
        self.plain_drivers = self.sync_driver, self.async_driver
        """The same two, whatever `errors=` puts around them: for who tells errors in a way of its own."""
        self._background = Background(self.sync_driver, self._get_threads, self._lanes)
        self._inherited: tuple[object, ...] = ()
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.RLock()  # the collector of garbage may come back in it
        self._egress: Egress | None = None
        self._threads: Threads | None = None
        self._aside: Aside | None = None
        self._engine: SyncEngine | None = None
        self._engines: weakref.WeakKeyDictionary[Any, AsyncPoolEngine] = weakref.WeakKeyDictionary()
        self._limiters: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
        self._exchanges: set[AsyncExchange] = set()
        self._bridge: Bridge | None = None

    def after_fork(self) -> None:
        """In the child: leave the parent's belongings alone, also by not freeing them: that would close its sockets."""
        self._inherited += (self._engine, dict(self._engines), self._exchanges, self._bridge)
        self._begin()
        self.writer.after_fork()
        self._heartbeat.after_fork()
        self._background.after_fork()

    def submit(self, job: Callable[[], None]) -> None:
        """Have it run in the background. Never blocks."""
        self.writer.submit(job)

    def repeat(self, job: Callable[[], bool], every: float) -> Callable[[], None]:
        """Have it called every so many seconds until it returns False, or what is returned is called. Never blocks."""
        return self._heartbeat.repeat(job, every)

    def background(self, flow: Callable[[Scope], Flow[Any]], ended: Callable[[BaseException | None], None]) -> bool:
        """Run a flow that nobody waits for; see `Background.start`. Never blocks."""
        return self._background.start(flow, ended)

    def flush(self, timeout: float | None = None) -> bool:
        """Wait for the background; False if `timeout` seconds were not enough."""
        return self.writer.flush(timeout)

    async def aflush(self, timeout: float | None = None) -> bool:
        """The same, while the event loop goes on."""
        return bool(await self._in_thread(partial(self.flush, timeout)))

    async def in_thread(self, call: Callable[[], T]) -> T:
        """Run a blocking call in a worker thread."""
        result: T = await self._in_thread(call)
        return result

    @property
    def dropped_writes(self) -> int:
        """How many background writes were thrown away because the queue was full."""
        return self.writer.dropped

    def close(self) -> None:
        """Flush, then close what is ours: connections and threads. Idempotent; usable again afterwards.

        Connections of an event loop are closed by that loop, soon.
        """
        self._background.close()
        if not self.writer.close(CLOSE_SECONDS):
            logger.warning("background writes are still pending after %s seconds", CLOSE_SECONDS)
        self._heartbeat.close()
        with self._lock:
            engine, self._engine = self._engine, None
            bridge, self._bridge = self._bridge, None
            threads, self._threads = self._threads, None
            engines = list(self._engines.values())
            self._engines.clear()
        for other in engines:
            other.close_soon()
        if engine is not None:
            engine.close()
        if bridge is not None:
            bridge.close()
        if threads is not None:
            threads.close()

    async def aclose(self) -> None:
        """The same from an event loop, whose connections are closed when this returns."""
        from edgeagent.io.loops import current_loop

        with self._lock:
            engine = self._engines.pop(current_loop(), None)
        try:
            await self._in_thread(self.close)
        finally:
            if engine is not None:
                await engine.aclose()

    def _sync_engine(self, client: Any) -> SyncEngine:
        client = client if client is not None else self._client
        if client is not None:
            if _is_async(client) or not hasattr(client, "build_request"):
                kind = type(client).__name__
                raise ConfigurationError(
                    f"A client that blocks needs an httpx.Client as http_client; what it was given is of type {kind}."
                )
            from edgeagent.io.client_engines import ClientEngine

            return ClientEngine(client, self.clock, self._shared()[1])
        engine = self._engine
        if engine is None:
            from edgeagent.io.sync_engine import PoolEngine

            egress, threads = self._shared()
            with self._lock:
                engine = self._engine = self._engine or PoolEngine(self.clock, egress, threads)
        return engine

    def _async_engine(self, client: Any) -> AsyncEngine:
        from edgeagent.io.async_engine import AsyncPoolEngine
        from edgeagent.io.loops import current_loop

        client = client if client is not None else self._client
        if client is not None:
            if not _is_async(client):
                raise ConfigurationError("An async client needs an httpx.AsyncClient as http_client.")
            from edgeagent.io.client_engines import AsyncClientEngine

            return AsyncClientEngine(client, self.clock, self._exchanges)
        loop = current_loop()
        engine = self._engines.get(loop)
        if engine is None:
            egress, _ = self._shared()
            engine = AsyncPoolEngine(self.clock, egress, partial(_forget, weakref.ref(self._engines), loop))
            with self._lock:
                self._sweep()
                self._engines[loop] = engine
        return engine

    def _sweep(self) -> None:
        """Let go of loops that were closed without being shut down: their engines hold them."""
        for loop in list(self._engines):
            if getattr(loop, "is_closed", bool)():
                del self._engines[loop]

    def _shared(self) -> tuple[Egress, Threads]:
        with self._lock:
            if self._egress is None or self._threads is None:
                from edgeagent.io.egress import Egress
                from edgeagent.io.threads import Threads

                self._egress, self._threads = Egress(self._proxies), Threads(self._lanes)
            return self._egress, self._threads

    def _get_threads(self) -> Threads:
        return self._shared()[1]

    def _get_aside(self) -> Aside:
        aside = self._aside
        if aside is None:
            from edgeagent.io.aside import Aside

            aside = self._aside = Aside(self._get_threads, self._in_thread)
        return aside

    def _get_bridge(self) -> Bridge:
        with self._lock:
            if self._bridge is None:
                from edgeagent.io.bridge import Bridge

                self._bridge = Bridge(self.clock, self._lanes)
            return self._bridge

    async def _in_thread(self, call: Callable[[], Any]) -> Any:
        import anyio.to_thread

        from edgeagent.io.loops import current_loop

        loop = current_loop()
        limiter = self._limiters.get(loop)
        if limiter is None:
            limiter = self._limiters[loop] = anyio.CapacityLimiter(WORKERS)
        # In a box, since trio takes a coroutine that comes out of a thread for a mistake; here it is awaited next.
        (result,) = await anyio.to_thread.run_sync(lambda: (call(),), abandon_on_cancel=True, limiter=limiter)
        return result


def _is_async(client: Any) -> bool:
    return hasattr(client, "aclose")


def _forget(engines: weakref.ref[Any], loop: Any) -> None:
    known = engines()
    if known is not None:
        known.pop(loop, None)
