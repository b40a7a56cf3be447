"""Answers past their time: given at once while they are renewed, or in place of an error, and never otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edgeagent import errors as e
from edgeagent.cache.policy import CacheOptions
from edgeagent.cache.rules import CachePolicy
from edgeagent.core.call import CallOptions
from edgeagent.core.catalogue import Catalogue, Selection
from edgeagent.core.record import WireRecord
from edgeagent.core.retry import RetryPolicy
from edgeagent.core.staleness import REFRESH_SECONDS, RefreshStats, refreshing
from edgeagent.io.lanes import LaneEnded
from edgeagent.telemetry.base import CallStarted
from edgeagent.testing import FakeProvider
from tests.core.test_pipeline import Far, House, text
from tests.core.world import World


def house(*answers: Any, far: Far | None = None, memory: bool = True, **layered: Any) -> House:
    world = World()
    return House(
        FakeProvider(list(answers)), world=world, far=far, memory=memory, layered={"background": world.start, **layered}
    )


def options(deadline: float | None = None, tags: tuple[str, ...] = (), **cache: Any) -> CallOptions:
    return CallOptions(
        retry=RetryPolicy.of(0), deadline=deadline, tags=tags, cache=CacheOptions(**{"ttl": 10, **cache})
    )


def said(house: House, how: CallOptions, stream: bool = False) -> tuple[str | None, bool, bool]:
    """What a call says, whether it is cached, and whether it is stale."""
    if stream:
        session = house.stream(options=how)
        return text(house.chunks(session)), session.call.edge.cached, session.call.edge.stale
    answer = house.complete(options=how)
    return answer.choices[0].message.content, answer.edge.cached, answer.edge.stale


STREAMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
OUTAGE = e.InternalServerError("down")


@STREAMS
def test_a_stale_answer_while_it_is_renewed(stream: bool) -> None:
    """The old one at once, without a provider's time; one call behind; then the new one, fresh again."""
    here = house("old", "new")
    how = options(stale_while_revalidate=60)
    assert said(here, how, stream) == ("old", False, False)
    here.world.now += 9
    assert said(here, how, stream) == ("old", True, False)
    here.world.now += 2
    for _ in range(3):
        assert said(here, how, stream) == ("old", True, True)
    assert len(here.world.background) == 1
    here.world.behind()
    assert said(here, how, stream) == ("new", True, False)
    assert here.pipeline.layers.refreshes is not None
    assert here.pipeline.layers.refreshes.stats() == RefreshStats(0, 1, 0, 0)


def test_age_is_told() -> None:
    """In seconds since the answer was made; nothing for one that was made now."""
    here = house("old")
    how = options(stale_if_error=60)
    assert here.complete(options=how).edge.age is None
    here.world.now += 7.5
    assert here.complete(options=how).edge.age == 7.5


def test_no_answer_is_younger_than_one_that_was_made_now() -> None:
    """The clock of the machine that made it was ahead of ours, or ours was set back."""
    here = house("old")
    here.complete()
    here.world.now -= 7.5
    assert here.complete().edge.age == 0


def test_the_renewal_is_the_callers() -> None:
    """A call of its own to the observers, under the same tags; its end is told, also that it failed."""
    here = house("old", OUTAGE, "new")
    how = options(stale_while_revalidate=60, tags=("team",))
    said(here, how)
    here.world.now += 11
    said(here, how)
    here.watcher.seen.clear()
    here.world.behind()
    (start,) = [event for event in here.watcher.seen if isinstance(event, CallStarted)]
    assert start.tags == ("team",)
    assert isinstance(here.watcher.ends[0].error, e.InternalServerError)
    assert here.pipeline.layers.refreshes is not None
    assert here.pipeline.layers.refreshes.stats() == RefreshStats(0, 0, 1, 0)
    assert said(here, how) == ("old", True, True)
    here.world.behind()
    assert said(here, how) == ("new", True, False)


@pytest.mark.parametrize(
    ("selection", "kept"), [(Selection(), False), (Selection(tag="night"), False), (Selection(tag="day"), True)]
)
@STREAMS
def test_what_is_forgotten_before_it_is_renewed_does_not_come_back(
    stream: bool, selection: Selection, kept: bool
) -> None:
    """The renewal belongs to the call that caused it, also where it had to wait for its turn."""
    here = house("old", "new", "newer")
    how = options(stale_while_revalidate=60, tags=("night",))
    said(here, how, stream)
    here.world.now += 12
    assert said(here, how, stream) == ("old", True, True)
    Catalogue(here.pipeline.layers, here.world.wall).clear(selection)
    here.world.behind()
    assert said(here, how, stream) == (("new", True, False) if kept else ("newer", False, False))
    assert here.pipeline.layers.refreshes is not None
    assert here.pipeline.layers.refreshes.stats() == RefreshStats(0, 1, 0, 0)


