"""What would come of a call, and why, without making it: `client.cache.peek`.

Tiers are looked into, nobody is asked, nothing is stored, promoted or counted as a hit by the observers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from edgeagent.cache.entry import Entry, decode_entry
from edgeagent.cache.policy import uncacheable_reason
from edgeagent.core.keys import raw_key_of, shared_key_of
from edgeagent.core.reads import bound_of
from edgeagent.effects import Flow, offload

if TYPE_CHECKING:
    from edgeagent.cache.base import CacheTier
    from edgeagent.core.call import Call
    from edgeagent.core.flight import Flights
    from edgeagent.core.layers import CacheLayers
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


def peek(
    call: Call, candidates: Candidates, layers: CacheLayers, flights: Flights, wall: Callable[[], float]
) -> Flow[Peek]:
    """Explain one call."""
    targets = tuple(map(str, candidates.targets))
    cache = call.options.cache
    raw = raw_key_of(call, candidates.digest) if layers.enabled else None
    if raw is None:
        return Peek("off", _why_off(call, layers), targets=targets)
    if call.options.shield is not None:
        from edgeagent.core.shielding import prepared

        call.request = prepared(call).request()
    shared = shared_key_of(call, candidates.digest, raw)
    named = partial(Peek, key=raw.hex(), shared_key=shared.hex(), targets=targets)
    if not cache.reads:
        return named("ask", f"mode {cache.mode} does not look up")
    found: list[str] = []
    stale: tuple[Entry, CacheTierName] | None = None
    for tier, key in _places(layers, raw, shared, far=candidates.sharable):
        entry, what = yield from _look(call, tier, key, layers)
        now = wall()
        left = None if entry is None else cache.fresh_until(entry.created, entry.expires) - now
        if entry is not None and left is not None and left >= 0:
            return _of(named("hit", f"{tier.name}: a fresh answer"), entry, tier.name, now, left)
        if entry is not None and left is not None:
            what = f"an answer that is {-left:.3g} s past its time"
            stale = stale or (entry, tier.name)
        found.append(f"{tier.name}: {what}")
    if layers.tiers and not candidates.sharable:
        found.append("a credential has no identity: only memory is asked")
    if layers.semantic is not None:
        found.append("semantic: would be asked, by an embedding of the last turn")
    if stale is not None:
        left = cache.fresh_until(stale[0].created, stale[0].expires) - wall()
        if cache.mode == "on" and layers.refreshes is not None and -left <= (cache.stale_while_revalidate or 0):
            return _of(named("stale", "; ".join((*found, "it is given, and renewed"))), *stale, wall(), left)
        if -left <= (cache.stale_if_error or 0):
            found.append("it is given if the provider fails")
    if cache.mode == "on" and flights.has(shared):
        return named("join", "; ".join((*found, "an identical call is under way")))
    return named("ask", "; ".join(found))


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


def _places(layers: CacheLayers, raw: bytes, shared: bytes, *, far: bool) -> list[tuple[CacheTier, bytes]]:
    """Each tier that is asked, and under which key."""
    return [(tier, shared if tier.blocking else raw) for tier in layers.tiers if far or not tier.blocking]


def _look(call: Call, tier: CacheTier, key: bytes, layers: CacheLayers) -> Flow[tuple[Entry | None, str]]:
    """What a tier has, and what to say of it."""
    get: Callable[[bytes], Any] = getattr(tier, "peek", tier.get)
    try:
        data = (yield from offload(partial(get, key), bound_of(call), prompt=False)) if tier.blocking else get(key)
    except Exception as error:
        call.check_deadline()
        layers.fault(tier, error)
        return None, f"failed ({type(error).__name__})"
    entry = None if data is None else decode_entry(data)
    return entry, "nothing" if data is None else "a damaged entry, or one of another version"
