"""`with_raw_response` and `with_streaming_response` of what is no chat, beside openai's own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from edgeagent import EdgeAgentError, EdgeClient, NotFoundError
from edgeagent.providers import Anthropic, OpenAI
from edgeagent.testing import FakeProvider
from tests.resources.test_responses_parsed import document, streamed
from tests.support.loopback import Loopback, Request, events, reply
from tests.support.sdk import openai_client

MODEL = {"id": "gpt-x", "object": "model", "created": 1, "owned_by": "openai"}
VECTORS = {
    "object": "list",
    "model": "embed",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}],
    "usage": {"prompt_tokens": 1, "total_tokens": 1},
}
ITEM = {"id": "msg_1", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}
JUDGED = {"id": "modr_1", "model": "omni", "results": [{"flagged": False, "categories": {}, "category_scores": {}}]}


def vendor(request: Request) -> Any:
    path, _, query = request.path.partition("?")
    named = {"x_request_id": "req_7", "x_vendor": "yes"}
    if "missing" in path:
        return reply(404, {"error": {"message": "Not found.", "code": None}})
    if path.endswith("/embeddings"):
        body = json.loads(request.body)
        count = len(body["input"]) if isinstance(body["input"], list) else 1
        data = [{**VECTORS["data"][0], "index": place} for place in range(count)]  # type: ignore[index]
        return reply(200, {**VECTORS, "data": data}, **named)
    if path.endswith("/moderations"):
        return reply(200, JUDGED, **named)
    if path.endswith("/models"):
        return reply(200, {"object": "list", "data": [MODEL]}, **named)
    if "/models/" in path:
        return reply(200, MODEL, **named)
    if path.endswith("/input_items"):
        page = {"object": "list", "data": [ITEM], "first_id": "msg_1", "last_id": "msg_1", "has_more": False}
        return reply(200, page, **named)
    if request.method == "DELETE":
        return reply(200, {"id": "resp_1", "object": "response", "deleted": True}, **named)
    if "stream=true" in query or (request.body and json.loads(request.body).get("stream")):
        return list(events(streamed()))
    return reply(200, document(), **named)


ASKED = {"model": "gpt-x", "input": "Hello"}
CALLS: dict[str, Callable[[Any], Any]] = {
    "embeddings": lambda c: c.embeddings.create(model="embed", input="a", encoding_format="float"),
    "moderations": lambda c: c.moderations.create(model="omni", input="a"),
    "list": lambda c: c.models.list(),
    "retrieve a model": lambda c: c.models.retrieve("gpt-x"),
    "responses": lambda c: c.responses.create(**ASKED),
    "parse": lambda c: c.responses.parse(**ASKED),
    "retrieve": lambda c: c.responses.retrieve("resp_1"),
    "cancel": lambda c: c.responses.cancel("resp_1"),
    "delete": lambda c: c.responses.delete("resp_1"),
    "input items": lambda c: c.responses.input_items.list("resp_1"),
}


def mine(server: Loopback, **settings: Any) -> EdgeClient:
    settings = {"cache": False, **settings}
    return EdgeClient(providers=[OpenAI(api_key="k", base_url=f"{server.url}/v1")], **settings)


def shown(answer: Any) -> Any:
    """An answer as JSON has it; of a list of models its rows."""
    rows = getattr(answer, "data", None)
    if isinstance(rows, list) and rows and hasattr(rows[0], "owned_by"):
        return [(row.id, row.owned_by) for row in rows]
    return None if answer is None else answer.to_dict(mode="json")


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("kind", ["sync", "asyncio"])
def test_the_response_is_the_vendors(call: Callable[[Any], Any], kind: str) -> None:
    """Status, header fields, body and what `.parse()` gives are those that openai's client shows."""
    with Loopback(vendor) as server, openai_client(server) as hers_client:
        hers = call(hers_client.with_raw_response)
        client = mine(server)

        async def asked() -> Any:
            async with client.to_async() as other:
                return await call(other.with_raw_response)

        raw = call(client.with_raw_response) if kind == "sync" else asyncio.run(asked())
        assert (raw.status_code, raw.headers["x-vendor"], raw.request_id) == (200, "yes", "req_7")
        assert raw.retries_taken == 0
        assert raw.content == hers.content
        assert raw.json() == json.loads(hers.text)
        assert "x-edgeagent-synthetic" not in raw.headers
        if kind == "sync":
            theirs, ours = hers.parse(), raw.parse()
            assert type(ours) is type(call(client))
            if not hasattr(theirs, "output"):  # a response of openai's has fields that its body has not
                assert shown(ours) == shown(theirs)
        client.close()


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("kind", ["sync", "asyncio"])
def test_the_body_piece_by_piece(call: Callable[[Any], Any], kind: str) -> None:
    """The same body, within a context."""
    with Loopback(vendor) as server:
        client = mine(server)

        async def asked() -> Any:
            async with client.to_async() as other, call(other.with_streaming_response) as response:
                return response.status_code, await response.read()

        if kind == "sync":
            with call(client.with_streaming_response) as response:
                status, body = response.status_code, response.read()
        else:
            status, body = asyncio.run(asked())
        raw = call(client.with_raw_response)
        assert (status, body) == (200, raw.content)
        client.close()


