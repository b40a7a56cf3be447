"""What of one chat call is looked up, kept, given back and told: from an answer to its entry, and from an entry to an
answer that is the caller's own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from edgeagent.cache.entry import Entry, encode_entry
from edgeagent.cache.policy import storable
from edgeagent.core.attempts import Answered
from edgeagent.core.billing import billed_tier
from edgeagent.core.call import Call
from edgeagent.core.calls import Calls
from edgeagent.core.hedging import Hedges
from edgeagent.core.keys import Keys, raw_key_of
from edgeagent.core.native_session import NativeSession
from edgeagent.core.replay import stored_stream
from edgeagent.core.session import StreamSession
from edgeagent.core.targets import Candidates
from edgeagent.effects import Flow
from edgeagent.types import ChatCompletion, Target
from edgeagent.types.chunk_log import ChunkLog
from edgeagent.types.metadata import CacheTierName
from edgeagent.types.recording import recording

__all__ = ["Answers", "Landed", "shield_steps"]

logger = logging.getLogger("edgeagent")

A = TypeVar("A")
S = TypeVar("S", StreamSession, NativeSession)


def shield_steps() -> Any:
    """The shield's steps; loaded when there is a shield."""
    from edgeagent.core import shielding

    return shielding


ZERO: Final = Decimal(0)


class Borrowed(NamedTuple):
    """The entry of a similar question, and how near that is."""

    entry: Entry
    similarity: float


Landed: TypeAlias = Entry | Borrowed
"""What a flight lands with."""