def test_the_renewal_has_a_deadline() -> None:
    """The caller's own if it is shorter; never none."""
    assert refreshing(options()).deadline == REFRESH_SECONDS
    assert refreshing(options(deadline=5)).deadline == 5
    assert refreshing(options(deadline=5000)).deadline == REFRESH_SECONDS


def test_the_renewal_leaves_the_callers_record_alone() -> None:
    """Who looks at the raw response is shown that of the stale answer: none."""
    assert refreshing(replace(options(), record=WireRecord(body=True))).record is None


@pytest.mark.parametrize(("full", "ended"), [(True, None), (False, LaneEnded())])
def test_a_renewal_that_is_dropped_is_counted(full: bool, ended: BaseException | None) -> None:
    """Where there is no room for it, or the client is closed; the next stale call asks for it again."""
    here = house("old", "new")
    how = options(stale_while_revalidate=60)
    said(here, how)
    here.world.now += 11
    here.world.room = 0 if full else 1
    assert said(here, how) == ("old", True, True)
    if not full:
        here.world.background.pop()[1](ended)
    refreshes = here.pipeline.layers.refreshes
    assert refreshes is not None
    assert refreshes.stats() == RefreshStats(0, 0, 0, 1)
    here.world.room = 1
    said(here, how)
    assert refreshes.stats().running == 1