def test_a_hit_is_made_up_and_says_so() -> None:
    """What the cache answers has no response of its own; the body is in OpenAI's format."""
    with Loopback(vendor) as server:
        client = mine(server, cache=True)
        for call in (CALLS["embeddings"], CALLS["responses"]):
            first, hit = call(client.with_raw_response), call(client.with_raw_response)
            assert "x-edgeagent-synthetic" not in first.headers
            assert hit.headers["x-edgeagent-synthetic"] == "true"
            assert hit.headers["x-edgeagent-cache"] == "memory"
            assert hit.json() == hit.parse().to_dict(mode="json")
        assert len(server.requests) == 2


def test_an_answer_of_several_parts_is_made_up() -> None:
    """A batch of which the cache had a part, and the lists of two providers, are in no one response."""
    with Loopback(vendor) as server:
        client = mine(server, cache=True)
        client.embeddings.create(model="embed", input="a")
        raw = client.embeddings.with_raw_response.create(model="embed", input=["a", "b"])
        assert raw.headers["x-edgeagent-synthetic"] == "true"
        assert [len(row["embedding"]) for row in raw.json()["data"]] == [2, 2]
        two = EdgeClient(
            providers=[
                OpenAI(api_key="k", base_url=server.url),
                OpenAI(name="other", api_key="k", base_url=server.url),
            ]
        )
        listed = two.models.with_raw_response.list()
        assert listed.headers["x-edgeagent-synthetic"] == "true"
        assert len(listed.json()["data"]) == 2


def test_another_vendors_response() -> None:
    """A response that Anthropic's chat answered: the body is Anthropic's, `.parse()` gives a response."""
    said = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    with Loopback(lambda request: reply(200, said)) as server:
        client = EdgeClient(providers=[Anthropic(api_key="k", base_url=server.url)])
        raw = client.responses.with_raw_response.create(model="claude-x", input="Hi", max_output_tokens=9)
        assert raw.json() == said
        assert raw.parse().output_text == "Hello"


def test_a_provider_of_the_callers_own() -> None:
    """No HTTP at all."""
    client = EdgeClient(providers=[FakeProvider("Hello")])
    raw = client.responses.with_raw_response.create(model="fake/m", input="Hi")
    assert raw.headers["x-edgeagent-synthetic"] == "true"
    assert raw.parse().output_text == "Hello"
    assert raw.parse(to=dict)["object"] == "response"


@pytest.mark.parametrize("cached", [False, True])
def test_streams_of_responses(cached: bool) -> None:
    """Raw: the stream is what `.parse()` gives. Piece by piece: the vendor's bytes, or events in the same form."""
    with Loopback(vendor) as server:
        client = mine(server, cache=cached)
        if cached:
            client.responses.create(**ASKED)
        raw = client.responses.with_raw_response.create(**ASKED, stream=True)
        with pytest.raises(EdgeAgentError):
            raw.content  # noqa: B018
        kinds = [event.type for event in raw.parse()]
        assert kinds[-1] == "response.completed"
        with client.responses.with_streaming_response.create(**ASKED, stream=True) as response:
            told = [line.removeprefix("data: ") for line in response.iter_lines() if line.startswith("data: {")]
        assert [json.loads(one)["type"] for one in told] == kinds
        assert (response.headers.get("x-edgeagent-synthetic") == "true") is cached


def test_a_stored_stream() -> None:
    """The vendor's bytes as they come."""
    with Loopback(vendor) as server:
        client = mine(server)
        with client.responses.with_streaming_response.retrieve("resp_1", stream=True) as response:
            body = response.read()
        assert body.count(b"data: ") == len(streamed())


def test_an_error_is_raised() -> None:
    """By the call, as without the prefix."""
    with Loopback(vendor) as server:
        client = mine(server)
        with pytest.raises(NotFoundError):
            client.responses.with_raw_response.retrieve("missing")
        with pytest.raises(NotFoundError), client.models.with_streaming_response.retrieve("missing"):
            pass


def test_failed_attempts_are_counted() -> None:
    """As `retries_taken`."""
    replies = [reply(500, {}), reply(200, JUDGED)]
    with Loopback(lambda request: replies.pop(0)) as server:
        raw = mine(server).moderations.with_raw_response.create(model="omni", input="a")
        assert raw.retries_taken == 1
        assert raw.json() == JUDGED
