"""Token usage between Anthropic's counters and OpenAI's.

Anthropic's `input_tokens` leaves cache reads and writes out, OpenAI's `prompt_tokens` counts all input. The vendor's
other counters (`cache_creation` by lifetime, `server_tool_use`, `service_tier`, `iterations`, …) are kept as extras.

Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching#tracking-cache-performance.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.types import CompletionTokensDetails, CompletionUsage, PromptTokensDetails

__all__ = ["COUNTERS", "decode_usage", "encode_usage"]

COUNTERS: Final = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


def decode_usage(usage: Mapping[str, Any]) -> CompletionUsage:
    """The vendor's usage, checked, → ours. Raises `ValueError` for a counter that is no number of tokens."""
    counts = {name: _count(usage, name) for name in COUNTERS}
    read, written = counts["cache_read_input_tokens"], counts["cache_creation_input_tokens"]
    prompt = (counts["input_tokens"] or 0) + (read or 0) + (written or 0)
    output = counts["output_tokens"] or 0
    values: dict[str, Any] = {name: value for name, value in usage.items() if name not in COUNTERS}
    if read is not None or written is not None:
        values["prompt_tokens_details"] = PromptTokensDetails(cached_tokens=read, cache_write_tokens=written)
    thinking = _thinking_tokens(usage)
    if thinking is not None:
        values["completion_tokens_details"] = CompletionTokensDetails(reasoning_tokens=thinking)
    values.update(prompt_tokens=prompt, completion_tokens=output, total_tokens=prompt + output)
    return CompletionUsage(**values)


def encode_usage(usage: CompletionUsage | None, service_tier: str | None = None) -> dict[str, Any]:
    """Our usage → the vendor's; zeros where nothing is known, since its clients expect the two counters."""
    if usage is None:
        return {"input_tokens": 0, "output_tokens": 0}
    details = usage.prompt_tokens_details
    read = details.cached_tokens if details else None
    written = details.cache_write_tokens if details else None
    result: dict[str, Any] = {"input_tokens": max(0, usage.prompt_tokens - (read or 0) - (written or 0))}
    if written is not None:
        result["cache_creation_input_tokens"] = written
    if read is not None:
        result["cache_read_input_tokens"] = read
    result["output_tokens"] = usage.completion_tokens
    reasoning = usage.completion_tokens_details and usage.completion_tokens_details.reasoning_tokens
    if reasoning is not None:
        result["output_tokens_details"] = {"thinking_tokens": reasoning}
    if service_tier is not None:
        result["service_tier"] = {"default": "standard"}.get(service_tier, service_tier)
    return {**result, **(usage.model_extra or {})}


def _count(usage: Mapping[str, Any], name: str) -> int | None:
    value = usage.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"usage.{name} is no number of tokens")
    return value


def _thinking_tokens(usage: Mapping[str, Any]) -> int | None:
    details = usage.get("output_tokens_details")
    return _count(details, "thinking_tokens") if isinstance(details, Mapping) else None
