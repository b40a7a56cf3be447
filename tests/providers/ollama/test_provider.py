"""Ollama as a provider: where it is, what it sends."""

from __future__ import annotations

import json

import pytest

from edgeagent.errors import ConfigurationError
from edgeagent.providers.ollama import Ollama, OllamaChatCodec, parse_host
from tests.providers.ollama.support import asking

__all__: list[str] = []

HOSTS = [
    "",
    "1.2.3.4",
    ":56789",
    "1.2.3.4:56789",
    "http://1.2.3.4",
    "https://1.2.3.4",
    "https://ollama.com",
    "example.com/",
    "example.com/path",
    "https://example.com:56789/path/",
    "[0001:002:003:0004::1]",
    "[0001:002:003:0004::1]:56789/path",
    "https://[0001:002:003:0004::1]",
]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OLLAMA_HOST", "OLLAMA_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("host", HOSTS)
def test_hosts_are_read_as_the_package_reads_them(host: str) -> None:
    """Ollama's own client is the judge."""
    client = pytest.importorskip("ollama._client")
    assert parse_host(host) == client._parse_host(host)


def test_the_default_needs_nothing() -> None:
    """No key, no address."""
    provider = Ollama()
    assert provider.endpoint("qwen3") == "http://127.0.0.1:11434/api/chat"
    encoded = provider.codec_for("qwen3").encode_request(asking(), model="qwen3", stream=True)
    request = provider.http_request(encoded, None, model="qwen3", stream=True)
    assert (request.method, request.url) == ("POST", "http://127.0.0.1:11434/api/chat")
    assert "authorization" not in request.headers
    assert json.loads(request.content)["model"] == "qwen3"


def test_host_and_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """OLLAMA_HOST and OLLAMA_API_KEY, as for ollama.com."""
    monkeypatch.setenv("OLLAMA_HOST", "https://ollama.com/api")
    monkeypatch.setenv("OLLAMA_API_KEY", "secret")
    provider = Ollama()
    assert provider.endpoint("gpt-oss:120b") == "https://ollama.com:443/api/chat"
    assert provider.auth_headers("secret") == [("authorization", "Bearer secret")]
    assert "secret" not in repr(provider)


def test_an_argument_counts_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Host or base URL, not both."""
    monkeypatch.setenv("OLLAMA_HOST", "elsewhere")
    assert Ollama(host="gpu-box").base_url == "http://gpu-box:11434"
    assert Ollama(base_url="http://gpu-box:8080/").base_url == "http://gpu-box:8080"
    with pytest.raises(ConfigurationError):
        Ollama(host="a", base_url="http://b")
    with pytest.raises(ConfigurationError):
        Ollama(host="http://a:port")


def test_what_it_can() -> None:
    """No `n`, no audio, no documents."""
    features = Ollama().capabilities("any").features
    assert {"tools", "vision", "json_schema", "logprobs", "stop", "streaming", "reasoning"} == features
    assert Ollama().codec_for("any") == OllamaChatCodec()
