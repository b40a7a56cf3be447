"""openai's constructors: same parameters, same calls, no cache unless asked for."""

from __future__ import annotations

import asyncio
import inspect
import json
from typing import Any

import httpx
import openai
import pytest

import edgeagent
from edgeagent import ConfigurationError
from edgeagent.testing import FakeProvider

ASK: dict[str, Any] = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hello"}]}
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11},
}


class Upstream:
    """A vendor behind httpx's mock transport."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(200, json=ANSWER, headers={"x-request-id": "req_1"})

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self))

    def async_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self))


@pytest.mark.parametrize("name", ["OpenAI", "AsyncOpenAI", "AzureOpenAI", "AsyncAzureOpenAI"])
def test_parameters_are_openais(name: str) -> None:
    """Every parameter of ours is one of the openai class, but for `edge`."""
    ours = set(inspect.signature(getattr(edgeagent, name)).parameters) - {"edge"}
    theirs = set(inspect.signature(getattr(openai, name)).parameters)
    assert ours <= theirs


def test_openai() -> None:
    """The request is the one that openai's client sends; nothing is cached by default."""
    upstream = Upstream()
    client = edgeagent.OpenAI(
        api_key="sk-1",
        base_url="http://vendor.test/v1/",
        organization="org",
        project="proj",
        default_headers={"x-mine": "1"},
        http_client=upstream.client(),
    )
    first = client.chat.completions.create(**ASK)
    second = client.chat.completions.create(**ASK)
    assert first.to_dict() == ANSWER
    assert (first._request_id, first.edge.provider, second.edge.cached) == ("req_1", "openai", False)
    request = upstream.requests[0]
    assert str(request.url) == "http://vendor.test/v1/chat/completions"
    assert request.headers["authorization"] == "Bearer sk-1"
    assert request.headers["openai-organization"] == "org"
    assert request.headers["openai-project"] == "proj"
    assert request.headers["x-mine"] == "1"
    assert json.loads(request.content) == ASK
    client.close()


def test_async_openai() -> None:
    """The same, awaiting."""
    upstream = Upstream()

    async def main() -> str | None:
        async with edgeagent.AsyncOpenAI(
            api_key="sk-1", base_url="http://vendor.test/v1", http_client=upstream.async_client()
        ) as client:
            return (await client.chat.completions.create(**ASK)).choices[0].message.content

    assert asyncio.run(main()) == "Paris"


def test_azure() -> None:
    """Deployment, version and key are where Azure wants them."""
    upstream = Upstream()
    client = edgeagent.AzureOpenAI(
        azure_endpoint="https://me.openai.azure.com",
        api_version="2024-10-21",
        api_key="k",
        http_client=upstream.client(),
    )
    client.chat.completions.create(**ASK)
    request = upstream.requests[0]
    assert str(request.url) == (
        "https://me.openai.azure.com/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21"
    )
    assert request.headers["api-key"] == "k"
    client.close()


def test_model_names_are_sent_as_they_are() -> None:
    """`openai/…` is a name of OpenRouter's, not a prefix of ours."""
    upstream = Upstream()
    with edgeagent.OpenAI(api_key="k", base_url="http://router.test/v1", http_client=upstream.client()) as client:
        client.chat.completions.create(**{**ASK, "model": "openai/gpt-4o-mini"})
    assert json.loads(upstream.requests[0].content)["model"] == "openai/gpt-4o-mini"


def test_edge_options() -> None:
    """A cache, groups and more providers, by one keyword."""
    upstream = Upstream()
    fake = FakeProvider("from the fallback")
    with edgeagent.OpenAI(
        api_key="k",
        base_url="http://vendor.test/v1",
        http_client=upstream.client(),
        edge={"cache": True, "providers": [fake], "models": {"other": ["fake/m"]}},
    ) as client:
        client.chat.completions.create(**ASK)
        assert client.chat.completions.create(**ASK).edge.cached
        assert client.chat.completions.create(**{**ASK, "model": "other"}).edge.provider == "fake"


@pytest.mark.parametrize(
    ("edge", "message"), [({"retry": 3}, "max_retries="), ({"timeout": 3}, "timeout="), ({"colour": 1}, "colour")]
)
def test_wrong_edge_options(edge: dict[str, Any], message: str) -> None:
    """What the constructor has itself, or nobody has, is refused."""
    with pytest.raises((ConfigurationError, TypeError), match=message):
        edgeagent.OpenAI(api_key="k", edge=edge)


def test_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is an OpenAIError, as in openai, and says which variable to set."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(edgeagent.OpenAIError, match="OPENAI_API_KEY"):
        edgeagent.OpenAI()
