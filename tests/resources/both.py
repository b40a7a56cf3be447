"""One test for the three ways in which a client is driven."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import trio

from edgeagent import EdgeClient

__all__ = ["Driven", "every_way"]


class Driven:
    """A client of one kind, with plain calls: `ask` gives the whole answer, `events` the list of a stream's events."""

    def __init__(self, run: Callable[[Any], Any] | None, **settings: Any) -> None:
        self._run = run
        self._settings = settings
        self._sync = EdgeClient(**settings)
        self._async = self._sync.to_async()

    def do(self, call: Callable[[Any], Any]) -> Any:
        """What `call` gives of `client.responses`, awaited where that has to be."""
        if self._run is None:
            return call(self._sync.responses)

        async def awaited() -> Any:
            return await call(self._async.responses)

        return self._run(awaited)

    def ask(self, **params: Any) -> Any:
        return self.do(lambda responses: responses.create(**params))

    def events(self, **params: Any) -> list[Any]:
        return self.listed(lambda responses: responses.create(stream=True, **params))

    def listed(self, call: Callable[[Any], Any]) -> list[Any]:
        """All that a stream yields which `call` opens."""
        if self._run is None:
            return list(call(self._sync.responses))

        async def collect() -> list[Any]:
            return [event async for event in await call(self._async.responses)]

        found: list[Any] = self._run(collect)
        return found

    def managed(self, call: Callable[[Any], Any]) -> tuple[list[Any], Any]:
        """The events of a context manager, and its final response."""
        if self._run is None:
            with call(self._sync.responses) as stream:
                return list(stream), stream.get_final_response()

        async def collect() -> tuple[list[Any], Any]:
            async with call(self._async.responses) as stream:
                return [event async for event in stream], await stream.get_final_response()

        found: tuple[list[Any], Any] = self._run(collect)
        return found

    def close(self) -> None:
        if self._run is not None:
            self._run(self._async.close)
        self._sync.close()


def _asyncio(call: Callable[[], Any]) -> Any:
    return asyncio.run(call())


every_way = pytest.mark.parametrize("way", [None, _asyncio, trio.run], ids=["sync", "asyncio", "trio"])
"""Runs a test with a sync client and with an async one under both kinds of loop."""
