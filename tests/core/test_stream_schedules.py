"""Shared streams under thousands of schedules: who comes, reads, dawdles, leaves, is cancelled in any order, by seed.

Whatever happens: everyone who stays gets one provider call's whole answer; nobody's end is felt by another; a source is
read by one at a time, and closed; nothing is left behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from edgeagent import errors as e
from edgeagent.cache.memory import MemoryCache
from edgeagent.core.call import CallOptions
from edgeagent.core.layers import CacheLayers
from edgeagent.core.pipeline import Pipeline
from edgeagent.core.retry import RetryPolicy
from edgeagent.core.session import StreamSession
from edgeagent.core.targets import Targets
from edgeagent.effects import Close, Effect, Here, Join, OpenIterator, Read, Scope, Sleep, Spawn
from edgeagent.providers.names import Named
from edgeagent.routing.failover import FailoverRouter
from edgeagent.routing.names import Names
from edgeagent.telemetry import ObserverGroup
from edgeagent.wire.http import Headers
from tests.core.test_pipeline import House, Prices, text
from tests.core.test_schedules import Cancelled

PIECES = 4


class Source:
    """One provider call's pieces; broken when a read of it is cancelled, as a connection is."""

    status_code = 200
    headers = Headers()

    def __init__(self, pieces: Iterator[Any]) -> None:
        self.pieces = pieces
        self.reader: object = None
        self.closed = False

    def read(self) -> Any:
        assert not self.closed
        try:
            piece = next(self.pieces, None)
        except Exception:
            self.closed = True
            raise
        self.closed = piece is None
        return piece


class Runner:
    """A flow on its way: a caller's call and its stream, or a pump."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.scope = Scope()
        self.flow: Any = None
        self.effect: Effect | None = None
        self.take_back: Callable[[], None] | None = None
        self.ready = False
        self.ended = False
        self.outcome: Any = None

    def begin(self, flow: Any) -> None:
        self.flow = flow
        self.go(lambda: flow.send(None))

    def go(self, step: Callable[[], Effect]) -> None:
        if self.take_back is not None:
            self.take_back()
            self.take_back = None
        self.effect = None
        try:
            effect = step()
        except StopIteration as end:
            self.returned(end.value)
        except BaseException as error:
            self.end(error)
        else:
            self.wait_for(effect)

    def wait_for(self, effect: Effect) -> None:
        self.effect, self.ready = effect, not isinstance(effect, Join)
        if isinstance(effect, Read):
            source: Any = effect.source
            assert source.reader is None, "two read one source"
            source.reader = self
        if isinstance(effect, Join):
            self.take_back = effect.waitable.add_done_callback(self.wake)

    def wake(self) -> None:
        self.ready = True

    def returned(self, value: Any) -> None:
        self.end(value)

    def end(self, outcome: Any) -> None:
        self.ended, self.outcome = True, outcome
        while self.scope.sources:
            self.scope.sources.pop().closed = True
        self.scope.release()

    def cancel(self) -> None:
        if self.ended:
            return
        if isinstance(self.effect, Read):
            source: Any = self.effect.source
            source.reader, source.closed = None, True
        self.go(lambda: self.flow.throw(Cancelled()))

    def perform(self) -> None:
        effect = self.effect
        try:
            outcome = self.done(effect)
        except Exception as raised:
            error = raised
        else:
            self.go(lambda: self.flow.send(outcome))
            return
        self.go(lambda: self.flow.throw(error))

    def done(self, effect: Any) -> Any:
        match effect:
            case Here():
                return None
            case Join():
                return self.ready
            case OpenIterator():
                source = Source(effect.call())
                self.world.sources.append(source)
                self.scope.sources.append(source)
                return source
            case Read():
                effect.source.reader = None
                piece = None
                try:
                    piece = effect.source.read()
                finally:
                    if piece is None and effect.source in self.scope.sources:
                        self.scope.sources.remove(effect.source)
                return piece
            case Close():
                effect.source.closed = True
                return None
            case Sleep():
                return None
            case Spawn():
                pump = Runner(self.world)
                self.world.runners.append(pump)
                pump.begin(effect.flow(pump.scope))
                return pump.cancel
        raise AssertionError(effect)


class Caller(Runner):
    """Opens a stream and reads it; between two reads he may be idle, or leave."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.session: StreamSession | None = None
        self.shown: list[Any] = []
        request = House.request("hello", stream=True)
        self.begin(world.pipeline.open_stream(request, world.options, self.scope, prefers_async=True))

    @property
    def idle(self) -> bool:
        return not self.ended and self.effect is None and self.session is not None

    def returned(self, value: Any) -> None:
        if self.session is None:
            self.session = value
        self.take()

    def take(self) -> None:
        assert self.session is not None
        while self.session.pending:
            self.shown.append(self.session.pending.popleft())
        if not self.session.flowing:
            self.end(text(self.shown))

    def advance(self) -> None:
        assert self.session is not None
        self.begin(self.session.advance())

    def end(self, outcome: Any) -> None:
        if self.session is not None:
            self.session.close_early()
        super().end(outcome)

    def leave(self) -> None:
        self.end(None)


