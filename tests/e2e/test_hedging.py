"""A second attempt beside a slow first one: who wins, what the other costs, what is told."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import edgeagent
from edgeagent import ConfigurationError, EdgeClient
from edgeagent.core.hedging import HedgePolicy
from edgeagent.testing import FakeProvider
from tests.e2e.harness import ANTHROPIC, OPENAI, Gate, outcome, text_of
from tests.support.loopback import Loopback

GROUP = {"g": ["openai/gpt-4o-mini", "anthropic/claude-haiku-4-5"]}


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
async def test_the_second_answers_while_the_first_hangs(kind: str, streaming: bool) -> None:
    """The second answers; the first is cancelled, told, and counted into the cost; no load is left."""
    hold = threading.Event()

    def hang(request: Any) -> Any:
        hold.wait(30)
        return OPENAI.serve(request)

    with Loopback(hang) as slow, Loopback(ANTHROPIC.serve) as fast:
        providers = [OPENAI.provider(slow), ANTHROPIC.provider(fast)]
        async with Gate(kind, providers, models=GROUP, cache=False, hedge=0.3) as gate:
            if streaming:
                stream = await gate.stream(model="g")
                assert text_of([piece async for piece in stream]) == "Paris"
                edge = stream.edge
            else:
                answer = await gate.create(model="g")
                assert answer.choices[0].message.content == "Paris"
                edge = answer.edge
            hold.set()
            health = gate.client.health()
    assert (len(slow.requests), len(fast.requests)) == (1, 1)
    assert edge.provider == "anthropic"
    assert {(str(a.target), a.outcome) for a in edge.attempts} == {
        ("anthropic/claude-haiku-4-5", "ok"),
        ("openai/gpt-4o-mini", "Hedged"),
    }
    alone = 10 * 1e-6 + 3 * 5e-6  # what the answer's own usage costs
    assert float(edge.cost_usd) > alone
    assert [report.load for report in health.values()] == [0, 0]
    assert all(report.failures == 0 for report in health.values())


async def test_a_fast_first_is_alone(kind: str) -> None:
    """In time, nobody else is asked."""
    with Loopback(OPENAI.serve) as first, Loopback(ANTHROPIC.serve) as second:
        providers = [OPENAI.provider(first), ANTHROPIC.provider(second)]
        async with Gate(kind, providers, models=GROUP, cache=False, hedge=20) as gate:
            answer = await gate.create(model="g")
    assert answer.edge.provider == "openai"
    assert [attempt.outcome for attempt in answer.edge.attempts] == ["ok"]
    assert second.requests == []


@pytest.mark.parametrize(
    ("first", "second", "told", "asked"),
    [
        (401, None, "anthropic", (1, 1, 0)),  # it has failed: the second is asked at once
        (400, None, edgeagent.BadRequestError, (1, 0, 0)),  # no other target may be asked
        (413, None, "anthropic", (1, 1, 0)),  # a larger one may be asked, and it is one
        (401, 404, "third", (1, 1, 1)),  # the rest of the targets follow
        (401, 400, edgeagent.AuthenticationError, (1, 1, 0)),  # the first one's error, as ever
    ],
)
async def test_errors_mean_what_they_mean_without(
    kind: str, first: int, second: int | None, told: Any, asked: tuple[int, int, int]
) -> None:
    """The table of errors holds within a race and after it."""
    third = FakeProvider("third", name="third")
    one = lambda _: OPENAI.fail(first)  # noqa: E731
    two = ANTHROPIC.serve if second is None else lambda _: ANTHROPIC.fail(second)
    models = {"g": [*GROUP["g"], "third/m"]}
    with Loopback(one) as a, Loopback(two) as b:
        providers = [OPENAI.provider(a), ANTHROPIC.provider(b), third]
        async with Gate(kind, providers, models=models, cache=False, retry=0, hedge=10) as gate:
            result = await outcome(lambda: gate.create(model="g"))
    if isinstance(told, str):
        assert result.edge.provider == told
    else:
        assert isinstance(result, told)
    assert (len(a.requests), len(b.requests), third.calls) == asked


async def test_hedges_take_from_the_retry_budget(kind: str) -> None:
    """With the second target's budget used up the first is waited for: an overload is not doubled."""
    slow = FakeProvider("slow", name="slow", latency=0.02)
    fast = FakeProvider("fast", name="fast")
    async with Gate(kind, [slow, fast], models={"g": ["slow/m", "fast/m"]}, cache=False, hedge=0.001) as gate:
        for _ in range(30):
            await gate.create(model="g")
    assert 10 <= fast.calls < 20


async def test_the_learned_delay(kind: str) -> None:
    """Until enough is known of the first target there is no hedge; then it begins after the time that is unusual."""
    first = FakeProvider("x", name="first")
    second = FakeProvider("y", name="second")
    async with Gate(
        kind, [first, second], models={"g": ["first/m", "second/m"]}, cache=False, hedge=HedgePolicy(least=5)
    ) as gate:
        for _ in range(5):
            await gate.create(model="g")
        assert second.calls == 0
        first.latency = 0.3
        answer = await gate.create(model="g")
    assert answer.edge.provider == "second"


async def test_the_deadline_ends_both(kind: str) -> None:
    """Neither answers in time: the error is the deadline's, and nothing is left under way."""
    hold = threading.Event()

    def hang(request: Any) -> Any:
        hold.wait(30)
        return OPENAI.serve(request)

    with Loopback(hang) as one, Loopback(hang) as two:
        providers = [OPENAI.provider(one), ANTHROPIC.provider(two)]
        async with Gate(kind, providers, models=GROUP, cache=False, hedge=0.02, deadline=0.3) as gate:
            error = await outcome(lambda: gate.create(model="g"))
            hold.set()
            await gate.until(lambda: not any(report.load for report in gate.client.health().values()))
    assert isinstance(error, edgeagent.DeadlineExceededError)
    assert {attempt.outcome for attempt in error.attempts} <= {"Hedged", "DeadlineExceededError"}


@pytest.mark.parametrize("wrong", [0, -1, "soon", HedgePolicy])
def test_wrong_settings(wrong: Any) -> None:
    """What it can be is said."""
    with pytest.raises(ConfigurationError, match="hedge"):
        EdgeClient(providers=[FakeProvider("x")], hedge=wrong)


@pytest.mark.parametrize("wrong", [{"after": 0.0}, {"quantile": 1.0}, {"quantile": 0}])
def test_wrong_policies(wrong: dict[str, Any]) -> None:
    """A policy names its wrong number."""
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        HedgePolicy(**wrong)