class Answers(Calls):
    """The parts of the steps of a client's chat calls; `Pipeline` says their order."""

    def _hedges(self, call: Call, attempt: Callable[[Target, Call], Flow[A]]) -> Hedges[A] | None:
        """What a hedged call needs; one in a vendor's own format is not hedged."""
        hedge = call.options.hedge is not None and call.native is None
        return Hedges(attempt, self.targets.estimates.price) if hedge else None

    def _raw_key(self, call: Call, candidates: Candidates) -> bytes | None:
        layers = self.layers
        return raw_key_of(call, candidates.digest, layers.known.keys) if layers.enabled else None

    def _near(self, call: Call, raw: bytes | None) -> tuple[Entry, CacheTierName] | None:
        """Ask memory, if this call may."""
        cache = call.options.cache
        if call.options.shield is not None and not shield_steps().vault_knows(call):
            return None
        return self.layers.near(raw, cache.max_age, call.spare) if raw is not None and cache.reads else None

    def _hit(self, call: Call, entry: Entry, tier: CacheTierName) -> ChatCompletion | None:
        """The answer that a tier has; None if it is none that this version can read, which is the tier's fault."""
        try:
            completion = self._from_entry(call, entry if call.shielding is None else self._own(call, entry, tier))
        except ValueError as error:
            tiers = (*self.layers.tiers, self.layers.semantic)
            self.layers.fault(next(one for one in tiers if one is not None and one.name == tier), error)
            call.edge.similarity = None
            return None
        edge = call.edge
        edge.cached = True
        edge.cache_tier = tier
        edge.age = max(0.0, self._wall() - entry.created)  # clocks differ
        if call.spare is not None:
            edge.stale = call.spare.entry is entry
        return completion

    def _own(self, call: Call, entry: Entry, tier: CacheTierName) -> Entry:
        """A tier's entry as the caller's own: memory holds it so, the others hold a masked one."""
        if call.shielding is None or self.layers.is_near(tier):
            return entry
        own: Entry = call.shielding.entry(entry)
        return own

    def _for_others(self, call: Call, entry: Entry, tier: CacheTierName) -> Landed | None:
        """The same for those that share the flight: what memory held of a restored answer is the caller's alone."""
        if self._restores(call) and self.layers.is_near(tier):
            return None
        similarity = call.edge.similarity
        return entry if similarity is None else Borrowed(entry, similarity)

    def _followed(self, call: Call, landed: Landed) -> ChatCompletion | None:
        """The flight's answer; None if it came from a tier and was too old for this call when it asked."""
        entry, similarity = landed if isinstance(landed, Borrowed) else (landed, None)
        if self._too_old(call, entry):
            return None
        call.edge.coalesced, call.edge.similarity = True, similarity
        return self._from_entry(call, entry if call.shielding is None else call.shielding.entry(entry))

    def _from_entry(self, call: Call, entry: Entry) -> ChatCompletion:
        """A fresh, independent object; who answered is still named, the price is what was saved."""
        completion, edge = ChatCompletion.from_json(entry.completion), call.edge
        edge.provider, edge.model, edge.request_id = entry.provider, entry.model, entry.request_id
        edge.cost_usd, edge.saved_usd = ZERO, entry.cost_usd
        call.vendor = entry.vendor
        if call.native is not None:
            call.native.found(entry)
        return completion

    def _restored(self, call: Call, completion: ChatCompletion) -> ChatCompletion:
        """The caller's own answer, and the same in his format."""
        if call.shielding is None:
            return completion
        if call.native is not None:
            call.native.raw = call.shielding.native(call.native.raw)
        restored: ChatCompletion = call.shielding.restored(completion)
        return restored

    def _restores(self, call: Call) -> bool:
        """Whether the caller's answer is not what others may see."""
        return call.shielding is not None and bool(call.shielding.restorer)

    def _watches(self, call: Call) -> bool:
        """Whether the whole answer is looked at before it may be kept."""
        return call.shielding is not None and bool(call.shielding.watches)

    def _replay(self, call: Call, entry: Entry, tier: CacheTierName, kind: type[S]) -> S | None:
        """The same as a stream."""
        completion = self._hit(call, entry, tier)
        if completion is None:
            return None
        told = None if call.native is None else call.native.stream()
        pace = call.options.cache.pace if told is None else "full"  # when each of these bytes came is not kept
        opened = stored_stream(self._own(call, entry, tier), completion, pace)
        opened.restored = True
        opened.raw = None if told is None else [told]
        return kind(call, opened, lambda _: None)

    def _settle(
        self,
        call: Call,
        completion: ChatCompletion,
        answered: Answered[Any],
        keys: Keys | None,
        log: ChunkLog | None = None,
    ) -> Entry | None:
        """Cost, and the entry: for the followers of the flight, stored if it may be; None if there is none."""
        self._answered_by(call, answered.target)
        edge = call.edge
        edge.model = model = answered.target.model or completion.model  # a prompt kept at the vendor names its own
        if call.shielding is not None:
            edge.reported = call.shielding.reported
            if call.native is not None and call.shielding.masked:
                edge.edits = (*edge.edits, "values masked")
        if completion.usage is not None and call.vendor is not None:
            tier = billed_tier(completion, self.targets.service_tier(answered.target))
            edge.cost_usd = self._pricing.cost(call.vendor, model, completion.usage, service_tier=tier)
            call.settle(completion.usage, edge.cost_usd)
            if call.hedged_usd and edge.cost_usd is not None:
                edge.cost_usd += call.hedged_usd
            self.targets.estimates.observe(call, answered.target, completion.usage)
        call.settle(None, None)  # unless it was
        if keys is None:
            return None
        cache = call.options.cache
        ttl, keep = self.layers.lifetimes(cache)
        try:
            entry = self._entry(call, completion, answered.target, ttl, keep)
            if log is not None:
                entry = entry._replace(chunks=recording(log, completion))
            data = encode_entry(entry) if keys.write and answered.rank == 0 and storable(completion, cache) else None
        except ValueError:  # a provider of the caller's own put something into its answer that JSON cannot hold
            logger.warning("an answer of %s cannot be written as JSON, and is not cached", answered.target.provider)
            self.layers.keep_nothing(keys.shared)
            return None
        near = None if data is None or keys.near_form is None else keys.near_form(entry)  # it takes a while
        if data is None or not self._kept(call, keys, data, near, entry.created, ttl, keep):
            self.layers.keep_nothing(keys.shared)
        return entry

    def _kept(
        self, call: Call, keys: Keys, data: bytes, near: bytes | None, created: float, ttl: float | None, keep: float
    ) -> bool:
        """Whether it was stored: not if somebody has forgotten its like since the call began."""

        def store() -> None:
            kept = None if ttl is None else ttl + keep
            self.layers.store(keys.raw, keys.shared, data, kept, shared=keys.far, near=near)
            self.layers.store_similar(call, keys, data, ttl)

        return self.layers.clearings.keep(
            call.cleared, (keys.raw, keys.shared), data, created, store, renews=call.options.cache.replaces
        )

    def _entry(self, call: Call, completion: ChatCompletion, target: Target, ttl: float | None, keep: float) -> Entry:
        now = self._wall()
        return Entry(
            created=now,
            expires=None if ttl is None else now + ttl,
            provider=target.provider,
            model=target.model,
            vendor=call.vendor or target.provider,
            cost_usd=call.edge.cost_usd,
            request_id=call.edge.request_id,
            completion=completion.as_json(),
            native=b"" if call.native is None else call.native.raw,
            native_streamed=call.native is not None and call.native.streamed,
            keep=keep,
            asked=call.request.model,
            namespace=call.options.cache.namespace,
            tags=call.options.tags,
        )
