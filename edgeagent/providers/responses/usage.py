"""Usage, both directions. The counts mean the same: input includes what was cached, output includes reasoning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeagent.types import CompletionTokensDetails, CompletionUsage, PromptTokensDetails

__all__ = ["decode_usage", "encode_usage"]

_READ = frozenset({"input_tokens", "input_tokens_details", "output_tokens", "output_tokens_details", "total_tokens"})


def decode_usage(usage: Any) -> CompletionUsage:
    """The vendor's usage → ours, its other counters kept. Raises `ValueError` for what is no number of tokens."""
    if not isinstance(usage, Mapping):
        raise ValueError("usage is no object")
    read, written = _count(usage, "input_tokens"), _count(usage, "output_tokens")
    values: dict[str, Any] = {name: value for name, value in usage.items() if name not in _READ}
    values.update(prompt_tokens=read, completion_tokens=written)
    values["total_tokens"] = read + written if usage.get("total_tokens") is None else _count(usage, "total_tokens")
    for ours, theirs, model in (
        ("prompt_tokens_details", "input_tokens_details", PromptTokensDetails),
        ("completion_tokens_details", "output_tokens_details", CompletionTokensDetails),
    ):
        details = usage.get(theirs)
        if details is not None:
            values[ours] = model.model_validate(details)
    return CompletionUsage(**values)


def _count(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"usage.{name} is no number of tokens")
    return value


def encode_usage(usage: CompletionUsage) -> dict[str, Any]:
    """Our usage → the vendor's; the details that its clients expect are always there."""
    read = usage.prompt_tokens_details
    written = usage.completion_tokens_details
    return {
        **(usage.model_extra or {}),
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {
            "cached_tokens": 0,
            "cache_write_tokens": 0,
            **(read.to_dict(exclude_none=True) if read else {}),
        },
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0, **(written.to_dict(exclude_none=True) if written else {})},
        "total_tokens": usage.total_tokens,
    }
