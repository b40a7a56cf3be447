"""Our prices against the library that the shipped table was made from: every model, a grid of usages, several moments.

What differs, and why:

| case | the library | we |
|---|---|---|
| a model without a price by token or request | 0 | None: no price is known |
| details that exceed their total | ValueError | the details are billed, the rest is nothing (`test_cost.py`) |
| `azure.ai.openai`, `azure.ai.inference`, `x_ai` | OpenAI's price, or no provider | the vendor that is meant |
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal
from importlib.machinery import SourceFileLoader
from importlib.metadata import PackageNotFoundError, version
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest

from edgeagent.pricing import Pricing
from edgeagent.pricing.table import shipped_table
from edgeagent.types import CompletionUsage

ROOT = Path(__file__).resolve().parents[2]


def _installed() -> str | None:
    try:
        return f"genai-prices {version('genai-prices')}"
    except PackageNotFoundError:
        return None


pytestmark = pytest.mark.skipif(
    _installed() != shipped_table().source,
    reason=f"the table is from {shipped_table().source}, installed is {_installed()}",
)

MOMENTS = [
    datetime(2024, 6, 1, 12, 0, tzinfo=timezone.utc),
    datetime(2026, 9, 9, 23, 59, 59, tzinfo=timezone.utc),
    datetime(2026, 9, 10, 0, 0, tzinfo=timezone.utc),
    datetime(2026, 11, 23, 3, 0, tzinfo=timezone.utc),
    datetime(2026, 11, 23, 16, 30, tzinfo=timezone.utc),
    datetime(2027, 6, 1, 0, 15, tzinfo=timezone.utc),
]

Amounts = dict[str, int]

USAGES: list[Amounts] = [
    {"input": 1000, "output": 500},
    {"input": 0, "output": 0},
    {"input": 1, "output": 1},
    {"input": 10_000, "output": 700, "cache_read": 9_000},
    {"input": 10_000, "output": 700, "cache_read": 3_000, "cache_write": 5_000},
    {"input": 10_000, "output": 700, "cache_read": 100, "cache_write": 5_000, "hour": 2_000},
    {"input": 10_000, "output": 3_000, "reasoning": 2_500},
    {"input": 10_000, "output": 3_000, "audio_in": 4_000, "audio_out": 1_000, "cache_read": 500},
    {"input": 10_000, "output": 3_000, "image_in": 4_000, "image_out": 1_000, "cache_read": 500},
    {"input": 1_000, "output": 100, "searches": 3},
    {"input": 128_000, "output": 100, "cache_read": 1_000},
    {"input": 128_001, "output": 100},
    {"input": 200_000, "output": 1_000, "cache_read": 100_000, "cache_write": 50_000, "hour": 50_000},
    {"input": 200_001, "output": 1_000, "cache_read": 100_000, "cache_write": 50_000, "hour": 1},
    {"input": 1_000_000, "output": 64_000, "reasoning": 60_000, "cache_read": 999_999},
]


def _ours(amounts: Amounts) -> CompletionUsage:
    prompt, completion = amounts["input"], amounts["output"]
    hour = amounts.get("hour", 0)
    return CompletionUsage.model_validate(
        {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {
                "cached_tokens": amounts.get("cache_read"),
                "cache_write_tokens": amounts.get("cache_write"),
                "audio_tokens": amounts.get("audio_in"),
                "image_tokens": amounts.get("image_in"),
            },
            "completion_tokens_details": {
                "reasoning_tokens": amounts.get("reasoning"),
                "audio_tokens": amounts.get("audio_out"),
                "image_tokens": amounts.get("image_out"),
            },
            "cache_creation": {
                "ephemeral_5m_input_tokens": amounts.get("cache_write", 0) - hour,
                "ephemeral_1h_input_tokens": hour,
            },
            "server_tool_use": {"web_search_requests": amounts.get("searches", 0)},
        }
    )


def _theirs(amounts: Amounts) -> Any:
    from genai_prices import Usage

    named = {
        "input_tokens": "input",
        "output_tokens": "output",
        "cache_read_tokens": "cache_read",
        "cache_write_tokens": "cache_write",
        "cache_write_1h_tokens": "hour",
        "input_audio_tokens": "audio_in",
        "input_image_tokens": "image_in",
        "output_reasoning_tokens": "reasoning",
        "output_audio_tokens": "audio_out",
        "output_image_tokens": "image_out",
        "web_searches": "searches",
    }
    disjoint = {"cache_audio_read_tokens": 0, "cache_image_read_tokens": 0}
    return Usage(**{name: amounts.get(ours, 0) for name, ours in named.items()}, **disjoint)


def _snapshot() -> Any:
    from genai_prices.data_snapshot import get_snapshot

    return get_snapshot()


def _names(model: Any) -> Iterator[str]:
    """Names that reach a model, one for each way in which its rule can hold, and near misses."""

    def of(clause: Any) -> Iterator[str]:
        for part in getattr(clause, "or_", []) or getattr(clause, "and_", []):
            yield from of(part)
        for attribute in ("equals", "starts_with", "ends_with", "contains"):
            text = getattr(clause, attribute, None)
            if text is not None:
                yield text
                yield text.upper()
                yield f"{text}-20251211"
                yield f"vendor/{text}"

    yield model.id
    yield from of(model.match)


def _has_token_price(prices: Any) -> bool:
    return any(getattr(prices, key) is not None for key in ("input_mtok", "output_mtok", "requests_kcount"))


def _their_cost(provider_id: str, name: str, amounts: Amounts, moment: datetime, **context: Any) -> Decimal | None:
    snapshot = _snapshot()
    try:
        provider, model = snapshot.find_provider_model(name, None, provider_id, None)
    except LookupError:
        return None
    if not _has_token_price(model.get_prices(moment)):
        return None
    result = model.calc_price(_theirs(amounts), provider, genai_request_timestamp=moment, **context)
    total: Decimal = result.total_price
    return total


def _at(moment: datetime) -> Pricing:
    return Pricing(clock=moment.timestamp)


@pytest.mark.bulk
def test_every_model_costs_what_the_library_says() -> None:
    """Every model of every provider, each usage of the grid: exact equality."""
    pricing = _at(MOMENTS[3])
    usages = [_ours(amounts) for amounts in USAGES]
    compared, wrong = 0, []
    for provider in _snapshot().providers:
        for model in provider.models:
            for amounts, usage in zip(USAGES, usages, strict=True):
                theirs = _their_cost(provider.id, model.id, amounts, MOMENTS[3])
                ours = pricing.cost(provider.id, model.id, usage)
                compared += 1
                if ours != theirs:
                    wrong.append((provider.id, model.id, amounts, ours, theirs))
    assert wrong == []
    assert compared > 30_000
    print(f"\n{compared} costs of {shipped_table().source} compared, 0 differ")


@pytest.mark.bulk
def test_every_name_reaches_the_model_that_the_library_finds() -> None:
    """Names made of every rule, as they are, in capitals, dated, prefixed."""
    pricing, usage = _at(MOMENTS[3]), _ours(USAGES[3])
    wrong = []
    for provider in _snapshot().providers:
        for name in sorted({name for model in provider.models for name in _names(model)}):
            theirs = _their_cost(provider.id, name, USAGES[3], MOMENTS[3])
            ours = pricing.cost(provider.id, name, usage)
            if ours != theirs:
                wrong.append((provider.id, name, ours, theirs))
    assert wrong == []


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_prices_change_when_the_library_s_do(moment: datetime) -> None:
    """Models whose price depends on the date or the hour, at both sides of their turning points."""
    pricing, usage = _at(moment), _ours(USAGES[4])
    changing = [
        (provider.id, model.id)
        for provider in _snapshot().providers
        for model in provider.models
        if isinstance(model.prices, list)
    ]
    wrong = [
        (provider, model)
        for provider, model in changing
        if pricing.cost(provider, model, usage) != _their_cost(provider, model, USAGES[4], moment)
    ]
    assert len(changing) > 200
    assert wrong == []


def _context(provider: str, tier: str) -> dict[str, str]:
    """What the library calls the tier."""
    if tier == "batch":
        return {"processing": "batch"}
    return {"speed": "fast"} if (provider, tier) == ("anthropic", "fast") else {"service_tier": tier}


@pytest.mark.bulk
@pytest.mark.parametrize("tier", ["default", "flex", "priority", "fast", "batch", "unheard-of"])
@pytest.mark.parametrize("moment", [MOMENTS[0], MOMENTS[3]], ids=str)
def test_service_tiers_cost_what_the_library_says(tier: str, moment: datetime) -> None:
    """Models with prices of their own for service tiers, also where another vendor resells them.

    What is done later, or faster, has other names there: `processing`, Anthropic's `speed`.
    """
    pricing, usage = _at(moment), _ours(USAGES[3])
    models = {model.id for provider in _snapshot().providers for model in provider.models if model.price_variants}
    wrong = [
        (provider, model)
        for provider in ("openai", "google", "azure", "anthropic", "mistral", "groq", "x-ai")
        for model in sorted(models)
        if pricing.cost(provider, model, usage, service_tier=tier)
        != _their_cost(provider, model, USAGES[3], moment, price_context=_context(provider, tier))
    ]
    assert wrong == []


def test_a_batch_costs_less_and_haste_more() -> None:
    """So that no row of either is empty: each model that has such a price differs from its standard."""
    usage = _ours(USAGES[0])
    pricing, found = _at(MOMENTS[5]), {"batch": 0, "fast": 0}
    for provider in _snapshot().providers:
        for model in provider.models:
            standard = pricing.cost(provider.id, model.id, usage)
            for tier in found:
                cost = pricing.cost(provider.id, model.id, usage, service_tier=tier)
                if standard and cost is not None and cost != standard:
                    found[tier] += 1
                    assert (cost < standard) == (tier == "batch"), (provider.id, model.id, tier)
    assert found["batch"] > 90
    assert found["fast"] > 20


def test_vendors_are_found_as_the_library_finds_them() -> None:
    """Provider ids and the names that telemetry uses lead to the same provider, but for the documented ones."""
    from genai_prices.data_snapshot import find_provider_by_id

    providers = _snapshot().providers
    names = [provider.id for provider in providers]
    names += ["gcp.gemini", "gcp.vertex_ai", "aws.bedrock", "mistral_ai", "OpenAI ", "xai", "nobody", "huggingface"]
    names += ["together_ai", "deepseek", "groq", "perplexity", "cohere"]
    for name in names:
        theirs = find_provider_by_id(providers, name)
        assert shipped_table().provider_id(name) == (None if theirs is None else theirs.id), name


def test_the_shipped_table_is_what_the_script_makes() -> None:
    """The file in the package is the script's output for the recorded library version."""
    loader = SourceFileLoader("update_prices", str(ROOT / "scripts" / "update_prices"))
    spec = spec_from_loader("update_prices", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    shipped = (ROOT / "edgeagent" / "pricing" / "table.json").read_text(encoding="utf-8")
    assert module.text() == shipped
    assert json.loads(shipped) == module.table()
    assert len(shipped.encode()) < 256 * 1024
