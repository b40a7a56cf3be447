"""Which targets a pattern means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from edgeagent.types import Target

__all__ = ["first_matching", "matches"]


def matches(pattern: str, target: Target) -> bool:
    """Whether `"provider"`, `"provider/model"` or a pattern of either with `*` and `?` means the target."""
    return fnmatchcase(target.provider, pattern) or fnmatchcase(str(target), pattern)


def first_matching(patterns: Iterable[str], targets: Sequence[Target]) -> list[Target]:
    """The targets in the order of the patterns that mean them, each once; those that none means are left out."""
    return list(dict.fromkeys(target for pattern in patterns for target in targets if matches(pattern, target)))
