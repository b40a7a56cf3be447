"""How an API of OpenAI's shape differs from OpenAI's own, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["COMPATIBLE", "OWN", "Quirks"]


@dataclass(frozen=True, slots=True)
class Quirks:
    """What the codec must know of an API; the defaults are OpenAI's own.

    Args:
        documented_ranges: numbers are refused outside the ranges that OpenAI documents; other servers have their own.
        cache_hints: `cache_control` on content parts, messages and tools is sent on rather than dropped.
        output_limit_renamed: prefixes of models that take `max_completion_tokens` and refuse the older `max_tokens`.
    """

    documented_ranges: bool = True
    cache_hints: bool = False
    output_limit_renamed: tuple[str, ...] = ("gpt-5", "o1", "o3", "o4")


OWN: Final = Quirks()
"""OpenAI and Azure OpenAI. `max_tokens` is "not compatible with o-series models" by the API reference, and GPT-5 models
refuse it in the same way."""

COMPATIBLE: Final = Quirks(documented_ranges=False, cache_hints=True, output_limit_renamed=())
"""A server of which nothing is known: it is sent what the caller said."""
