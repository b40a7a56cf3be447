"""What the tests of this room share: flows run by either driver, and servers that misbehave."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import anyio

from edgeagent import effects
from edgeagent.effects import Flow, Scope, Timeout
from edgeagent.io.runtime import Runtime
from edgeagent.wire.http import HTTPRequest
from tests.support.loopback import Loopback, chunk, head, reply

__all__ = [
    "DRIPS",
    "LONG",
    "SHORT",
    "Driven",
    "Lent",
    "client_of",
    "drip",
    "endless",
    "post",
    "read_all",
    "refused",
    "silence",
    "soon",
]

SHORT = Timeout(connect=1.0, read=0.2, write=1.0, pool=1.0)
LONG = Timeout(connect=5.0, read=30.0, write=30.0, pool=30.0)


class Driven:
    """Runs flows by one of the drivers."""

    def __init__(self, kind: str, **options: Any) -> None:
        self.kind = kind
        self.runtime = Runtime(**options)
        self.scope = Scope()

    def __call__(self, flow: Callable[[], Flow[Any]]) -> Any:
        """A whole call."""
        if self.kind == "sync":
            return self.runtime.sync_driver.run(flow(), self.scope)
        return anyio.run(self._run, flow, backend=self.kind)

    async def _run(self, flow: Callable[[], Flow[Any]]) -> Any:
        try:
            return await self.runtime.async_driver.run(flow(), self.scope)
        finally:
            await self.runtime.aclose()


def post(url: str, content: bytes = b"{}", **headers: str) -> HTTPRequest:
    return HTTPRequest("POST", url, {"content-type": "application/json", **headers}, content)


def soon(seconds: float) -> float:
    return time.monotonic() + seconds


def read_all(source: Any, deadline: float | None = None) -> Flow[list[Any]]:
    items = []
    while (item := (yield from effects.read(source, deadline))) is not None:
        items.append(item)
    return items


class Lent:
    """A runtime with a client of the caller's, which the caller closes."""

    def __init__(self, kind: str, module: Any, **options: Any) -> None:
        self.client = client_of(module, kind, **options)
        self.driven = Driven(kind, http_client=self.client)

    def __call__(self, flow: Callable[[], Flow[Any]]) -> Any:
        def then_nothing_is_closed() -> Flow[Any]:
            try:
                return (yield from flow())
            finally:
                assert not self.client.is_closed

        if self.driven.kind == "sync":
            with self.client:
                return self.driven(then_nothing_is_closed)
        return anyio.run(self._run, then_nothing_is_closed, backend=self.driven.kind)

    async def _run(self, flow: Callable[[], Flow[Any]]) -> Any:
        async with self.client:
            try:
                return await self.driven.runtime.async_driver.run(flow(), self.driven.scope)
            finally:
                await self.driven.runtime.aclose()
                assert not self.client.is_closed


def client_of(module: Any, kind: str, **options: Any) -> Any:
    return module.Client(**options) if kind == "sync" else module.AsyncClient(**options)


def refused() -> str:
    with Loopback(lambda request: reply(200)) as server:
        return server.url


def silence(request: Any) -> Iterator[bytes]:
    threading.Event().wait(5)
    yield b""


def endless(request: Any) -> Iterator[bytes]:
    """A stream that goes on for ever, or until nobody reads it."""
    yield head()
    while True:
        yield chunk(b"a")
        threading.Event().wait(0.005)


def drip(first: bytes, rest: bytes) -> Callable[[Any], Iterator[bytes]]:
    def answer(request: Any) -> Iterator[bytes]:
        yield first
        for i in range(len(rest)):
            threading.Event().wait(0.03)
            yield rest[i : i + 1]

    return answer


DRIPS = [
    drip(b"", b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n" + b"x-long: value\r\n" * 100),
    drip(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n", b"x" * 1000),
    drip(head(), chunk(b"x") * 100),
]
