"""Usage to cost: classes, clamping, own prices, what is known, pickling."""

from __future__ import annotations

import pickle
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.errors import ConfigurationError
from edgeagent.pricing import PriceSource, Pricing
from edgeagent.pricing import cost as cost_module
from edgeagent.pricing.table import PriceTable
from edgeagent.types import CompletionUsage

TABLE = PriceTable(
    {
        "source": "a test",
        "prices": ["input=1 cache_read=0.1 cache_write=2 cache_write_1h=4 output=10", "input=3 output=30", ""],
        "providers": {
            "acme": {
                "match": ["~acme"],
                "models": [
                    [["=one", "^one-", "#uno"], 0, 1000],
                    ["=two", [[None, 0], ["2026-01-01", 1]]],
                    ["=tiered", 0, 0, [["service_tier=flex", "2026-01-01", 1], ["service_tier=flex", None, 0]]],
                    ["=unpriced", 2, 77],
                    [[{"all": ["^both", "$ends"]}, "/^re[0-9]+$", "~inside"], 1],
                ],
            },
            "reseller": {"fallback": ["acme"], "models": []},
        },
    }
)


def usage(prompt: int = 0, completion: int = 0, **more: Any) -> CompletionUsage:
    return CompletionUsage.model_validate(
        {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion, **more}
    )


def pricing(now: float = 1_750_000_000.0, own: dict[str, Any] | None = None) -> Pricing:
    return Pricing(own, table=TABLE, clock=lambda: now)


def test_it_is_a_price_source() -> None:
    """`Pricing` fits the protocol that the pipeline asks."""
    source: PriceSource = Pricing.default()
    assert source.cost("openai", "gpt-4o-mini", usage(1_000_000, 1_000_000)) == Decimal("0.75")


def test_unknown_models_and_vendors_have_no_price() -> None:
    """None, not zero."""
    assert Pricing.default().cost("openai", "nobody-made-this", usage(1, 1)) is None
    assert Pricing.default().cost("nobody", "gpt-4o", usage(1, 1)) is None
    assert pricing().cost("acme", "unpriced", usage(1, 1)) is None
    assert pricing().cost("reseller", "nobody-made-this", usage(1, 1)) is None


def test_each_class_is_billed_once() -> None:
    """Cache reads, writes for five minutes and for an hour, and the rest of the input are disjoint."""
    used = usage(
        1_000_000,
        100_000,
        prompt_tokens_details={"cached_tokens": 400_000, "cache_write_tokens": 300_000},
        cache_creation={"ephemeral_5m_input_tokens": 200_000, "ephemeral_1h_input_tokens": 100_000},
    )
    expected = Decimal("0.3") + Decimal("0.04") + Decimal("0.4") + Decimal("0.4") + Decimal(1)
    assert pricing().cost("acme", "one", used) == expected


def test_the_split_of_cache_writes_is_enough() -> None:
    """Without a total of cache writes, the split is it; without a split, all writes are the short ones."""
    split = usage(100, 0, cache_creation={"ephemeral_5m_input_tokens": 60, "ephemeral_1h_input_tokens": 40})
    total = usage(100, 0, prompt_tokens_details={"cache_write_tokens": 100})
    assert pricing().cost("acme", "one", split) == Decimal(60 * 2 + 40 * 4) / 1_000_000
    assert pricing().cost("acme", "one", total) == Decimal(100 * 2) / 1_000_000


@pytest.mark.parametrize(
    "extra", [{"cache_creation": None}, {"cache_creation": 7}, {"server_tool_use": {"web_search_requests": "3"}}]
)
def test_odd_extra_fields_count_nothing(extra: dict[str, Any]) -> None:
    """Vendor counters of another shape are not an error."""
    assert pricing().cost("acme", "one", usage(1_000_000, **extra)) == 1


COUNTS = st.integers(-5, 10**7)


