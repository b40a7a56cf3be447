"""The router that changes nothing: targets in the order in which they were configured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgeagent.types import AnyRequest, Target

__all__ = ["FailoverRouter"]


@dataclass(frozen=True)
class FailoverRouter:
    """First target first; each later one only after those before it failed."""

    def plan(self, request: AnyRequest, targets: Sequence[Target], health: Any, /) -> Sequence[Target]:
        """The targets as they are."""
        return targets
