"""Token usage between Cohere's counters and OpenAI's.

`tokens` are what the model read and wrote, `billed_units` what is paid for (without the vendor's own preamble): prompt
and completion are of `tokens`, `billed_units` is kept. The tokens of images stand beside `tokens.input_tokens` and not
in it (recorded: 518 of images, 501 of input), cached tokens are part of it.

https://docs.cohere.com/v2/reference/chat (`usage`)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.providers.events import UnexpectedFormError
from edgeagent.types import CompletionTokensDetails, CompletionUsage, PromptTokensDetails

__all__ = ["decode_usage", "encode_usage"]

_READ: Final = frozenset({"tokens", "cached_tokens"})
_MOST: Final = 2**53
"""Floats beyond it are no exact counts."""
_COUNTERS: Final = frozenset({"input_tokens", "output_tokens", "image_tokens", "reasoning_tokens"})


def decode_usage(usage: Any) -> CompletionUsage | None:
    """The vendor's usage → ours; None if it counts nothing. Raises `UnexpectedFormError`."""
    if usage is None or usage == {}:
        return None
    if not isinstance(usage, Mapping):
        raise UnexpectedFormError("usage is not an object")
    tokens = _object(usage, "tokens")
    counted = tokens or _object(usage, "billed_units")
    images, cached = _count(tokens, "image_tokens"), _count(usage, "cached_tokens")
    prompt = (_count(counted, "input_tokens") or 0) + (images or 0)
    completion = _count(counted, "output_tokens") or 0
    values: dict[str, Any] = {name: value for name, value in usage.items() if name not in _READ}
    if images is not None or cached is not None:
        given = {"cached_tokens": cached, "image_tokens": images}
        details = {name: value for name, value in given.items() if value is not None}
        values["prompt_tokens_details"] = PromptTokensDetails(**details)
    if (reasoning := _count(tokens, "reasoning_tokens")) is not None:
        values["completion_tokens_details"] = CompletionTokensDetails(reasoning_tokens=reasoning)
    if rest := {name: value for name, value in tokens.items() if name not in _COUNTERS}:
        values["tokens"] = rest
    values.update(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)
    return CompletionUsage(**values)


def encode_usage(usage: CompletionUsage | None) -> dict[str, Any]:
    """Our usage → the vendor's; empty where nothing is known."""
    if usage is None:
        return {}
    extra = dict(usage.model_extra or {})
    details, output = usage.prompt_tokens_details, usage.completion_tokens_details
    images = details.image_tokens if details is not None else None
    tokens: dict[str, Any] = {
        "input_tokens": max(0, usage.prompt_tokens - (images or 0)),
        "output_tokens": usage.completion_tokens,
        **(extra.pop("tokens", None) or {}),
    }
    if output is not None and output.reasoning_tokens is not None:
        tokens["reasoning_tokens"] = output.reasoning_tokens
    if images is not None:
        tokens["image_tokens"] = images
    result = {**extra, "tokens": tokens}
    if details is not None and details.cached_tokens is not None:
        result["cached_tokens"] = details.cached_tokens
    return result


def _object(usage: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = usage.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise UnexpectedFormError(f"usage.{name} is not an object")
    return value


def _count(usage: Mapping[str, Any], name: str) -> int | None:
    value = usage.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < _MOST or value % 1:
        raise UnexpectedFormError(f"usage.{name} is no number of tokens")
    return int(value)  # the vendor's types have it as a float
