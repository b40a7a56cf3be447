"""HTTP responses whose body is still to come, for the driver that awaits."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from edgeagent.io.decoding import Inflate
from edgeagent.io.loops import Loop
from edgeagent.wire.http import Headers, HTTPRequest

if TYPE_CHECKING:
    from edgeagent.io.async_engine import AsyncEngine

__all__ = ["AsyncExchange", "AsyncResponseSource"]

logger = logging.getLogger("edgeagent")

CLOSE_SECONDS: Final = 5.0
"""How long closing one response may take, since nobody can cancel it."""


class AsyncExchange:
    """A response whose head has come, as an engine holds it."""

    def __init__(
        self, status_code: int, headers: Headers, response: Any, raw: AsyncIterator[bytes], inflate: Inflate | None
    ) -> None:
        self.status_code = status_code
        self.headers = headers
        self._response = response
        self._raw = raw
        self._inflate = inflate
        self._inflated: Iterator[bytes] = iter(())

    async def piece(self) -> bytes | None:
        """The next piece of the body; None at its end."""
        while (ready := next(self._inflated, None)) is None:
            data = await anext(self._raw, None)
            if data is None or self._inflate is None:
                return data
            self._inflated = self._inflate.feed(data)
        return ready

    async def rest(self) -> bytes:
        """All that is to come of the body."""
        pieces = []
        while (piece := await self.piece()) is not None:
            pieces.append(piece)
        return b"".join(pieces)

    async def aclose(self) -> None:
        """Give the connection back: to the pool after the whole body, else it is closed. Cannot be cancelled."""
        import anyio

        with anyio.move_on_after(CLOSE_SECONDS, shield=True):
            try:
                await self._response.aclose()
            except Exception:
                logger.debug("closing a response failed", exc_info=True)  # the connection is gone all the same
            await self._finish()

    async def _finish(self) -> None:
        """Run the body's nested generators to their end: the connection is closed, so they end at once.

        Left to the garbage collector, trio would warn of each of them, and rightly: they could not be closed there.
        """
        with contextlib.suppress(Exception):
            async for _ in self._raw:
                pass


class AsyncResponseSource:
    """A response whose body is still to come. Dropped without being closed, it is closed by its loop."""

    def __init__(self, engine: AsyncEngine, request: HTTPRequest, exchange: AsyncExchange) -> None:
        self.status_code = exchange.status_code
        self.headers = exchange.headers
        self._exchange: AsyncExchange | None = exchange
        self._engine = engine
        self._request = request
        self._loop = Loop()

    async def read(self, deadline: float | None) -> bytes | None:
        """The next piece; None at the end."""
        if self._exchange is None:
            return None
        try:
            data = await self._engine.guarded(self._request, self._exchange.piece, deadline)
        except BaseException:
            await self.aclose()
            raise
        if data is None:
            await self.aclose()
        return data

    async def aclose(self) -> None:
        """Give the connection back. Idempotent."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            await self._engine.give_back(exchange)

    def __del__(self) -> None:
        exchange = getattr(self, "_exchange", None)
        if exchange is not None:
            with contextlib.suppress(Exception):  # at the interpreter's exit what is needed may be gone
                self._loop.spawn(partial(self._engine.give_back, exchange))
