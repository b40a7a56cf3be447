"""One price: what each class of tokens costs, and the money for counts of them.

Money is exact. A rate is an integer number of 10⁻²⁴ dollars per million units, so that sums neither round nor depend on
the caller's decimal context; the result is a `Decimal` of dollars.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import mul
from typing import Final

__all__ = ["CLASSES", "Price", "Rate", "dollars", "scaled"]

CLASSES: Final = (
    "input",
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "input_audio",
    "input_image",
    "output",
    "output_reasoning",
    "output_audio",
    "output_image",
    "web_searches",
    "requests",
)
"""The disjoint classes that are counted, in the order of the counts. The price of the first ten is per million tokens,
that of the last two per million searches and per million requests."""

_PARENT: Final[Mapping[str, str]] = {
    "cache_read": "input",
    "cache_write": "input",
    "cache_write_1h": "cache_write",
    "input_audio": "input",
    "input_image": "input",
    "output_reasoning": "output",
    "output_audio": "output",
    "output_image": "output",
}
"""What a class is billed as where it has no price of its own."""

_PLACES: Final = 24
_PER_UNIT: Final = _PLACES + 6  # rates are per million


@dataclass(frozen=True, slots=True)
class Rate:
    """Scaled dollars per million: `base`, or that of the last of the `tiers` whose start the whole input exceeds.

    A tier holds for all tokens of the request, not only for those beyond its start.
    """

    base: int
    tiers: tuple[tuple[int, int], ...] = ()

    def at(self, total_input: int) -> int:
        """The rate for a request with so many input tokens in total."""
        rate = self.base
        for start, tier in self.tiers:
            if total_input > start:
                rate = tier
        return rate


class Price:
    """What every class costs; a class without a rate is billed as its parent, and without one there it is free."""

    __slots__ = ("_flat", "_rates")

    def __init__(self, rates: Mapping[str, Rate]) -> None:
        free = Rate(0)
        found: dict[str, Rate] = {}
        for name in CLASSES:
            found[name] = rates.get(name) or found.get(_PARENT.get(name, ""), free)
        self._rates = tuple(found.values())
        tiered = any(rate.tiers for rate in self._rates)
        self._flat = None if tiered else tuple(rate.base for rate in self._rates)

    def cost(self, counts: Sequence[int], total_input: int) -> Decimal:
        """The dollars for `counts`, which are in the order of `CLASSES`; `total_input` chooses the tier."""
        rates = self._flat or [rate.at(total_input) for rate in self._rates]
        return dollars(sum(map(mul, counts, rates)))


def scaled(amount: Decimal) -> int:
    """Dollars per million as an integer rate. Raises `ValueError` for what is negative, not finite or too fine."""
    if not amount.is_finite() or amount < 0:
        raise ValueError("a price is a finite number, 0 or more")
    numerator, denominator = amount.as_integer_ratio()
    rate, rest = divmod(numerator * 10**_PLACES, denominator)
    if rest:
        raise ValueError(f"a price has at most {_PLACES} decimal places")
    return rate


def dollars(total: int) -> Decimal:
    """A sum of counts times rates as dollars, without trailing zeros after the point."""
    if not total:
        return Decimal(0)
    digits = str(total)
    zeros = min(len(digits) - len(digits.rstrip("0")), _PER_UNIT)
    return Decimal(f"{digits[: len(digits) - zeros]}E{zeros - _PER_UNIT}")
