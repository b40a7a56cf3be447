"""What encoding one request left out and changed: the parts of `Encoded` that grow while it is written."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["Notes"]

_INDEX: Final = re.compile(r"\[\d+\]")


class Notes:
    """Collects `dropped` and `edits`, each entry once and in order."""

    __slots__ = ("_dropped", "_edits")

    def __init__(self) -> None:
        self._dropped: dict[str, None] = {}
        self._edits: dict[str, None] = {}

    def drop(self, name: str) -> None:
        """A parameter or a field was left out. Indices are taken out of the name: one entry for all messages."""
        self._dropped[_INDEX.sub("", name)] = None

    def edit(self, sentence: str) -> None:
        """Something was changed beyond plain translation."""
        self._edits[sentence] = None

    @property
    def dropped(self) -> tuple[str, ...]:
        """The names of what was left out."""
        return tuple(self._dropped)

    @property
    def edits(self) -> tuple[str, ...]:
        """What was changed, in words."""
        return tuple(self._edits)
