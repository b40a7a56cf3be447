"""Embeddings over the transport: the official SDK's calls, cached by input."""

from __future__ import annotations

from typing import Any

import openai

from edgeagent import EdgeClient
from edgeagent.providers import OpenAI
from edgeagent.testing import FakeProvider
from edgeagent.transports import transport
from tests.support.loopback import Loopback, Request, reply
from tests.transports.harness import WAYS, Caller, through
from tests.transports.test_transport import own, ways

URL = "/v1/embeddings"
assert WAYS


def vectors(request: Request) -> bytes:
    """A vector of each input's length; more than there may be is refused."""
    body = request.json()
    if body["input"] == ["no"]:
        return reply(400, {"error": {"message": "no", "type": "invalid_request_error", "code": "x"}})
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    data = [{"object": "embedding", "index": i, "embedding": [float(len(text)), 0.5]} for i, text in enumerate(texts)]
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return reply(200, {"object": "list", "data": data, "model": body["model"], "usage": usage, "novelty": 1})


@ways
def test_a_batch_asks_for_what_is_new(way: tuple[str, str]) -> None:
    """One vector for each input; those that are known are not asked for again; refusals come back as they are."""
    with Loopback(vectors) as server:

        async def scenario(caller: Caller) -> None:
            body = {"model": "text-embedding-3-small", "input": ["a", "bcd"]}
            first = await caller.post(server.url + URL, body)
            assert [item["embedding"] for item in first.json()["data"]] == [[1.0, 0.5], [3.0, 0.5]]
            assert first.headers["x-edgeagent-provider"] == "openai"
            second = await caller.post(server.url + URL, {**body, "input": ["bcd", "ef"]})
            assert [item["embedding"][0] for item in second.json()["data"]] == [3.0, 2.0]
            assert [request.json()["input"] for request in server.requests] == [["a", "bcd"], ["ef"]]
            refused = await caller.post(server.url + URL, {**body, "input": ["no"]})
            assert (refused.status_code, refused.json()["error"]["code"]) == (400, "x")
            wrong = await caller.post(server.url + URL, {**body, "input": []})
            assert wrong.status_code == 400

        through(way, [own(server)], scenario)


def test_the_official_sdk_embeds() -> None:
    """With its own base64, and answered by another provider too."""
    with Loopback(vectors) as server:
        edge = EdgeClient(providers=[OpenAI(api_key="k", base_url=server.url + "/v1"), FakeProvider("x", name="fake")])
        http = openai.DefaultHttpxClient(transport=transport(edge))
        client: Any = openai.OpenAI(api_key="sdk", base_url=server.url + "/v1", http_client=http)
        answer = client.embeddings.create(model="text-embedding-3-small", input="abc")
        assert answer.data[0].embedding == [3.0, 0.5]
        assert len(client.embeddings.create(model="fake/x", input=["abc"]).data) == 1


@ways
def test_a_form_of_tomorrow_goes_to_its_vendor(way: tuple[str, str]) -> None:
    """What is no embedding request that is known passes to the server that it was sent to; others refuse it."""
    with Loopback(lambda request: reply(200, {"seen": request.json()})) as server:

        async def scenario(caller: Caller) -> None:
            body = {"model": "of-tomorrow", "input": {"shape": 1}}
            assert (await caller.post(server.url + URL, body)).json() == {"seen": body}
            refused = await caller.post(server.url + URL, {**body, "model": "fast"})
            assert refused.status_code == 400

        through(way, [own(server), FakeProvider("x", name="fake")], scenario, models={"fast": "fake/x"})
