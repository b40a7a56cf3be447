"""By what a predicate says of the request and its tags."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from edgeagent.routing.base import Router
from edgeagent.routing.failover import FailoverRouter
from edgeagent.routing.outlook import Outlook
from edgeagent.routing.patterns import first_matching
from edgeagent.types import AnyRequest, Target

__all__ = ["Choice", "ConditionalRouter", "Predicate", "chosen", "tagged"]

Predicate: TypeAlias = Callable[[AnyRequest, tuple[str, ...]], bool]
"""A request and its tags → whether the rule holds."""
Choice: TypeAlias = Router | str | Sequence[str]
"""A router, or patterns of targets, most wanted first."""


def tagged(tag: str) -> Predicate:
    """Holds for calls with that tag."""
    return lambda _, tags: tag in tags


def chosen(choice: Choice, request: AnyRequest, targets: Sequence[Target], health: Outlook) -> Sequence[Target]:
    """The targets as a choice orders them."""
    if isinstance(choice, Router):
        return choice.plan(request, targets, health)
    return first_matching((choice,) if isinstance(choice, str) else choice, targets)


@dataclass(frozen=True)
class ConditionalRouter:
    """The first rule that holds says which targets are tried, and in which order.

    Args:
        rules: predicates, each with a router or with patterns of targets.
        otherwise: where none holds, or where one leaves no target.
    """

    rules: Sequence[tuple[Predicate, Choice]]
    otherwise: Choice = field(default_factory=FailoverRouter)

    def plan(self, request: AnyRequest, targets: Sequence[Target], health: Outlook, /) -> Sequence[Target]:
        """The targets of the first rule that holds."""
        for holds, choice in self.rules:
            if holds(request, health.tags):
                return chosen(choice, request, targets, health) or chosen(self.otherwise, request, targets, health)
        return chosen(self.otherwise, request, targets, health)
