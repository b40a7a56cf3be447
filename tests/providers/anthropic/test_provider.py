"""Anthropic as a provider, compared with what the `anthropic` package itself sends."""

from __future__ import annotations

import json
import pickle
from typing import Any

import anthropic
import httpx2
import pytest

from edgeagent.errors import AuthenticationError, ConfigurationError
from edgeagent.providers import Anthropic
from edgeagent.providers.anthropic import AnthropicMessagesCodec
from edgeagent.providers.base import Encoded, HTTPProvider
from edgeagent.providers.claude import model_facts
from edgeagent.wire.http import HTTPRequest
from tests.providers.anthropic.support import CODEC, encode


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def sent(provider: Anthropic, encoded: Encoded | None = None, **options: Any) -> HTTPRequest:
    key = provider.api_key
    assert isinstance(key, str)
    options = {"model": "claude-sonnet-4-6", "stream": False, **options}
    return provider.http_request(encoded or encode(max_tokens=5), key, **options)


def sent_by_anthropic(**arguments: Any) -> httpx2.Request:
    """The request that the `anthropic` package sends for the same question."""
    seen: list[httpx2.Request] = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(
            200,
            json={
                "id": "x",
                "type": "message",
                "role": "assistant",
                "content": [],
                "model": "m",
                "stop_reason": "end_turn",
                "stop_sequence": None,
                "usage": {"input_tokens": 1, "output_tokens": 1},
            },
        )

    with httpx2.Client(transport=httpx2.MockTransport(handle)) as http:
        client = anthropic.Anthropic(**arguments, http_client=http, max_retries=0)
        client.messages.create(model="claude-sonnet-4-6", max_tokens=5, messages=[{"role": "user", "content": "Hi"}])
    return seen[0]


def test_what_the_sdk_sends() -> None:
    """Same URL and same body as the vendor's own SDK; a key as x-api-key, as every version of the API takes it."""
    ours, theirs = sent(Anthropic(api_key="k")), sent_by_anthropic(api_key="k")
    assert (ours.method, ours.url) == (theirs.method, str(theirs.url))
    assert json.loads(ours.content) == json.loads(theirs.content)
    assert ours.headers["content-type"] == theirs.headers["content-type"]
    assert (ours.headers["x-api-key"], ours.headers["anthropic-version"]) == ("k", "2023-06-01")
    token = sent(Anthropic(auth_token="t"))
    assert token.headers["authorization"] == sent_by_anthropic(auth_token="t").headers["authorization"] == "Bearer t"
    assert "x-api-key" not in token.headers


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Key, token and base URL come from the SDK's variables; the key counts before the token."""
    with pytest.raises(ConfigurationError, match="ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN"):
        Anthropic()
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "t")
    assert sent(Anthropic()).headers["authorization"] == "Bearer t"
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    assert sent(Anthropic()).headers["x-api-key"] == "k"
    assert sent(Anthropic(auth_token="u")).headers["authorization"] == "Bearer u"
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "https://proxy.example/anthropic/")
    assert sent(Anthropic()).url == "https://proxy.example/anthropic/v1/messages"
    assert Anthropic(base_url="https://x/v1").endpoint("m") == "https://x/v1/messages"
    with pytest.raises(ConfigurationError, match="not both"):
        Anthropic(api_key="k", auth_token="t")


def test_credentials() -> None:
    """A missing credential is an AuthenticationError; rotating ones have no identity of their own."""
    provider = Anthropic(api_key=lambda: "k")
    assert provider.cache_identity is None
    for missing in (None, ""):
        with pytest.raises(AuthenticationError):
            provider.http_request(encode(), missing, model="m", stream=False)
    assert Anthropic(api_key="a").cache_identity != Anthropic(api_key="b").cache_identity
    assert "secret" not in repr(sent(Anthropic(api_key="secret"))) + str(sent(Anthropic(api_key="secret")).redacted())


def test_headers_and_query() -> None:
    """Betas of all sources are joined; otherwise the caller's header counts; the query is added."""
    provider = Anthropic(
        api_key="k", default_headers={"Anthropic-Beta": "a, b", "x-team": "t"}, default_query={"beta": "true"}
    )
    encoded = encode(speed="fast")
    request = sent(provider, encoded, extra_headers={"anthropic-beta": "b,c", "x-team": "u"}, extra_query={"q": 1})
    assert request.headers["anthropic-beta"] == "fast-mode-2026-02-01,a,b,c"
    assert request.headers["x-team"] == "u"
    assert request.url == "https://api.anthropic.com/v1/messages?beta=true&q=1"
    newer = sent(provider, extra_headers={"anthropic-version": "2026-10-21"}, stream=True)
    assert newer.headers["anthropic-version"] == "2026-10-21"
    assert newer.headers["accept"] == "text/event-stream"
    assert "anthropic-beta" not in sent(Anthropic(api_key="k")).headers


def test_pickling(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider is pickled without its key, and takes the other process's."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "here")
    data = pickle.dumps(Anthropic(models=["my-model"]))
    assert b"here" not in data
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "there")
    copy = pickle.loads(data)
    assert sent(copy).headers["authorization"] == "Bearer there"
    assert copy.knows("my-model")
    with pytest.raises(ConfigurationError):
        pickle.dumps(Anthropic(auth_token="t"))


def test_names_and_capabilities() -> None:
    """Families by name; capabilities by generation; nothing that the API has not."""
    provider = Anthropic(api_key="k")
    assert isinstance(provider, HTTPProvider)
    assert (provider.name, provider.vendor) == ("anthropic", "anthropic")
    assert provider.family("claude-opus-5")
    assert not provider.family("gpt-5")
    assert not provider.knows("claude-opus-5")
    base = {"tools", "vision", "json_schema", "stop", "streaming"}
    old = provider.capabilities("claude-3-haiku-20240307")
    assert (old.features, old.context_window, old.max_output) == (base, 200_000, 4096)
    new = provider.capabilities("claude-opus-5-5")
    assert (new.features, new.context_window, new.max_output) == (
        base | {"documents", "file_urls", "reasoning"},
        1_000_000,
        128_000,
    )
    unknown = provider.capabilities("my-model")
    assert (unknown.features, unknown.context_window, unknown.max_output) == (new.features, None, None)


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("claude-3-5-sonnet-20241022", "claude-3-5-haiku"),
        ("claude-3.5-sonnet", "claude-3-5-haiku"),
        ("claude-3-7-sonnet-latest", "claude-sonnet-4-0"),
        ("claude-sonnet-4-20250514", "claude-sonnet-4-0"),
        ("claude-sonnet-4.5", "claude-sonnet-4-5-20250929"),
        ("anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5"),
        ("claude-opus-4-1@20250805", "claude-opus-4-1"),
        ("claude-opus-5-5-20261001", "claude-opus-5-5"),
        ("claude-opus-6", "claude-fable-6"),
        ("claude-tomorrow", "claude-opus-7"),
        ("claude-2.1", "my-model"),
        ("Claude-Opus-5", "claude-opus-5"),
    ],
)
def test_names_of_models(name: str, like: str) -> None:
    """Names of every platform, dated or not, are read; what is unknown is like the newest."""
    assert model_facts(name) == model_facts(like)


def test_codecs_are_equal() -> None:
    """The codec has no state."""
    assert AnthropicMessagesCodec() == CODEC
    assert CODEC != "anthropic.messages"
    assert len({CODEC, AnthropicMessagesCodec()}) == 1
    assert CODEC.wire == "anthropic.messages"