@given(st.lists(COUNTS, min_size=9, max_size=9))
def test_a_cost_is_never_negative(counts: list[int]) -> None:
    """Whatever a vendor reports, in totals and details: at least nothing, at most every part at the highest price."""
    prompt, read, write, hour, audio, image, completion, reasoning, speech = counts
    used = usage(
        prompt,
        completion,
        prompt_tokens_details={
            "cached_tokens": read,
            "cache_write_tokens": write,
            "audio_tokens": audio,
            "image_tokens": image,
        },
        completion_tokens_details={"reasoning_tokens": reasoning, "audio_tokens": speech},
        cache_creation={"ephemeral_1h_input_tokens": hour},
    )
    cost = pricing().cost("acme", "one", used)
    assert cost is not None
    assert 0 <= cost <= Decimal(sum(max(count, 0) for count in counts) * 10) / 1_000_000


def test_details_beyond_their_total_are_billed() -> None:
    """A vendor that does not count cache reads in its total: they are billed, the plain input is not negative."""
    used = usage(10, 0, prompt_tokens_details={"cached_tokens": 1_000_000})
    assert pricing().cost("acme", "one", used) == Decimal("0.1")


@pytest.mark.parametrize(
    ("now", "cost"), [(1_767_225_599.0, Decimal(1)), (1_767_225_600.0, Decimal(3)), (1_900_000_000.0, Decimal(3))]
)
def test_prices_change_at_midnight_utc(now: float, cost: Decimal) -> None:
    """The price of a date holds from its first second in UTC (1767225600 is 2026-01-01)."""
    assert pricing(now).cost("acme", "two", usage(1_000_000)) == cost


def test_a_price_is_that_of_the_moment_of_asking() -> None:
    """One object, asked before and after a change."""
    moment = [1_767_225_599.0]
    source = Pricing(table=TABLE, clock=lambda: moment[0])
    assert source.cost("acme", "two", usage(1_000_000)) == 1
    moment[0] += 1
    assert source.cost("acme", "two", usage(1_000_000)) == 3


def test_service_tiers() -> None:
    """A tier with a price of its own from a date on; the first variant wins; a reseller has its own tiers."""
    used, late = usage(1_000_000), pricing(1_800_000_000.0)
    for _ in range(2):  # the second time from what was remembered
        assert late.cost("acme", "tiered", used) == 1
        assert late.cost("acme", "tiered", used, service_tier="flex") == 3
    assert pricing(1_700_000_000.0).cost("acme", "tiered", used, service_tier="flex") == 1
    assert pricing(1_800_000_000.0).cost("acme", "tiered", used, service_tier="unknown") == 1
    assert pricing(1_800_000_000.0).cost("reseller", "tiered", used, service_tier="flex") == 1


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("one", True),
        ("ONE", True),
        ("one-more", False),
        ("uno", False),
        ("both-ends", False),
        ("bothends", False),
        ("re42", False),
        ("an-inside-job", False),
        ("other", False),
    ],
)
def test_only_exact_names_are_known(name: str, known: bool) -> None:
    """A price by resemblance does not make a model known."""
    assert pricing().knows("acme", name) is known


@pytest.mark.parametrize(
    ("name", "priced"),
    [("both-ends", True), ("both", False), ("ends", False), ("re42", True), ("re4x", False), ("xinsidex", True)],
)
def test_rules_of_every_kind(name: str, priced: bool) -> None:
    """All-of, regular expression and contains."""
    assert (pricing().cost("acme", name, usage(1)) is not None) is priced


def test_exact_names_that_no_rule_spells_are_known() -> None:
    """The library's own id counts as an exact name where it also matches."""
    table = PriceTable(
        {"source": "", "prices": ["input=1 output=1"], "providers": {"p": {"models": [[["~big", "#big-1"], 0]]}}}
    )
    source = Pricing(table=table)
    assert source.knows("p", "big-1")
    assert not source.knows("p", "big-2")


