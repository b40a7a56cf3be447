"""Rates, tiers and exact money."""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.pricing.price import CLASSES, Price, Rate, dollars, scaled

AMOUNTS = st.decimals(min_value=0, max_value=10_000, places=6)


@given(st.lists(st.integers(0, 10**9), min_size=12, max_size=12), st.lists(AMOUNTS, min_size=12, max_size=12))
def test_cost_is_the_exact_sum(counts: list[int], amounts: list[Decimal]) -> None:
    """The cost is the sum of counts times prices over a million, to the last digit."""
    price = Price({name: Rate(scaled(amount)) for name, amount in zip(CLASSES, amounts, strict=True)})
    exact = sum((Fraction(amount) * count for count, amount in zip(counts, amounts, strict=True)), Fraction(0))
    assert Fraction(price.cost(counts, 0)) == exact / 1_000_000


@given(st.integers(0, 10**60))
def test_dollars_are_exact_whatever_the_decimal_context(total: int) -> None:
    """The caller's decimal precision does not round our money."""
    with localcontext(Context(prec=2)):
        amount = dollars(total)
    assert Fraction(amount) == Fraction(total, 10**30)


@pytest.mark.parametrize(
    ("total", "text"),
    [(0, "0"), (10**30, "1"), (25 * 10**29, "2.5"), (100 * 10**30, "100"), (123 * 10**24, "0.000123")],
)
def test_dollars_read_well(total: int, text: str) -> None:
    """No trailing zeros after the point, no exponent for whole dollars."""
    assert str(dollars(total)) == text


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-0.01", "1E-25"])
def test_impossible_amounts_are_refused(amount: str) -> None:
    """A price is finite, not negative, and not finer than the scale."""
    with pytest.raises(ValueError, match="a price"):
        scaled(Decimal(amount))


@pytest.mark.parametrize(("total_input", "rate"), [(0, 1), (100, 1), (101, 2), (200, 2), (201, 3), (10**9, 3)])
def test_a_tier_begins_behind_its_start(total_input: int, rate: int) -> None:
    """The tier holds when the input exceeds its start, the highest such tier alone."""
    assert Rate(1, ((100, 2), (200, 3))).at(total_input) == rate


def test_a_tier_holds_for_every_token() -> None:
    """Beyond the start all tokens, output included, cost the tier's price."""
    price = Price({"input": Rate(10**24, ((100, 2 * 10**24),)), "output": Rate(5 * 10**24, ((100, 7 * 10**24),))})
    counts = [0] * len(CLASSES)
    counts[CLASSES.index("input")], counts[CLASSES.index("output")] = 1_000_000, 1_000_000
    assert price.cost(counts, 100) == Decimal(6)
    assert price.cost(counts, 101) == Decimal(9)


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_without_a_price_is_billed_as_its_parent(name: str) -> None:
    """Cache and media fall back to input or output, reasoning to output; searches and requests are free."""
    parents = {"input": 3, "output": 11, "web_searches": 0, "requests": 0}
    price = Price({"input": Rate(3 * 10**24), "output": Rate(11 * 10**24)})
    counts = [1_000_000 if name == other else 0 for other in CLASSES]
    expected = parents.get(name, 11 if name.startswith("output") else 3)
    assert price.cost(counts, 0) == expected


def test_an_hour_s_cache_falls_back_to_the_cache_s_price() -> None:
    """The nearest parent with a price counts."""
    price = Price({"input": Rate(10**24), "cache_write": Rate(4 * 10**24)})
    counts = [1_000_000 if name == "cache_write_1h" else 0 for name in CLASSES]
    assert price.cost(counts, 0) == 4


def test_a_class_may_be_free() -> None:
    """A price of zero is a price: it does not fall back."""
    price = Price({"input": Rate(10**24), "cache_read": Rate(0)})
    counts = [1_000_000 if name == "cache_read" else 0 for name in CLASSES]
    assert price.cost(counts, 0) == 0
