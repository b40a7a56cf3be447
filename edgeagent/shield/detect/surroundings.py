"""What stands near a place of a text: the labels before and behind it, and the column that it is in."""

from __future__ import annotations

from typing import Final

from edgeagent.shield.detect.labels import Label, label_after, label_before, label_of
from edgeagent.shield.detect.tables import Columns

__all__ = ["Surroundings"]

_REMEMBERED: Final = 64
"""Places whose labels are kept: more than the runs that start at a group and end at another can ask for again."""


class Surroundings:
    """What stands near the places of one text; it is remembered for the other runs of groups that are there."""

    __slots__ = ("_after", "_before", "_columns", "_kinds_of", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._columns = Columns(text)
        self._before: dict[int, Label | None] = {}
        self._after: dict[int, Label | None] = {}
        self._kinds_of: dict[str, str | None] = {}

    def _label_before(self, start: int) -> Label | None:
        if start not in self._before:
            if len(self._before) >= _REMEMBERED:
                self._before.clear()
            self._before[start] = label_before(self._text, start)
        return self._before[start]

    def _label_after(self, end: int) -> Label | None:
        if end not in self._after:
            if len(self._after) >= _REMEMBERED:
                self._after.clear()
            self._after[end] = label_after(self._text, end)
        return self._after[end]

    def _column(self, start: int) -> str | None:
        name = self._columns.at(start)
        if name is None:
            return None
        if name not in self._kinds_of:
            self._kinds_of[name] = label_of(name)
        return self._kinds_of[name]

    def _denied(self, start: int, within: int) -> bool:
        """Whether a word just before says that this is something else."""
        if self._text[start - 1 : start] == "#":
            return True
        column = self._column(start)
        if column is not None:
            return column == "NO"
        label = self._label_before(start)
        return label is not None and label.kind == "NO" and label.distance <= within
