"""`reasoning_effort`: how much Claude thinks.

By model: `output_config.effort` with adaptive thinking where it exists, a thinking budget on the older models, nothing
before Claude 3.7. The caller's own `thinking` or `output_config.effort` (extra parameters) win over it.

Sources: https://platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting (which configuration each model
takes), /extended-thinking (budgets: at least 1,024, below `max_tokens`, batches above 32k), /effort (levels), /thinking
(sampling parameters and forced tools beside thinking), /thinking-tool-workflows (one configuration for a whole turn).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from edgeagent.errors import RequestValidationError
from edgeagent.providers.claude import ModelFacts
from edgeagent.providers.notes import Notes
from edgeagent.types import ChatRequest

__all__ = ["BUDGETS", "encode_thinking", "is_thinking", "is_unthought"]

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
_THOUGHTS: Final = frozenset({"thinking", "redacted_thinking", "reasoningContent"})
_CALLS: Final = frozenset({"tool_use", "toolUse"})
_RESULTS: Final = frozenset({"tool_result", "toolResult"})
"""Kinds of blocks, here and on Bedrock."""


def encode_thinking(
    request: ChatRequest, facts: ModelFacts, notes: Notes, *, forced: bool, unthought: bool
) -> tuple[dict[str, Any] | None, str | None]:
    """`thinking` and `output_config.effort` for the request; either may be None. Raises `RequestValidationError`.

    `forced` says that a tool call is demanded, beside which a budget is refused; `unthought` what `is_unthought` says.
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
    budget = None if forced or unthought else _budget(BUDGETS[effort], request.output_limit)
    level = _level(effort, facts, notes) if facts.efforts else None
    if budget is None:
        reason = "max_tokens leaves no room for it."
        if unthought:
            reason = "the turn of tool calls that goes on began without it."
        notes.edit("Thinking is off: " + ("a tool call is forced." if forced else reason))
        if level is None:
            notes.drop("reasoning_effort")
        return None, level
    return {"type": "enabled", "budget_tokens": budget}, level


def is_unthought(turns: Iterable[tuple[str, Sequence[str]]]) -> bool:
    """Whether the conversation stops at the results of tools, and nothing was thought before their calls.

    Its calls are another model's, or came back without their thinking, which most programs do not keep. A budget is
    refused then: the whole of a turn with tools thinks, or none of it.

    Args:
        turns: the roles of the messages and the kinds of their blocks, the last one first.
    """
    called = False
    for role, kinds in turns:
        if role == "user":
            if _RESULTS.isdisjoint(kinds):  # the turn's beginning
                break
        elif role == "assistant":
            if kinds and kinds[0] in _THOUGHTS:
                return False
            called = called or not _CALLS.isdisjoint(kinds)
    return called


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
