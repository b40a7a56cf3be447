"""A cheap model for easy prompts, a strong one for hard ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from edgeagent.routing.base import Router
from edgeagent.routing.conditional import Choice, chosen
from edgeagent.routing.cost import CostRouter
from edgeagent.routing.ordering import followed_by
from edgeagent.routing.outlook import Outlook
from edgeagent.types import AnyRequest, ChatRequest, Target

__all__ = ["Predictor", "QualityRouter", "difficulty"]

Predictor: TypeAlias = Callable[[AnyRequest], float]
"""A request → how hard it is, between 0 and 1."""

_HARD: Final = re.compile(
    r"\b(prove|proof|derive|theorem|optimi[sz]e|refactor|debug|algorithm|complexity|concurren\w+|analy[sz]e"
    r"|step by step|trade-?offs?|architecture|legal|diagnos\w+|integral|differential|why)\b|```|[∑∫√≤≥∀∃]",
    re.IGNORECASE,
)


def difficulty(request: AnyRequest) -> float:
    """A rule of thumb without a model: length, code, mathematics, words of reasoning, tools, turns.

    It reads the last message of the user. A trained predictor is better: this one only tells a greeting from a task.
    """
    if not isinstance(request, ChatRequest):
        return 0.0
    text = next((_text(m.get("content")) for m in reversed(request.messages) if m.get("role") == "user"), "")
    score = min(len(text) / 4000, 0.4) + min(0.15 * len(_HARD.findall(text)), 0.45)
    score += 0.1 * bool(request.tools) + min(0.01 * len(request.messages), 0.1)
    score += {"high": 0.5, "xhigh": 0.5, "medium": 0.1}.get(request.reasoning_effort or "", 0.0)
    return min(score, 1.0)


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else ()
    return "\n".join(str(part["text"]) for part in parts if isinstance(part, dict) and "text" in part)


@dataclass(frozen=True)
class QualityRouter:
    """The weak targets where the predictor says less than the threshold, else the strong ones; the others after them.

    Args:
        strong: a router, or patterns of the targets for hard prompts; None: the dearest first.
        weak: the same for easy ones; None: the cheapest first.
        threshold: between 0 and 1; a lower one asks the strong targets more often.
        predictor: how hard a request is; default: a rule of thumb.
    """

    strong: Choice | None = None
    weak: Choice | None = None
    threshold: float = 0.3
    predictor: Predictor = difficulty
    by_price: Router = field(default_factory=CostRouter)

    def plan(self, request: AnyRequest, targets: Sequence[Target], health: Outlook, /) -> Sequence[Target]:
        """The targets that are good enough."""
        hard = self.predictor(request) >= self.threshold
        choice = self.strong if hard else self.weak
        if choice is not None:
            return followed_by(chosen(choice, request, targets, health), targets)
        cheapest = self.by_price.plan(request, targets, health)
        return list(reversed(cheapest)) if hard else cheapest
