"""Which requests are calls of which API."""

from __future__ import annotations

import pytest

from edgeagent.transports.wires import recognise

JSON = {"content-type": "application/json; charset=utf-8"}
ANTHROPIC = {**JSON, "anthropic-version": "2023-06-01"}
AZURE = {**JSON, "api-key": "k"}
GOOGLE = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash"

KNOWN = [
    ("https://api.openai.com/v1/chat/completions", JSON, ("openai", "openai.chat", "https://api.openai.com/v1")),
    ("https://api.openai.com/v1/responses", JSON, ("openai", "openai.responses", "https://api.openai.com/v1")),
    ("http://localhost:1/api/v9/chat/completions", JSON, ("openai", "openai.chat", "http://localhost:1/api/v9")),
    (
        "https://x.openai.azure.com/openai/deployments/my%20own/chat/completions?api-version=1",
        AZURE,
        ("azure", "openai.chat", "https://x.openai.azure.com/openai"),
    ),
    (
        "https://x.openai.azure.com/openai/v1/chat/completions",
        AZURE,
        ("azure", "openai.chat", "https://x.openai.azure.com/openai/v1"),
    ),
    (
        "https://x.openai.azure.com/openai/responses?api-version=1",
        JSON,
        ("azure", "openai.responses", "https://x.openai.azure.com/openai"),
    ),
    (
        "https://api.anthropic.com/v1/messages",
        ANTHROPIC,
        ("anthropic", "anthropic.messages", "https://api.anthropic.com"),
    ),
    ("http://h/proxy/v1/messages?beta=true", ANTHROPIC, ("anthropic", "anthropic.messages", "http://h/proxy")),
    (
        f"{GOOGLE}:generateContent",
        JSON,
        ("google", "google.generate", "https://generativelanguage.googleapis.com/v1beta"),
    ),
    (
        f"{GOOGLE}:streamGenerateContent?alt=sse",
        JSON,
        ("google", "google.generate", "https://generativelanguage.googleapis.com/v1beta"),
    ),
]

UNKNOWN = [
    ("GET", "https://api.openai.com/v1/models", JSON),
    ("GET", "https://api.openai.com/v1/chat/completions", JSON),
    ("POST", "https://api.openai.com/v1/chat/completions/x", JSON),
    ("POST", "https://api.openai.com/v1/responses/x/cancel", JSON),
    ("POST", "https://api.openai.com/v1/audio/speech", JSON),
    ("POST", "https://api.openai.com/v1/chat/completions", {"content-type": "text/plain"}),
    ("POST", "https://api.openai.com/v1/chat/completions", {**JSON, "content-encoding": "gzip"}),
    ("POST", "https://api.openai.com/v1/threads/t/messages", JSON),
    ("POST", "https://api.anthropic.com/v1/messages/batches", ANTHROPIC),
    ("POST", "https://api.anthropic.com/v1/messages/count_tokens", ANTHROPIC),
    ("POST", f"{GOOGLE}:streamGenerateContent", JSON),
    ("POST", f"{GOOGLE}:countTokens", JSON),
    (
        "POST",
        "https://eu-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google/models/m:generateContent",
        JSON,
    ),
]


@pytest.mark.parametrize(("url", "headers", "expected"), KNOWN, ids=[url for url, _, _ in KNOWN])
def test_calls_are_recognised(url: str, headers: dict[str, str], expected: tuple[str, str, str]) -> None:
    """By path and header fields, whatever the address; the codec is the format's."""
    route = recognise("POST", url, headers)
    assert route is not None
    assert (route.family, route.wire, route.base_url) == expected
    assert route.codec.wire == route.wire


@pytest.mark.parametrize(("method", "url", "headers"), UNKNOWN, ids=[f"{m} {url}" for m, url, _ in UNKNOWN])
def test_other_requests_are_not(method: str, url: str, headers: dict[str, str]) -> None:
    """Other methods, paths, media types and forms of a stream are the vendor's own affair."""
    assert recognise(method, url, headers) is None


def test_what_the_url_says() -> None:
    """Azure's deployment, Google's model and whether it streams; whose own address it is."""
    azure = recognise("POST", KNOWN[3][0], AZURE)
    google = recognise("POST", f"{GOOGLE}:streamGenerateContent?alt=sse&key=k", JSON)
    tuned = recognise("POST", "https://h/v1/tunedModels/mine:generateContent", JSON)
    assert azure is not None
    assert google is not None
    assert tuned is not None
    assert (azure.model, azure.vendor, azure.query) == ("my own", None, (("api-version", "1"),))
    assert (google.model, google.stream, google.query) == ("gemini-2.5-flash", True, (("key", "k"),))
    assert google.vendor == "gcp.gemini"
    assert tuned.model == "tunedModels/mine"
