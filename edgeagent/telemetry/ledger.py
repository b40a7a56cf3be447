"""A running account in memory: calls, cache hits, tokens and money, by target.

ledger = Ledger()
client = EdgeClient(observers=[ledger])
...
print(ledger)                 # a table; in a notebook, `ledger` alone shows one
ledger.total.cost_usd
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from html import escape
from typing import Any, Final

from typing_extensions import override

from edgeagent.telemetry.attributes import tokens_of
from edgeagent.telemetry.base import CallEnded, CallStarted
from edgeagent.telemetry.null import NullObservation, NullObserver
from edgeagent.types import Target
from edgeagent.types.display import money_text

__all__ = ["Ledger", "Totals"]

_HEAD: Final = ("", "calls", "hits", "errors", "tokens in", "tokens out", "cost", "saved")

_TABLE: Final = "border-collapse:collapse;color:inherit;font-size:.92em;font-variant-numeric:tabular-nums"
_CELL: Final = "padding:.25em .8em;white-space:nowrap"
_RULE: Final = "border-top:1px solid rgba(128,128,128,.5)"


@dataclass(slots=True)
class Totals:
    """Sums over calls.

    `hits` counts by cache tier; `coalesced` calls were answered by an identical one under way. Tokens are those that
    providers counted for calls of this client: cached and coalesced answers used none. `unpriced` calls used tokens
    whose price is not known, so that `cost_usd` is too low by their cost.
    """

    calls: int = 0
    errors: int = 0
    closed_early: int = 0
    coalesced: int = 0
    unpriced: int = 0
    retries: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    saved_usd: Decimal = Decimal(0)
    hits: Counter[str] = field(default_factory=Counter)

    def add(self, other: Totals) -> None:
        """Add another account to this one."""
        for item in fields(self):
            if item.name == "hits":
                self.hits.update(other.hits)
            else:
                setattr(self, item.name, getattr(self, item.name) + getattr(other, item.name))


class Ledger(NullObserver):
    """An observer that adds up. Thread-safe; one may serve several clients.

    A call is booked under the target that answered it (`openai/gpt-4o-mini`), a call that nobody answered under the
    name that it asked for.
    """

    def __init__(self) -> None:
        self._rows: dict[str, Totals] = {}
        self._lock = threading.Lock()

    @property
    def rows(self) -> Mapping[str, Totals]:
        """A copy of the account of each target, in the order of their first calls."""
        copies: dict[str, Totals] = {}
        with self._lock:
            for name, row in self._rows.items():
                copies[name] = Totals()
                copies[name].add(row)
        return copies

    @property
    def total(self) -> Totals:
        """The sum of all."""
        total = Totals()
        for row in self.rows.values():
            total.add(row)
        return total

    def clear(self) -> None:
        """Begin anew."""
        with self._lock:
            self._rows.clear()

    def book(self, name: str, entry: Totals) -> None:
        """Add to the account of `name`."""
        with self._lock:
            self._rows.setdefault(name, Totals()).add(entry)

    @override
    def start(self, event: CallStarted) -> _Entry:
        """A call starts."""
        return _Entry(self, event.request.model)

    def __str__(self) -> str:
        table = self._table()
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        return "\n".join(
            "  ".join(
                cell.rjust(width) if place else cell.ljust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in table
        )

    def _repr_html_(self) -> str:
        head, *lines, total = self._table()
        rows = [_row("th", head), *(_row("td", line) for line in lines), _row("th", total, _RULE)]
        return f'<table style="{_TABLE}">{"".join(rows)}</table>'

    def _table(self) -> list[tuple[str, ...]]:
        rows = self.rows
        return [_HEAD, *(_cells(name, row) for name, row in rows.items()), _cells("total", self.total)]

    def __getstate__(self) -> dict[str, Any]:
        return {"_rows": dict(self.rows)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())


class _Entry(NullObservation):
    """One call on its way into the ledger."""

    __slots__ = ("_ledger", "_model", "_retries")

    def __init__(self, ledger: Ledger, model: str) -> None:
        self._ledger = ledger
        self._model = model
        self._retries = 0

    @override
    def retry(self, target: Target, delay: float) -> None:
        self._retries += 1

    @override
    def end(self, event: CallEnded) -> None:
        edge = event.edge
        entry = Totals(calls=1, retries=self._retries)
        if event.error is not None:
            entry.errors = 1
        elif event.completion is None:
            entry.closed_early = 1
        if edge.cached:
            entry.hits[str(edge.cache_tier)] = 1
        entry.coalesced = int(edge.coalesced)
        entry.cost_usd += edge.cost_usd or 0
        entry.saved_usd += edge.saved_usd or 0
        tokens = tokens_of(event.completion)
        if tokens is not None and not edge.cached and not edge.coalesced:
            entry.input_tokens, entry.output_tokens = tokens
            entry.unpriced = int(edge.cost_usd is None)
        self._ledger.book(f"{edge.provider}/{edge.model}" if edge.provider else self._model, entry)


def _cells(name: str, row: Totals) -> tuple[str, ...]:
    hits = " + ".join(f"{count:,} {tier}" for tier, count in sorted(row.hits.items())) or "0"
    cost = money_text(row.cost_usd) + (f" + {row.unpriced:,} unpriced" if row.unpriced else "")
    counts = (f"{row.errors:,}", f"{row.input_tokens:,}", f"{row.output_tokens:,}")
    return (name, f"{row.calls:,}", hits, *counts, cost, money_text(row.saved_usd))


def _row(tag: str, cells: tuple[str, ...], style: str = "") -> str:
    sides = ["left", *["right"] * (len(cells) - 1)]
    inner = "".join(
        f'<{tag} style="{_CELL};text-align:{side};{style}">{escape(cell)}</{tag}>'
        for side, cell in zip(sides, cells, strict=True)
    )
    return f"<tr>{inner}</tr>"
