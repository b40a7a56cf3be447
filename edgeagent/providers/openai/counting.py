"""Usage as servers of OpenAI's shape count it, made into OpenAI's meaning. Their own counters are kept beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.types import CompletionUsage
from edgeagent.types.usage import CompletionTokensDetails, PromptTokensDetails

__all__ = ["count"]

_CACHED: Final = (
    ("prompt_cache_hit_tokens",),  # DeepSeek: https://api-docs.deepseek.com/guides/kv_cache
    ("cached_tokens",),  # Together, Moonshot
    ("prompt_token_details", "cached_tokens"),  # Writer
)
_REASONING: Final = (
    ("reasoning_tokens",),  # Together, GitHub Copilot, Perplexity
    ("completion_token_details", "reasoning_tokens"),  # Writer
)


def count(usage: CompletionUsage | None) -> None:
    """In place: reasoning that is counted apart (xAI) is output, and parts have the places where OpenAI has them."""
    if usage is None:
        return
    details = usage.completion_tokens_details
    reasoning = details.reasoning_tokens if details is not None else None
    if reasoning and usage.total_tokens == usage.prompt_tokens + usage.completion_tokens + reasoning:
        usage.completion_tokens += reasoning
    extra = usage.model_extra
    if not extra:
        return
    cached = _found(extra, _CACHED)
    if cached is not None:
        if usage.prompt_tokens_details is None:
            usage.prompt_tokens_details = PromptTokensDetails(cached_tokens=cached)
        elif usage.prompt_tokens_details.cached_tokens is None:
            usage.prompt_tokens_details.cached_tokens = cached
    thought = _found(extra, _REASONING)
    if thought is not None:
        if details is None:
            usage.completion_tokens_details = CompletionTokensDetails(reasoning_tokens=thought)
        elif details.reasoning_tokens is None:
            details.reasoning_tokens = thought


def _found(extra: Mapping[str, Any], paths: tuple[tuple[str, ...], ...]) -> int | None:
    for path in paths:
        value: Any = extra
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    return None
