"""Plans: every reason for which a target would or would not be asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgeagent import AuthenticationError, ConfigurationError, EdgeClient, NoTargetError, RequestValidationError
from edgeagent.routing import BreakerPolicy, LatencyRouter, ModelRouter, WeightedRouter
from edgeagent.testing import FakeProvider
from edgeagent.types import Target

MESSAGES: Any = [{"role": "user", "content": "What is the capital of France?"}]


class Embedder:
    """A provider that only embeds."""

    name = "embedder"

    def embed(self, request: Any) -> Any:
        return [[1.0]]


def client(**options: Any) -> EdgeClient:
    fakes = [FakeProvider(name, name=name) for name in ("one", "two")]
    return EdgeClient(providers=[*fakes, Embedder()], models={"g": ["one/m", "two/m", "embedder/m"]}, **options)


def reasons(edge: EdgeClient, **params: Any) -> dict[str, str]:
    plan = edge.explain(**{"model": "g", "messages": MESSAGES, **params})
    return {one.target.provider: one.reason for one in plan.targets}


def test_what_each_would_be() -> None:
    """First choice, fallback, unable, left out by the router."""
    assert reasons(client()) == {"one": "first choice", "two": "fallback", "embedder": "cannot do chat"}
    only_two = ModelRouter({"g": "two"})
    assert reasons(client(router=only_two))["one"] == "left out by the router"
    nobody = client(router=ModelRouter({"g": "none"})).explain(model="g", messages=MESSAGES)
    assert nobody.order == ()
    assert [one.place for one in nobody.targets] == [None] * 3


def test_breakers() -> None:
    """For how long, until when, or that the probe is under way."""
    edge = client(breaker=BreakerPolicy(consecutive=1, open_for=100, jitter=0))
    health = edge._engine.pipeline.targets.health
    one, two = health.of(Target("one", "m")), health.of(Target("two", "m"))
    now = health.clock()
    one.failed(now, ValueError(), "counts")
    told = edge.explain(model="g", messages=MESSAGES)
    assert [target.provider for target in told.order] == ["two"]
    assert "held back by its breaker for 9" in str(told) or "for 100.0 s more" in str(told)
    one.failed(now, AuthenticationError("x"), "credential", None, b"digest")
    one.breaker._credential = None  # as if it were still the same
    assert reasons(edge)["one"] == "held back by its breaker until its credential changes"
    one.reset()
    one.failed(now - 200, ValueError(), "counts")
    assert one.begin(now) == "probe"
    assert reasons(edge)["one"] == "held back by its breaker, whose probe is under way"
    two.failed(now, ValueError(), "counts")
    assert reasons(edge)["two"].startswith("held back")  # all are: it is told in which order they would be waited for
    assert len(edge.explain(model="g", messages=MESSAGES).order) == 2


def test_wrong_arguments() -> None:
    """They are what they are for a call; a name that means nothing is an error here too."""
    with pytest.raises(RequestValidationError):
        client().explain(model="g")
    with pytest.raises(NoTargetError):
        EdgeClient(providers=[]).explain(model="g", messages=MESSAGES)


def test_expectations() -> None:
    """Output by the request's limit and its number of choices; input by the caller's own counter."""
    edge = client(tokens={"one/*": lambda text: 1000})
    one, two, _ = edge.explain(model="g", messages=MESSAGES, max_tokens=7, n=3).targets
    assert (one.output_tokens, two.output_tokens) == (21, 21)
    assert one.input_tokens > 900 > two.input_tokens
    assert one.price_usd is None


def test_counters_learn_too() -> None:
    """A model with a counter of its own is calibrated by what is reported, as every other."""
    edge = client(tokens=lambda text: 1000, cache=False)
    before = edge.explain(model="g", messages=MESSAGES).targets[0].input_tokens
    for _ in range(30):
        edge.chat.completions.create(model="g", messages=MESSAGES)
    assert edge.explain(model="g", messages=MESSAGES).targets[0].input_tokens < before / 3


def test_a_file(tmp_path: Path) -> None:
    """A router's table, a breaker's numbers and a hedge can stand in a file."""
    path = tmp_path / "edgeagent.toml"
    path.write_text(
        'router = {strategy = "weighted", weights = {"openai" = 2}}\nbreaker = {consecutive = 9}\nhedge = 2.5\n'
    )
    edge = EdgeClient.from_file(path)
    targets = edge._engine.pipeline.targets
    assert targets._router == WeightedRouter({"openai": 2})
    assert targets.health.policy == BreakerPolicy(consecutive=9)
    assert edge.options.hedge is not None
    assert edge.options.hedge.after == 2.5
    path.write_text('router = "latency"\nbreaker = false\n')
    targets = EdgeClient.from_file(path)._engine.pipeline.targets
    assert (targets._router, targets.health.policy) == (LatencyRouter(), None)
    for text, says in (("breaker = {fails = 3}", "breaker"), ('router = {strategy = "x"}', "'x'"), ("router = 3", "3")):
        path.write_text(text)
        with pytest.raises(ConfigurationError, match=says):
            EdgeClient.from_file(path)


def test_a_class_is_no_router() -> None:
    """A router is an object."""
    with pytest.raises(ConfigurationError, match="router"):
        client(router=LatencyRouter)
