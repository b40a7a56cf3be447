"""Money as whole numbers: picodollars, in which every price per token is exact and sums lose nothing."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal
from typing import Final

__all__ = ["MAX_USD", "dollars", "pico", "pico_at_least"]

PER_DOLLAR: Final = Decimal(10**12)
MAX_USD: Final = Decimal(9_000_000)
"""What fits into the 64 bits that databases have for a number."""

_EXACT: Final = Context(prec=60)


def pico(usd: Decimal) -> int:
    """Dollars → the nearest number of picodollars."""
    return int(_EXACT.multiply(usd, PER_DOLLAR).to_integral_value(ROUND_HALF_EVEN))


def pico_at_least(usd: Decimal) -> int:
    """Dollars → picodollars, rounded up."""
    return int(_EXACT.multiply(usd, PER_DOLLAR).to_integral_value(ROUND_CEILING))


def dollars(amount: int) -> Decimal:
    """Picodollars → dollars, exact."""
    exact = _EXACT.divide(Decimal(amount), PER_DOLLAR)
    return exact.normalize(_EXACT) if exact else Decimal(0)
