"""Leases without I/O: who calls, who waits, what ends a lease."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from edgeagent.cache.base import Grant
from edgeagent.cache.entry import Entry, encode_entry
from edgeagent.cache.policy import CacheOptions
from edgeagent.core.call import Call, CallOptions
from edgeagent.core.keys import Keys
from edgeagent.core.layers import CacheLayers
from edgeagent.effects import Scope
from edgeagent.errors import DeadlineExceededError
from edgeagent.telemetry import ObserverGroup
from edgeagent.types import ChatRequest
from tests.cache.test_tiers import Shelf as Plain
from tests.core.world import World

__all__: list[str] = []

KEY, NEAR = b"s" * 32, b"r" * 32


class Shelf(Plain):
    """A tier with leases, in memory; other processes are played by the test."""

    leases = True
    lease_seconds = 9.0

    def __init__(self) -> None:
        super().__init__()
        self.holders: dict[bytes, str] = {}
        self.grants = 0
        self.fault: Exception | None = None
        self.on_acquire: Callable[[], None] = lambda: None

    def acquire(self, key: bytes, /, *, anyway: bool = False) -> Grant:
        self.on_acquire()
        if self.fault is not None:
            raise self.fault
        if key in self.items and not anyway:
            return Grant("stored")
        if key in self.holders:
            return Grant("open" if self.holders[key] == "nobody" else "held")
        self.grants += 1
        self.holders[key] = f"ours {self.grants}"
        return Grant("granted", self.holders[key])

    def renew(self, key: bytes, token: str, /) -> bool:
        if self.fault is not None:
            raise self.fault
        return self.holders.get(key) == token

    def abandon(self, key: bytes, token: str, /) -> None:
        if self.holders.get(key) == token:
            self.holders[key] = "nobody"

    def release(self, key: bytes, token: str, /) -> None:
        if self.fault is not None:
            raise self.fault
        if self.holders.get(key) == token:
            del self.holders[key]

    def put_leased(self, key: bytes, value: bytes, token: str, /, ttl: float | None = None) -> bool:
        if self.holders.get(key) != token:
            return False
        self.items[key] = value
        del self.holders[key]
        return True


class Scene:
    """A shelf, its layers, and one call."""

    def __init__(self, deadline: float | None = None) -> None:
        self.world = World()
        self.shelf = Shelf()
        self.beats: list[tuple[Callable[[], bool], float]] = []
        self.faults: list[Exception] = []
        observer: Any = ObserverGroup(())
        self.layers = CacheLayers([self.shelf], self.world.submit, self.world.wall, observer, self.repeat)
        self.scope = Scope()
        request = ChatRequest(model="m", messages=[{"role": "user", "content": "q"}])
        options = CallOptions(deadline=deadline)
        self.call = Call(request, options, self.scope, self.world.clock, self.world.wall)

    def repeat(self, job: Callable[[], bool], every: float) -> Callable[[], None]:
        beat = (job, every)
        self.beats.append(beat)
        return partial(self.beats.remove, beat)

    def lead(self, max_age: float | None = None) -> Any:
        self.call.options = replace(self.call.options, cache=CacheOptions(max_age=max_age))
        keys = Keys(NEAR, KEY, read=True, write=True, far=True, candidates=b"")
        return self.world.run(self.layers.lead(self.call, keys), self.scope)

    def entry(self, age: float = 0.0) -> bytes:
        return encode_entry(Entry(self.world.wall() - age, "fake", "m", None, None, None, b"{}"))

    def end(self) -> None:
        self.scope.release()
        self.world.write()


def test_the_first_leads_and_its_write_ends_the_lease() -> None:
    """Renewed at a third of its time while the call lasts; nothing is released twice."""
    scene = Scene()
    assert scene.lead() is None
    ((beat, every),) = scene.beats
    assert every == 3.0
    assert beat()
    scene.layers.store(NEAR, KEY, scene.entry(), None, shared=True)
    assert not beat()  # the write has the token now
    scene.scope.release()
    assert not scene.beats
    assert len(scene.world.submitted) == 1
    scene.world.write()
    assert KEY in scene.shelf.items
    assert not scene.shelf.holders
    assert not scene.layers._leases


def test_a_call_that_stores_nothing_releases() -> None:
    """A failed or cancelled one: in the background, when its scope ends."""
    scene = Scene()
    scene.lead()
    scene.end()
    assert not scene.shelf.holders
    assert not scene.shelf.items
    assert not scene.beats


def test_an_answer_that_is_not_kept_opens_the_lease() -> None:
    """When its call ends, in the background; who waited asks without a lease, and has nothing to give back."""
    scene = Scene()
    scene.lead()
    scene.layers.keep_nothing(b"another")
    scene.layers.keep_nothing(KEY)
    assert scene.shelf.holders[KEY] != "nobody"
    scene.end()
    assert scene.shelf.holders[KEY] == "nobody"
    assert not scene.layers._leases
    waiting = Scene()
    waiting.shelf.holders[KEY] = "theirs"

    def later() -> None:
        if waiting.world.now > 1001:
            waiting.shelf.abandon(KEY, "theirs")

    waiting.shelf.on_acquire = later
    assert waiting.lead() is None
    assert (waiting.shelf.grants, waiting.beats) == (0, [])
    assert waiting.world.sleeps
    waiting.end()
    assert waiting.shelf.holders[KEY] == "nobody"


def test_who_waits_looks_ever_less_often_and_finds_the_answer() -> None:
    """Another process leads, and stores after a while."""
    scene = Scene()
    scene.shelf.holders[KEY] = "theirs"

    def later() -> None:
        if scene.world.now > 1010:
            scene.shelf.items[KEY] = scene.entry()

    scene.shelf.on_acquire = later
    entry, tier = scene.lead()
    assert (entry.provider, tier) == ("fake", "redis")
    sleeps = scene.world.sleeps
    assert sleeps[0] == 0.02
    assert sleeps == sorted(sleeps)
    assert sleeps[-1] == 0.25
    assert len(sleeps) < 80
    assert scene.shelf.grants == 0


def test_who_waits_takes_over() -> None:
    """The other process gave up, or its lease came to its end."""
    scene = Scene()
    scene.shelf.holders[KEY] = "theirs"
    scene.shelf.on_acquire = lambda: scene.shelf.holders.clear() if scene.world.now > 1002 else None
    assert scene.lead() is None
    assert scene.shelf.grants == 1


def test_who_waits_has_a_deadline_of_his_own() -> None:
    """It is never overslept."""
    scene = Scene(deadline=1.0)
    scene.shelf.holders[KEY] = "theirs"
    with pytest.raises(DeadlineExceededError):
        scene.lead()
    assert scene.world.now == pytest.approx(1001.0)
    assert scene.shelf.holders == {KEY: "theirs"}


def test_an_answer_that_is_too_old_is_asked_for_anew() -> None:
    """By the one who gets the lease; whoever got it since then is looked at once more."""
    scene = Scene()
    scene.shelf.items[KEY] = scene.entry(age=100)
    assert scene.lead(max_age=50) is None
    assert scene.shelf.grants == 1
    scene.end()

    def just_now() -> None:
        if scene.shelf.grants == 1 and scene.world.effects:
            scene.shelf.items[KEY] = scene.entry()

    scene.world.effects.clear()
    scene.shelf.on_acquire = just_now
    assert scene.lead(max_age=50) is not None
    scene.end()
    assert not scene.shelf.holders


@pytest.mark.parametrize(("age", "found"), [(0.5, True), (2.0, False)], ids=["since", "before"])
def test_what_was_made_since_the_call_began_is_not_too_old_for_who_waited(age: float, found: bool) -> None:
    """As among the calls of one process: else each would ask after the other, however little they want to wait."""
    scene = Scene()
    scene.shelf.holders[KEY] = "theirs"

    def theirs() -> None:
        if scene.world.now >= 1001.0:
            scene.shelf.items.setdefault(KEY, scene.entry(age=age))
            scene.shelf.holders.pop(KEY, None)

    scene.shelf.on_acquire = theirs
    assert (scene.lead(max_age=0.0) is not None) is found
    scene.end()


@pytest.mark.parametrize("fault", [ConnectionError("away"), TimeoutError(), RuntimeError("refused")], ids=repr)
def test_without_the_tier_everyone_calls(fault: Exception) -> None:
    """Whatever it raises, at whichever step; the end of the call is not disturbed either."""
    scene = Scene()
    scene.shelf.fault = fault
    assert scene.lead() is None
    scene.shelf.fault = None
    assert scene.lead() is None
    (beat, _) = scene.beats[0]
    scene.shelf.fault = fault
    assert beat()  # it may be back in time
    scene.end()
    assert scene.shelf.holders  # until its time is over


def test_a_lost_lease_is_not_renewed() -> None:
    """Somebody else leads by now, or has stored."""
    scene = Scene()
    scene.lead()
    scene.shelf.holders[KEY] = "theirs"
    (beat, _) = scene.beats[0]
    assert not beat()
    scene.layers.store(NEAR, KEY, scene.entry(), None, shared=True)
    scene.end()
    assert not scene.shelf.items


def test_a_lease_granted_after_the_call_has_ended_is_given_back() -> None:
    """An abandoned thread's question was answered late."""
    scene = Scene()
    scene.shelf.on_acquire = scene.scope.release
    scene.lead()
    assert not scene.shelf.holders
    assert not scene.beats


@pytest.mark.parametrize("leases", [False, None])
def test_other_tiers_have_no_leases(leases: bool | None) -> None:
    """Nothing is asked for."""
    scene = Scene()
    if leases is None:
        scene.layers = CacheLayers([scene.shelf], scene.world.submit, scene.world.wall, ObserverGroup(()))
    else:
        scene.shelf.leases = leases
        scene.layers = CacheLayers([scene.shelf], scene.world.submit, scene.world.wall, ObserverGroup(()), scene.repeat)
    assert scene.lead() is None
    assert not scene.world.effects
    assert scene.shelf.grants == 0
