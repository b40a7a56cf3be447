"""Single flight under thousands of schedules: every order of steps, cancellations, deadlines and failures, by seed.

Callers are flows without I/O. A scheduler of the test's own decides who goes on next, who is cancelled where, how much
time passes and which provider call fails; a seed says it all, so what fails once fails again. Whatever happens:

- everyone ends: with an answer, an error that he may get, or because he was cancelled; nobody waits for nobody;
- no flight, waiter or release is left behind;
- at no moment are two provider calls under way for those who share, unless an old one is past its leader's end;
- when all goes well there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest

from edgeagent import errors as e
from edgeagent.cache.memory import MemoryCache
from edgeagent.cache.policy import CacheOptions
from edgeagent.core.call import CallOptions
from edgeagent.core.layers import CacheLayers
from edgeagent.core.pipeline import Pipeline
from edgeagent.core.retry import RetryPolicy
from edgeagent.core.targets import Targets
from edgeagent.effects import Effect, Invoke, Join, Offload, Scope, Sleep
from edgeagent.errors import DeadlineExceededError
from edgeagent.providers.names import Named
from edgeagent.routing.failover import FailoverRouter
from edgeagent.routing.names import Names
from edgeagent.telemetry import ObserverGroup
from tests.core.test_pipeline import Far, House, Prices


class Cancelled(BaseException):
    """What a cancelled task gets."""


class Provider:
    """Fails as it was told, then by chance; counts its calls."""

    name = "fake"

    def __init__(self, random: Random, failing: float, scripted: Sequence[Exception]) -> None:
        self.random = random
        self.failing = failing
        self.scripted = list(scripted)
        self.calls = 0

    def complete(self, request: Any) -> str:
        self.calls += 1
        if self.scripted:
            raise self.scripted.pop(0)
        if self.random.random() < self.failing:
            kind = self.random.choice([e.InternalServerError, e.RateLimitError, e.BadRequestError, RuntimeError])
            raise kind("no")
        return f"answer {self.calls}"


class Task:
    """One caller: its flow, what it waits for, and how it ended."""

    def __init__(self, world: Schedule, options: CallOptions, prompt: str) -> None:
        self.options = options
        self.scope = Scope()
        self.effect: Effect | None = None
        self.ready = False
        self.take_back: Callable[[], None] | None = None
        self.outcome: Any = None
        self.ended = False
        request = House.request(prompt)
        self.flow = world.pipeline.complete(request, options, self.scope, prefers_async=True)
        self.go(lambda: self.flow.send(None))

    def go(self, step: Callable[[], Effect]) -> None:
        """Run to the next effect, or to the end."""
        self.stop_waiting()
        try:
            self.effect = step()
        except StopIteration as end:
            self.end(end.value)
        except BaseException as error:
            self.end(error)
        else:
            self.ready = not isinstance(self.effect, Join)
            if isinstance(self.effect, Join):
                self.take_back = self.effect.waitable.add_done_callback(self.wake)

    def wake(self) -> None:
        self.ready = True

    def stop_waiting(self) -> None:
        if self.take_back is not None:
            self.take_back()
            self.take_back = None

    def end(self, outcome: Any) -> None:
        self.ended, self.outcome, self.effect = True, outcome, None
        self.scope.release()


class Schedule:
    """One order of events."""

    def __init__(
        self,
        seed: int,
        *,
        failing: float = 0.0,
        cancelling: float = 0.0,
        rushing: float = 0.0,
        scripted: Sequence[Exception] = (),
        choices: Sequence[CallOptions] = (),
    ) -> None:
        self.random = Random(seed)
        self.cancelling = cancelling
        self.rushing = rushing
        self.choices = choices
        self.now = 1000.0
        self.jobs: list[Callable[[], None]] = []
        self.provider = Provider(self.random, failing, scripted)
        names = Names([Named(self.provider, "fake", lambda vendor, model: False)], {})  # type: ignore[arg-type]
        targets = Targets({"fake": self.provider}, names, FailoverRouter())  # type: ignore[dict-item]
        tiers: list[Any] = [MemoryCache(clock=self.clock)] + [Far()] * self.random.randrange(2)
        layers = CacheLayers(tiers, self.jobs.append, self.clock, ObserverGroup(()))
        self.pipeline = Pipeline(targets, layers, Prices(), ObserverGroup(()), clock=self.clock, wall=self.clock)
        self.tasks: list[Task] = []
        self.most = 0

    def clock(self) -> float:
        return self.now

    def options(self) -> CallOptions:
        if self.choices:
            return self.random.choice(self.choices)
        retry = RetryPolicy.of(self.random.choice([0, 1, 2]))
        deadline = self.random.choice([1.0, 5.0, 20.0]) if self.random.random() < self.rushing else None
        return CallOptions(retry=retry, deadline=deadline)

    def run(self, callers: int) -> list[Task]:
        """Begin so many callers at random moments, and go on until all have ended."""
        for _ in range(10_000):
            waiting = [task for task in self.tasks if not task.ended]
            if not waiting and len(self.tasks) == callers:
                return self.tasks
            self.turn(waiting, callers)
            asking = [task for task in self.tasks if isinstance(task.effect, Invoke)]
            self.most = max(self.most, sum(task.options.cache.mode == "on" for task in asking))
        raise AssertionError("it does not end")

    def turn(self, waiting: list[Task], callers: int) -> None:
        """One thing happens."""
        choice = self.random.random()
        if len(self.tasks) < callers and (not waiting or choice < 0.3):
            self.tasks.append(Task(self, self.options(), "hello"))
        elif waiting and 0.3 <= choice < 0.3 + self.cancelling:
            task = self.random.choice(waiting)
            task.go(lambda: task.flow.throw(Cancelled()))
        elif self.jobs and choice > 0.9:
            self.jobs.pop(0)()
        elif choice > 0.8:
            self.now += self.random.choice([0.1, 1.0, 10.0])
        else:
            able = [task for task in waiting if task.ready or self.is_late(task)]
            if able:
                self.perform(self.random.choice(able))
            else:
                assert any(task.effect.deadline is not None for task in waiting if isinstance(task.effect, Join)), (
                    "everyone waits for somebody"
                )
                self.now += 1.0

    def is_late(self, task: Task) -> bool:
        return isinstance(task.effect, Join) and task.effect.deadline is not None and self.now >= task.effect.deadline

    def perform(self, task: Task) -> None:
        effect = task.effect
        try:
            outcome = self.outcome(effect, task)
        except Exception as raised:
            error = raised
        else:
            task.go(lambda: task.flow.send(outcome))
            return
        task.go(lambda: task.flow.throw(error))

    def outcome(self, effect: Effect | None, task: Task) -> Any:
        match effect:
            case Join():
                return task.ready
            case Invoke():
                if effect.deadline is not None and self.now >= effect.deadline:
                    raise DeadlineExceededError
                return effect.call()
            case Offload():
                return effect.call()
            case Sleep():
                self.now += effect.seconds
                return None
        raise AssertionError(effect)

    def check_nothing_left(self) -> None:
        """No flight, and no release of anybody's."""
        assert len(self.pipeline.flights) == 0
        for task in self.tasks:
            assert task.scope._releases == {}
            assert task.take_back is None