@STREAMS
@pytest.mark.parametrize(
    "error",
    [
        e.InternalServerError("down"),
        e.OverloadedError("busy"),
        e.RateLimitError("slow down"),
        e.APIConnectionError(message="gone"),
        e.APITimeoutError(),
        e.DeadlineExceededError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_outage_serves_the_last_good_answer(stream: bool, error: Exception) -> None:
    """Marked stale, with the attempts that failed; only while it may."""
    here = house("old", *[error] * 3)
    how = options(stale_if_error=60)
    said(here, how, stream)
    here.world.now += 69
    assert said(here, how, stream) == ("old", True, True)
    (attempt,) = here.watcher.ends[-1].edge.attempts
    assert attempt.outcome != "ok"
    assert here.watcher.ends[-1].error is None
    here.world.now += 2
    with pytest.raises((type(error), e.APITimeoutError)):
        said(here, how, stream)


@pytest.mark.parametrize(
    "error",
    [
        e.BadRequestError("no"),
        e.AuthenticationError("no"),
        e.NotFoundError("no"),
        e.LimitExceededError("no"),
        e.BudgetExceededError("no"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_the_callers_own_errors_are_raised(error: Exception) -> None:
    """A wrong key, a wrong request or an own limit is no outage."""
    here = house("old", error)
    how = options(stale_if_error=60)
    said(here, how)
    here.world.now += 11
    with pytest.raises(type(error)):
        said(here, how)


@pytest.mark.parametrize("mode", ["off", "write", "refresh"])
def test_modes_that_do_not_look_up_get_no_stale_answer(mode: Any) -> None:
    """What they say they do not want is not given to them for an error either."""
    here = house("old", OUTAGE)
    how = options(stale_if_error=60, stale_while_revalidate=60)
    said(here, how)
    here.world.now += 11
    with pytest.raises(e.InternalServerError):
        said(here, replace(how, cache=replace(how.cache, mode=mode)))


def test_a_call_that_only_reads_has_nothing_renewed() -> None:
    """It stores nothing; an outage serves it all the same."""
    here = house("old", OUTAGE)
    how = options(stale_if_error=60, stale_while_revalidate=60)
    said(here, how)
    here.world.now += 11
    reading = replace(how, cache=replace(how.cache, mode="read"))
    assert said(here, reading) == ("old", True, True)
    assert here.world.background == []


def test_max_age_begins_the_stale_time_too() -> None:
    """An answer that lives for ever is stale for a call that wants a young one."""
    here = house("old", OUTAGE, OUTAGE)
    how = options(ttl=None, max_age=10, stale_if_error=60)
    said(here, how)
    here.world.now += 70
    assert said(here, how) == ("old", True, True)
    here.world.now += 1
    with pytest.raises(e.InternalServerError):
        said(here, how)


@STREAMS
def test_stale_answers_of_far_tiers(stream: bool) -> None:
    """What another process left is as good; it is put into memory for those that come next."""
    far = Far()
    here = house("old", far=far)
    how = options(stale_if_error=60, stale_while_revalidate=30)
    said(here, how)
    here.world.write()
    other = house(OUTAGE, far=far)
    other.world.now = here.world.now + 11
    assert said(other, how, stream) == ("old", True, True)
    assert len(other.world.background) == 1
    far.held.clear()
    assert said(other, how, stream) == ("old", True, True)


def test_a_fresh_answer_of_a_far_tier_comes_before_a_call_behind() -> None:
    """The renewal finds what another process has stored meanwhile, and asks nobody."""
    far = Far()
    here, other = house("old", far=far), house("new", far=far)
    how = options(stale_while_revalidate=60)
    said(here, how)
    here.world.now += 11
    other.world.now = here.world.now
    here.world.write()
    far.held.clear()
    said(other, how)
    other.world.write()
    assert said(here, how) == ("old", True, True)
    here.world.behind()
    assert said(here, how) == ("new", True, False)


def test_a_fresh_answer_that_came_meanwhile_is_given_for_an_error() -> None:
    """Somebody else was luckier: his answer is a hit like any other, and is not stale."""
    how = options(stale_if_error=60)

    def failing(_: Any) -> Any:
        if here.world.now > 1005 and len(fake.requests) == 2:
            here.complete(options=replace(how, cache=replace(how.cache, mode="refresh")))
            raise OUTAGE
        return "old" if len(fake.requests) == 1 else "new"

    fake = FakeProvider(failing)
    here = House(fake, world=World())
    said(here, how)
    here.world.now += 11
    assert said(here, how) == ("new", True, False)


def test_without_a_background_nothing_is_stale_at_once() -> None:
    """The call waits for a fresh answer, as after any miss."""
    here = house("old", "new", background=None)
    how = options(stale_while_revalidate=60)
    said(here, how)
    here.world.now += 11
    assert said(here, how) == ("new", False, False)


def test_nothing_is_kept_longer_unless_somebody_wants_it() -> None:
    """Without the controls an entry is gone after its time; with the tier's time known, that is when it gets stale."""
    here = house("one", "two", "three", OUTAGE, ttl=20)
    said(here, options())
    here.world.now += 11
    assert said(here, options(stale_if_error=60)) == ("two", False, False)
    Catalogue(here.pipeline.layers, here.world.wall).clear(Selection())
    known = options(ttl=None, stale_if_error=60)
    said(here, known)
    here.world.now += 79
    assert said(here, known) == ("three", True, True)


def test_after_a_fork_the_renewals_are_the_parents() -> None:
    """The child begins its own."""
    here = house("old", "new")
    how = options(stale_while_revalidate=60)
    said(here, how)
    here.world.now += 11
    said(here, how)
    here.world.background.clear()
    here.pipeline.after_fork()
    said(here, how)
    assert len(here.world.background) == 1


def test_rules_of_the_client_reach_every_call() -> None:
    """By model and by tag; what the call says itself counts more; a predicate keeps a request out."""
    policy = CachePolicy(models={"gpt-*": "off"}, tags={"batch": {"sample": 7}}, cacheable=lambda r: r.seed is None)
    here = house(*[str(n) for n in range(20)], policy=policy)

    def asked(model: str = "m", how: CallOptions | None = None, **params: Any) -> str | None:
        return here.complete(model=model, options=how or CallOptions(), **params).choices[0].message.content

    assert (asked(), asked()) == ("0", "0")
    assert (asked("gpt-x"), asked("gpt-x")) == ("1", "2")
    own = CallOptions(cache=CacheOptions(given=frozenset({"mode"})))
    assert (asked("gpt-x", own), asked("gpt-x", own)) == ("3", "3")
    tagged = CallOptions(tags=("batch",))
    assert (asked(how=tagged), asked(how=tagged), asked()) == ("4", "4", "0")
    assert (asked(seed=1), asked(seed=1)) == ("5", "6")
    forced = CallOptions(cache=CacheOptions(force=True))
    assert (asked(how=forced, seed=1), asked(how=forced, seed=1)) == ("7", "7")


@pytest.mark.parametrize(("finish", "control"), [("length", "truncated"), ("content_filter", "filtered")])
def test_unfinished_answers_are_stored_if_asked_for(finish: str, control: str) -> None:
    """Each by its own control."""

    def answer(content: str) -> dict[str, Any]:
        return {"choices": [{"index": 0, "finish_reason": finish, "message": {"content": content}}]}

    here = house(answer("one"), answer("two"), answer("three"))
    assert said(here, options()) == ("one", False, False)
    assert said(here, options(**{control: True})) == ("two", False, False)
    assert said(here, options()) == ("two", True, False)
