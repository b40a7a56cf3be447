"""A client that nobody closed."""

from __future__ import annotations

import gc
import os

import pytest

from edgeagent import EdgeClient, effects
from edgeagent.errors import APIStatusError
from edgeagent.io.runtime import Runtime
from edgeagent.io.sync_engine import PoolEngine, _close
from edgeagent.providers import OpenAICompatible
from edgeagent.wire.http import HTTPRequest
from tests.support.loopback import Loopback, reply

__all__: list[str] = []

ASK = [{"role": "user", "content": "Hello"}]


def ask(url: str) -> EdgeClient:
    client = EdgeClient(providers=[OpenAICompatible(name="server", base_url=url)], retry=0)
    with pytest.raises(APIStatusError):
        client.chat.completions.create(model="m", messages=ASK)
    return client


def test_a_forgotten_client_gives_its_connections_back():
    """Collecting the client closes its connections; nothing is warned of."""
    with Loopback(lambda _: reply(404, {"error": {"message": "none"}})) as server:
        client = ask(server.url)
        assert server.open == 1
        del client
        gc.collect()
        assert server.closed.wait(5)


def test_a_view_keeps_the_connections_of_its_client():
    """While a view of a client lives, so does what the two share."""
    with Loopback(lambda _: reply(404, {"error": {"message": "none"}})) as server:
        client = ask(server.url)
        with client.with_options(timeout=5) as view:
            del client
            gc.collect()
            with pytest.raises(APIStatusError):
                view.chat.completions.create(model="m", messages=ASK)
            assert server.connections == 1


def test_connections_of_the_parent_are_left_alone():
    """In a process that did not make it, a pool is dropped without being closed."""
    with Loopback(lambda _: reply(200)) as server:
        runtime = Runtime()
        request = HTTPRequest("POST", server.url)
        runtime.sync_driver.run(effects.send(request, effects.Timeout(), None), effects.Scope())
        engine = runtime._sync_engine(None)
        assert isinstance(engine, PoolEngine)
        _close(engine._pools, engine._open_exchanges, os.getpid() + 1)
        assert server.open == 1
        _close(engine._pools, engine._open_exchanges, os.getpid())
        assert server.closed.wait(5)
