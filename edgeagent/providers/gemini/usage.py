"""Token usage between Google's counters and OpenAI's.

`promptTokenCount` counts the cached tokens too, but not those that server tools read back into the prompt
(`toolUsePromptTokenCount`); `candidatesTokenCount` leaves thoughts out. OpenAI's two counters hold all of it. The
vendor's other fields (details by modality, `trafficType`, …) are kept as extras.

Source: https://ai.google.dev/api/generate-content#UsageMetadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.types import CompletionTokensDetails, CompletionUsage, PromptTokensDetails

__all__ = ["decode_usage", "encode_usage", "service_tier_of"]

_MERGED: Final = frozenset(
    {
        *("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "cachedContentTokenCount"),
        "totalTokenCount",
    }
)
_TIERS: Final[Mapping[str, str]] = {"standard": "default"}


def decode_usage(usage: Mapping[str, Any]) -> CompletionUsage:
    """The vendor's usage → ours. Raises `ValueError` for a counter that is no number of tokens."""
    prompt = (_count(usage, "promptTokenCount") or 0) + (_count(usage, "toolUsePromptTokenCount") or 0)
    thoughts = _count(usage, "thoughtsTokenCount")
    output = (_count(usage, "candidatesTokenCount") or 0) + (thoughts or 0)
    values: dict[str, Any] = {name: value for name, value in usage.items() if name not in _MERGED}
    total = _count(usage, "totalTokenCount")
    if total is not None and total != prompt + output:
        values["totalTokenCount"] = total
    cached = _count(usage, "cachedContentTokenCount")
    media = _media(usage.get("promptTokensDetails"))
    read = _media(usage.get("cacheTokensDetails"))
    details: dict[str, Any] = {} if cached is None else {"cached_tokens": cached}
    for kind in media:
        details[f"{kind}_tokens"] = max(0, media[kind] - read.get(kind, 0))  # the parts are disjoint
    if details:
        values["prompt_tokens_details"] = PromptTokensDetails(**details)
    made: dict[str, Any] = {} if thoughts is None else {"reasoning_tokens": thoughts}
    made.update({f"{kind}_tokens": n for kind, n in _media(usage.get("candidatesTokensDetails")).items()})
    if made:
        values["completion_tokens_details"] = CompletionTokensDetails(**made)
    values.update(prompt_tokens=prompt, completion_tokens=output, total_tokens=prompt + output)
    return CompletionUsage(**values)


def encode_usage(usage: CompletionUsage) -> dict[str, Any]:
    """Our usage → the vendor's."""
    extra = dict(usage.model_extra or {})
    tools = extra.get("toolUsePromptTokenCount")
    details, made = usage.prompt_tokens_details, usage.completion_tokens_details
    thoughts = made.reasoning_tokens if made else None
    result: dict[str, Any] = {
        "promptTokenCount": max(0, usage.prompt_tokens - (tools if isinstance(tools, int) else 0)),
        "candidatesTokenCount": max(0, usage.completion_tokens - (thoughts or 0)),
        "totalTokenCount": usage.total_tokens,
    }
    if details is not None and details.cached_tokens is not None:
        result["cachedContentTokenCount"] = details.cached_tokens
    if thoughts is not None:
        result["thoughtsTokenCount"] = thoughts
    return {**result, **extra}


def service_tier_of(usage: Mapping[str, Any]) -> str | None:
    """The tier that served the request, in OpenAI's words where it has the same."""
    tier = usage.get("serviceTier")
    return _TIERS.get(tier.lower(), tier.lower()) if isinstance(tier, str) else None


def _count(usage: Mapping[str, Any], name: str) -> int | None:
    value = usage.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"usageMetadata.{name} is no number of tokens")
    return value


def _media(details: Any) -> dict[str, int]:
    """Tokens of audio and images; numbers are those of `MediaModality`."""
    found: dict[str, int] = {}
    kinds = {"IMAGE": "image", "AUDIO": "audio", 2: "image", 4: "audio"}
    for entry in details if isinstance(details, list) else ():
        kind = entry.get("modality") if isinstance(entry, Mapping) else None
        count = entry.get("tokenCount") if isinstance(entry, Mapping) else None
        if isinstance(kind, str | int) and kind in kinds and isinstance(count, int) and count >= 0:
            found[kinds[kind]] = found.get(kinds[kind], 0) + count
    return found
