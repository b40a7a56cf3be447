"""Breakers, retry budgets and routers of real clients, with the attempts counted on the wire."""

from __future__ import annotations

import os
import re
import threading
import time
from typing import Any

import anyio
import pytest

import edgeagent
from edgeagent import (
    AuthenticationError,
    EdgeAgentError,
    EdgeClient,
    NoTargetError,
    RateLimitError,
    TargetsUnavailableError,
)
from edgeagent.providers.base import ALL_CAPABILITIES, Capabilities
from edgeagent.routing import BreakerPolicy
from edgeagent.testing import FakeProvider
from tests.e2e.harness import ANTHROPIC, OPENAI, Gate, Script, outcome, settled
from tests.support.children import forked
from tests.support.loopback import Loopback

GROUP = {"g": ["openai/gpt-4o-mini", "anthropic/claude-haiku-4-5"]}
LONG = BreakerPolicy(open_for=300, longest=300)
ASK: Any = {"model": "g", "messages": [{"role": "user", "content": "?"}]}


async def test_a_dead_target_is_left_alone(kind: str) -> None:
    """After five failures in a row the wire sees no more of the calls; the other target answers them all."""
    with Loopback(lambda _: OPENAI.fail(500)) as dead, Loopback(ANTHROPIC.serve) as alive:
        providers = [OPENAI.provider(dead), ANTHROPIC.provider(alive)]
        async with Gate(kind, providers, models=GROUP, retry=0, cache=False, breaker=LONG) as gate:
            for _ in range(20):
                await gate.create(model="g")
            health = gate.client.health()
            plan = await settled(gate.client.explain(**ASK))
    assert (len(dead.requests), len(alive.requests)) == (5, 20)
    told = health["openai/gpt-4o-mini"]
    assert (told.breaker, told.failures, told.load) == ("open", 5, 0)
    assert (told.last_error.kind, told.last_error.status) == ("InternalServerError", 500)
    assert health["anthropic/claude-haiku-4-5"].breaker == "closed"
    assert [str(target) for target in plan.order] == ["anthropic/claude-haiku-4-5"]
    assert "held back by its breaker" in str(plan)


async def test_all_are_held_back(kind: str) -> None:
    """Without a target that is ready in time the call fails at once, says until when, and asks nobody."""
    with Loopback(lambda _: OPENAI.fail(503)) as dead:
        async with Gate(kind, [OPENAI.provider(dead)], retry=0, cache=False, breaker=LONG) as gate:
            for _ in range(5):
                await outcome(lambda: gate.create(model=OPENAI.model))
            began = time.monotonic()
            error = await outcome(lambda: gate.create(model=OPENAI.model))
    assert isinstance(error, TargetsUnavailableError)
    assert isinstance(error, edgeagent.OverloadedError)
    assert error.retry_after is not None
    assert 200 < error.retry_after <= 300
    assert re.search(r"openai/gpt-4o-mini for (2\d\d|300)[. ]", str(error))
    assert "OverloadedError 503" in str(error)
    assert len(dead.requests) == 5
    assert time.monotonic() - began < 5


async def test_all_are_over_their_rate_limits(kind: str) -> None:
    """A long Retry-After is the later calls' error, too: the same class, and how long it still holds."""
    with Loopback(lambda _: OPENAI.fail(429, retry_after="600")) as busy:
        async with Gate(kind, [OPENAI.provider(busy)], retry=0, cache=False) as gate:
            errors = [await outcome(lambda: gate.create(model=OPENAI.model)) for _ in range(2)]
    assert len(busy.requests) == 1
    for error in errors:
        assert type(error) is RateLimitError
        assert error.status_code == 429
        assert error.retry_after is not None
        assert 500 < error.retry_after <= 600
    assert "after RateLimitError 429" in str(errors[1])


async def test_one_of_several_is_over_its_rate_limit(kind: str) -> None:
    """And the other is down: no target is available."""
    with (
        Loopback(lambda _: OPENAI.fail(429, retry_after="600")) as busy,
        Loopback(lambda _: ANTHROPIC.fail(503, retry_after="600")) as down,
    ):
        providers = [OPENAI.provider(busy), ANTHROPIC.provider(down)]
        async with Gate(kind, providers, models=GROUP, retry=0, cache=False) as gate:
            first = await outcome(lambda: gate.create(model="g"))
            second = await outcome(lambda: gate.create(model="g"))
    assert type(first) is RateLimitError
    assert isinstance(second, TargetsUnavailableError)


