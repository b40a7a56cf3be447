"""Redis servers for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.redis_server import RedisServer


@pytest.fixture(scope="module")
def shared() -> Iterator[RedisServer]:
    """The server that a module's tests have in common; `server` is it."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def server(shared: RedisServer) -> RedisServer:
    """A server that is empty; not to be harmed."""
    shared.say("FLUSHALL")
    return shared


@pytest.fixture
def mortal() -> Iterator[RedisServer]:
    """A server of the test's own."""
    with RedisServer() as server:
        yield server
