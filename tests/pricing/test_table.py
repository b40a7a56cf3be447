"""The table's own forms: prices as text, periods, dates in names, vendor ids."""

from __future__ import annotations

import subprocess
import sys

import pytest

from edgeagent.pricing.price import Rate
from edgeagent.pricing.table import PriceTable, parse_rates, shipped_table


def test_a_price_is_read_from_text() -> None:
    """Classes, tiers, decimals."""
    assert parse_rates("input=2.5 output=10/200000:15/300000:20") == {
        "input": Rate(25 * 10**23),
        "output": Rate(10 * 10**24, ((200_000, 15 * 10**24), (300_000, 20 * 10**24))),
    }
    assert parse_rates("") == {}


@pytest.mark.parametrize("text", ["inputs=1", "input", "input=x", "input=1/2"])
def test_other_text_is_no_price(text: str) -> None:
    """`ValueError` (`InvalidOperation` is one of decimal's own)."""
    with pytest.raises((ValueError, ArithmeticError)):
        parse_rates(text)


def _table(prices: object) -> PriceTable:
    return PriceTable(
        {
            "source": "",
            "prices": [f"input={n} output={n}" for n in range(1, 5)],
            "providers": {"p": {"models": [["=m", prices], ["=dated-2025-12-11", 1], ["=odd-20251399", 2]]}},
        }
    )


def _chosen(prices: object, now: float) -> int | None:
    row = _table(prices).find("p", "m")
    assert row is not None
    price = row.price(now)
    return None if price is None else int(price.cost([1_000_000] + [0] * 11, 0))


@pytest.mark.parametrize(("clock", "price"), [("00:29", 1), ("00:30", 2), ("16:29", 2), ("16:30", 1), ("23:59", 1)])
def test_hours_of_the_day(clock: str, price: int) -> None:
    """A daily interval holds from its first minute to before its last, in UTC."""
    hour, minute = map(int, clock.split(":"))
    assert _chosen([[None, 0], ["00:30-16:30", 1]], 86_400 * 20_000 + hour * 3600 + minute * 60) == price


@pytest.mark.parametrize(("hour", "price"), [(21, 1), (22, 2), (23, 2), (0, 2), (5, 2), (6, 1)])
def test_hours_that_pass_midnight(hour: int, price: int) -> None:
    """An interval that ends before it begins lasts over midnight."""
    assert _chosen([[None, 0], ["22:00-06:00", 1]], 86_400 * 20_000 + hour * 3600) == price


@pytest.mark.parametrize(("now", "price"), [(0.0, 1), (1_767_225_600.0, 2), (1_798_761_600.0, 3)])
def test_the_last_active_price_holds(now: float, price: int) -> None:
    """Later rows come before earlier ones; before all of them the first holds, even if it has not begun."""
    assert _chosen([["2025-01-01", 0], ["2026-01-01", 1], ["2027-01-01", 2]], now) == price


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("dated-2025-12-11", True),
        ("dated-20251211", True),
        ("DATED-20251211", True),
        ("dated-20251131", False),
        ("odd-20251399", True),
        ("dated-202512110", False),
    ],
)
def test_compact_dates_in_names(name: str, found: bool) -> None:
    """`-20251211` is tried as `-2025-12-11` where it does not match as it is; what is no date stays."""
    assert (_table(0).find("p", name) is not None) is found


@pytest.mark.parametrize(
    ("vendor", "provider"),
    [
        ("openai", "openai"),
        (" OpenAI ", "openai"),
        ("azure.ai.openai", "azure"),
        ("azure.ai.inference", "azure"),
        ("x_ai", "x-ai"),
        ("gcp.gemini", "google"),
        ("gcp.vertex_ai", "google"),
        ("aws.bedrock", "aws"),
        ("mistral_ai", "mistral"),
        ("moonshot_ai", "moonshotai"),
        ("xai", "x-ai"),
        ("together_ai", "together"),
        ("vertex", "google"),
        ("bedrock", "aws"),
        ("fake", None),
        ("my-openai-proxy", None),
        ("openai.proxy.example", None),
        ("claude-on-bedrock", None),
        ("mistralrs", None),
        ("huggingface groq", None),
        ("", None),
    ],
)
def test_vendors_of_telemetry_have_their_provider(vendor: str, provider: str | None) -> None:
    """The ids of `gen_ai.provider.name` lead to the vendor's own prices; a name that contains a vendor's has none."""
    assert shipped_table().provider_id(vendor) == provider


def test_the_table_is_read_once_and_not_before_it_is_needed() -> None:
    """Importing and making a `Pricing` reads nothing; the library it was made from is not needed."""
    code = """
import sys
from edgeagent.pricing import Pricing
from edgeagent.pricing.table import shipped_table
pricing = Pricing.default()
assert shipped_table.cache_info().currsize == 0
assert pricing.knows("anthropic", "claude-sonnet-4-5")
assert shipped_table() is shipped_table()
assert "genai_prices" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