class World:
    """One schedule."""

    def __init__(self, seed: int, *, leaving: float = 0.0, failing: float = 0.0) -> None:
        self.random = Random(seed)
        self.leaving, self.failing = leaving, failing
        self.calls = 0
        self.sources: list[Source] = []
        self.runners: list[Runner] = []
        self.options = CallOptions(retry=RetryPolicy.of(0))
        names = Names([Named(self, "fake", lambda vendor, model: False)], {})  # type: ignore[arg-type]
        targets = Targets({"fake": self}, names, FailoverRouter())  # type: ignore[dict-item]
        layers = CacheLayers([MemoryCache()], lambda job: job(), lambda: 1000.0, ObserverGroup(()))
        group = ObserverGroup(())
        self.pipeline = Pipeline(targets, layers, Prices(), group, clock=lambda: 1000.0, wall=lambda: 1000.0)

    name = "fake"

    def stream(self, request: Any) -> Iterator[Any]:
        self.calls += 1
        number = self.calls
        for piece in range(PIECES):
            if self.random.random() < self.failing:
                raise e.APIConnectionError(message="gone")
            yield f"{number}:{piece} "

    def run(self, callers: int) -> list[Caller]:
        came: list[Caller] = []
        for _ in range(5_000):
            alive = [one for one in self.runners if not one.ended]
            if len(came) == callers and not alive:
                return came
            chance = self.random.random()
            if len(came) < callers and (not alive or chance < 0.2):
                came.append(Caller(self))
                self.runners.append(came[-1])
            elif 0.2 <= chance < 0.2 + self.leaving:
                there = [one for one in came if not one.ended]
                if there:
                    leaver = self.random.choice(there)
                    (leaver.leave if leaver.idle else leaver.cancel)()
            else:
                self.turn(alive)
        raise AssertionError("it does not end")

    def turn(self, alive: list[Runner]) -> None:
        able = [one for one in alive if one.ready or (isinstance(one, Caller) and one.idle)]
        if not able:
            assert not alive, "everyone waits for somebody"
            return
        one = self.random.choice(able)
        if isinstance(one, Caller) and one.idle:
            one.advance()
        else:
            one.perform()

    def check_nothing_left(self) -> None:
        assert len(self.pipeline.streams) == 0
        assert len(self.pipeline.streams.openings) == 0
        for source in self.sources:
            assert source.closed
            assert source.reader is None
        for one in self.runners:
            assert one.scope._releases == {}
            assert one.take_back is None


WHOLE = [" ".join(f"{number}:{piece}" for piece in range(PIECES)) + " " for number in range(1, 30)]
SEEDS = range(1500)


@pytest.mark.bulk
def test_when_nobody_leaves_there_is_one_call() -> None:
    """Whatever the order: one provider call, the whole of it for everyone."""
    for seed in SEEDS:
        world = World(seed)
        assert {caller.outcome for caller in world.run(6)} == {WHOLE[0]}, seed
        assert world.calls == 1
        world.check_nothing_left()


@pytest.mark.bulk
@pytest.mark.parametrize("leaving", [0.05, 0.2])
def test_nobody_feels_that_another_leaves(leaving: float) -> None:
    """Idle or in the middle of a read, the first one or a later one: who stays gets the whole of one call."""
    left = 0
    for seed in SEEDS:
        world = World(seed, leaving=leaving)
        for caller in world.run(6):
            gone = caller.outcome is None or isinstance(caller.outcome, Cancelled)
            left += gone
            assert gone or caller.outcome in WHOLE, (seed, caller.outcome)
        world.check_nothing_left()
    assert left > 1000


@pytest.mark.bulk
def test_a_break_is_told_to_everyone() -> None:
    """An error for who was shown something, another try for who was not; never a mixture of two answers."""
    for seed in SEEDS:
        world = World(seed, leaving=0.05, failing=0.15)
        for caller in world.run(6):
            outcome = caller.outcome
            assert outcome is None or outcome in WHOLE or isinstance(outcome, Cancelled | e.APIConnectionError), seed
            shown = text(caller.shown)
            assert shown == "" or any(whole.startswith(shown) for whole in WHOLE), (seed, shown)
        world.check_nothing_left()
