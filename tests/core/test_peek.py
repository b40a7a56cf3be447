"""What would come of a call, and why: said beforehand, and it does come so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edgeagent.cache.policy import CacheOptions
from edgeagent.cache.rules import CachePolicy
from edgeagent.core.call import CallOptions
from edgeagent.core.catalogue import Catalogue, Selection
from edgeagent.core.flight import Flight
from edgeagent.core.peek import Peek
from edgeagent.effects import Scope
from edgeagent.errors import RequestValidationError
from edgeagent.shield import Shield, Vault
from edgeagent.testing import FakeProvider
from tests.core.test_pipeline import Far, House
from tests.core.test_staleness import house, options


def looked(here: House, how: CallOptions | None = None, prompt: str = "hello", **params: Any) -> Peek:
    """What is said; nothing is told to observers, nobody is asked."""
    seen, asked = len(here.watcher.seen), len(here.world.effects)
    flow = here.pipeline.peek(here.request(prompt, **params), how or CallOptions(), Scope())
    told = here.world.run(flow)
    assert isinstance(told, Peek)
    assert len(here.watcher.seen) == seen
    assert {type(effect).__name__ for effect in here.world.effects[asked:]} <= {"Offload", "Here"}
    return told


def test_a_miss_then_a_hit() -> None:
    """The key is that of the entry; the answer's maker, age and time left are told."""
    here = house("Paris", "Paris")
    before = looked(here)
    assert (before.outcome, before.reason, before.tier) == ("ask", "memory: nothing", None)
    assert before.targets == ("fake/m",)
    here.complete(options=options())
    here.world.now += 4
    told = looked(here, options())
    assert (told.outcome, told.tier, told.provider, told.model) == ("hit", "memory", "fake", "m")
    assert (told.age, told.expires_in) == (4, 6)
    assert told.key == told.shared_key == before.key
    Catalogue(here.pipeline.layers, here.world.wall).clear(Selection())
    here.complete()
    assert looked(here).expires_in is None


def test_far_tiers() -> None:
    """Each is looked into under its key; nothing is promoted. A tier that fails says so."""
    far = Far()
    here = house("Paris", far=far)
    here.complete()
    here.world.write()
    here.pipeline.layers.tiers[0].clear()
    for _ in range(2):
        told = looked(here)
        assert (told.outcome, told.tier) == ("hit", "disk")
    assert looked(here, prompt="other").reason == "memory: nothing; disk: nothing"
    far.held[next(iter(far.held))] = b"?"
    assert looked(here).reason == "memory: nothing; disk: a damaged entry, or one of another version"


def test_a_failing_tier() -> None:
    """As for a call it is counted, and the next one is looked into."""
    far = Far()
    here = house("Paris", far=far)
    far.error = OSError("no")
    flow = here.pipeline.peek(here.request("hello"), CallOptions(), Scope())
    told = here.world.run(flow)
    assert told.reason == "memory: nothing; disk: failed (OSError)"


def test_stale_answers() -> None:
    """Given and renewed, given for an error, or neither; the same is then done."""
    here = house("Paris")
    how = options(stale_while_revalidate=60, stale_if_error=600)
    here.complete(options=how)
    here.world.now += 12
    told = looked(here, how)
    assert (told.outcome, told.tier, told.expires_in) == ("stale", "memory", -2)
    assert told.reason == "memory: an answer that is 2 s past its time; it is given, and renewed"
    assert here.complete(options=how).edge.stale
    here.world.now += 100
    told = looked(here, how)
    assert told.outcome == "ask"
    assert told.reason == "memory: an answer that is 102 s past its time; it is given if the provider fails"
    here.world.now += 500
    assert looked(here, how).reason == "memory: nothing"


@pytest.mark.parametrize(
    ("cache", "params", "outcome", "says"),
    [
        (CacheOptions("off"), {}, "off", "mode off"),
        (CacheOptions(), {"store": True}, "off", "store=True keeps the answer"),
        (CacheOptions("refresh"), {}, "ask", "mode refresh does not look up"),
        (CacheOptions("write"), {}, "ask", "mode write does not look up"),
        (CacheOptions("read"), {}, "ask", "memory: nothing"),
    ],
)
def test_modes(cache: CacheOptions, params: dict[str, Any], outcome: str, says: str) -> None:
    """What the cache has nothing to do with, and why."""
    told = looked(house("Paris"), CallOptions(cache=cache), **params)
    assert told.outcome == outcome
    assert says in told.reason
    assert (told.key is None) == (outcome == "off")


@pytest.mark.parametrize("mode", ["on", "off"])
@pytest.mark.parametrize(("wrong", "limit"), [({"n": 0}, 1000), ({"max_tokens": 0}, 1000), ({}, 10)])
def test_a_request_that_is_refused(mode: Any, wrong: dict[str, Any], limit: int) -> None:
    """As the call itself refuses it: nobody would be asked."""
    here, how = house("Paris"), CallOptions(cache=CacheOptions(mode))
    here.pipeline._max_body_bytes = limit
    with pytest.raises(RequestValidationError) as caught:
        looked(here, how, **wrong)
    with pytest.raises(RequestValidationError) as raised:
        here.complete(options=how, **wrong)
    assert (caught.value.param, caught.value.message) == (raised.value.param, raised.value.message)


