"""`reasoning_effort`: a level from Gemini 3 on, a budget of tokens for 2.5, nothing before.

The caller's own `thinkingConfig` wins over it. Thoughts are asked for with it, since nothing else tells the reasoning.

Sources: https://ai.google.dev/gemini-api/docs/thinking (levels, budgets, which models cannot stop thinking),
https://ai.google.dev/gemini-api/docs/openai#thinking (the budgets for OpenAI's efforts).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.errors import RequestValidationError
from edgeagent.providers.gemini.models import ModelFacts
from edgeagent.providers.notes import Notes

__all__ = ["BUDGETS", "effort_of", "encode_thinking"]

_EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")

BUDGETS: Final[Mapping[str, int]] = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24_576, "xhigh": 32_768}
"""Thinking tokens for an effort, on models that take a budget: Google's own table for OpenAI's efforts, up to `high`.
`xhigh`, which Google has not, is the most that a model of these takes (2.5 Pro)."""
_EFFORT_OF: Final[Mapping[str, int]] = {**BUDGETS, "minimal": 512}
"""The other way, the least effort that has the tokens; Google's two names for one budget are told apart."""


def encode_thinking(effort: str | None, facts: ModelFacts, notes: Notes) -> dict[str, Any] | None:
    """`thinkingConfig`; None where the model does not think, or nothing is asked. Raises `RequestValidationError`."""
    if effort is None:
        return None
    if effort not in _EFFORTS:
        raise RequestValidationError("reasoning_effort is none of the documented values.", param="reasoning_effort")
    if facts.thinking == "none":
        if effort != "none":
            notes.drop("reasoning_effort")
        return None
    if facts.thinking == "level":
        level = _level(effort, facts, notes)
        return {"thinkingLevel": level, **({} if effort == "none" else {"includeThoughts": True})}
    if effort == "none":
        if facts.least_budget:
            notes.edit("This model always thinks; its smallest budget is asked for.")
        return {"thinkingBudget": facts.least_budget}
    budget = min(BUDGETS.get(effort, facts.max_budget), facts.max_budget)
    return {"thinkingBudget": budget, "includeThoughts": True}


def _level(effort: str, facts: ModelFacts, notes: Notes) -> str:
    """The effort, or the nearest level that the model has: the next lower, else its lowest."""
    if effort == "none":
        notes.edit("This model always thinks; its lowest level is asked for.")
        return facts.levels[0]
    possible = [level for level in facts.levels if _EFFORTS.index(level) <= _EFFORTS.index(effort)]
    level = possible[-1] if possible else facts.levels[0]
    if level != effort:
        notes.edit(f"reasoning_effort {effort} is asked for as {level}.")
    return level


def effort_of(config: Any) -> str | None:
    """A `thinkingConfig` as a `reasoning_effort`, for other vendors; None where it sets neither level nor budget."""
    if not isinstance(config, Mapping):
        return None
    level, budget = config.get("thinkingLevel"), config.get("thinkingBudget")
    if isinstance(level, str) and level.lower() in _EFFORTS:
        return level.lower()
    if not isinstance(budget, int) or isinstance(budget, bool) or budget < 0:  # -1: the model decides
        return None
    if budget == 0:
        return "none"
    return next((name for name, tokens in _EFFORT_OF.items() if budget <= tokens), "xhigh")
