"""The shipped price table: which model of which vendor has which price, and since when.

`table.json` is made by `scripts/update_prices` from the library named in its `source`; rules and their order are that
library's. A provider's row of a model is `[rules, prices, context window, variants]`, trailing parts left out:

- rules: one, or a list of which any may hold. A rule is a sign and a text, compared in lower case: `=` equal,
  `^` starts with, `$` ends with, `~` contains, `/` regular expression (searched, text as written); `#` names the model
  exactly and matches nothing. `{"all": […]}` holds if every part does.
- prices: an index into `prices`, or a list of `[when, index]` of which the last that is active holds, else the first.
  `when` is null (always), a date (from then on) or `HH:MM-HH:MM` (daily, may pass midnight); all times are UTC.
- variants: `[condition, when, index]`: what is different under a condition such as `service_tier=flex`.

A price is text: `input=2.5 output=10/200000:15` is dollars per million of each class of `price.CLASSES`, with the
tiers `start:price` after slashes.
"""

from __future__ import annotations

import json
import pkgutil
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from functools import cache
from typing import Any, Final, TypeAlias

from edgeagent.pricing.price import CLASSES, Price, Rate, scaled

__all__ = ["ModelRow", "PriceTable", "parse_rates", "price_of", "shipped_table"]

_DAY: Final = 86_400
_COMPACT_DATE: Final = re.compile(r"(-)(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)")

_ALIASES: Final[Mapping[str, str]] = {
    "aws.bedrock": "aws",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "mistral_ai": "mistral",
    "moonshot_ai": "moonshotai",
    "x_ai": "x-ai",
}
"""Vendor ids of OpenTelemetry's `gen_ai.provider.name`."""


Rates: TypeAlias = Mapping[str, Rate]


@dataclass(frozen=True, slots=True)
class Period:
    """When something holds: from `start` (epoch seconds) on, daily within `hours` (seconds of the UTC day), always."""

    start: float | None = None
    hours: tuple[int, int] | None = None

    def active(self, now: float) -> bool:
        """Whether it holds at `now`, in epoch seconds."""
        if self.start is not None:
            return now >= self.start
        if self.hours is not None:
            begin, end = self.hours
            second = now % _DAY
            return begin <= second < end if begin <= end else second >= begin or second < end
        return True


class ModelRow:
    """What the table says of one model.

    Attributes:
        context_window: in tokens, None when not known.
        exact: whether it was asked for by its exact name, at its own vendor.
    """

    __slots__ = ("_fixed", "_prices", "_variants", "_varied", "context_window", "exact")

    def __init__(
        self,
        prices: Sequence[tuple[Period, Rates]],
        variants: Sequence[tuple[str, Period, Rates]],
        context_window: int | None,
        exact: bool,
    ) -> None:
        self._prices = [(period, rates, price_of(rates)) for period, rates in prices]
        self._variants = variants
        self._varied: dict[tuple[int, ...], Price | None] = {}
        self.context_window = context_window
        self.exact = exact
        self._fixed = self._prices[0][2] if len(prices) == 1 else None

    def fixed(self, conditions: Sequence[str] = ()) -> Price | None:
        """The price under these conditions, if it is the same at any time."""
        return None if any(condition in conditions for condition, _, _ in self._variants) else self._fixed

    def price(self, now: float, conditions: Sequence[str] = ()) -> Price | None:
        """The price at `now` (epoch seconds) under conditions such as `service_tier=flex`; None if it has none."""
        chosen = next((i for i in range(len(self._prices) - 1, 0, -1) if self._prices[i][0].active(now)), 0)
        _, standard, price = self._prices[chosen]
        varying = [
            i
            for i, (condition, period, _) in enumerate(self._variants)
            if condition in conditions and period.active(now)
        ]
        if not varying:
            return price
        key = (chosen, *varying)
        if key not in self._varied:
            rates = dict(standard)
            for i in reversed(varying):  # of two variants the first has its way
                rates.update(self._variants[i][2])
            self._varied[key] = price_of(rates)
        return self._varied[key]


