"""Token usage with OpenAI's meaning for every provider.

`prompt_tokens` counts all input, cache reads and writes included; `completion_tokens` counts all output, reasoning
included. A vendor's own counters that have no place here are kept as extra fields.
"""

from __future__ import annotations

from edgeagent.types._model import Model

__all__ = ["CompletionTokensDetails", "CompletionUsage", "PromptTokensDetails"]


class PromptTokensDetails(Model):
    """Parts of `prompt_tokens`; the parts named here are disjoint, the rest is plain uncached text."""

    audio_tokens: int | None = None
    cached_tokens: int | None = None
    """Read from the provider's prompt cache."""
    cache_write_tokens: int | None = None
    """Written to the provider's prompt cache."""
    image_tokens: int | None = None
    text_tokens: int | None = None


class CompletionTokensDetails(Model):
    """Parts of `completion_tokens`."""

    accepted_prediction_tokens: int | None = None
    audio_tokens: int | None = None
    reasoning_tokens: int | None = None
    rejected_prediction_tokens: int | None = None
    text_tokens: int | None = None


class CompletionUsage(Model):
    """What one completion used, in tokens."""

    completion_tokens: int
    prompt_tokens: int
    total_tokens: int
    completion_tokens_details: CompletionTokensDetails | None = None
    prompt_tokens_details: PromptTokensDetails | None = None
