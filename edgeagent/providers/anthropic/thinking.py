"""`reasoning_effort`: how much Claude thinks.

By model: `output_config.effort` with adaptive thinking where it exists, a thinking budget on the older models, nothing
before Claude 3.7. The caller's own `thinking` or `output_config.effort` (extra parameters) win over it.

Sources: https://platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting (which configuration each model
takes), /extended-thinking (budgets: at least 1,024, below `max_tokens`, batches above 32k), /effort (levels), /thinking
(sampling parameters and forced tools beside thinking).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.errors import RequestValidationError
from edgeagent.providers.claude import ModelFacts
from edgeagent.providers.notes import Notes
from edgeagent.types import ChatRequest

__all__ = ["BUDGETS", "encode_thinking", "is_thinking"]

BUDGETS: Final[Mapping[str, int]] = {
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 16_384,
    "xhigh": 32_000,
    "max": 32_000,
}
"""Thinking tokens for an effort, on models that take a budget."""

_LEAST: Final = 1024


def encode_thinking(
    request: ChatRequest, facts: ModelFacts, notes: Notes, *, forced: bool
) -> tuple[dict[str, Any] | None, str | None]:
    """`thinking` and `output_config.effort` for the request; either may be None. Raises `RequestValidationError`.

    `forced` says that a tool call is demanded, beside which a budget is refused.
    """
    effort = request.reasoning_effort
    if effort is None:
        return None, None
    if effort != "none" and effort not in BUDGETS:
        raise RequestValidationError("reasoning_effort is none of the documented values.", param="reasoning_effort")
    if _has_own(request):
        notes.edit("reasoning_effort gives way to the caller's own thinking parameters.")
        return None, None
    if facts.thinking == "none":
        if effort != "none":
            notes.drop("reasoning_effort")
        return None, None
    if effort == "none":
        return _off(facts, notes)
    if facts.thinking != "manual":
        return {"type": "adaptive"}, _level(effort, facts, notes)
    budget = None if forced else _budget(BUDGETS[effort], request.output_limit)
    level = _level(effort, facts, notes) if facts.efforts else None
    if budget is None:
        notes.edit("Thinking is off: " + ("a tool call is forced." if forced else "max_tokens leaves no room for it."))
        if level is None:
            notes.drop("reasoning_effort")
        return None, level
    return {"type": "enabled", "budget_tokens": budget}, level


def is_thinking(thinking: Any) -> bool:
    """Whether this `thinking` value turns it on in a way that restricts sampling."""
    return isinstance(thinking, Mapping) and thinking.get("type") in ("enabled", "adaptive")


def _has_own(request: ChatRequest) -> bool:
    extra = request.model_extra or {}
    config = extra.get("output_config")
    return "thinking" in extra or (isinstance(config, Mapping) and "effort" in config)


def _off(facts: ModelFacts, notes: Notes) -> tuple[dict[str, Any] | None, str | None]:
    if facts.thinking_off == "omitted":
        return None, None
    if facts.thinking_off == "never":
        notes.edit("This model always thinks; its lowest effort is asked for.")
        return None, facts.efforts[0]
    return {"type": facts.thinking_off}, None


def _level(effort: str, facts: ModelFacts, notes: Notes) -> str:
    """The effort, or the next lower one that the model has."""
    order = ["minimal", "low", "medium", "high", "xhigh", "max"]
    possible = [level for level in facts.efforts if order.index(level) <= order.index(effort)]
    level = possible[-1] if possible else facts.efforts[0]
    if level != effort:
        notes.edit(f"reasoning_effort {effort} is asked for as {level}.")
    return level


def _budget(wanted: int, limit: int | None) -> int | None:
    """At most half of the caller's limit, so that an answer fits; None if too little is left."""
    budget = wanted if limit is None else min(wanted, limit // 2)
    return budget if budget >= _LEAST else None
