"""Every strategy: the order it gives, and what it needs to know."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.errors import ConfigurationError
from edgeagent.routing import (
    ConditionalRouter,
    CostRouter,
    FailoverRouter,
    HybridRouter,
    LatencyRouter,
    LeastBusyRouter,
    ModelRouter,
    QualityRouter,
    RoundRobinRouter,
    Router,
    SplitRouter,
    StickyRouter,
    WeightedRouter,
    session_of,
    tagged,
)
from edgeagent.routing.health import Health
from edgeagent.routing.outlook import Outlook
from edgeagent.routing.quality import difficulty
from edgeagent.routing.strategies import STRATEGIES, router_from, router_named
from edgeagent.types import ChatRequest, EmbeddingRequest, Target

A, B, C = Target("a", "small"), Target("b", "large"), Target("c", "large")
ALL = (A, B, C)


class Sky:
    """An outlook over targets whose state a test says."""

    def __init__(self, prices: dict[Target, Any] | None = None, tags: Sequence[str] = (), *, stream: bool = False):
        self.now = 100.0
        self.health = Health(None, lambda: self.now, random.Random(3).random)
        found = {target: None if price is None else Decimal(str(price)) for target, price in (prices or {}).items()}
        self.outlook = Outlook(self.health, tuple(tags), stream, price=found.get, output=lambda _: 100)

    def measure(self, target: Target, **latencies: float) -> None:
        self.health.of(target).measured(self.now, **latencies)

    def load(self, target: Target, count: int = 1) -> None:
        for _ in range(count):
            self.health.of(target).begin(self.now)

    def plan(self, router: Router, request: Any = None, targets: Sequence[Target] = ALL) -> list[Target]:
        return list(router.plan(request or chat(), targets, self.outlook))


def chat(text: str = "Hello", model: str = "g", **more: Any) -> ChatRequest:
    return ChatRequest(model=model, messages=[{"role": "user", "content": text}], **more)


EVERY = (
    *(router_named(name) for name in STRATEGIES if name not in ("conditional", "split")),
    ConditionalRouter([(tagged("x"), "a")]),
    SplitRouter({"a": 1, "b": 2}),
)


@pytest.mark.bulk
@pytest.mark.parametrize("router", EVERY, ids=lambda router: type(router).__name__)
@given(st.lists(st.sampled_from(ALL), min_size=1, unique=True), st.booleans(), st.text(max_size=20))
def test_every_router_gives_every_target_once(router: Router, targets: list[Target], embeds: bool, text: str) -> None:
    """Whatever the request and the targets: nothing is lost, doubled or made up, and a first choice is there."""
    request = EmbeddingRequest(model="g", input=text) if embeds else chat(text)
    sky = Sky({A: 1, B: None})
    assert sorted(map(str, sky.plan(router, request, targets))) == sorted(map(str, targets))
    assert isinstance(router, Router)


@pytest.mark.parametrize("router", EVERY, ids=lambda router: type(router).__name__)
def test_a_look_takes_no_turn(router: Router) -> None:
    """What is asked for an explanation alone changes nothing for the next call."""
    from dataclasses import replace

    sky, other = Sky(), Sky()
    for _ in range(3):
        router.plan(chat(), ALL, replace(sky.outlook, looking=True))
    assert sky.health.turn(ALL) == other.health.turn(ALL) == 0


def test_failover() -> None:
    """The order of the configuration."""
    assert Sky().plan(FailoverRouter()) == [A, B, C]


def test_model() -> None:
    """By name and pattern, to one target or several; without a rule exactly that model first."""
    router = ModelRouter({"gpt-4o": "b", "gpt-*": ["c", "a/sm*"], "none": "z"})
    sky = Sky()
    assert sky.plan(router, chat(model="gpt-4o")) == [B]
    assert sky.plan(router, chat(model="gpt-5")) == [C, A]
    assert sky.plan(router, chat(model="none")) == []
    assert sky.plan(router, chat(model="large")) == [B, C, A]
    assert sky.plan(router, chat(model="c/large")) == [C, A, B]


def test_round_robin() -> None:
    """Each in turn, each group of targets by itself."""
    sky, router = Sky(), RoundRobinRouter()
    assert [sky.plan(router)[0] for _ in range(6)] == [A, B, C, A, B, C]
    assert [sky.plan(router, targets=(A, B))[0] for _ in range(2)] == [A, B]
    assert sky.plan(router) == [A, B, C]


def test_weighted() -> None:
    """Shares as the weights say; a weight of nothing is a fallback; groups come one after the other."""
    sky = Sky()
    firsts = Counter(sky.plan(WeightedRouter({"a": 3, "*/large": 1}))[0] for _ in range(5000))
    assert firsts[A] / 5000 == pytest.approx(0.6, abs=0.03)
    assert firsts[B] / 5000 == pytest.approx(0.2, abs=0.03)
    plans = [sky.plan(WeightedRouter({"a": 0, "b": 1}, {"c": 1})) for _ in range(100)]
    assert all(plan == [B, A, C] for plan in plans)
    with pytest.raises(ConfigurationError, match="'a'"):
        WeightedRouter({"a": -1})


def test_cost() -> None:
    """Cheapest first, unknown prices last."""
    assert Sky({A: 3, B: 1}).plan(CostRouter()) == [B, A, C]
    assert Sky({A: 0, B: 1, C: 0.5}).plan(CostRouter()) == [A, C, B]


def test_least_busy() -> None:
    """Fewest under way first, equals in turn."""
    sky = Sky()
    sky.load(A, 2)
    assert {sky.plan(LeastBusyRouter())[0] for _ in range(4)} == {B, C}
    sky.load(B, 5)
    sky.load(C, 3)
    assert sky.plan(LeastBusyRouter()) == [A, C, B]


def test_latency() -> None:
    """The unknown first, then the fastest; for a stream by first content and tokens; under load the freer one."""
    router = LatencyRouter(explore=0)
    sky = Sky()
    sky.measure(A, whole=2.0)
    sky.measure(B, whole=1.0)
    assert sky.plan(router)[0] == C
    sky.measure(C, whole=3.0)
    assert sky.plan(router) == [B, A, C]
    sky.load(B, 4)
    firsts = Counter(sky.plan(router)[0] for _ in range(200))
    assert firsts[A] == 200  # nothing is under way at the best one
    sky.load(A, 1)
    sky.load(C, 1)
    firsts = Counter(sky.plan(router)[0] for _ in range(500))
    assert firsts[A] > firsts[C] + firsts[B]

    streaming = Sky(stream=True)
    streaming.measure(A, first_token=0.1, per_token=0.05)  # 0.1 + 5
    streaming.measure(B, first_token=1.0, per_token=0.01)  # 1 + 1
    streaming.measure(C, first_token=9.0)
    assert streaming.plan(router) == [B, A, C]


def test_latency_of_what_has_not_ended() -> None:
    """A target whose attempts are older than its answers used to take is slow before one of them ends."""
    sky = Sky()
    sky.measure(A, whole=1.0)
    sky.measure(B, whole=1.5)
    sky.load(A)
    sky.now += 30
    assert sky.plan(LatencyRouter(explore=0), targets=(A, B))[0] == B


def test_latency_explores() -> None:
    """Now and then the target that was measured longest ago is tried again, if that is long enough ago."""
    sky = Sky()
    sky.measure(C, whole=9.0)
    sky.now += 10
    sky.measure(A, whole=1.0)
    sky.measure(B, whole=2.0)
    firsts = Counter(sky.plan(LatencyRouter(explore=0.1))[0] for _ in range(1000))
    assert 50 < firsts[C] < 200
    assert firsts[A] == 1000 - firsts[C]
    assert Counter(sky.plan(LatencyRouter(explore=1.0, stale=60))[0] for _ in range(20)) == {A: 20}


def test_hybrid() -> None:
    """Each of its four concerns decides where it alone has a weight, and they are weighed against each other."""
    sky = Sky({A: 1, B: 10, C: 5})
    sky.measure(A, whole=9.0)
    sky.measure(B, whole=1.0)
    sky.measure(C, whole=2.0)
    for _ in range(4):
        sky.health.of(B).failed(sky.now, ValueError(), "counts")
    none = {"cost": 0.0, "latency": 0.0, "health": 0.0}
    assert sky.plan(HybridRouter(**{**none, "cost": 1.0}))[0] == A
    assert sky.plan(HybridRouter(**{**none, "latency": 1.0}, explore=0)) == [B, C, A]
    assert sky.plan(HybridRouter(**{**none, "health": 1.0}))[-1] == B
    assert sky.plan(HybridRouter(**none, quality=1.0, qualities={"*/large": 0.9, "a": 0.1}))[-1] == A
    assert sky.plan(HybridRouter(explore=0))[0] == C


def test_hybrid_explores() -> None:
    """Where latency counts, the slow one is looked at again."""
    sky = Sky()
    sky.measure(A, whole=9.0)
    sky.now += 10
    sky.measure(B, whole=1.0)
    assert Counter(sky.plan(HybridRouter(explore=1.0), targets=(A, B))[0] for _ in range(10)) == {A: 10}


def test_sticky() -> None:
    """A session keeps its target; taking another target away moves no session but that one's own."""
    sky, router = Sky(), StickyRouter()
    for number in range(200):
        request = chat(user=f"user {number}")
        first = sky.plan(router, request)[0]
        assert all(sky.plan(router, request)[0] == first for _ in range(3))
        without = [target for target in ALL if target != C]
        if first != C:
            assert sky.plan(router, request, without)[0] == first
    firsts = Counter(sky.plan(router, chat(user=str(number)))[0] for number in range(900))
    assert min(firsts.values()) > 200
    assert sky.plan(StickyRouter(key=lambda *_: None, then=RoundRobinRouter())) == [A, B, C]
    assert sky.plan(StickyRouter(then=ModelRouter({"*": "none"}))) == []