async def test_the_first_ready_is_waited_for(kind: str) -> None:
    """With time enough the call waits exactly until the first breaker lets a probe through, and gets its answer."""
    script = Script(*[OPENAI.fail(500)] * 5, OPENAI.reply())
    policy = BreakerPolicy(open_for=20, jitter=0)
    with Loopback(script) as server:
        async with Gate(kind, [OPENAI.provider(server)], retry=0, cache=False, breaker=policy) as gate:
            for _ in range(5):
                await outcome(lambda: gate.create(model=OPENAI.model))
            answer = await gate.create(model=OPENAI.model, edge={"deadline": 60})
            too_soon = await outcome(lambda: gate.create(model=OPENAI.model))
    assert answer.choices[0].message.content == "Paris"
    assert len(gate.slept) == 1
    assert 19 < gate.slept[0] <= 20
    assert not isinstance(too_soon, EdgeAgentError)  # the probe has closed it


async def test_the_deadline_does_not_allow_the_wait(kind: str) -> None:
    """Then the error comes at once."""
    with Loopback(lambda _: OPENAI.fail(500)) as server:
        policy = BreakerPolicy(open_for=20)
        async with Gate(kind, [OPENAI.provider(server)], retry=0, cache=False, breaker=policy) as gate:
            for _ in range(5):
                await outcome(lambda: gate.create(model=OPENAI.model))
            error = await outcome(lambda: gate.create(model=OPENAI.model, edge={"deadline": 3}))
    assert isinstance(error, TargetsUnavailableError)
    assert gate.slept == []


async def test_one_probe(kind: str) -> None:
    """Of many calls that wait for the same target one is its probe; when that is answered the others go on."""
    seen: list[int] = []

    def serve(request: Any) -> Any:
        seen.append(1)
        if len(seen) <= 5:
            return OPENAI.fail(500)
        if len(seen) == 6:
            time.sleep(0.2)
            counted.append(len(seen))
        return OPENAI.reply()

    counted: list[int] = []
    with Loopback(serve) as server:
        policy = BreakerPolicy(open_for=0.05, jitter=0)
        async with Gate(kind, [OPENAI.provider(server)], retry=0, cache=False, breaker=policy) as gate:
            for _ in range(5):
                await outcome(lambda: gate.create(model=OPENAI.model))
            await gate.pause(0.1)
            answers = await gate.together(8, lambda: gate.create(model=OPENAI.model))
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert counted == [6]  # nobody else was on the wire while the probe was
    assert len(server.requests) == 13


async def test_one_probe_of_many_that_slept(kind: str) -> None:
    """Calls that wait until the same moment do not all run to the target: one does, the others after it."""
    under_way, most = [0], [0]
    lock = threading.Lock()
    seen: list[int] = []

    def serve(request: Any) -> Any:
        with lock:
            seen.append(1)
            if len(seen) == 1:
                return OPENAI.fail(500)
            recovering = len(seen) == 2
            under_way[0] += recovering
            most[0] = max(most[0], len(seen)) if under_way[0] else most[0]
        if recovering:
            time.sleep(0.3)
            with lock:
                under_way[0] -= 1
        return OPENAI.reply()

    with Loopback(serve) as server:
        policy = BreakerPolicy(consecutive=1, open_for=0.3, jitter=0)
        async with Gate(kind, [OPENAI.provider(server)], retry=0, cache=False, breaker=policy) as gate:
            await outcome(lambda: gate.create(model=OPENAI.model))
            sleepers = gate.client._engine.runtime
            sleepers.sync_driver._sleep = time.sleep
            sleepers.async_driver._sleep = anyio.sleep
            answers = await gate.together(8, lambda: gate.create(model=OPENAI.model))
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert most == [2]
    assert len(server.requests) == 9


async def test_a_refused_key(kind: str) -> None:
    """401 ends the requests until the key changes: to the wire nothing goes, the caller still sees a 401."""
    with Loopback(Script(OPENAI.fail(401), OPENAI.reply())) as server:
        provider = OPENAI.provider(server)
        async with Gate(kind, [provider], cache=False) as gate:
            for _ in range(4):
                error = await outcome(lambda: gate.create(model=OPENAI.model))
                assert isinstance(error, AuthenticationError)
            assert "until its credential changes" in str(error)
            assert "sk-" not in str(error)
            assert len(server.requests) == 1
            assert gate.client.health()["openai/gpt-4o-mini"].ready_in is None
            provider.api_key = "sk-another"
            assert (await gate.create(model=OPENAI.model)).choices[0].message.content == "Paris"
    assert len(server.requests) == 2
    assert gate.slept == []


