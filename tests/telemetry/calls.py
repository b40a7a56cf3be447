"""Calls as an observer is told of them, with a word in every place that holds text of prompts or answers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from edgeagent.telemetry import CallEnded, CallStarted
from edgeagent.types import Attempt, ChatCompletion, ChatRequest, ResponseMetadata, Target

SECRET = "xyzzy-private"
OPENAI = Target("openai", "gpt-4o-mini")
CLAUDE = Target("anthropic", "claude-haiku-4-5")
OK = Attempt(OPENAI, "ok", 200, 812.5)


def request(**params: Any) -> ChatRequest:
    messages = [{"role": "system", "content": SECRET}, {"role": "user", "content": f"What is {SECRET}?"}]
    return ChatRequest.model_validate({"model": "gpt-4o-mini", "messages": messages, **params})


def started(*, stream: bool = False, tags: tuple[str, ...] = (), **params: Any) -> CallStarted:
    return CallStarted("chat", request(**params), stream, tags)


def completion(**fields: Any) -> ChatCompletion:
    message = {
        "role": "assistant",
        "content": f"It is {SECRET}.",
        "reasoning_content": SECRET,
        "refusal": SECRET,
        "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "look", "arguments": f'"{SECRET}"'}}],
    }
    body = {
        "id": "chatcmpl-7",
        "created": 1,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }
    return ChatCompletion.model_validate({**body, **fields})


def ended(**fields: Any) -> CallEnded:
    """A call that OpenAI answered."""
    edge = ResponseMetadata(
        provider="openai", model="gpt-4o-mini", cost_usd=Decimal("0.000027"), attempts=(OK,), request_id="req_1"
    )
    values = {"edge": edge, "vendor": "openai", "completion": completion(), "error": None, "duration": 0.8125}
    return CallEnded(**{**values, **fields})


def cached(tier: str = "memory", **fields: Any) -> CallEnded:
    """A call that a cache tier answered."""
    edge = ResponseMetadata(
        provider="openai",
        model="gpt-4o-mini",
        cached=True,
        cache_tier=tier,  # type: ignore[arg-type]  # tables hold plain text
        cost_usd=Decimal(0),
        saved_usd=Decimal("0.000027"),
    )
    return ended(edge=edge, duration=0.00002, **fields)


def coalesced() -> CallEnded:
    """A call that an identical one answered."""
    edge = ResponseMetadata(
        provider="openai", model="gpt-4o-mini", coalesced=True, cost_usd=Decimal(0), saved_usd=Decimal("0.000027")
    )
    return ended(edge=edge)


def failed(error: BaseException, attempts: tuple[Attempt, ...] = ()) -> CallEnded:
    """A call that nobody answered."""
    return ended(edge=ResponseMetadata(attempts=attempts), vendor=None, completion=None, error=error)