@pytest.mark.parametrize(
    ("request_", "tags", "same_as"),
    [
        (chat("x", user="u"), (), (chat("y", user="u"), ())),
        (chat("x", prompt_cache_key="k"), (), (chat("y", prompt_cache_key="k", user="z"), ())),
        (chat("x"), ("session:1",), (chat("y"), ("other", "session:1"))),
        (chat("x"), (), (ChatRequest(model="m", messages=[*chat("x").messages, {"role": "user", "content": "2"}]), ())),
    ],
)
def test_sessions(request_: Any, tags: tuple[str, ...], same_as: Any) -> None:
    """What names a session: a tag, the prompt cache's key, the user, or how the conversation began."""
    assert session_of(request_, tags) == session_of(*same_as)
    assert session_of(request_, tags) != session_of(chat("something else"), ())
    assert session_of(EmbeddingRequest(model="m", input="x"), ()) is None


def test_conditional() -> None:
    """The first rule that holds, by request and tags; a router or patterns; otherwise the rest."""
    router = ConditionalRouter(
        [(tagged("cheap"), "a"), (lambda request, _: request.model == "z", ["c", "b"]), (tagged("none"), "zzz")],
        otherwise=ModelRouter({"*": ["b"]}),
    )
    assert Sky(tags=["cheap"]).plan(router) == [A]
    assert Sky().plan(router, chat(model="z")) == [C, B]
    assert Sky().plan(router) == Sky(tags=["none"]).plan(router) == [B]


