"""Where the Gemini API is, and by which key."""

from __future__ import annotations

import pickle

import pytest

from edgeagent.errors import ConfigurationError, RateLimitError
from edgeagent.providers.base import HTTPProvider
from edgeagent.providers.gemini import Gemini
from edgeagent.types import ChatRequest
from edgeagent.wire.http import HTTPRequest, HTTPResponse
from tests.providers.gemini.support import USER, codec

VARIABLES = ("GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def request_of(provider: Gemini, model: str, *, stream: bool = False) -> HTTPRequest:
    encoded = provider.codec_for(model).encode_request(
        ChatRequest(model=model, messages=USER), model=model, stream=stream
    )
    return provider.http_request(encoded, provider.api_key, model=model, stream=stream)


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "models/gemini-2.5-flash"])
def test_addresses(model: str) -> None:
    """The path of whole answers and of streams, with the model's name in both forms, and the key's header."""
    provider = Gemini(api_key="k")
    assert isinstance(provider, HTTPProvider)
    base = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash"
    assert request_of(provider, model).url == f"{base}:generateContent"
    streamed = request_of(provider, model, stream=True)
    assert streamed.url == f"{base}:streamGenerateContent?alt=sse"
    assert streamed.headers["x-goog-api-key"] == "k"
    assert "k" not in repr(provider)


def test_the_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of Google's own SDK."""
    with pytest.raises(ConfigurationError, match="GOOGLE_API_KEY or GEMINI_API_KEY"):
        Gemini()
    monkeypatch.setenv("GEMINI_API_KEY", "second")
    assert Gemini().api_key == "second"
    monkeypatch.setenv("GOOGLE_API_KEY", "first")
    assert Gemini().api_key == "first"
    assert pickle.loads(pickle.dumps(Gemini())).api_key == "first"


def test_an_address_without_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """The version is added to an address that has none; tuned models keep their names."""
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "https://gateway.example/google/")
    url = request_of(Gemini(api_key="k"), "tunedModels/mine-1").url
    assert url == "https://gateway.example/google/v1beta/tunedModels/mine-1:generateContent"


def test_capabilities() -> None:
    """What is documented of a model is told, and an unknown one is not limited."""
    provider = Gemini(api_key="k")
    assert "reasoning" in provider.capabilities("gemini-2.5-pro").features
    assert "reasoning" not in provider.capabilities("gemini-2.0-flash").features
    assert provider.capabilities("gemini-2.5-pro").context_window == 1_048_576
    assert provider.capabilities("unknown").context_window is None
    assert provider.family("gemini-9")
    assert not provider.family("gpt-4")


def test_how_long_to_wait() -> None:
    """RetryInfo's delay is `retry_after`, both ways."""
    details = b'[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.5s"}]'
    body = b'{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":' + details + b"}}"
    error = codec().decode_error(HTTPResponse(429, {}, body))
    assert isinstance(error, RateLimitError)
    assert (error.retry_after, error.code) == (34.5, "RESOURCE_EXHAUSTED")
    again = codec().decode_error(codec().encode_error(error))
    assert isinstance(again, RateLimitError)
    assert again.retry_after == 34.5
