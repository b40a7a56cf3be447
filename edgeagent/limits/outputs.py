"""The most output tokens that models give, where their provider does not say it.

For the worst case of a call, and for the limit of one that was meant for another model.

Source: https://platform.openai.com/docs/models («max output tokens» of each model's page).
"""

from __future__ import annotations

from typing import Final

__all__ = ["ASSUMED_OUTPUT", "output_of"]

ASSUMED_OUTPUT: Final = 4096
"""For a model of which nothing is known, not even its context window."""

_OUTPUTS: Final = (
    ("gpt-5-chat", 16_384),
    ("gpt-5", 128_000),
    ("gpt-4.1", 32_768),
    ("gpt-4o-2024-05-13", 4_096),
    ("gpt-4o", 16_384),
    ("chatgpt-4o", 16_384),
    ("gpt-4-turbo", 4_096),
    ("gpt-4-1106", 4_096),
    ("gpt-4-0125", 4_096),
    ("gpt-4", 8_192),
    ("gpt-3.5-turbo", 4_096),
    ("o1-mini", 65_536),
    ("o1-preview", 32_768),
    ("o1", 100_000),
    ("o3", 100_000),
    ("o4-mini", 100_000),
)


def output_of(model: str) -> int | None:
    """What is known of a model by its name, with or without a maker's before it (`openai/gpt-4o`)."""
    name = model.rpartition("/")[2].lower()
    return next((limit for start, limit in _OUTPUTS if name.startswith(start)), None)