MAY = (e.APIError, e.DeadlineExceededError, RuntimeError)
SEEDS = range(1500)


@pytest.mark.bulk
def test_when_all_goes_well_there_is_one_call() -> None:
    """Whatever the order: one provider call, and its answer for everyone."""
    for seed in SEEDS:
        world = Schedule(seed)
        tasks = world.run(8)
        assert world.provider.calls == 1, seed
        assert {task.outcome.choices[0].message.content for task in tasks} == {"answer 1"}
        world.check_nothing_left()


@pytest.mark.bulk
@pytest.mark.parametrize(
    ("failing", "cancelling", "rushing"),
    [(0.0, 0.2, 0.0), (0.5, 0.0, 0.0), (0.0, 0.0, 0.7), (0.3, 0.1, 0.3), (1.0, 0.1, 0.5)],
    ids=["cancelled", "failing", "in a hurry", "all of it", "down"],
)
def test_whatever_happens_everyone_ends(failing: float, cancelling: float, rushing: float) -> None:
    """No deadlock, nothing left behind, never two calls at once for those who share, no answer out of nothing."""
    for seed in SEEDS:
        world = Schedule(seed, failing=failing, cancelling=cancelling, rushing=rushing)
        for task in world.run(8):
            outcome = task.outcome
            if isinstance(outcome, BaseException):
                assert isinstance(outcome, Cancelled if cancelling and not isinstance(outcome, Exception) else MAY), (
                    seed
                )
                assert failing or rushing or isinstance(outcome, Cancelled), seed
            else:
                said = outcome.choices[0].message.content
                assert said in {f"answer {number + 1}" for number in range(world.provider.calls)}
        assert world.most <= 1, seed
        world.check_nothing_left()


def test_followers_of_a_failing_provider_run_one_ladder() -> None:
    """All with the same patience, all there before it fails: the attempts of one, the error for everyone."""
    for seed in range(200):
        alike = CallOptions(retry=RetryPolicy.of(2))
        world = Schedule(seed, scripted=[e.InternalServerError("down") for _ in range(100)])
        world.tasks = [Task(world, alike, "hello") for _ in range(20)]
        world.run(20)
        assert world.provider.calls == 3, seed
        assert len({id(task.outcome) for task in world.tasks}) == 20
        assert {type(task.outcome) for task in world.tasks} == {e.InternalServerError}
        world.check_nothing_left()


@pytest.mark.bulk
@pytest.mark.parametrize("mode", ["off", "read", "write", "refresh"])
def test_other_modes_neither_join_nor_lead(mode: Any) -> None:
    """Each calls for himself, beside a flight, and nobody waits for him."""
    for seed in range(300):
        alone = CallOptions(cache=CacheOptions(mode))
        world = Schedule(seed, choices=[alone, CallOptions()])
        for task in world.run(8):
            assert not (task.options is alone and task.outcome.edge.coalesced)
        world.check_nothing_left()
        if mode in {"off", "write", "refresh"}:
            lonely = sum(task.options is alone for task in world.tasks)
            assert world.provider.calls >= lonely


def test_a_follower_with_more_patience_goes_on() -> None:
    """Where the leader gave up after one attempt, one with three leads the next flight, and is alone in it."""
    for seed in range(200):
        world = Schedule(seed, scripted=[e.InternalServerError("down")])
        hasty, patient = CallOptions(retry=RetryPolicy.of(0)), CallOptions(retry=RetryPolicy.of(2))
        world.tasks = [Task(world, hasty, "hello"), *(Task(world, patient, "hello") for _ in range(5))]
        world.run(6)
        assert isinstance(world.tasks[0].outcome, e.InternalServerError)
        assert {task.outcome.choices[0].message.content for task in world.tasks[1:]} == {"answer 2"}
        assert world.provider.calls == 2
        world.check_nothing_left()
