"""Which response a raw call shows, however a client is driven: the one that is the answer, or one made up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pydantic
import pytest
import trio

from edgeagent import EdgeClient
from edgeagent.providers import OpenAI
from edgeagent.testing import FakeProvider
from tests.resources.both import every_way
from tests.support.loopback import Loopback, Request, reply
from tests.support.sdk import openai_client

MODELS = [{"id": name, "object": "model", "created": 1, "owned_by": "openai"} for name in ("gpt-x", "gpt-y")]
SAID = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "m",
    "status": "completed",
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "output": [
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "no JSON", "annotations": []}],
        }
    ],
}
PARSED: dict[str, Any] = {"model": "m", "input": "x"}
Way = Callable[[Any], Any] | None


class City(pydantic.BaseModel):
    name: str


class Named:
    """A provider without HTTP that says which models it has."""

    name = "named"
    models = ("own",)

    def complete(self, request: Any) -> Any:
        """Nobody asks."""
        raise NotImplementedError


def lists(request: Request) -> Any:
    """A server that lists its models, and has no path for one of them."""
    path = request.path.partition("?")[0]
    return reply(404, {"error": {"message": "?"}}) if "/models/" in path else reply(200, {"data": MODELS})


def asked(way: Way, client: EdgeClient, call: Callable[[Any], Any]) -> Any:
    """What a call gives; both kinds of the client are closed afterwards."""
    with client:
        if way is None:
            return call(client)

        async def awaited() -> Any:
            async with client.to_async() as other:
                return await call(other)

        return way(awaited)


def client_of(*servers: Loopback, more: tuple[Any, ...] = ()) -> EdgeClient:
    named = [OpenAI(api_key="k", base_url=f"{s.url}/v1", name=f"v{place}") for place, s in enumerate(servers)]
    return EdgeClient(providers=[*named, *more], cache=False)


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback(lists) as running:
        yield running


@every_way
def test_a_model_found_in_a_list(way: Way, server: Loopback) -> None:
    """The list is not the answer: the model in OpenAI's format is."""
    raw = asked(way, client_of(server), lambda c: c.models.with_raw_response.retrieve("v0/gpt-x"))
    assert raw.headers["x-edgeagent-synthetic"] == "true"
    assert (raw.json()["id"], raw.parse().id) == ("gpt-x", "gpt-x")


@every_way
def test_a_list_of_which_one_response_tells_a_part(way: Way, server: Loopback) -> None:
    """A provider without HTTP adds a model of its own: the body has it, too."""
    raw = asked(way, client_of(server, more=(Named(),)), lambda c: c.models.with_raw_response.list())
    assert raw.headers["x-edgeagent-synthetic"] == "true"
    assert (
        [row["id"] for row in raw.json()["data"]] == [row.id for row in raw.parse().data] == ["gpt-x", "gpt-y", "own"]
    )


@every_way
def test_a_list_that_one_response_tells(way: Way, server: Loopback) -> None:
    """The other provider has failed or lists nothing: the response is the vendor's."""
    with Loopback(lambda request: reply(401, {"error": {"message": "?"}})) as failing:
        for client in (client_of(failing, server), client_of(server, more=(FakeProvider("x"),))):
            raw = asked(way, client, lambda c: c.models.with_raw_response.list())
            assert "x-edgeagent-synthetic" not in raw.headers
            assert raw.json() == {"data": MODELS}


@every_way
def test_texts_that_cannot_be_read(way: Way) -> None:
    """As with openai's client, the response is there, and only `.parse()` raises."""
    with Loopback(lambda request: reply(200, SAID)) as server, openai_client(server) as hers_client:
        hers = hers_client.responses.with_raw_response.parse(**PARSED, text_format=City)
        raw = asked(way, client_of(server), lambda c: c.responses.with_raw_response.parse(**PARSED, text_format=City))
        assert raw.content == hers.content
        for response in (hers, raw):
            with pytest.raises(pydantic.ValidationError):
                response.parse()


@every_way
def test_texts_that_cannot_be_read_of_a_body_in_pieces(way: Way) -> None:
    """The body can be read all the same."""

    async def pieces(client: Any) -> Any:
        async with client.responses.with_streaming_response.parse(**PARSED, text_format=City) as response:
            with pytest.raises(pydantic.ValidationError):
                await response.parse()
            return await response.json()

    def plain(client: Any) -> Any:
        with client.responses.with_streaming_response.parse(**PARSED, text_format=City) as response:
            with pytest.raises(pydantic.ValidationError):
                response.parse()
            return response.json()

    with Loopback(lambda request: reply(200, SAID)) as server:
        assert asked(way, client_of(server), plain if way is None else pieces) == SAID


def test_whether_it_is_closed(server: Loopback) -> None:
    """As of openai's client; ours is open again once it is used."""
    with openai.OpenAI(api_key="k", base_url=f"{server.url}/v1") as hers:
        ours = client_of(server)
        for client in (hers, ours):
            client.models.list()
            assert client.is_closed() is False
            client.close()
            assert client.is_closed() is True
    assert ours.with_options(timeout=1).is_closed()
    ours.models.list()
    assert not ours.is_closed()
    ours.close()


@pytest.mark.parametrize("run", [lambda call: asyncio.run(call()), trio.run], ids=["asyncio", "trio"])
def test_whether_an_async_one_is_closed(run: Callable[[Any], Any], server: Loopback) -> None:
    """The same, awaited."""

    async def told() -> list[bool]:
        client = client_of(server).to_async()
        await client.models.list()
        before = client.is_closed()
        await client.close()
        return [before, client.is_closed()]

    assert run(told) == [False, True]
