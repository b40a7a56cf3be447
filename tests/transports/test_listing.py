"""Which models there are, and how many tokens: questions that every SDK asks, answered for all providers."""

from __future__ import annotations

from typing import Any

import anthropic
import openai
import pytest
from google import genai

from edgeagent import EdgeClient
from edgeagent.providers import Anthropic, Gemini, OpenAI
from edgeagent.providers.sealed import seal
from edgeagent.testing import FakeProvider
from edgeagent.transports import transport
from tests.support.loopback import Loopback, Request, reply
from tests.transports.harness import WAYS, Caller, through

OPENAI, ANTHROPIC = "https://api.openai.com/v1", "https://api.anthropic.com/v1"
GOOGLE = "https://generativelanguage.googleapis.com/v1beta"
QUESTION: Any = [{"role": "user", "content": "What is the capital of France?"}]
CLAUDE = {"type": "model", "id": "claude-x", "display_name": "Claude X", "created_at": "2025-02-19T00:00:00Z"}
GEMINI = {"name": "models/gemini-x", "displayName": "Gemini X", "inputTokenLimit": 5}

ways = pytest.mark.parametrize("way", WAYS, ids="-".join)


def vendors(request: Request) -> Any:
    """All three of them, each at a path of its own."""
    if "count" in request.path:
        told = {"input_tokens": 7} if "anthropic" in request.path else {"totalTokens": 7}
        return reply(200, told)
    if "anthropic" in request.path:
        items: list[Any] = [CLAUDE]
        if "claude-x" in request.path:
            return reply(200, CLAUDE)
        return reply(200, {"data": items, "has_more": False, "first_id": "claude-x", "last_id": "claude-x"})
    if "google" in request.path:
        return reply(200, {"models": [GEMINI]})
    if "missing" in request.path:
        return reply(404, {"error": {"message": "no such model", "type": "invalid_request_error", "code": "none"}})
    gpt = {"id": "gpt-x", "object": "model", "created": 5, "owned_by": "system", "novelty": 1}
    return reply(200, gpt if "gpt-x" in request.path else {"object": "list", "data": [gpt]})


def providers(url: str) -> list[Any]:
    """Of the three vendors, and one of the caller's own."""
    return [
        OpenAI(api_key="k-openai", base_url=f"{url}/openai/v1"),
        Anthropic(api_key="k-anthropic", base_url=f"{url}/anthropic"),
        Gemini(api_key="k-google", base_url=f"{url}/google/v1beta"),
        FakeProvider("x", models=["own"]),
    ]


def test_each_sdk_lists_the_models_of_all() -> None:
    """In its own form; the vendor's own models by their names, with whatever the vendor says of them."""
    with Loopback(vendors) as server, EdgeClient(providers=providers(server.url)) as edge:
        made = openai.OpenAI(api_key="s", http_client=openai.DefaultHttpxClient(transport=transport(edge)))
        page = made.models.list()
        assert [m.id for m in page] == ["gpt-x", "anthropic/claude-x", "gemini/gemini-x", "fake/own"]
        assert page.data[0].model_extra == {"novelty": 1}
        assert made.models.retrieve("gpt-x").id == "gpt-x"
        assert made.models.retrieve("anthropic/claude-x").id == "anthropic/claude-x"
        with pytest.raises(openai.NotFoundError, match="no such model"):
            made.models.retrieve("missing")
        http = anthropic.DefaultHttpxClient(transport=transport(edge))
        claude = anthropic.Anthropic(api_key="s", http_client=http)
        listed = {model.id: model for model in claude.models.list()}
        assert list(listed) == ["openai/gpt-x", "claude-x", "gemini/gemini-x", "fake/own"]
        assert listed["claude-x"].display_name == "Claude X"
        assert listed["openai/gpt-x"].created_at.year == 1970
        assert claude.models.retrieve("claude-x").model_dump(mode="json")["display_name"] == "Claude X"
        options = genai.types.HttpOptions(client_args={"transport": transport(edge)})
        google = genai.Client(api_key="s", http_options=options)
        found = {model.name: model for model in google.models.list()}
        names = ["models/openai/gpt-x", "models/anthropic/claude-x", "models/gemini-x", "models/fake/own"]
        assert list(found) == names
        assert found["models/gemini-x"].input_token_limit == 5
        keys = {request.headers.get("authorization") for request in server.requests if "/openai/" in request.path}
        assert keys == {"Bearer k-openai"}, "the SDK's key is not needed"


