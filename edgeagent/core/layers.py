"""The layering of the cache tiers: which is asked when, what is promoted, what a fault means.

Memory is asked first, under the key of the request as the caller wrote it; it never blocks. The other tiers hold
masked answers under the shared key, are asked in their order through an effect, and are written in the background. A
fault of a tier is a miss: counted, logged once per kind, never raised.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from edgeagent.cache.base import CacheTier, Put, lifetime, shorter
from edgeagent.cache.decoded import DecodedEntries
from edgeagent.cache.entry import Entry, decode_entry
from edgeagent.cache.outage import Away
from edgeagent.core.clearings import Clearings
from edgeagent.core.counts import Counts
from edgeagent.core.keys import Keys, policy_of
from edgeagent.core.known_requests import KnownRequests
from edgeagent.core.leases import Lease, Repeat, wait_for_lease
from edgeagent.core.reads import Reads
from edgeagent.core.staleness import Background, Refreshes, Spare
from edgeagent.core.writes import Writes
from edgeagent.effects import Flow
from edgeagent.errors import DeadlineExceededError
from edgeagent.telemetry.base import Observer
from edgeagent.types.metadata import CacheTierName

if TYPE_CHECKING:
    from edgeagent.cache.policy import CacheOptions
    from edgeagent.cache.rules import CachePolicy
    from edgeagent.cache.semantic import SemanticCache
    from edgeagent.core.call import Call

__all__ = ["CacheLayers"]

logger = logging.getLogger("edgeagent.cache")

AHEAD: Final = 300.0
"""Seconds by which clocks may differ. An entry from later than that was made while a clock was wrong: nobody can say
how old it is, so it answers no call that limits the age, and none at all if it has an end."""


class CacheLayers:
    """The tiers of one client.

    Args:
        tiers: in the order in which they are asked.
        submit: runs a job in the background, never blocks.
        wall: seconds since the epoch.
        observer: told of look-ups and faults.
        repeat: runs a job in the background again and again; without it no lease is asked for.
        semantic: finds answers to similar questions, if there is such a cache.
        background: runs flows that nobody waits for; without it nothing is revalidated while it is stale.
        policy: rules for the calls, if there are any.
        ttl: seconds that the tiers keep what is stored with no time of its own, as far as is known.
    """

    def __init__(
        self,
        tiers: Sequence[CacheTier],
        submit: Callable[[Callable[[], None]], None],
        wall: Callable[[], float],
        observer: Observer,
        repeat: Repeat | None = None,
        semantic: SemanticCache | None = None,
        background: Background | None = None,
        policy: CachePolicy | None = None,
        ttl: float | None = None,
    ) -> None:
        self._near = tuple(tier for tier in tiers if not tier.blocking)
        self._far = tuple(tier for tier in tiers if tier.blocking)
        self._leasing: Any = next((tier for tier in self._far if getattr(tier, "leases", False)), None)
        self._leases: dict[bytes, Lease] = {}
        self._reads = Reads()
        self.writes = Writes(submit, self.fault, self.counts)
        self._repeat = repeat
        self._wall = wall
        self._observer = observer
        self._decoded = DecodedEntries()
        self.known = KnownRequests()
        self._faults: set[tuple[str, type[BaseException]]] = set()
        self.semantic = semantic
        self._counts = {id(tier): Counts(looks=tier.blocking) for tier in tiers} | {id(semantic): Counts(looks=True)}
        self.near_is_masked = True
        """Whether the near tiers, too, hold masked answers under the shared key: there is nothing to mask."""
        self._ttl = ttl
        self._background = background
        self.refreshes = None if background is None else Refreshes(background)
        self.policy = policy
        self.enabled = bool(tiers) or semantic is not None
        self.clearings = Clearings()
        self.last_put = object()
        """Another one after each put into the near tiers: while it is the same, a miss there is still a miss."""

    @property
    def tiers(self) -> tuple[CacheTier, ...]:
        """All, from the nearest to the farthest."""
        return (*self._near, *self._far)

    def is_near(self, tier: str) -> bool:
        """Whether a tier of this name holds answers as their callers get them."""
        return any(tier == near.name for near in self._near)

    @property
    def masked_tiers(self) -> tuple[CacheTier, ...]:
        """Those that hold masked answers under the shared key."""
        return self.tiers if self.near_is_masked else self._far

    def counts(self, tier: CacheTier | SemanticCache) -> Counts:
        """What is counted of this tier."""
        counts = self._counts.get(id(tier))
        return self._counts.setdefault(id(tier), Counts(looks=True)) if counts is None else counts

    def forget_seen(self) -> None:
        """Let go of entries that were taken apart, and of what their requests said."""
        self._decoded.forget()
        self.known.forget()

    def near(self, key: bytes, max_age: float | None, spare: Spare | None = None) -> tuple[Entry, CacheTierName] | None:
        """Ask the tiers that do not block. What is there but not fresh is offered to `spare`."""
        for tier in self._near:
            try:
                data = tier.get(key)
            except Exception as error:
                self.fault(tier, error)
                continue
            entry = None if data is None else self.fresh(self._decoded.of(key, data), max_age, tier, spare)
            self._observer.cache_lookup(tier.name, hit=entry is not None)
            if entry is not None:
                return entry, tier.name
            if data is not None:
                self.counts(tier).in_vain()
        return None

    def far(self, call: Call, keys: Keys, waited: float = 0.0) -> Flow[tuple[Entry, CacheTierName] | None]:
        """Ask the other tiers; a hit is promoted to those before it and to memory.

        What is there but not fresh is offered to the call's spare, and promoted to memory for the others that may take
        it. Who has `waited` for so many seconds has an answer that was fresh when he began to.

        Raises:
            DeadlineExceededError: the call's deadline came first.
        """
        key, spare, max_age = keys.shared, call.spare, call.options.cache.max_age
        max_age = None if max_age is None else max_age + waited
        for rank, tier in enumerate(self._far):
            data = self.writes.under_way(key)  # a write under way is visible
            if data is None:
                try:
                    data = yield from self._reads.read(call, tier, key)
                except Exception as error:
                    call.check_deadline()
                    self.fault(tier, error)
                    continue
            held = None if data is None else decode_entry(data)
            entry = self.fresh(held, max_age, tier, spare)
            self._observer.cache_lookup(tier.name, hit=entry is not None)
            self._counts[id(tier)].looked(hit=entry is not None)
            if entry is not None and data is not None:
                self._promote(call, keys, rank, data, entry)
                return entry, tier.name
            if spare is not None and held is not None and spare.entry is held and data is not None:
                self._promote(call, keys, rank, data, held, between=False)
        return None

    def far_many(
        self, call: Call[Any], keys: Sequence[bytes], near_keys: Sequence[bytes], max_age: float | None
    ) -> Flow[dict[int, tuple[Entry, CacheTierName]]]:
        """`far` for many keys, with one effect for each tier: what was found, by the place of its key."""
        found: dict[int, tuple[Entry, CacheTierName]] = {}
        for rank, tier in enumerate(self._far):
            left = [place for place in range(len(keys)) if place not in found]
            if not left:
                break
            data = yield from self._read_many(call, tier, [keys[place] for place in left])
            for place in left:
                held = data.get(keys[place])
                entry = None if held is None else self.fresh(decode_entry(held), max_age)
                self._observer.cache_lookup(tier.name, hit=entry is not None)
                self.counts(tier).looked(hit=entry is not None)
                if entry is not None and held is not None:
                    promoted = Keys(near_keys[place], keys[place], read=True, write=True, far=True, candidates=b"")
                    self._promote(call, promoted, rank, held, entry)
                    found[place] = entry, tier.name
        return found

    def _read_many(self, call: Call[Any], tier: CacheTier, keys: Sequence[bytes]) -> Flow[dict[bytes, bytes]]:
        writing = {key: data for key in keys if (data := self.writes.under_way(key)) is not None}
        rest = [key for key in keys if key not in writing]
        try:
            return {**(yield from self._reads.read_many(call, tier, rest)), **writing}
        except Exception as error:
            call.check_deadline()
            self.fault(tier, error)
            return writing

    def _promote(
        self, call: Call[Any], keys: Keys, rank: int, data: bytes, entry: Entry, *, between: bool = True
    ) -> None:
        """Put what a far tier had into memory, and into those between, for no longer than it would have lived there."""
        near = data if keys.near_form is None else keys.near_form(entry)  # it takes a while

        def put() -> None:
            if self._replaced(keys, entry):  # since it was read
                return
            ttl, capped = self._left(entry, self._far[rank]), entry.expires is None
            if near is not None:
                self.near_is_masked = self.near_is_masked and keys.near_form is None
                self._put_near(keys.raw, near, ttl, capped=capped)
            for skipped in self._far[:rank] if between else ():
                later = partial(self._has_later, skipped, keys.shared, entry)  # which memory need not know of
                self._put_far(skipped, keys.shared, data, shorter(ttl, skipped) if capped else ttl, unless=later)

        self.clearings.keep(call.cleared, (keys.raw, keys.shared), data, self._wall(), put)

    def _replaced(self, keys: Keys, entry: Entry) -> bool:
        """Whether there is a later answer by now, of a call that asked anew."""
        found = (writing := self.writes.under_way(keys.shared)) is not None and self._is_later(writing, entry)
        for tier in self._near:
            try:
                found = found or self._has_later(tier, keys.raw, entry)
            except Exception as error:
                self.fault(tier, error)
        return found

    def _has_later(self, tier: CacheTier, key: bytes, entry: Entry) -> bool:
        data = getattr(tier, "peek", tier.get)(key)
        return data is not None and self._is_later(data, entry)

    def _is_later(self, data: bytes, entry: Entry) -> bool:
        return (held := self.fresh(decode_entry(data), None)) is not None and held.created > entry.created

    def similar(self, call: Call, candidates: bytes) -> Flow[tuple[Entry, CacheTierName] | None]:
        """Ask for the answer to a similar question, which is never promoted: it is no answer to this very request.

        Raises:
            DeadlineExceededError: the call's deadline came first.
        """
        cache = self.semantic
        if cache is None or call.native is not None:
            return None
        from edgeagent.core.semantic import find_similar, question_of

        max_age = call.options.cache.max_age
        question = question_of(call.request, candidates, policy_of(call))
        if question is None:
            return None

        def fresh(data: bytes) -> Entry | None:
            return None if call.options.renews else self.fresh(decode_entry(data), max_age)

        try:
            call.question, found = yield from find_similar(call, cache, question, fresh)
        except Exception as error:
            call.check_deadline()
            self.fault(cache, error)
            return None
        entry = None if found is None else fresh(found.value)
        self._observer.cache_lookup(cache.name, hit=entry is not None)
        self.counts(cache).looked(hit=entry is not None)
        if found is None or entry is None:
            return None
        call.edge.similarity = found.similarity
        return entry, cache.name

    def store_similar(self, call: Call, keys: Keys, data: bytes, ttl: float | None) -> None:
        """Keep an answer for similar questions; where nobody looked, forget the one that it replaces."""
        cache = self.semantic
        if cache is None or call.native is not None:
            return
        from edgeagent.core.semantic import keep_similar

        try:
            if keep_similar(call, cache, keys, data, ttl):
                self.counts(cache).wrote()
        except Exception as error:
            self.fault(cache, error)

    def lead(self, call: Call, keys: Keys) -> Flow[tuple[Entry, CacheTierName] | None]:
        """Before a provider is asked: wait while another process asks for the same; what it found, if it did.

        Raises:
            DeadlineExceededError: the call's deadline came first.
        """
        tier = self._leasing
        if tier is None or self._repeat is None:
            return None
        key = keys.shared
        lease = Lease(tier, key, self.writes.end_lease, self._repeat, partial(self.fault, tier))
        self._leases[key] = lease
        call.scope.add(partial(self._unlead, key, lease))
        try:
            return (yield from wait_for_lease(call, lease, lambda: self.far(call, keys, call.clock() - call.started)))
        except DeadlineExceededError:
            raise
        except Exception as error:  # everyone calls for himself
            call.check_deadline()
            self.fault(tier, error)
            return None

    def keep_nothing(self, key: bytes) -> None:
        """The answer is there and is not stored: other processes need not wait for it."""
        if key in self._leases:
            self._leases[key].abandon()

    def _unlead(self, key: bytes, lease: Lease) -> None:
        if self._leases.get(key) is lease:
            del self._leases[key]
        lease.end()

    def store(
        self, near_key: bytes, key: bytes, data: bytes, ttl: float | None, *, shared: bool, near: bytes | None = None
    ) -> None:
        """Put an entry into memory (in the form `near`, if it has its own), and if `shared`, later, into the others."""
        self.near_is_masked = self.near_is_masked and near is None
        self._put_near(near_key, data if near is None else near, ttl)
        if shared:
            for tier in self._far:
                self._put_far(tier, key, data, ttl)

    def fresh(
        self,
        entry: Entry | None,
        max_age: float | None,
        tier: CacheTier | None = None,
        spare: Spare | None = None,
    ) -> Entry | None:
        """The entry, if it may still be given. One of `tier` that may not is offered to `spare`."""
        if entry is None or (max_age is None and entry.expires is None):
            return entry
        now = self._wall()
        if entry.created > now + AHEAD:
            return None
        if (max_age is None or now - entry.created <= max_age) and (entry.expires is None or now < entry.expires):
            return entry
        if spare is not None and tier is not None:
            spare.offer(entry, tier.name)
        return None

    def lifetimes(self, options: CacheOptions) -> tuple[float | None, float]:
        """Seconds that an answer is fresh (None: as a tier has it), and that it is kept after that."""
        keep = options.keep
        ttl = options.ttl if options.ttl is not None or not keep else self._ttl
        return ttl, 0.0 if ttl is None else keep

    def _left(self, entry: Entry, tier: CacheTier) -> float | None:
        """Seconds for which a tier still has an entry, as far as it says."""
        if entry.expires is not None:
            return max(0.0, entry.expires + entry.keep - self._wall())
        life = lifetime(tier)
        return None if life is None else max(0.0, entry.created + life - self._wall())

    def _put_near(self, key: bytes, data: bytes, ttl: float | None, *, capped: bool = False) -> None:
        for tier in self._near:
            try:
                if tier.put(key, data, shorter(ttl, tier) if capped and ttl is not None else ttl) is not False:
                    self._counts[id(tier)].wrote()
            except Exception as error:
                self.fault(tier, error)
        self.last_put = object()  # not a number: two threads could make the same of it

    def _put_far(
        self, tier: CacheTier, key: bytes, data: bytes, ttl: float | None, unless: Callable[[], bool] | None = None
    ) -> None:
        lease = self._leases.get(key) if tier is self._leasing else None
        self.writes.put(tier, Put(key, data, ttl, "" if lease is None else lease.take()), unless)

    def fault(self, tier: CacheTier | SemanticCache, error: Exception) -> None:
        """Count a tier's fault, and log the first of its kind; that a server is still away is no news."""
        self._observer.cache_fault(tier.name, error)
        self.counts(tier).failed()
        if isinstance(error, Away):
            return
        kind = (tier.name, type(error))
        if kind not in self._faults:
            self._faults.add(kind)
            logger.warning("cache tier %s failed, going on without it: %s", tier.name, type(error).__name__)

    def after_fork(self) -> None:
        """In the child: writes under way are the parent's. The tiers see to themselves."""
        self._reads = Reads()
        self.writes.after_fork()
        self.clearings.after_fork()
        for counts in self._counts.values():
            counts.after_fork()
        self._leases = {}
        if self._background is not None:
            self.refreshes = Refreshes(self._background)
        if self.semantic is not None:
            self.semantic.after_fork()

    def close(self) -> None:
        """Give back files and connections."""
        for tier in (*self._near, *self._far):
            tier.close()
