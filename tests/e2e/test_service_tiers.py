"""Tiers of a vendor's prices: what a batch costs, what haste does, who is asked for it, and what is reserved."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from edgeagent.errors import BudgetExceededError
from edgeagent.limits import Budget
from edgeagent.pricing import Pricing
from edgeagent.routing import CostRouter
from edgeagent.testing import FakeProvider
from tests.e2e.harness import Gate, outcome, settled

PER_MILLION = Decimal(1_000_000)
PROMPT, REPLY = 1000, 200

# dollars per million, input and output (https://openai.com/api/pricing, https://claude.com/pricing)
OPENAI = {"standard": ("0.15", "0.60"), "priority": ("0.25", "1.00"), "batch": ("0.075", "0.30")}
ANTHROPIC = {"standard": ("5", "25"), "fast": ("10", "50"), "batch": ("2.5", "12.5")}


def worth(prices: tuple[str, str], tokens_in: int = PROMPT, tokens_out: int = REPLY) -> Decimal:
    return (Decimal(prices[0]) * tokens_in + Decimal(prices[1]) * tokens_out) / PER_MILLION


def answer(tier: str | None = None, **usage: Any) -> dict[str, Any]:
    counts = {"prompt_tokens": PROMPT, "completion_tokens": REPLY, "total_tokens": PROMPT + REPLY}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris"}, "finish_reason": "stop"}],
        "usage": {**counts, **usage},
        "service_tier": tier,
    }


class Served(FakeProvider):
    """A provider all of whose answers are billed in one tier."""

    def __init__(self, *answers: Any, tier: str | None = None, **options: Any) -> None:
        super().__init__(*answers, **options)
        self.service_tier = tier


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("model", "own", "told", "prices"),
    [
        ("openai/gpt-4o-mini", None, answer(), OPENAI["standard"]),
        ("openai/gpt-4o-mini", "batch", answer(), OPENAI["batch"]),
        ("openai/gpt-4o-mini", "batch", answer("default"), OPENAI["batch"]),
        ("openai/gpt-4o-mini", "batch", answer("priority"), OPENAI["priority"]),
        ("openai/gpt-4o-mini", "priority", answer(), OPENAI["priority"]),
        ("openai/gpt-4o-mini", "unheard-of", answer(), OPENAI["standard"]),
        ("anthropic/claude-opus-4-8", None, answer("default"), ANTHROPIC["standard"]),
        ("anthropic/claude-opus-4-8", None, answer("batch"), ANTHROPIC["batch"]),
        ("anthropic/claude-opus-4-8", None, answer("default", speed="fast"), ANTHROPIC["fast"]),
        ("anthropic/claude-opus-4-8", "batch", answer(), ANTHROPIC["batch"]),
    ],
)
async def test_what_an_answer_costs(
    kind: str, model: str, own: str | None, told: dict[str, Any], prices: tuple[str, str], streaming: bool
) -> None:
    """By the tier that it names, else by its provider's; what a hit saves, too."""
    vendor = model.partition("/")[0]
    async with Gate(kind, [Served(told, tier=own, name=vendor)]) as gate:
        if streaming:
            stream = await gate.stream(model=model)
            assert [piece async for piece in stream]
            cost = stream.edge.cost_usd
        else:
            cost = (await gate.create(model=model)).edge.cost_usd
        assert cost == worth(prices)
        assert (await gate.create(model=model)).edge.saved_usd == worth(prices)


async def test_what_vectors_cost(kind: str) -> None:
    """They name no tier: it is the provider's. (The shipped table has no batch prices of them.)"""

    class Source:
        def cost(self, vendor: str, model: str, usage: Any, *, service_tier: str | None = None) -> Decimal:
            return Decimal(usage.prompt_tokens) / (2 if service_tier == "batch" else 1)

    costs = []
    for tier in (None, "batch"):
        vectors = {
            "object": "list",
            "model": "m",
            "data": [{"object": "embedding", "index": 0, "embedding": [1.0]}],
            "usage": {"prompt_tokens": PROMPT, "total_tokens": PROMPT},
        }
        provider = Served("-", tier=tier, name="openai", embeddings=lambda _, vectors=vectors: vectors)
        async with Gate(kind, [provider], pricing=Source()) as gate:
            made = await settled(gate.client.embeddings.create(model="openai/text-embedding-3-small", input="text"))
            costs.append(made.edge.cost_usd)
    assert costs == [PROMPT, PROMPT / 2]


def fleet(*tiers: str | None) -> list[Any]:
    """The same model at several addresses."""
    return [Served(answer(), tier=tier, name=f"{tier}", vendor="openai") for tier in tiers]


async def test_the_cheapest_tier_is_asked_first(kind: str) -> None:
    """The same model at the prices of three tiers; `explain` says what each is expected to cost."""
    groups = {"chat": [f"{name}/gpt-4o-mini" for name in ("priority", "None", "batch")]}
    async with Gate(kind, fleet("priority", None, "batch"), models=groups, router=CostRouter()) as gate:
        asked = {"model": "chat", "messages": [{"role": "user", "content": "?"}], "max_tokens": 10}
        plan = await settled(gate.client.explain(**asked))
        assert [target.provider for target in plan.order] == ["batch", "None", "priority"]
        expected = {one.target.provider: one.price_usd for one in plan.targets}
        batch, standard, priority = (expected[name] for name in ("batch", "None", "priority"))
        assert standard == 2 * batch
        assert priority > standard
        made = await gate.create(model="chat")
    assert (made.edge.provider, made.edge.cost_usd) == ("batch", worth(OPENAI["batch"]))


@pytest.mark.parametrize(
    ("words", "first"), [(1_000, "short/claude-sonnet-4-5"), (300_000, "long/claude-opus-4-8")], ids=["short", "long"]
)
def test_the_batch_prices_of_a_long_context(words: int, first: str) -> None:
    """Claude Sonnet 4.5 costs twice as much past 200,000 tokens, in a batch as well; a batch of Opus does not."""
    groups = {"chat": ["short/claude-sonnet-4-5", "long/claude-opus-4-8"]}
    providers = [Served(answer(), tier="batch", name=name, vendor="anthropic") for name in ("short", "long")]
    gate = Gate("sync", providers, models=groups, router=CostRouter())
    messages = [{"role": "user", "content": "word " * words}]
    plan = gate.client.explain(model="chat", messages=messages, max_tokens=10)
    assert str(plan.order[0]) == first
    gate.client.close()


@pytest.mark.parametrize(
    ("tier", "request_tier", "let_in"),
    [("batch", None, True), (None, None, False), (None, "batch", False), (None, "auto", False), ("flex", None, False)],
)
async def test_what_is_reserved(kind: str, tier: str | None, request_tier: str | None, let_in: bool) -> None:
    """A budget that the batch price fits into and the standard does not; that a request says `batch` lowers nothing."""
    limit = worth(OPENAI["batch"], 20, 1000) * Decimal("1.5")
    providers = [Served(answer(prompt_tokens=5, completion_tokens=5), tier=tier, name="openai")]
    async with Gate(kind, providers, cache=False, budgets=[Budget(usd=limit)], pricing=Pricing()) as gate:
        said = {} if request_tier is None else {"service_tier": request_tier}
        ended = await outcome(lambda: gate.create("?", model="openai/gpt-4o-mini", max_tokens=1000, **said))
    assert isinstance(ended, BudgetExceededError) is not let_in
