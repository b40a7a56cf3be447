"""Token usage between Converse's counters and OpenAI's.

Converse's `inputTokens` leaves cache reads and writes out, OpenAI's `prompt_tokens` counts all input. The vendor's
other counters (`serverToolUsage`, `cacheDetails`, the older names of the cache's) are kept as extras.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.types import CompletionUsage, PromptTokensDetails

__all__ = ["COUNTERS", "decode_usage", "encode_usage", "token_count"]

COUNTERS: Final = ("inputTokens", "outputTokens", "totalTokens", "cacheReadInputTokens", "cacheWriteInputTokens")

_OLDER: Final[Mapping[str, str]] = {
    "cacheReadInputTokens": "cacheReadInputTokenCount",
    "cacheWriteInputTokens": "cacheWriteInputTokenCount",
}
"""InvokeModel tells the cache's counters under these names only, Converse under both."""


def decode_usage(usage: Any) -> CompletionUsage:
    """The vendor's usage → ours. Raises `ValueError` for what is no usage."""
    if not isinstance(usage, Mapping):
        raise ValueError("usage is not an object")
    counts = {name: token_count(usage, name) for name in COUNTERS}
    for name, older in _OLDER.items():
        if counts[name] is None:
            counts[name] = token_count(usage, older)
    read, written = counts["cacheReadInputTokens"], counts["cacheWriteInputTokens"]
    prompt = (counts["inputTokens"] or 0) + (read or 0) + (written or 0)
    output = counts["outputTokens"] or 0
    values: dict[str, Any] = {name: value for name, value in usage.items() if name not in COUNTERS}
    if read is not None or written is not None:
        values["prompt_tokens_details"] = PromptTokensDetails(cached_tokens=read, cache_write_tokens=written)
    values.update(prompt_tokens=prompt, completion_tokens=output, total_tokens=prompt + output)
    return CompletionUsage(**values)


def encode_usage(usage: CompletionUsage | None) -> dict[str, Any]:
    """Our usage → the vendor's; zeros where nothing is known, since its clients expect the three counters."""
    if usage is None:
        return {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}
    details = usage.prompt_tokens_details
    read = details.cached_tokens if details else None
    written = details.cache_write_tokens if details else None
    result: dict[str, Any] = dict(usage.model_extra or {})
    result["inputTokens"] = max(0, usage.prompt_tokens - (read or 0) - (written or 0))
    result["outputTokens"] = usage.completion_tokens
    result["totalTokens"] = usage.prompt_tokens + usage.completion_tokens
    if read is not None:
        result["cacheReadInputTokens"] = read
    if written is not None:
        result["cacheWriteInputTokens"] = written
    return result


def token_count(usage: Mapping[str, Any], name: str) -> int | None:
    """A counter; None where there is none. Raises `ValueError` for what is no number of tokens."""
    value = usage.get(name)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"usage.{name} is no number of tokens")
    return value