async def test_a_key_of_the_calls_own(kind: str) -> None:
    """A caller's own wrong Authorization header closes the target to nobody else."""
    with Loopback(Script(OPENAI.fail(401), OPENAI.reply())) as server:
        async with Gate(kind, [OPENAI.provider(server)], cache=False) as gate:
            with pytest.raises(AuthenticationError):
                await gate.create(model=OPENAI.model, extra_headers={"Authorization": "Bearer theirs"})
            await gate.create(model=OPENAI.model)
    assert len(server.requests) == 2


async def test_reset(kind: str) -> None:
    """Whoever knows that all is well again says so."""
    with Loopback(Script(OPENAI.fail(403), OPENAI.reply())) as server:
        async with Gate(kind, [OPENAI.provider(server)], cache=False) as gate:
            await outcome(lambda: gate.create(model=OPENAI.model))
            gate.client.with_options(timeout=3).reset_health()
            assert (await gate.create(model=OPENAI.model)).edge.provider == "openai"


async def test_retry_after_holds_for_everyone(kind: str) -> None:
    """A 429 with Retry-After keeps other calls from the target for as long as it says."""
    with Loopback(lambda _: OPENAI.fail(429, retry_after="90")) as busy, Loopback(ANTHROPIC.serve) as free:
        providers = [OPENAI.provider(busy), ANTHROPIC.provider(free)]
        async with Gate(kind, providers, models=GROUP, cache=False) as gate:
            for _ in range(5):
                await gate.create(model="g")
            assert gate.client.health()["openai/gpt-4o-mini"].ready_in > 80
    assert (len(busy.requests), len(free.requests)) == (1, 5)


async def test_retries_do_not_amplify_an_outage(kind: str) -> None:
    """Of 100 calls with two retries each, an outage sees its reserve and a fifth more than the calls, not 300."""
    with Loopback(lambda _: OPENAI.fail(500)) as dead:
        async with Gate(kind, [OPENAI.provider(dead)], cache=False, breaker=False) as gate:
            for _ in range(100):
                await outcome(lambda: gate.create(model=OPENAI.model))
            assert gate.client.health()["openai/gpt-4o-mini"].breaker == "closed"
    assert 100 + 10 <= len(dead.requests) <= 100 + 10 + 20 + 5


@pytest.mark.parametrize("way", ["answered", "closed early", "broken"])
async def test_a_streams_load(kind: str, way: str) -> None:
    """A stream is under way until it has ended, however it ends; its times are known."""
    from tests.e2e.harness import streamed
    from tests.support.loopback import HANG_UP

    events = OPENAI.events("Par", "is")
    broken = [*events[:2], HANG_UP]
    with Loopback(lambda _: streamed(broken if way == "broken" else events, end=way != "broken")) as server:
        async with Gate(kind, [OPENAI.provider(server)], cache=False) as gate:
            stream = await gate.stream(model=OPENAI.model)
            assert gate.client.health()["openai/gpt-4o-mini"].load == 1
            if way == "closed early":
                await stream.close()
            else:
                await outcome(lambda: _read(stream))
            told = gate.client.health()["openai/gpt-4o-mini"]
    assert told.load == 0
    assert told.first_token.p50 is not None
    assert told.failures == (way == "broken")
    assert (told.per_token.p50 is not None) == (way == "answered")


async def _read(stream: Any) -> None:
    async for _ in stream:
        pass


async def test_latency_is_learned(kind: str) -> None:
    """The faster of two targets gets the calls once both were measured."""
    slow = FakeProvider("slow", name="slow", latency=0.05)
    fast = FakeProvider("fast", name="fast")
    async with Gate(kind, [slow, fast], models={"g": ["slow/m", "fast/m"]}, router="latency", cache=False) as gate:
        for _ in range(30):
            await gate.create(model="g")
    assert fast.calls > 20


async def test_turns_of_one_calls_router(kind: str) -> None:
    """A strategy named for one call takes turns with the calls before it, in every view of the client."""
    fakes = [FakeProvider(name, name=name) for name in ("one", "two", "three")]
    async with Gate(kind, fakes, models={"g": ["one/m", "two/m", "three/m"]}, cache=False) as gate:
        for _ in range(6):
            await gate.create(model="g", edge={"router": "round-robin"})
    assert [fake.calls for fake in fakes] == [2, 2, 2]