def test_split() -> None:
    """Shares as written, the same arm for a session in every run, split anew for another experiment."""
    sky = Sky()
    router = SplitRouter({"a": 0.2, "b": 0.8}, experiment="one")
    requests = [chat(user=str(number)) for number in range(2000)]
    arms = [router.arm(request, sky.outlook) for request in requests]
    assert arms.count("a") / 2000 == pytest.approx(0.2, abs=0.03)
    assert arms == [router.arm(request, Sky().outlook) for request in requests]
    assert arms != [SplitRouter(router.arms, experiment="two").arm(request, sky.outlook) for request in requests]
    assert router.arm(chat(user="42"), sky.outlook) == "b"  # for ever: a changed hash would move every session
    plan = sky.plan(router, requests[arms.index("b")])
    assert plan == [B, A, C]
    nameless = SplitRouter({"a": 1, "b": 1}, key=lambda *_: None)
    assert len({nameless.arm(chat(), sky.outlook) for _ in range(50)}) == 2
    for arms_ in ({}, {"a": -1, "b": 2}, {"a": 0}):
        with pytest.raises(ConfigurationError, match="arms"):
            SplitRouter(arms_)


def test_quality() -> None:
    """Easy prompts go to the weak targets, hard ones to the strong; predictor and threshold are the caller's."""
    sky = Sky({A: 1, B: 10, C: 5})
    hard = chat("Prove that the algorithm is optimal and derive its complexity step by step: ```while True: …```")
    assert sky.plan(QualityRouter())[0] == A
    assert sky.plan(QualityRouter(), hard)[0] == B
    router = QualityRouter(strong="c", weak=["b"], threshold=0.5, predictor=lambda request: len(request.model) / 10)
    assert sky.plan(router, chat(model="short")) == [C, A, B]
    assert sky.plan(router, chat(model="x")) == [B, A, C]


@pytest.mark.parametrize(
    ("easy", "hard"),
    [
        (chat("Hi!"), chat("Why does this deadlock? Analyze the concurrency step by step.")),
        (chat("Thanks"), chat("x" * 4000)),
        (chat("Translate 'dog' to French"), chat("Translate 'dog'", reasoning_effort="high")),
        (chat("Time?"), chat([{"type": "text", "text": "Debug and refactor: ```x```"}])),  # type: ignore[arg-type]
        (EmbeddingRequest(model="m", input="prove"), chat("prove it")),
    ],
)
def test_difficulty(easy: Any, hard: Any) -> None:
    """A task is harder than a greeting; numbers lie between 0 and 1."""
    assert 0 <= difficulty(easy) < difficulty(hard) <= 1


def test_names() -> None:
    """Every strategy by its name and from a table; what is missing or unknown is said."""
    assert router_named("round_robin") == RoundRobinRouter()
    assert router_from({"strategy": "sticky", "then": "latency"}) == StickyRouter(then=LatencyRouter())
    nested = router_from({"strategy": "quality", "strong": {"strategy": "cost"}, "weak": ["a"], "threshold": 0.2})
    assert nested == QualityRouter(CostRouter(), ["a"], 0.2)
    for table, says in (
        ({"strategy": "fastest"}, "'latency'"),
        ({"strategy": "split"}, "arms"),
        ({"strategy": "conditional"}, "rules"),
        ({"strategy": "weighted", "weight": {}}, "weight"),
        ({}, "None"),
    ):
        with pytest.raises(ConfigurationError, match=says):
            router_from(table)
