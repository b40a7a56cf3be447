"""What Google documents of its models, as far as a request's form depends on it.

Rules over the version in the name instead of a list, so that tomorrow's model is treated like the newest known one.
Sources: https://ai.google.dev/gemini-api/docs/models, /thinking (budgets of 2.5, levels from 3 on), /thought-signatures
(demanded from 3 on), /structured-output (JSON Schema from 2.5 on, together with tools from 3 on), /function-calling
(multimodal function responses from 3 on).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

__all__ = ["ModelFacts", "bare_model", "model_facts"]

_VERSION: Final = re.compile(r"gemini-(?:[a-z]+-)*?(\d+)(?:\.(\d+))?(?:-|$)")
_NEWEST: Final = (99, 0)


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What one model accepts.

    Attributes:
        version: of Gemini; (0, 0) for other models (Gemma, embeddings, images).
        thinking: not at all, a budget of tokens, or a level.
        levels: of thinking, lowest first.
        least_budget: the smallest budget; 0 turns thinking off.
        max_budget: the largest budget.
        json_schema: whether the JSON Schema fields exist, or only the OpenAPI ones.
        json_with_tools: whether a response schema may stand beside function declarations.
        signatures: whether calls without a thought signature are refused.
        media_results: whether function responses hold images.
        penalties: whether presence and frequency penalties are taken. Refused since 2.5: "Penalty is not enabled for
            models/gemini-2.5-flash" (https://github.com/vercel/ai/issues/8943, /google-gemini/cookbook/issues/1290).
        context_window: input tokens, None when not known.
        max_output: output tokens, None when not known.
    """

    version: tuple[int, int]
    thinking: Literal["none", "budget", "level"]
    levels: tuple[str, ...]
    least_budget: int
    max_budget: int
    json_schema: bool
    json_with_tools: bool
    signatures: bool
    media_results: bool
    penalties: bool
    context_window: int | None
    max_output: int | None


def bare_model(model: str) -> str:
    """`models/gemini-2.5-flash`, or a path that ends in `/models/…`, → `gemini-2.5-flash`."""
    return model.rpartition("models/")[2]


@lru_cache(maxsize=256)
def model_facts(model: str) -> ModelFacts:
    """The facts of a model by its name, with or without `models/` and what stands before it."""
    name = bare_model(model).lower()
    version = _version(name)
    is_pro = "-pro" in name
    is_image = "image" in name or "tts" in name
    thinking: Literal["none", "budget", "level"] = "none"
    if version >= (3, 0):
        thinking = "level"
    elif version >= (2, 5) and not is_image:
        thinking = "budget"
    levels: tuple[str, ...] = ("minimal", "low", "medium", "high")
    if is_pro:
        levels = ("low", "high") if version == (3, 0) else ("low", "medium", "high")
    known = version >= (1, 5) and not is_image
    return ModelFacts(
        version=version,
        thinking=thinking,
        levels=levels,
        least_budget=128 if is_pro else 0,
        max_budget=32_768 if is_pro else 24_576,
        json_schema=version >= (2, 5),
        json_with_tools=version >= (3, 0),
        signatures=version >= (3, 0),
        media_results=version >= (3, 0),
        penalties=version < (2, 5),
        context_window=1_048_576 if known else None,
        max_output=65_536 if known and version >= (2, 5) else 8192 if known else None,
    )


def _version(name: str) -> tuple[int, int]:
    found = _VERSION.search(name)
    if found is not None:
        return int(found[1]), int(found[2] or 0)
    return _NEWEST if name.startswith("gemini-") else (0, 0)
