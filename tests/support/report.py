"""What the tests on recorded traffic ran: collected here, printed at the end of the test run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import Any

__all__ = ["Row", "add", "dump", "lines", "load"]


@dataclass(frozen=True)
class Row:
    """One check over the records of one API; `note` says why some are excepted."""

    api: str
    check: str
    passed: int
    failed: int
    note: str = ""


_rows: list[Row] = []


def add(api: str, check: str, passed: int, failed: int, note: str = "") -> None:
    """Note that `check` passed for so many records of `api` and failed for so many."""
    _rows.append(Row(api, check, passed, failed, note))


def dump() -> list[tuple[Any, ...]]:
    """The rows as plain values, which one process can send to another."""
    return [astuple(row) for row in _rows]


def load(rows: Iterable[tuple[Any, ...]]) -> None:
    """Add the rows that another process collected."""
    _rows.extend(Row(*row) for row in rows)


def lines() -> list[str]:
    """The table, by API; nothing where nothing ran."""
    if not _rows:
        return []
    widths = [max(len(row.api) for row in _rows), max(len(row.check) for row in _rows)]
    table = [f"{'API':{widths[0]}}  {'check':{widths[1]}}  {'passed':>6}  {'failed':>6}  exceptions"]
    table += [
        f"{row.api:{widths[0]}}  {row.check:{widths[1]}}  {row.passed:6}  {row.failed:6}  {row.note}".rstrip()
        for row in sorted(_rows, key=lambda row: row.api)
    ]
    return table