class PriceTable:
    """Rows by vendor and model name. Immutable; looking up is not cached here."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.source: str = data["source"]
        self._prices: Sequence[str] = data["prices"]
        self._providers: Mapping[str, Mapping[str, Any]] = data["providers"]

    def find(self, vendor: str, model: str) -> ModelRow | None:
        """The row of a model, or None if the table has none."""
        provider_id = self.provider_id(vendor)
        if provider_id is None:
            return None
        provider, name = self._providers[provider_id], model.lower()
        for candidate in dict.fromkeys((name, _COMPACT_DATE.sub(_dashed, name))):
            row = _first(provider["models"], candidate)
            if row is not None:
                return self._row(row, own=True, exact=_is_exact(row[0], name))
            for fallback in provider.get("fallback", ()):
                row = _first(self._providers[fallback]["models"], candidate)
                if row is not None:
                    return self._row(row, own=False, exact=False)
        return None

    def provider_id(self, vendor: str) -> str | None:
        """The table's provider for a vendor's id, or None.

        The library takes any name that contains a vendor's (`my-openai-proxy`) for the vendor; its word alone counts
        here, since what a proxy costs is not known.
        """
        vendor = vendor.lower().strip()
        vendor = _ALIASES.get(vendor, vendor)
        if vendor in self._providers:
            return vendor
        return next((id_ for id_, data in self._providers.items() if _is_word(data.get("match"), vendor)), None)

    def _row(self, row: Sequence[Any], *, own: bool, exact: bool) -> ModelRow:
        prices = row[1] if isinstance(row[1], list) else [[None, row[1]]]
        variants = row[3] if own and len(row) > 3 else ()  # a variant is the vendor's own, not that of a reseller
        return ModelRow(
            [(_period(when), parse_rates(self._prices[index])) for when, index in prices],
            [(condition, _period(when), parse_rates(self._prices[index])) for condition, when, index in variants],
            (row[2] or None) if len(row) > 2 else None,
            exact,
        )


@cache
def shipped_table() -> PriceTable:
    """The table in the package, read once in a process."""
    data = pkgutil.get_data("edgeagent.pricing", "table.json")
    assert data is not None  # part of the package
    return PriceTable(json.loads(data))


def price_of(rates: Rates) -> Price | None:
    """The price that the rates make; None if they say nothing of tokens or requests."""
    return Price(rates) if rates.keys() & {"input", "output", "requests"} else None


def parse_rates(text: str) -> Rates:
    """`input=2.5 output=10/200000:15` → rates by class. Raises `ValueError` for anything else."""
    rates: dict[str, Rate] = {}
    for part in text.split():
        name, _, amounts = part.partition("=")
        if name not in CLASSES:
            raise ValueError(f"unknown class {name!r}")
        base, *tiers = amounts.split("/")
        starts_and_prices = (tier.partition(":") for tier in tiers)
        rates[name] = Rate(
            scaled(Decimal(base)), tuple((int(start), scaled(Decimal(price))) for start, _, price in starts_and_prices)
        )
    return rates


def _period(when: str | None) -> Period:
    if when is None:
        return Period()
    if ":" in when:
        begin, _, end = when.partition("-")
        return Period(hours=(_second_of_day(begin), _second_of_day(end)))
    midnight = datetime.combine(date.fromisoformat(when), datetime.min.time(), timezone.utc)
    return Period(start=midnight.timestamp())


def _second_of_day(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 3600 + int(minutes) * 60


def _first(rows: Sequence[Sequence[Any]], name: str) -> Sequence[Any] | None:
    return next((row for row in rows if _holds(row[0], name)), None)


def _holds(rule: Any, name: str) -> bool:
    """Whether a rule, or any of a list, holds for a name in lower case."""
    if isinstance(rule, list):
        return any(_holds(part, name) for part in rule)
    if isinstance(rule, dict):
        return all(_holds(part, name) for part in rule["all"])
    sign, text = rule[0], rule[1:]
    if sign == "=":
        return bool(name == text)
    if sign == "^":
        return name.startswith(text)
    if sign == "$":
        return name.endswith(text)
    if sign == "~":
        return text in name
    return sign == "/" and re.search(text, name) is not None


def _is_word(rule: Any, name: str) -> bool:
    """Whether the name is the text of a rule, or of one of a list."""
    words = rule if isinstance(rule, list) else [rule]
    return any(isinstance(word, str) and word[1:] == name for word in words)


def _is_exact(rule: Any, name: str) -> bool:
    return any(part[0] in "=#" and part[1:] == name for part in _flat(rule))


def _flat(rule: Any) -> Iterator[str]:
    """The rules of which one is enough."""
    for part in rule if isinstance(rule, list) else [rule]:
        if isinstance(part, str):
            yield part


def _dashed(match: re.Match[str]) -> str:
    """`-20251211` → `-2025-12-11`, the form that the table knows; what is not a date stays."""
    try:
        date(int(match[2]), int(match[3]), int(match[4]))
    except ValueError:
        return match[0]
    return f"{match[1]}{match[2]}-{match[3]}-{match[4]}"
