"""What the tests on recorded traffic ran: collected here, printed at the end of the test run."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Row", "add", "lines"]


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