async def test_what_a_target_lacks(kind: str) -> None:
    """The error says which feature, and which target lacked it; a window that is surely too small is one."""
    plain = FakeProvider("x", name="plain", capabilities=Capabilities(frozenset({"streaming"})))
    small = FakeProvider("x", name="small", capabilities=Capabilities(ALL_CAPABILITIES.features, context_window=100))
    models = {"g": ["plain/m", "small/m"], "s": "small/m"}
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    async with Gate(kind, [plain, small], models=models, cache=False) as gate:
        long = "many words " * 1000
        error = await outcome(lambda: gate.create(long, model="g", tools=tools, n=2))
        assert isinstance(error, NoTargetError)
        assert "plain/m cannot do n, tools" in str(error)
        assert "small/m cannot do context length (about" in str(error)
        error = await outcome(lambda: gate.create(long, model="s"))
        assert isinstance(error, edgeagent.ContextWindowExceededError)
        assert (await gate.create(long, model="g")).edge.provider == "plain"
        plan = await settled(gate.client.explain(messages=[{"role": "user", "content": long}], model="g"))
    assert [one.place for one in plan.targets] == [0, None]
    assert plan.targets[1].lacks[0].startswith("context length")
    assert plan.targets[0].input_tokens > 1000
    assert small.calls == 0


async def test_explaining(kind: str) -> None:
    """Names, order, prices, breakers: all is told, and nobody is asked."""
    with Loopback(OPENAI.serve) as server:
        providers = [OPENAI.provider(server), ANTHROPIC.provider(server)]
        async with Gate(kind, providers, models=GROUP, router="cost") as gate:
            plan = await settled(gate.client.explain(**ASK, max_tokens=10, stream=True, edge={"tags": ["x"]}))
            again = await settled(gate.client.explain(**ASK, edge={"router": "round-robin"}))
            after = await settled(gate.client.explain(**ASK, edge={"router": "round-robin"}))
            with pytest.raises(TypeError):
                await settled(gate.client.explain(**ASK, nonsense=1))
    assert server.requests == []
    assert [str(target) for target in plan.order] == GROUP["g"]
    first, second = plan.targets
    assert first.price_usd < second.price_usd
    assert (first.reason, second.reason) == ("first choice", "fallback")
    assert (first.output_tokens, first.breaker) == (10, "closed")
    assert first.context_window == 128_000
    assert plan.router == "CostRouter"
    assert again == after
    assert "gpt-4o-mini" in str(plan)


def test_a_warm_prompt_cache_is_cheaper() -> None:
    """What was sent to a target lately and reported as cached makes the next turn of the conversation cheaper there."""
    usage = {
        "prompt_tokens": 4000,
        "completion_tokens": 5,
        "total_tokens": 4005,
        "prompt_tokens_details": {"cached_tokens": 3900},
    }
    answer = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}]}
    fake = FakeProvider({**answer, "usage": usage}, name="fake", vendor="openai")
    first: list[Any] = [{"role": "user", "content": "word " * 4000}]
    later = [*first, {"role": "assistant", "content": "x"}, {"role": "user", "content": "and?"}]
    with EdgeClient(providers=[fake], router="cost", models={"g": ["fake/gpt-4o", "fake/gpt-4.1"]}, cache=False) as c:

        def prices() -> dict[str, Any]:
            return {one.target.model: one.price_usd for one in c.explain(model="g", messages=later).targets}

        cold = prices()
        asked = c.chat.completions.create(model="g", messages=first).edge.model
        warm = prices()
    assert asked is not None
    (other,) = warm.keys() - {asked}
    assert warm[asked] < cold[asked] * 8 / 10
    assert warm[other] == cold[other]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_after_a_fork() -> None:
    """A child goes on with what was learned, with nothing under way, whatever its parent's threads held."""
    fake = FakeProvider("x", name="fake")
    client = EdgeClient(providers=[fake], cache=False)
    client.chat.completions.create(model="fake/m", messages=ASK["messages"])
    state = client._engine.pipeline.targets.health.of(edgeagent.Target("fake", "m"))
    state.begin(0.0)

    def goes_on() -> bool:
        client.chat.completions.create(model="fake/m", messages=ASK["messages"])
        return client.health()["fake/m"].load == 0

    with state._lock:
        assert os.waitpid(forked(goes_on), 0)[1] == 0