@ways
def test_a_list_says_who_is_missing(way: tuple[str, str]) -> None:
    """A provider that cannot be asked is named, and the others' models are told."""

    def some(request: Request) -> Any:
        return reply(401, {"error": {"message": "no"}}) if "anthropic" in request.path else vendors(request)

    with Loopback(some) as server:

        async def scenario(caller: Caller) -> None:
            request = caller.client.build_request("GET", f"{OPENAI}/models", headers={"authorization": "Bearer s"})
            sent = caller.client.send(request)
            response = sent if caller.kind == "sync" else await sent
            assert [item["id"] for item in response.json()["data"]] == ["gpt-x", "gemini/gemini-x", "fake/own"]
            assert response.headers["x-edgeagent-unlisted"] == "anthropic"

        through(way, providers(server.url), scenario)


def test_a_client_of_one_vendor_asks_it_itself() -> None:
    """Nothing is told anew where nothing is to be added."""
    with Loopback(vendors) as server, EdgeClient(providers=providers(server.url)[:1]) as edge:
        http = openai.DefaultHttpxClient(transport=transport(edge))
        made = openai.OpenAI(api_key="s", base_url=f"{server.url}/openai/v1", http_client=http)
        raw = made.models.with_raw_response.list()
        assert raw.headers["x-edgeagent-pass-through"] == "the client has no other provider"
        assert [model.id for model in raw.parse()] == ["gpt-x"]


def test_another_server_lists_its_own_models() -> None:
    """An address of which the client knows nothing: its names are its own affair."""
    with Loopback(vendors) as server, EdgeClient(providers=[FakeProvider("x", models=["own"])]) as edge:
        http = openai.DefaultHttpxClient(transport=transport(edge))
        made = openai.OpenAI(api_key="s", base_url=f"{server.url}/openai/v1", http_client=http)
        raw = made.models.with_raw_response.list()
        assert raw.headers["x-edgeagent-pass-through"] == "the models of this server are its own affair"
        assert server.requests[0].headers["authorization"] == "Bearer s"


def test_tokens_are_counted_by_the_vendor_and_estimated_for_others() -> None:
    """Anthropic and Google count their own models' tokens; of any other model an estimate is told as one."""
    with Loopback(vendors) as server, EdgeClient(providers=providers(server.url)) as edge:
        http = anthropic.DefaultHttpxClient(transport=transport(edge))
        claude = anthropic.Anthropic(api_key="s", base_url=f"{server.url}/anthropic", http_client=http)
        assert claude.messages.count_tokens(model="claude-x", messages=QUESTION).input_tokens == 7
        raw = claude.messages.with_raw_response.count_tokens(model="openai/gpt-x", messages=QUESTION)
        assert 7 <= raw.parse().input_tokens <= 25
        assert 0 < float(raw.headers["x-edgeagent-estimate"]) < 1
        assert (raw.headers["x-edgeagent-provider"], raw.headers["x-edgeagent-model"]) == ("openai", "gpt-x")
        longer = claude.messages.count_tokens(model="openai/gpt-x", messages=QUESTION, system="word " * 500)
        assert longer.input_tokens > 400
        options = genai.types.HttpOptions(
            base_url=f"{server.url}/google", api_version="v1beta", client_args={"transport": transport(edge)}
        )
        google = genai.Client(api_key="s", http_options=options)
        assert google.models.count_tokens(model="gemini-x", contents="?").total_tokens == 7
        told = google.models.count_tokens(model="openai/gpt-x", contents="What is the capital of France?")
        assert told.total_tokens is not None
        assert 5 <= told.total_tokens <= 25
        block: Any = {"type": "redacted_thinking", "data": seal({"wire": "google.generate", "content": []}, "")}
        answer: Any = {"role": "assistant", "content": [block, {"type": "text", "text": "Paris"}]}
        history = [*QUESTION, answer, *QUESTION]
        raw = claude.messages.with_raw_response.count_tokens(model="claude-x", messages=history)
        assert raw.headers["x-edgeagent-provider"] == "anthropic"
        assert 10 <= raw.parse().input_tokens <= 50
        assert len(server.requests) == 2, "no vendor was asked for an estimate"


@ways
def test_a_count_that_cannot_be_made_is_refused_in_the_format(way: tuple[str, str]) -> None:
    """A question without messages; Google's may be wrapped; a name that means nobody goes where it was sent."""

    async def scenario(caller: Caller) -> None:
        anthropic_fields = {"anthropic_version": "2023-06-01", "x_api_key": "s"}
        wrong = {"model": "fake/x", "messages": 5}
        response = await caller.post(f"{ANTHROPIC}/messages/count_tokens", wrong, **anthropic_fields)
        assert (response.status_code, response.json()["type"]) == (400, "error")
        assert response.json()["error"]["type"] == "invalid_request_error"
        contents = [{"role": "user", "parts": [{"text": "one two three"}]}]
        counts = []
        for body in ({"contents": contents}, {"generateContentRequest": {"contents": contents}}):
            told = await caller.post(f"{GOOGLE}/models/fake/x:countTokens", body, x_goog_api_key="s")
            counts.append(told.json()["totalTokens"])
        assert counts[0] == counts[1] > 2

    through(way, [FakeProvider("x")], scenario)
