"""Gemini's usage, both ways: thoughts are output, what tools read is input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeagent.types import CompletionTokensDetails, CompletionUsage, PromptTokensDetails

__all__ = ["metadata_of", "usage_of"]

RAW = "usageMetadata"


def usage_of(metadata: object) -> CompletionUsage | None:
    """`usageMetadata` → usage; the vendor's own object is kept beside it as `usageMetadata`."""
    if not isinstance(metadata, Mapping) or not metadata:
        return None
    thoughts = _count(metadata, "thoughtsTokenCount")
    prompt = _count(metadata, "promptTokenCount") + _count(metadata, "toolUsePromptTokenCount")
    completion = _count(metadata, "candidatesTokenCount") + thoughts
    told = PromptTokensDetails(cached_tokens=_count(metadata, "cachedContentTokenCount"))
    made = CompletionTokensDetails(reasoning_tokens=thoughts)
    spoken, heard = _audio(metadata, "candidatesTokensDetails"), _audio(metadata, "promptTokensDetails")
    if heard:
        told.audio_tokens = heard
    if spoken:
        made.audio_tokens = spoken
    return CompletionUsage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=_count(metadata, "totalTokenCount") or prompt + completion,
        prompt_tokens_details=told,
        completion_tokens_details=made,
        **{RAW: dict(metadata)},
    )


def metadata_of(usage: CompletionUsage) -> dict[str, Any]:
    """Usage → `usageMetadata`."""
    raw = (usage.model_extra or {}).get(RAW)
    if isinstance(raw, dict):
        return raw
    details, made = usage.prompt_tokens_details, usage.completion_tokens_details
    thoughts = (made.reasoning_tokens if made is not None else None) or 0
    cached = (details.cached_tokens if details is not None else None) or 0
    told = {
        "promptTokenCount": usage.prompt_tokens,
        "candidatesTokenCount": usage.completion_tokens - thoughts,
        "totalTokenCount": usage.total_tokens,
    }
    if thoughts:
        told["thoughtsTokenCount"] = thoughts
    if cached:
        told["cachedContentTokenCount"] = cached
    return told


def _count(metadata: Mapping[str, Any], name: str) -> int:
    value = metadata.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _audio(metadata: Mapping[str, Any], name: str) -> int:
    details = metadata.get(name)
    found = [each for each in details if isinstance(each, Mapping)] if isinstance(details, list) else []
    return sum(_count(each, "tokenCount") for each in found if each.get("modality") == "AUDIO")
