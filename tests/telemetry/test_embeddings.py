"""Embedding calls as observers tell them: spans, metrics, log lines, the ledger."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import Any

import pytest

from edgeagent.telemetry import CallEnded, CallStarted, Ledger, LoggingObserver
from edgeagent.types import (
    CreateEmbeddingResponse,
    EmbeddingRequest,
    ModerationCreateResponse,
    ModerationRequest,
    RerankRequest,
    RerankResponse,
    ResponseMetadata,
)
from tests.telemetry.calls import OK, SECRET
from tests.telemetry.test_otel import World

ANSWER = CreateEmbeddingResponse.model_validate(
    {
        "object": "list",
        "model": "text-embedding-3-small-1",
        "data": [{"embedding": [0.5, 0.25, 0.125], "index": 0, "object": "embedding"}],
        "usage": {"prompt_tokens": 7, "total_tokens": 7},
    }
)


def started(**params: Any) -> CallStarted:
    request = EmbeddingRequest.model_validate({"model": "text-embedding-3-small", "input": [SECRET], **params})
    return CallStarted("embeddings", request, False, ("t",))


def ended(**edge: Any) -> CallEnded:
    told: dict[str, Any] = {"provider": "openai", "model": "text-embedding-3-small", "cost_usd": Decimal("0.00000014")}
    found = ResponseMetadata(**{**told, "attempts": (OK,), **edge})
    return CallEnded(found, "openai", ANSWER, None, 0.5)


def test_a_span() -> None:
    """By the conventions: name, operation, form, dimensions, input tokens; no text, also where content is wanted."""
    world = World(capture_content=True)
    span = world.call(ended(cached_inputs=2), started(encoding_format="base64", dimensions=3))
    assert span.name == "embeddings text-embedding-3-small"
    assert span.attributes is not None
    attributes = dict(span.attributes)
    assert SECRET not in str(attributes)
    wanted = {
        "gen_ai.operation.name": "embeddings",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "text-embedding-3-small",
        "gen_ai.response.model": "text-embedding-3-small-1",
        "gen_ai.request.encoding_formats": ("base64",),
        "gen_ai.embeddings.dimension.count": 3,
        "gen_ai.usage.input_tokens": 7,
        "edgeagent.cached_inputs": 2,
        "edgeagent.tags": ("t",),
    }
    assert {name: attributes.get(name) for name in wanted} == wanted
    assert not any(name.startswith(("openai.", "gen_ai.usage.output", "gen_ai.response.fin")) for name in attributes)


def test_metrics() -> None:
    """Duration, input tokens alone, and money; nothing was used by a hit."""
    world = World()
    world.call(ended(), started())
    world.call(ended(cached=True, cache_tier="memory"), started())
    ((tokens, attributes),) = world.points("gen_ai.client.token.usage")
    assert (tokens, attributes["gen_ai.token.type"]) == (7, "input")
    assert attributes["gen_ai.operation.name"] == "embeddings"
    assert len(world.points("gen_ai.client.operation.duration")) == 2


@pytest.mark.parametrize(
    ("begin", "answer"),
    [
        (
            CallStarted("rerank", RerankRequest(model="r", query=SECRET, documents=[SECRET]), False),
            RerankResponse.model_validate({"results": [{"index": 0, "relevance_score": 0.5}]}),
        ),
        (
            CallStarted("moderations", ModerationRequest(model="r", input=SECRET), False),
            ModerationCreateResponse.model_validate({"id": "modr-1", "model": "r", "results": []}),
        ),
    ],
    ids=["rerank", "moderations"],
)
def test_other_operations(begin: CallStarted, answer: Any) -> None:
    """A span of their own name, and no text."""
    world = World(capture_content=True)
    event = CallEnded(ResponseMetadata(provider="p", model="r"), "p", answer, None, 0.1)
    span = world.call(event, begin)
    assert span.name == f"{begin.operation} r"
    assert SECRET not in str(span.attributes)
    assert not world.points("gen_ai.client.token.usage")
    ledger = Ledger()
    observation = ledger.start(begin)
    observation.end(event)
    assert (ledger.total.calls, ledger.total.input_tokens) == (1, 0)


def test_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    """What was cached of it, and both what it cost and what it saved."""
    with caplog.at_level(logging.INFO, "edgeagent"):
        observation = LoggingObserver().start(started())
        assert observation is not None
        observation.end(ended(cached_inputs=2, saved_usd=Decimal("0.5")))
    (line,) = caplog.messages
    assert line.startswith("embeddings text-embedding-3-small: answered by openai/text-embedding-3-small")
    assert "2 inputs cached" in line
    assert "7 + 0 tokens" in line
    assert "saved" in line
    assert SECRET not in line


def test_the_ledger() -> None:
    """Tokens and money of what was asked."""
    ledger = Ledger()
    ledger.start(started()).end(ended(saved_usd=Decimal("0.5")))
    total = ledger.total
    assert (total.input_tokens, total.output_tokens, total.cost_usd) == (7, 0, Decimal("0.00000014"))
    assert total.saved_usd == Decimal("0.5")
