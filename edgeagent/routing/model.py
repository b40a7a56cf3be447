"""By the name of the model that was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from edgeagent.routing.outlook import Outlook
from edgeagent.routing.patterns import first_matching
from edgeagent.types import AnyRequest, Target

__all__ = ["ModelRouter"]


@dataclass(frozen=True)
class ModelRouter:
    """Names and patterns of models → patterns of targets, most wanted first.

    Args:
        rules: the first that matches the request's `model` counts: its targets are tried in their order, and no others.
            A name that no rule matches keeps its targets as they are, those of exactly that model first.
    """

    rules: Mapping[str, str | Sequence[str]] = field(default_factory=dict)

    def plan(self, request: AnyRequest, targets: Sequence[Target], health: Outlook, /) -> Sequence[Target]:
        """The targets that the rule for the model names."""
        for pattern, wanted in self.rules.items():
            if fnmatchcase(request.model, pattern):
                return first_matching((wanted,) if isinstance(wanted, str) else wanted, targets)
        return sorted(targets, key=lambda target: request.model not in (target.model, str(target)))
