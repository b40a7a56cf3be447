"""Attributes by the GenAI conventions, as tables of call → attributes."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent.errors import APITimeoutError, RateLimitError
from edgeagent.telemetry.attributes import (
    attempt_attributes,
    end_attributes,
    error_description,
    provider_name,
    request_attributes,
)
from edgeagent.types import Attempt
from tests.telemetry.calls import CLAUDE, OK, SECRET, cached, coalesced, completion, ended, failed, request, started


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, {}),
        ({"temperature": 0.0, "top_p": 1}, {"gen_ai.request.temperature": 0.0, "gen_ai.request.top_p": 1}),
        ({"frequency_penalty": 0.5}, {"gen_ai.request.frequency_penalty": 0.5}),
        ({"presence_penalty": -0.5}, {"gen_ai.request.presence_penalty": -0.5}),
        ({"seed": 0}, {"gen_ai.request.seed": 0}),
        ({"n": 1}, {}),
        ({"n": 3}, {"gen_ai.request.choice.count": 3}),
        ({"max_tokens": 5}, {"gen_ai.request.max_tokens": 5}),
        ({"max_tokens": 5, "max_completion_tokens": 6}, {"gen_ai.request.max_tokens": 6}),
        ({"stop": "a"}, {"gen_ai.request.stop_sequences": ["a"]}),
        ({"stop": ["a", "b"]}, {"gen_ai.request.stop_sequences": ["a", "b"]}),
        ({"top_k": 40}, {"gen_ai.request.top_k": 40.0}),
        ({"top_k": "many"}, {}),
        ({"response_format": {"type": "json_object"}}, {"gen_ai.output.type": "json"}),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, {"gen_ai.output.type": "json"}),
        ({"response_format": {"type": "text"}}, {"gen_ai.output.type": "text"}),
        ({"response_format": {"type": "grammar"}}, {}),
        ({"modalities": ["text"]}, {}),
        ({"modalities": ["text", "audio"]}, {"gen_ai.output.type": "speech"}),
        ({"user": SECRET, "metadata": {"a": SECRET}}, {}),
    ],
)
def test_request(params: dict[str, Any], expected: dict[str, Any]) -> None:
    """Each parameter has its attribute; a parameter that is not set has none."""
    assert request_attributes(started(**params)) == expected


def test_stream_and_tags() -> None:
    """A stream says so, a call that is none does not; tags are told."""
    assert request_attributes(started(stream=True, tags=("a", "b"))) == {
        "gen_ai.request.stream": True,
        "edgeagent.tags": ("a", "b"),
    }


ANSWERED = {
    "gen_ai.provider.name": "openai",
    "gen_ai.response.id": "chatcmpl-7",
    "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
    "gen_ai.response.finish_reasons": ["tool_calls"],
    "openai.api.type": "chat_completions",
    "edgeagent.target": "openai/gpt-4o-mini",
}
USED = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20}
MADE = {
    "edgeagent.cached": False,
    "edgeagent.attempts": 1,
    "edgeagent.cost_usd": 0.000027,
    "edgeagent.request_id": "req_1",
}
FREE = {"edgeagent.attempts": 0, "edgeagent.cost_usd": 0.0, "edgeagent.saved_usd": 0.000027}
HIT = {"edgeagent.cached": True, "edgeagent.cache_tier": "disk"}
JOINED = {"edgeagent.cached": False, "edgeagent.coalesced": True}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(ended(), ANSWERED | USED | MADE, id="answered"),
        pytest.param(cached("disk"), ANSWERED | FREE | HIT, id="cached: nothing was used"),
        pytest.param(coalesced(), ANSWERED | FREE | JOINED, id="coalesced: counted by the call that it joined"),
        pytest.param(
            ended(time_to_first_chunk=0.25),
            ANSWERED | USED | MADE | {"gen_ai.response.time_to_first_chunk": 0.25},
            id="stream",
        ),
        pytest.param(
            ended(completion=completion(id="", model="", choices=[], usage=None)),
            {k: v for k, v in (ANSWERED | MADE).items() if not k.startswith("gen_ai.response")},
            id="an answer that names nothing",
        ),
        pytest.param(
            ended(completion=None),
            {k: v for k, v in (ANSWERED | MADE).items() if not k.startswith("gen_ai.response")}
            | {"edgeagent.closed_early": True},
            id="closed early",
        ),
        pytest.param(
            failed(RateLimitError(SECRET)),
            {
                "gen_ai.provider.name": "edgeagent",
                "edgeagent.cached": False,
                "edgeagent.attempts": 0,
                "error.type": "RateLimitError",
            },
            id="failed before anybody was asked",
        ),
    ],
)
def test_end(event: Any, expected: dict[str, Any]) -> None:
    """How a call ended is told completely, and nothing of its text."""
    assert end_attributes(request(), event) == expected


def test_usage_details() -> None:
    """Every class of tokens that the provider counted has its attribute, zero included."""
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "total_tokens": 120,
        "prompt_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 2, "audio_tokens": 0, "image_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 5, "audio_tokens": 6, "text_tokens": 7},
    }
    found = end_attributes(request(), ended(completion=completion(usage=usage)))
    assert {key: value for key, value in found.items() if key.startswith("gen_ai.usage.")} == USED | {
        "gen_ai.usage.cache_read.input_tokens": 1,
        "gen_ai.usage.cache_creation.input_tokens": 2,
        "gen_ai.usage.audio.input_tokens": 0,
        "gen_ai.usage.image.input_tokens": 4,
        "gen_ai.usage.reasoning.output_tokens": 5,
        "gen_ai.usage.audio.output_tokens": 6,
        "gen_ai.usage.text.output_tokens": 7,
    }


@pytest.mark.parametrize(
    ("vendor", "asked", "expected"),
    [
        (
            "openai",
            "flex",
            {
                "openai.api.type": "chat_completions",
                "openai.request.service_tier": "flex",
                "openai.response.service_tier": "default",
                "openai.response.system_fingerprint": "fp_1",
            },
        ),
        (
            "openai",
            "auto",
            {
                "openai.api.type": "chat_completions",
                "openai.response.service_tier": "default",
                "openai.response.system_fingerprint": "fp_1",
            },
        ),
        ("anthropic", "flex", {}),
    ],
)
def test_openai(vendor: str, asked: str, expected: dict[str, Any]) -> None:
    """OpenAI's own attributes are for OpenAI alone."""
    event = ended(vendor=vendor, completion=completion(service_tier="default", system_fingerprint="fp_1"))
    found = end_attributes(request(service_tier=asked), event)
    assert {key: value for key, value in found.items() if key.startswith("openai.")} == expected


