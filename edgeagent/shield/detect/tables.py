"""Which column a place of a text stands in, and what that column is called: CSV, TSV, Markdown, HTML, SQL.

A row of names above rows of as many cells is a table's head. Cells are found by their separators alone, so that a text
of any length takes time in proportion to it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final

__all__ = ["Columns", "cells", "may_be_head"]

_CELL: Final = {
    "\t": re.compile(r"[^\t\n]*"),
    ",": re.compile(r'[ ]?"(?:[^"\n]|"")*"|[^,\n]*'),
    ";": re.compile(r'[ ]?"(?:[^"\n]|"")*"|[^;\n]*'),
    "|": re.compile(r"[^|\n]*"),
}
_NAME: Final = re.compile(r"""[ "'`*]*_?[^\W\d_][^\n\t,;|<>=:{}\[\]@!?]{0,39}""")
_NO_NAME: Final = frozenset("{}[]()<>@#$%&=+-/\\.:!?0123456789")
"""What no name starts with, as no separator does: most lines of code and of records."""
_INSERT: Final = re.compile(r"(?i)insert\s+into\s+[\w.\"`\[\]]{1,80}\s*\(([^()]{3,2000})\)\s*values\s*")
_TUPLE: Final = re.compile(r"\s*\(((?:'(?:[^'\\\n]|''|\\.)*'|[^()'\n])*)\)\s*[,;]?")
_VALUE: Final = re.compile(r"\s*(?:'(?:[^'\\\n]|''|\\.)*'|[^,'\n]+)")
_HEADING: Final = re.compile(r"<th[^>]{0,80}>([^<]{0,60})</th>", re.IGNORECASE)
_DATA: Final = re.compile(r"<(/?tr|td)[^>]{0,80}>([^<]{0,400})", re.IGNORECASE)


_UNNAMED: Final = " \"'`*#\u2116"
"""What stands around names, and in place of one over the numbers of the rows."""
_AROUND: Final = " \"'`*#$+("
_SEPARATORS: Final = "\t|,;\n(>"


class Columns:
    """The columns of a text's tables, worked out at the first question."""

    __slots__ = ("_ends", "_names", "_starts", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] | None = None
        self._ends: list[int] = []
        self._names: list[str] = []

    def at(self, place: int) -> str | None:
        """The name of the column that `place` stands in, if a cell starts there."""
        text = self._text
        before = place - 1
        while before >= 0 and text[before] in _AROUND:
            before -= 1
        if before >= 0 and text[before] not in _SEPARATORS:
            return None
        if self._starts is None:
            found = sorted(cells(self._text))
            self._starts = [start for start, _, _ in found]
            self._names = [name for _, _, name in found]
            self._ends = [end for _, end, _ in found]
        i = bisect_right(self._starts, place) - 1
        return self._names[i] if i >= 0 and place < self._ends[i] else None


def cells(text: str) -> Iterator[tuple[int, int, str]]:
    """From where to where the cells of the tables go, and what their columns are called."""
    if "\n" in text:
        yield from _delimited(text)
    lowered = text.lower()
    if "insert" in lowered:
        yield from _inserted(text)
    if "<th" in lowered:
        yield from _html(text)


def _delimited(text: str) -> Iterator[tuple[int, int, str]]:
    head: list[str] = []
    separator = ""
    start = 0
    lines = text.splitlines(keepends=True)
    for i, line in enumerate(lines):
        end = start + len(line)
        if separator and (row := list(_split(text, start, end, separator))) and len(row) == len(head):
            for (a, b), name in zip(row, head, strict=True):
                yield a, b, name
        else:
            separator, head = _heading(text, start, end, lines[i + 1] if i + 1 < len(lines) else "")
        start = end


def may_be_head(text: str, start: int) -> bool:
    """Whether the line that starts there may hold the names of columns."""
    return text[start] not in _NO_NAME or (text[start] == "#" and text[start + 1 : start + 2] in _CELL)


def _heading(text: str, start: int, end: int, following: str) -> tuple[str, list[str]]:
    """The separator and the names, if the line may be a table's head."""
    if not may_be_head(text, start):
        return "", []
    line = text[start:end]
    for separator in "\t|;,":
        count = line.count(separator)
        if count and following.count(separator) >= count:
            names = _names(text, _split(text, start, end, separator))
            filled = len(names) - names.count("")
            spare = 3 if separator == "|" else 2  # a row of Markdown starts and ends with one
            return (separator, names) if filled >= max(2, len(names) - spare) else ("", [])
    return "", []


def _names(text: str, cells: Iterable[tuple[int, int]]) -> list[str]:
    """What stands in the cells, if each is empty or may be a name."""
    names: list[str] = []
    for start, end in cells:
        name = text[start:end].strip(_UNNAMED)
        if name and _NAME.fullmatch(name) is None:
            return []
        names.append(name)
    return names


def _split(text: str, start: int, end: int, separator: str) -> Iterator[tuple[int, int]]:
    cell = _CELL[separator]
    place = start
    while True:
        found = cell.match(text, place, end)
        if found is None:
            break
        yield found.span()
        place = found.end()
        if text[place : place + 1] != separator or place >= end:
            break
        place += 1


def _inserted(text: str) -> Iterator[tuple[int, int, str]]:
    for insert in _INSERT.finditer(text):
        names = [name.strip(' "`[]\n') for name in insert[1].split(",")]
        place = insert.end()
        while (row := _TUPLE.match(text, place)) is not None:
            at = row.start(1)
            for name in names:
                value = _VALUE.match(text, at, row.end(1))
                if value is None:
                    break
                yield value.start(), value.end(), name
                at = value.end() + 1
            place = row.end()


def _html(text: str) -> Iterator[tuple[int, int, str]]:
    names = [name.strip() for name in _HEADING.findall(text)]
    column = 0
    for tag in _DATA.finditer(text):
        if tag[1].lower() != "td":
            column = 0
            continue
        if column < len(names):
            yield tag.start(2), tag.end(2), names[column]
        column += 1
