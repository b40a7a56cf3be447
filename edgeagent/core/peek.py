"""What would come of a call, and why, without making it: `client.cache.peek`.

Tiers are looked into, nobody is asked, nothing is stored, promoted or counted as a hit by the observers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from edgeagent.cache.entry import Entry, decode_entry
from edgeagent.cache.policy import uncacheable_reason
from edgeagent.core.keys import raw_key_of, shared_key_of
from edgeagent.core.reads import bound_of
from edgeagent.core.staleness import Spare
from edgeagent.effects import Flow, here, offload

if TYPE_CHECKING:
    from edgeagent.cache.base import CacheTier
    from edgeagent.core.call import Call
    from edgeagent.core.layers import CacheLayers
    from edgeagent.core.pipeline import Pipeline
    from edgeagent.core.targets import Candidates
    from edgeagent.types.metadata import CacheTierName

__all__ = ["Peek", "peek"]

Outcome = Literal["hit", "stale", "join", "ask", "off"]


@dataclass(frozen=True, slots=True)
class Peek:
    """What would come of a call.

    Attributes:
        outcome: `hit`: `tier` would answer; `stale`: so it would, with an answer that is past its time and would be
            renewed; `join`: an identical call is under way, whose answer it would get; `ask`: a provider would be
            asked; `off`: a provider would be asked, and the cache has nothing to do with the call.
        reason: why, in words: of each tier what was found there.
        key: under which memory holds the answer, in hexadecimal; None for `off`.
        shared_key: under which the other tiers hold it.
        tier: the one that would answer.
        provider, model: who gave the answer that was found.
        age: seconds since then.
        expires_in: seconds for which it is fresh; negative if it is not any more; None: for ever.
        targets: who may be asked, as `provider/model`.
    """

    outcome: Outcome
    reason: str
    key: str | None = None
    shared_key: str | None = None
    tier: CacheTierName | None = None
    provider: str | None = None
    model: str | None = None
    age: float | None = None
    expires_in: float | None = None
    targets: tuple[str, ...] = ()


def peek(pipeline: Pipeline, call: Call, candidates: Candidates) -> Flow[Peek]:
    """Explain one call, by the order in which `pipeline` goes."""
    layers, cache = pipeline.layers, call.options.cache
    targets = tuple(map(str, candidates.targets))
    raw = raw_key_of(call, candidates.digest) if layers.enabled else None
    if raw is None:
        return Peek("off", _why_off(call, layers), targets=targets)
    near = True
    shield = call.options.shield
    if shield is not None:
        from edgeagent.core.shielding import prepared, vault_knows

        if shield.vault is not None:  # which learns nothing from a look
            call.options = replace(call.options, shield=shield.session(shield.vault.copy()))
        near = vault_knows(call)
        call.request = prepared(call).request()
    shared = shared_key_of(call, candidates.digest, raw)
    named = partial(Peek, key=raw.hex(), shared_key=shared.hex(), targets=targets)
    if not cache.reads:
        return named("ask", f"mode {cache.mode} does not look up")
    search = _Search(call, layers, named)
    told = yield from search.tiers([tier for tier in layers.tiers if near and not tier.blocking], raw)
    if told is not None:
        return told
    joins = yield from _joins(pipeline, call, shared)
    if joins and not call.streams:  # a stream looks into all tiers before
        return search.told("join", "an identical call is under way")
    far = [tier for tier in layers.tiers if tier.blocking]
    told = yield from search.tiers(far if candidates.sharable else [], shared)
    if told is not None:
        return told
    if layers.tiers and not candidates.sharable:
        search.found.append("a credential has no identity: only memory is asked")
    if layers.semantic is not None:
        search.found.append("semantic: would be asked, by an embedding of the last turn")
    if search.spare.if_error() is not None:
        search.found.append("it is given if the provider fails")
    return search.told("join", "an identical call is under way") if joins else search.told("ask")


class _Search:
    """What was found so far.

    Args:
        call: which looks.
        layers: in whose tiers.
        named: makes what is told of an outcome and a reason.
    """

    def __init__(self, call: Call, layers: CacheLayers, named: Callable[..., Peek]) -> None:
        self.found: list[str] = []
        self.spare = Spare(call.options.cache, call.wall)
        self._call = call
        self._layers = layers
        self._named = named

    def told(self, outcome: Outcome, *more: str) -> Peek:
        """The outcome, and all that led to it."""
        return self._named(outcome, "; ".join((*self.found, *more)))

    def tiers(self, tiers: Iterable[CacheTier], key: bytes) -> Flow[Peek | None]:
        """Look into these → what would be given: a fresh answer, or a stale one that is renewed."""
        cache, now = self._call.options.cache, self._call.wall
        for tier in tiers:
            entry, what = yield from _look(self._call, tier, key, self._layers)
            if entry is not None:
                left = cache.fresh_until(entry.created, entry.expires) - now()
                if self._layers.fresh(entry, cache.max_age, tier, self.spare) is not None:
                    return _of(self._named("hit", f"{tier.name}: a fresh answer"), entry, tier.name, now(), left)
                what = f"an answer that is {-left:.3g} s past its time" if left <= 0 else "an answer of a wrong clock"
            self.found.append(f"{tier.name}: {what}")
        given = None if self._layers.refreshes is None else self.spare.while_revalidating()
        if given is None:
            return None
        left = cache.fresh_until(given[0].created, given[0].expires) - now()
        return _of(self.told("stale", "it is given, and renewed"), *given, now(), left)


def _joins(pipeline: Pipeline, call: Call, shared: bytes) -> Flow[bool]:
    """Whether an identical call is under way whose answer this one would get."""
    if not call.streams:
        return call.options.cache.mode == "on" and pipeline.flights.has(shared, call.cleared)
    if not pipeline.may_share(call):
        return False
    place = (yield from here()), shared
    stream = pipeline.streams.get(place)
    joins = stream is not None and call.cleared <= stream.first.cleared
    return joins or pipeline.streams.openings.has(place, call.cleared)


def _of(told: Peek, entry: Entry, tier: CacheTierName, now: float, left: float) -> Peek:
    return Peek(
        told.outcome,
        told.reason,
        told.key,
        told.shared_key,
        tier,
        entry.provider,
        entry.model,
        now - entry.created,
        None if left == float("inf") else left,
        told.targets,
    )


def _why_off(call: Call, layers: CacheLayers) -> str:
    if not layers.enabled:
        return "the client has no cache"
    if call.options.cache.mode == "off":
        return "mode off, said by the call, its view, or the client's policy"
    return uncacheable_reason(call.request) or "the request keeps state at the vendor"


def _look(call: Call, tier: CacheTier, key: bytes, layers: CacheLayers) -> Flow[tuple[Entry | None, str]]:
    """What a tier has, or is about to have, and what to say of it."""
    get: Callable[[bytes], Any] = getattr(tier, "peek", tier.get)
    data = layers.writes.under_way(key) if tier.blocking else None
    try:
        if data is None:
            data = (yield from offload(partial(get, key), bound_of(call), prompt=False)) if tier.blocking else get(key)
    except Exception as error:
        call.check_deadline()
        layers.fault(tier, error)
        return None, f"failed ({type(error).__name__})"
    entry = None if data is None else decode_entry(data)
    return entry, "nothing" if data is None else "a damaged entry, or one of another version"
