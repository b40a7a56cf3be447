"""What OpenAI's models cannot do, as far as it is certain. Every other model can do everything, until OpenAI says no.

Sources: the model pages at https://platform.openai.com/docs/models (modalities, structured outputs), the API reference
(`stop` is "not supported with latest reasoning models o3 and o4-mini"), and recorded refusals.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from edgeagent.providers.base import ALL_CAPABILITIES, Capabilities, Feature

__all__ = ["FAMILIES", "capabilities"]

FAMILIES: Final = ("gpt-", "chatgpt-", "o1", "o3", "o4", "ft:gpt-", "ft:o1", "ft:o3", "ft:o4")
"""How the names of OpenAI's chat models begin."""

_LACKS: Final[Mapping[str, frozenset[Feature]]] = {
    "gpt-3.5": frozenset({"vision", "documents", "audio", "json_schema", "reasoning"}),
    "gpt-4": frozenset({"vision", "documents", "audio", "json_schema", "reasoning"}),
    "gpt-4-vision": frozenset({"audio", "json_schema", "reasoning"}),
    "gpt-4-turbo": frozenset({"audio", "json_schema", "reasoning"}),
    "gpt-4.1": frozenset({"audio", "reasoning"}),
    "gpt-4o": frozenset({"audio", "reasoning"}),
    "gpt-4o-2024-05-13": frozenset({"audio", "json_schema", "reasoning"}),
    "gpt-4o-audio": frozenset({"vision", "json_schema", "reasoning"}),
    "gpt-4o-mini-audio": frozenset({"vision", "json_schema", "reasoning"}),
    "gpt-5.6": frozenset({"stop", "logprobs"}),
    "gpt-audio": frozenset({"vision", "json_schema", "logprobs", "reasoning"}),
    "o1": frozenset({"audio", "logprobs"}),
    "o1-mini": frozenset({"vision", "audio", "logprobs", "stop"}),
    "o3": frozenset({"audio", "logprobs", "stop"}),
    "o3-mini": frozenset({"vision", "audio", "logprobs", "stop"}),
    "o4-mini": frozenset({"audio", "logprobs", "stop"}),
}
"""By the beginning of the name, the longest that fits; it ends where the name ends or goes on with "-"."""


@lru_cache(maxsize=256)  # asked twice for each call
def capabilities(model: str) -> Capabilities:
    """What `model` can do."""
    name = model.removeprefix("ft:").partition(":")[0]
    while name:
        lacks = _LACKS.get(name)
        if lacks is not None:
            return Capabilities(ALL_CAPABILITIES.features - lacks)
        name = name.rpartition("-")[0]
    return ALL_CAPABILITIES