def test_provider_of_a_failure() -> None:
    """When nobody answered, the provider that was asked last is named."""
    attempts = (OK, Attempt(CLAUDE, "RateLimitError", 429, 3.0))
    assert provider_name(failed(RateLimitError("x"), attempts)) == "anthropic"


@pytest.mark.parametrize(
    ("attempt", "expected"),
    [
        (OK, {"edgeagent.target": "openai/gpt-4o-mini", "edgeagent.outcome": "ok", "http.response.status_code": 200}),
        (
            Attempt(CLAUDE, "APITimeoutError", None, 812.5),
            {"edgeagent.target": "anthropic/claude-haiku-4-5", "edgeagent.outcome": "APITimeoutError"},
        ),
    ],
)
def test_attempt(attempt: Attempt, expected: dict[str, Any]) -> None:
    """An attempt tells its target, outcome, status if there was one, and time."""
    assert attempt_attributes(attempt) == {**expected, "edgeagent.duration_ms": 812.5}


@pytest.mark.parametrize(
    ("error", "description"),
    [
        (RateLimitError(SECRET), "RateLimitError (429)"),
        (APITimeoutError(), "APITimeoutError"),
        (ValueError(SECRET), "ValueError"),
    ],
)
def test_error_description(error: Exception, description: str) -> None:
    """An error is described by its class and status, never by its message."""
    assert error_description(error) == description