def test_a_reseller_s_price_is_the_maker_s_but_the_model_is_not_known_there() -> None:
    """Fallback gives prices and windows, not knowledge."""
    assert pricing().cost("reseller", "one", usage(1_000_000)) == 1
    assert pricing().context_window("reseller", "one") == 1000
    assert not pricing().knows("reseller", "one")


@pytest.mark.parametrize(("name", "window"), [("one", 1000), ("two", None), ("tiered", None), ("nothing", None)])
def test_context_windows(name: str, window: int | None) -> None:
    """Tokens where the table has them."""
    assert pricing().context_window("acme", name) == window


def test_own_prices_stand_in_place_of_the_table_s() -> None:
    """By vendor and model, without regard to case; whole prices: what is not given falls back to input and output."""
    own = pricing(
        own={"acme/one": {"input": "0.5", "output": 2}, "Mine/Model/X": {"input": 0.1, "output": Decimal("0.3")}}
    )
    used = usage(1_000_000, 1_000_000, prompt_tokens_details={"cached_tokens": 500_000})
    assert own.cost("acme", "one", used) == Decimal("2.5")
    assert own.cost("ACME", "One", used) == Decimal("2.5")
    assert own.cost("mine", "model/x", used) == Decimal("0.4")
    assert own.cost("mine", "model/x", used, service_tier="flex") == Decimal("0.4")
    assert own.cost("acme", "one-more", used) != Decimal("2.5")
    assert own.knows("mine", "model/x")
    assert own.cost("mine", "other", used) is None


def test_searches_and_requests_can_be_priced() -> None:
    """Per million, like everything else."""
    own = pricing(own={"acme/s": {"input": 0, "output": 0, "web_searches": 10_000, "requests": 5_000}})
    used = usage(1, 1, server_tool_use={"web_search_requests": 3})
    assert own.cost("acme", "s", used) == Decimal("0.035")


@pytest.mark.parametrize(
    ("own", "says"),
    [
        ({"gpt-x": {"input": 1, "output": 1}}, "vendor/model"),
        ({"/gpt-x": {"input": 1, "output": 1}}, "vendor/model"),
        ({"acme/": {"input": 1, "output": 1}}, "vendor/model"),
        ({"acme/x": {"input": 1, "outputs": 1}}, "no class 'outputs'"),
        ({"acme/x": {"input": 1}}, "needs the prices"),
        ({"acme/x": {"input": 1, "output": -1}}, "'output'"),
        ({"acme/x": {"input": float("nan"), "output": 1}}, "'input'"),
        ({"acme/x": {"input": "cheap", "output": 1}}, "'cheap'"),
        ({"acme/x": {"input": None, "output": 1}}, "None"),
        ({"acme/x": {"input": True, "output": 1}}, "True"),
    ],
)
def test_impossible_own_prices_are_refused(own: dict[str, Any], says: str) -> None:
    """The error says which, and what is wrong."""
    with pytest.raises(ConfigurationError, match=says):
        Pricing(own)


def test_many_names_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a bound what was remembered is forgotten, and the answers stay right."""
    monkeypatch.setattr(cost_module, "_REMEMBERED", 3)
    source = pricing()
    for n in range(10):
        assert source.cost("acme", f"one-{n}", usage(1_000_000)) == 1
        assert source.cost("acme", f"none-{n}", usage(1_000_000)) is None
    assert len(source._rows) <= 3
    assert len(source._fixed) <= 3


def test_it_can_be_pickled() -> None:
    """Own prices travel, what was looked up does not."""
    source = Pricing({"a/b": {"input": 1, "output": 2}})
    source.cost("openai", "gpt-4o-mini", usage(1))
    copy = pickle.loads(pickle.dumps(source))
    assert copy.cost("a", "b", usage(1_000_000)) == 1
    assert copy.cost("openai", "gpt-4o-mini", usage(1_000_000)) == Decimal("0.15")
    assert len(pickle.dumps(source)) < 1000
