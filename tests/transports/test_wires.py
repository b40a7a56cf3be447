"""Which requests are calls of which API."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent.transports.wires import recognise, why_unknown

JSON = {"content-type": "application/json; charset=utf-8"}
ANTHROPIC = {**JSON, "anthropic-version": "2023-06-01"}
AZURE = {**JSON, "api-key": "k"}
GOOGLE_BASE = "https://generativelanguage.googleapis.com/v1beta"
GOOGLE = f"{GOOGLE_BASE}/models/gemini-2.5-flash"

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

QUESTIONS = [
    ("GET", "https://api.openai.com/v1/models", {}, ("openai", "https://api.openai.com/v1", None, "models")),
    ("GET", "https://h/v1/models/a/b%20c", {}, ("openai", "https://h/v1", "a/b c", "models")),
    (
        "GET",
        "https://api.anthropic.com/v1/models?limit=5",
        {"anthropic-version": "2023-06-01"},
        ("anthropic", "https://api.anthropic.com", None, "models"),
    ),
    ("GET", GOOGLE, {"x-goog-api-key": "k"}, ("google", GOOGLE_BASE, "gemini-2.5-flash", "models")),
    ("GET", f"{GOOGLE_BASE}/models?key=k&pageSize=5", {}, ("google", GOOGLE_BASE, None, "models")),
    ("POST", f"{GOOGLE}:countTokens", JSON, ("google", GOOGLE_BASE, "gemini-2.5-flash", "count")),
    (
        "POST",
        f"{GOOGLE_BASE}/models/openai/gpt-x:generateContent",
        JSON,
        ("google", GOOGLE_BASE, "openai/gpt-x", "answer"),
    ),
    (
        "POST",
        "https://api.anthropic.com/v1/messages/count_tokens?beta=true",
        ANTHROPIC,
        ("anthropic", "https://api.anthropic.com", None, "count"),
    ),
]

UNKNOWN = [
    ("GET", "https://api.openai.com/v1/models/ft:gpt-4o:of-mine", {}),
    ("GET", "https://x.openai.azure.com/openai/models?api-version=1", {"api-key": "k"}),
    ("GET", "https://us-aiplatform.googleapis.com/v1beta1/publishers/google/models", {}),
    ("GET", f"{GOOGLE}/operations/of-a-film", {"x-goog-api-key": "k"}),
    ("DELETE", "https://api.openai.com/v1/models/x", {}),
    ("GET", "https://api.openai.com/v1/chat/completions", JSON),
    ("POST", "https://api.openai.com/v1/chat/completions/x", JSON),
    ("POST", "https://api.openai.com/v1/responses/x/cancel", JSON),
    ("POST", "https://api.openai.com/v1/audio/speech", JSON),
    ("POST", "https://api.openai.com/v1/chat/completions", {"content-type": "text/plain"}),
    ("POST", "https://api.openai.com/v1/chat/completions", {**JSON, "content-encoding": "gzip"}),
    ("POST", "https://api.openai.com/v1/threads/t/messages", JSON),
    ("POST", "https://api.anthropic.com/v1/messages/batches", ANTHROPIC),
    ("POST", f"{GOOGLE}:streamGenerateContent?alt=proto", JSON),
    ("POST", f"{GOOGLE}:generateContent?$alt=media", JSON),
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


@pytest.mark.parametrize(
    ("method", "url", "headers", "expected"), QUESTIONS, ids=[f"{m} {url}" for m, url, _, _ in QUESTIONS]
)
def test_questions_for_models_and_tokens_are_recognised(
    method: str, url: str, headers: dict[str, str], expected: tuple[str, str, str | None, str]
) -> None:
    """Of all three APIs, which name their lists alike and are told apart by their header fields."""
    route = recognise(method, url, headers)
    assert route is not None
    assert (route.family, route.base_url, route.model, route.asks) == expected


@pytest.mark.parametrize(
    ("url", "word"),
    [
        (f"{GOOGLE}:streamGenerateContent?key=k&alt=proto", "form"),
        (f"{GOOGLE}:streamGenerateContent?alt=sse", "path"),
        ("https://api.openai.com/v1/files", "path"),
    ],
)
def test_why_a_request_is_not_recognised(url: str, word: str) -> None:
    """The answer's header says which it was."""
    assert word in why_unknown(url)


@pytest.mark.parametrize(
    ("query", "array", "rest", "edits"),
    [
        ("", True, (), ("alt sent as sse",)),
        ("?alt=json&key=k", True, (("key", "k"),), ("alt sent as sse",)),
        ("?alt=JSON", True, (), ("alt sent as sse",)),
        ("?%24alt=json%3Benum-encoding%3Dint", True, (("alt", "json;enum-encoding=int"),), ()),
        ("?alt=sse", False, (), ()),
        ("?$alt=sse", False, (), ()),
        ("?alt=json&alt=sse", False, (), ()),
        ("?alt=sse%3Benum-encoding%3Dint", False, (("alt", "sse;enum-encoding=int"),), ()),
    ],
)
def test_the_form_of_a_stream(query: str, array: bool, rest: tuple[Any, ...], edits: tuple[str, ...]) -> None:
    """Google's parameter by either name; without it, an array. What is added to it the vendor is told."""
    route = recognise("POST", f"{GOOGLE}:streamGenerateContent{query}", JSON)
    assert route is not None
    assert (route.stream, route.array, route.query, route.edits) == (True, array, rest, edits)
    framing = route.framing()
    assert framing is not None
    assert framing.media_type.startswith("application/json" if array else "text/event-stream")


def test_other_formats_have_one_form() -> None:
    """So do Google's answers that are no streams."""
    chat = recognise("POST", "https://api.openai.com/v1/chat/completions", JSON)
    whole = recognise("POST", f"{GOOGLE}:generateContent?alt=json", JSON)
    assert chat is not None
    assert whole is not None
    assert chat.framing() is None
    assert (whole.array, whole.query) == (False, ())


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