def test_at_the_very_end_of_its_time() -> None:
    """It is over for both."""
    here = house("Paris", "London")
    here.complete(options=options())
    here.world.now += 10
    assert looked(here, options()).outcome == "ask"
    assert not here.complete(options=options()).edge.cached


def test_a_stale_answer_of_memory_comes_before_a_fresh_one_elsewhere() -> None:
    """As the call does not wait for other tiers where it may be given a stale one; else the fresh one is found."""
    far = Far()
    here = house("old", far=far)
    how = options(stale_while_revalidate=60)
    here.complete(options=how)
    here.world.write()
    here.world.now += 12
    other = house("new", far=far)
    other.world.now = here.world.now
    other.complete(options=options(mode="refresh"))
    other.world.write()
    told = looked(here, how)
    assert (told.outcome, told.tier, told.expires_in) == ("stale", "memory", -2)
    told = looked(here, options(stale_if_error=60))
    assert (told.outcome, told.tier) == ("hit", "disk")
    answer = here.complete(options=how)
    assert (answer.edge.stale, answer.edge.cache_tier) == (True, "memory")


def test_a_write_under_way_is_a_hit() -> None:
    """As it is for a call."""
    here = house("Paris", memory=False, far=Far())
    here.complete()
    told = looked(here)
    assert (told.outcome, told.tier) == ("hit", "disk")
    assert here.complete().edge.cache_tier == "disk"


def test_no_cache_and_rules() -> None:
    """A client without tiers; a client whose policy says no."""
    bare = House(FakeProvider("Paris"), memory=False)
    assert (looked(bare).outcome, looked(bare).reason) == ("off", "the client has no cache")
    ruled = house("Paris", policy=CachePolicy(models={"m": "off"}))
    assert looked(ruled).outcome == "off"


def test_a_call_under_way_would_be_joined() -> None:
    """By mode `on` alone."""
    here = house("Paris")
    key = looked(here).shared_key
    assert key is not None
    flight, leads = here.pipeline.flights.board(bytes.fromhex(key))
    assert isinstance(flight, Flight)
    assert leads
    assert looked(here).outcome == "join"
    assert looked(here, CallOptions(cache=CacheOptions("read"))).outcome == "ask"
    assert looked(here, stream=True).outcome == "ask"
    flight.abandon()
    assert looked(here).outcome == "ask"


def test_a_call_under_way_is_joined_before_other_tiers_are_asked() -> None:
    """Its leader asks them for all; a stream looks for itself first."""
    here = house("Paris", far=Far())
    here.complete()
    here.world.write()
    here.pipeline.layers.tiers[0].clear()
    key = looked(here).shared_key
    assert key is not None
    here.pipeline.flights.board(bytes.fromhex(key))
    assert looked(here).outcome == "join"
    assert looked(here, stream=True).outcome == "hit"


def test_a_stream_under_way_is_joined_by_streams() -> None:
    """By those that may share it; a call for the whole waits for none."""
    here = house(["Pa", "ris"])
    session = here.stream()
    assert session.flowing
    assert looked(here, stream=True).outcome == "join"
    assert looked(here, CallOptions(resume=True), stream=True).outcome == "ask"
    assert looked(here).outcome == "ask"
    here.chunks(session)
    assert looked(here, stream=True).outcome == "hit"


def test_a_credential_without_an_identity() -> None:
    """Only memory is asked, and it says why."""
    here = house("Paris", far=Far())
    resolve = here.pipeline.targets.candidates
    here.pipeline.targets.candidates = lambda *args: replace(resolve(*args), sharable=False)  # type: ignore[method-assign]
    assert looked(here).reason == "memory: nothing; a credential has no identity: only memory is asked"


@pytest.mark.parametrize("action", ["mask", "pseudonymise"])
def test_a_vault_learns_nothing(action: Any) -> None:
    """It is the call that teaches it: the same key is told before and after, and memory is asked once it knows."""
    vault = Vault()
    vault.entity("EMAIL_ADDRESS", "old@example.com")
    how = CallOptions(shield=Shield.default(actions={"EMAIL_ADDRESS": action}).session(vault))
    here, text = house("Paris"), "I am new@example.com, not old@example.com"
    before = looked(here, how, text)
    assert [entity.value for entity in vault.entities()] == ["old@example.com"]
    assert (before.outcome, before.reason) == ("ask", "")
    assert vault.known("EMAIL_ADDRESS", "new@example.com", action) is None
    here.complete(text, options=how)
    told = looked(here, how, text)
    assert (told.outcome, told.tier, told.shared_key) == ("hit", "memory", before.shared_key)
    assert vault.known("EMAIL_ADDRESS", "new@example.com", action) is not None
