"""Token usage between Mistral's counters and OpenAI's.

`prompt_tokens` leaves the tokens of audio out, which are in `total_tokens` all the same: what the total has beyond the
two others is audio (recorded: 11 + 375 + 15 = 401). Cached tokens are part of `prompt_tokens`. Other counters
(`prompt_audio_seconds`, `num_cached_tokens`, `service_tier`) are kept under their own names.

https://docs.mistral.ai/api/endpoint/chat
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.providers.events import UnexpectedFormError
from edgeagent.types import CompletionTokensDetails, CompletionUsage, PromptTokensDetails

__all__ = ["decode_usage", "encode_usage", "service_tier_of"]

_COUNTERS: Final = ("prompt_tokens", "completion_tokens", "total_tokens")
_DETAILS: Final = ("prompt_tokens_details", "completion_tokens_details")


def decode_usage(usage: Any) -> CompletionUsage:
    """The vendor's usage → ours. Raises `UnexpectedFormError` for a counter that is no number of tokens."""
    if not isinstance(usage, Mapping):
        raise UnexpectedFormError("usage is not an object")
    prompt, completion, total = (_count(usage, name) or 0 for name in _COUNTERS)
    audio = max(0, total - prompt - completion)
    given = usage.get("prompt_tokens_details")
    details: dict[str, Any] = dict(given) if isinstance(given, Mapping) else {}
    cached = _count(usage, "num_cached_tokens")
    if cached is not None and details.get("cached_tokens") is None:
        details["cached_tokens"] = cached
    if audio and details.get("audio_tokens") is None:
        details["audio_tokens"] = audio
    values: dict[str, Any] = {k: v for k, v in usage.items() if k not in (*_COUNTERS, *_DETAILS) and v is not None}
    if details:
        values["prompt_tokens_details"] = PromptTokensDetails.model_validate(details)
    if isinstance(output := usage.get("completion_tokens_details"), Mapping):
        values["completion_tokens_details"] = CompletionTokensDetails.model_validate(output)
    prompt += audio
    values.update(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)
    return CompletionUsage(**values)


def encode_usage(usage: CompletionUsage | None) -> dict[str, Any]:
    """Our usage → the vendor's; zeros where nothing is known, since its clients expect the counters."""
    if usage is None:
        return dict.fromkeys(_COUNTERS, 0)
    extra = usage.model_extra or {}
    details = usage.prompt_tokens_details
    apart = details.audio_tokens or 0 if details and "prompt_audio_seconds" in extra else 0
    result: dict[str, Any] = {
        "prompt_tokens": max(0, usage.prompt_tokens - apart),
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }
    for name in _DETAILS:
        part = getattr(usage, name)
        told = part.model_dump(exclude_unset=True, exclude_none=True) if part is not None else None
        if told:
            result[name] = told
    return {**result, **extra}


def service_tier_of(usage: Any) -> str | None:
    """The tier that served the request, in OpenAI's words where it has the same."""
    tier = usage.get("service_tier") if isinstance(usage, Mapping) else None
    return {"standard": "default"}.get(tier, tier) if isinstance(tier, str) else None


def _count(usage: Mapping[str, Any], name: str) -> int | None:
    value = usage.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise UnexpectedFormError(f"usage.{name} is no number of tokens")
    return value
