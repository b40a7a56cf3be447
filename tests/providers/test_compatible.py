"""Any server of OpenAI's shape."""

from __future__ import annotations

import pickle

import pytest

from edgeagent.errors import AuthenticationError, ConfigurationError
from edgeagent.providers.base import ALL_CAPABILITIES, Encoded, HTTPProvider
from edgeagent.providers.compatible import OpenAICompatible
from edgeagent.providers.openai import OWN, OpenAIChatCodec
from edgeagent.types import ChatRequest
from edgeagent.wire.http import HTTPRequest

URL = "http://localhost:8080/v1"


def sent(provider: OpenAICompatible, credential: str | None) -> HTTPRequest:
    return provider.http_request(Encoded({"a": 1}), credential, model="m", stream=True)


def test_without_a_key() -> None:
    """A server that wants no key is sent none."""
    provider = OpenAICompatible(name="mine", base_url=URL + "/")
    assert isinstance(provider, HTTPProvider)
    assert provider.api_key is None
    request = sent(provider, None)
    assert request.url == f"{URL}/chat/completions"
    assert "authorization" not in request.headers
    assert request.headers["accept"] == "text/event-stream"
    assert provider.cache_identity is not None
    assert not provider.family("gpt-4o")
    assert provider.capabilities("m") == ALL_CAPABILITIES


@pytest.mark.parametrize(("name", "hint"), [("grok", " (did you mean 'groq'?)"), ("nobody's", "")])
def test_an_unknown_name(name: str, hint: str) -> None:
    """Without an address it is refused; one that is nearly a known one is told."""
    with pytest.raises(ConfigurationError) as caught:
        OpenAICompatible(name=name)
    assert str(caught.value) == f"{name!r} is no server that is known by its name{hint}: pass base_url=…."


def test_with_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key is a bearer token, given or from the variable that the caller names."""
    provider = OpenAICompatible(name="mine", base_url=URL, api_key="k")
    assert sent(provider, "k").headers["authorization"] == "Bearer k"
    with pytest.raises(AuthenticationError):
        sent(provider, "")
    monkeypatch.setenv("MY_KEY", "v")
    named = OpenAICompatible(name="mine", base_url=URL, api_key_variable="MY_KEY")
    assert named.api_key == "v"
    again = pickle.loads(pickle.dumps(named))
    assert (again.api_key, again.vendor, again.codec) == ("v", "mine", named.codec)


def test_its_name_in_telemetry_and_prices() -> None:
    """The vendor is the name, unless it is said."""
    assert OpenAICompatible(name="mine", base_url=URL).vendor == "mine"
    assert OpenAICompatible(name="mine", base_url=URL, vendor="groq").vendor == "groq"


def test_quirks() -> None:
    """By default it is sent what the caller said; a server known to be like OpenAI can be treated so."""
    request = ChatRequest(model="m", messages=[{"role": "user", "content": "x"}], temperature=3)
    codec = OpenAICompatible(name="mine", base_url=URL).codec
    assert codec.encode_request(request, model="m", stream=False).body["temperature"] == 3
    assert OpenAICompatible(name="mine", base_url=URL, quirks=OWN).codec == OpenAIChatCodec()


def test_misconfigured() -> None:
    """An address that is not absolute is refused."""
    with pytest.raises(ConfigurationError, match="absolute"):
        OpenAICompatible(name="mine", base_url="localhost/v1")
