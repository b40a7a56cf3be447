"""Probes: every target is asked, no call of a user's has to find out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Barrier
from typing import Any

import anyio.to_thread
import openai
import pytest
import trio

from edgeagent import (
    APITimeoutError,
    BudgetExceededError,
    EdgeClient,
    InternalServerError,
    NoTargetError,
    RateLimitError,
    TargetsUnavailableError,
)
from edgeagent.limits import Budget, Limit
from edgeagent.routing import BreakerPolicy
from edgeagent.telemetry import CallStarted
from edgeagent.testing import FakeProvider
from edgeagent.types import ChatRequest

QUESTION: Any = [{"role": "user", "content": "Hi"}]


class Seen:
    """Notes the tags of calls."""

    def __init__(self) -> None:
        self.tags: list[tuple[str, ...]] = []

    def start(self, event: CallStarted) -> None:
        self.tags.append(event.tags)


def blocking(client: EdgeClient, *models: str, **settings: Any) -> Any:
    return client.probe(*models, **settings)


def awaiting(run: Callable[[Any], Any]) -> Callable[..., Any]:
    def probe(client: EdgeClient, *models: str, **settings: Any) -> Any:
        async def asked() -> Any:
            return await client.to_async().probe(*models, **settings)

        return run(asked)

    return probe


every_way = pytest.mark.parametrize(
    "probe",
    [blocking, awaiting(lambda asked: asyncio.run(asked())), awaiting(trio.run)],
    ids=["sync", "asyncio", "trio"],
)


def down() -> FakeProvider:
    return FakeProvider(InternalServerError("Down."), name="down")


@every_way
def test_every_target_of_the_groups_is_asked_once(probe: Any) -> None:
    """Without a retry, a fallback or a cached answer; what came of it is told, and known to routers."""
    seen: list[ChatRequest] = []
    alive = FakeProvider(lambda request: seen.append(request) or "OK.", name="alive")
    dead = down()
    with EdgeClient(providers=[dead, alive], models={"chat": ["down/m", "alive/m"], "other": "chat"}) as client:
        for _ in range(2):
            found = probe(client)
            assert found.keys() == {"down/m", "alive/m"}
            assert found["alive/m"] is None
            assert isinstance(found["down/m"], InternalServerError)
        health = client.health()
    assert (dead.calls, alive.calls) == (2, 2)
    assert (health["down/m"].failures, health["alive/m"].requests) == (2, 2)
    assert seen[0].max_completion_tokens == 16


@every_way
def test_a_breaker_closes_without_a_users_call(probe: Any) -> None:
    """What has recovered is found by the probe; a target that is held back for longer than it may take is not asked."""
    back = FakeProvider([InternalServerError("Down."), "OK."], name="back")
    policy = BreakerPolicy(consecutive=1, open_for=0.01)
    with EdgeClient(providers=[back], breaker=policy, retry=0) as client:
        with pytest.raises(InternalServerError):
            client.chat.completions.create(model="back/m", messages=QUESTION)
        assert probe(client) == {"back/m": None}
        assert client.health()["back/m"].breaker == "closed"
    slow_down = RateLimitError("Slow down.")
    slow_down.retry_after = 300.0
    limited = FakeProvider(slow_down, name="limited")
    with EdgeClient(providers=[limited], retry=0) as client:
        assert isinstance(probe(client, "limited/m")["limited/m"], RateLimitError)
        again = probe(client, "limited/m", timeout=0.5)["limited/m"]
        assert isinstance(again, RateLimitError | TargetsUnavailableError)
    assert limited.calls == 1


@every_way
@pytest.mark.parametrize(
    ("tags", "told"),
    [
        ((), ("probe",)),
        (("tenant=acme", "batch"), ("tenant=acme", "batch", "probe")),
        (("probe", "batch", "batch"), ("probe", "batch")),
    ],
    ids=["none", "others", "the same"],
)
def test_tags(probe: Any, tags: tuple[str, ...], told: tuple[str, ...]) -> None:
    """Those of the view, and `probe`, each once: rules by tag see who asks."""
    seen = Seen()
    with EdgeClient(providers=[FakeProvider("OK.", name="alive")], observers=[seen]) as client:
        view = client.with_options(tags=tags) if tags else client
        assert probe(view, "alive/m") == {"alive/m": None}
        assert view.options.tags == tags
    assert seen.tags == [told]


@every_way
def test_limits_and_budgets_by_tag(probe: Any) -> None:
    """They count probes as they do the view's other calls: what they refuse is not asked."""
    alive = FakeProvider("OK.", name="alive")
    limit = Limit(requests=1, by="tenant", wait=False)
    budget = Budget(tokens=1, by="tag", tags=["report"])
    with EdgeClient(providers=[alive], limits=[limit], budgets=[budget]) as client:
        acme, other = (client.with_options(tags=[f"tenant={name}"]) for name in ("acme", "other"))
        assert probe(acme, "alive/m") == probe(other, "alive/m") == {"alive/m": None}
        assert isinstance(probe(acme, "alive/m")["alive/m"], RateLimitError)
        report = client.with_options(tags=["report"])
        assert isinstance(probe(report, "alive/m")["alive/m"], BudgetExceededError)
    assert alive.calls == 2


@every_way
def test_names(probe: Any) -> None:
    """Groups and targets by name; nobody; a name of nobody's, as `errors=` says it."""
    alive = FakeProvider("OK.", name="alive")
    with EdgeClient(providers=[alive], models={"chat": ["alive/a", "alive/b"]}, strict_models=True) as client:
        assert probe(client, "chat", "alive/c", "alive/a") == {"alive/a": None, "alive/b": None, "alive/c": None}
        with pytest.raises(NoTargetError):
            probe(client, "nobody")
    with EdgeClient(providers=[alive]) as client:
        assert probe(client) == {}
    with (
        EdgeClient(providers=[alive], strict_models=True, errors="openai") as client,
        pytest.raises(openai.OpenAIError),
    ):
        probe(client, "nobody")


@every_way
def test_targets_are_asked_at_once(probe: Any) -> None:
    """None waits for another one to have answered."""
    all_asked = Barrier(3)

    def answer(_: ChatRequest) -> str:
        all_asked.wait(10)
        return "OK."

    async def aanswer(_: ChatRequest) -> str:
        await anyio.to_thread.run_sync(all_asked.wait, 10)
        return "OK."

    made = answer if probe is blocking else aanswer
    fakes = [FakeProvider(made, name=name) for name in "abc"]
    with EdgeClient(providers=fakes, models={"chat": ["a/m", "b/m", "c/m"]}) as client:
        assert probe(client) == {"a/m": None, "b/m": None, "c/m": None}


@pytest.mark.parametrize("run", [lambda asked: asyncio.run(asked()), trio.run], ids=["asyncio", "trio"])
def test_a_target_that_does_not_answer(run: Any) -> None:
    """Ends with its own time."""
    slow = FakeProvider("late", name="slow", latency=300)
    with EdgeClient(providers=[slow], models={"chat": ["slow/m"]}) as client:
        assert isinstance(awaiting(run)(client, timeout=0.05)["slow/m"], APITimeoutError)
