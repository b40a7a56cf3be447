"""What a client's cache holds, as a whole: forgetting by what entries say of themselves, counts, export and import.

These are for hands, not for calls: they look at every entry. A tier that cannot list its entries is cleared whole where
some of them are to be forgotten: too much is forgotten rather than too little.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeagent.cache.archive import entry_of, is_header, lines_of
from edgeagent.cache.base import CacheTier, lifetime, listing
from edgeagent.cache.entry import Entry, decode_entry, encode_entry
from edgeagent.core.staleness import RefreshStats
from edgeagent.errors import RequestValidationError

if TYPE_CHECKING:
    from edgeagent.core.layers import CacheLayers

__all__ = ["CacheStats", "Catalogue", "Imported", "Selection", "TierStats"]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries are meant: those that all that is given is true of; with nothing given, all.

    Attributes:
        keys: the entry's key is one of these.
        model: as the caller named it, as the provider calls it, or `provider/model`.
        namespace: the call had this one.
        tag: the call that stored it had this tag.
        older_than: seconds since the answer was made.
    """

    keys: frozenset[bytes] | None = None
    model: str | None = None
    namespace: str | None = None
    tag: str | None = None
    older_than: float | None = None

    @property
    def everything(self) -> bool:
        """Whether nothing is given."""
        return self.keys is None and not self._by_entry

    @property
    def _by_entry(self) -> bool:
        return not (self.model is None and self.namespace is None and self.tag is None and self.older_than is None)

    def takes(self, key: bytes, data: bytes, now: float) -> bool:
        """Whether this entry is meant; of one that cannot be read nothing is known, so it is."""
        if self.keys is not None and key not in self.keys:
            return False
        entry = decode_entry(data) if self._by_entry else None
        return entry is None or self._describes(entry, now)

    def _describes(self, entry: Entry, now: float) -> bool:
        names = (entry.asked, entry.model, f"{entry.provider}/{entry.model}")
        return (
            (self.model is None or self.model in names)
            and (self.namespace is None or self.namespace == entry.namespace)
            and (self.tag is None or self.tag in entry.tags)
            and (self.older_than is None or now - entry.created > self.older_than)
        )


@dataclass(frozen=True, slots=True)
class TierStats:
    """What one tier holds and has seen since its client was made; None where it does not say.

    `dropped_writes` were thrown away because too many were pending; `faults` is how often it failed; `evictions` counts
    entries dropped to keep its bounds.
    """

    entries: int | None = None
    bytes: int | None = None
    hits: int | None = None
    misses: int | None = None
    writes: int = 0
    dropped_writes: int = 0
    faults: int = 0
    evictions: int | None = None


@dataclass(frozen=True, slots=True)
class CacheStats:
    """`client.cache.stats()`: the tiers by name, from the nearest to the farthest, and what was renewed."""

    tiers: dict[str, TierStats]
    refreshes: RefreshStats


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a file: entries stored, past their time, and lines that are no entries of this version.

    What no tier takes (the client has none that holds masked answers, or it is too large) is none of these.
    """

    entries: int = 0
    expired: int = 0
    damaged: int = 0


class Catalogue:
    """All entries of one client's tiers. Its methods block.

    Args:
        layers: the tiers.
        wall: seconds since the epoch.
        written: waits for writes under way; False if they took too long.
    """

    def __init__(
        self, layers: CacheLayers, wall: Callable[[], float], written: Callable[[], bool] = lambda: True
    ) -> None:
        self._layers = layers
        self._wall = wall
        self._written = written

    def bar(self, selection: Selection) -> None:
        """Of the calls under way, none brings back such an entry. To be said before `clear`, and never blocks."""
        self._layers.clearings.add(selection)

    def clear(self, selection: Selection) -> int | None:
        """Forget these entries in every tier → how many there were; None if a tier does not say.

        Raises:
            TimeoutError: writes are still under way, and come after what was forgotten.
            Exception: whatever a tier raises, after the others were seen to: not all is forgotten then.
        """
        counts: list[int | None] = []
        errors: list[Exception] = []
        written = True
        # The farthest first: what a call has read there by then it brings to no nearer one.
        for blocks, forget in (*self._semantic(), *map(self._forgetting, reversed(self._layers.tiers))):
            self.bar(selection)
            written = written and (not blocks or self._written())  # also what has come of a farther one meanwhile
            try:
                counts.append(forget(selection))
            except Exception as error:
                errors.append(error)
        self._layers.forget_seen()  # last: a call that is under way may have put its own back
        if errors:
            raise errors[0]
        if not written:
            raise TimeoutError("Entries are still being written, which may be some of those: clear them again later.")
        return None if None in counts else sum(count or 0 for count in counts)

    def stats(self) -> CacheStats:
        """The counts of every tier. One that fails says nothing of what it holds."""
        tiers: dict[str, TierStats] = {tier.name: self._stats(tier) for tier in self._layers.tiers}
        semantic = self._layers.semantic
        if semantic is not None:
            tiers["semantic"] = self._stats(semantic)
        refreshes = self._layers.refreshes
        return CacheStats(tiers, RefreshStats() if refreshes is None else refreshes.stats())

    def export(self, selection: Selection) -> Iterator[str]:
        """The lines of a file: each entry once. Only tiers that hold masked answers are looked at.

        Raises:
            Exception: whatever a tier raises.
        """
        now = self._wall()
        tiers = [tier for tier in map(listing, self._layers.masked_tiers) if tier is not None]
        return lines_of(tiers, lambda key, data: selection.takes(key, data, now))

    def import_(self, lines: Iterable[str]) -> Imported:
        """Store the entries of such lines in every tier that holds masked answers, each for the time that it has left.

        Raises:
            RequestValidationError: the first line is not that of a file of this version.
            Exception: whatever a tier raises.
        """
        rest = iter(lines)
        if not is_header(next(rest, "")):
            raise RequestValidationError("file: this is no export of a cache of this version.", param="file")
        entries = expired = damaged = 0
        for line in rest:
            found = entry_of(line) if line.strip() else None
            if found is None:
                damaged += bool(line.strip())
            else:
                stored = self._store(*found)
                entries += stored is True
                expired += stored is False
        return Imported(entries, expired, damaged)

    def _store(self, key: bytes, entry: Entry) -> bool | None:
        """Whether it was stored; False if it is past its time in every tier, None if none of them takes it."""
        data, tiers = encode_entry(entry), self._layers.masked_tiers
        lefts = [(tier, left) for tier in tiers if (left := self._left(entry, tier)) is None or left > 0]
        stored = [tier.put(key, data, left) is not False for tier, left in lefts]
        return False if tiers and not lefts else any(stored) or None

    def _left(self, entry: Entry, tier: CacheTier) -> float | None:
        """Seconds that it has left: until its own end, or that which the tier gives to what was made then."""
        now, life = self._wall(), lifetime(tier)
        if entry.expires is not None:
            return entry.expires + entry.keep - now
        return None if life is None else min(life, entry.created + life - now)

    def _forgetting(self, tier: CacheTier) -> tuple[bool, Callable[[Selection], int | None]]:
        def forget(selection: Selection) -> int | None:
            now = self._wall()
            if selection.keys is not None:
                return sum(_forget_one(tier, key, selection, now) for key in selection.keys)
            listed = listing(tier)
            if listed is None or selection.everything:
                entries = None if listed is None else listed.usage()[0]
                tier.clear()
                return entries
            gone = 0
            for key, data in listed.items():
                if selection.takes(key, data, now):
                    tier.delete(key)
                    gone += 1
            return gone

        return tier.blocking, forget

    def _semantic(self) -> list[tuple[bool, Callable[[Selection], int | None]]]:
        semantic = self._layers.semantic
        if semantic is None:
            return []
        now = self._wall()

        def forget(selection: Selection) -> int:
            return semantic.discard(lambda keys, data: any(selection.takes(key, data, now) for key in keys or (b"",)))

        return [(False, forget)]

    def _stats(self, tier: Any) -> TierStats:
        counts = self._layers.counts(tier)
        own = _own_counts(tier)
        if "hits" in own:
            own["hits"] -= counts.vain
            own["misses"] = own.get("misses", 0) + counts.vain
        entries, size = _usage(tier)
        return TierStats(
            entries,
            size,
            own.get("hits", counts.hits),
            own.get("misses", counts.misses),
            counts.writes,
            counts.dropped,
            counts.faults,
            own.get("evictions"),
        )


def _forget_one(tier: CacheTier, key: bytes, selection: Selection, now: float) -> bool:
    data = getattr(tier, "peek", tier.get)(key)
    if data is not None and not selection.takes(key, data, now):
        return False
    tier.delete(key)  # also what cannot be read by this client
    return data is not None


def _own_counts(tier: Any) -> dict[str, int]:
    """What a tier counts itself, because it does so better than its caller could."""
    stats = getattr(tier, "stats", None)
    told = stats() if callable(stats) else None
    return {name: getattr(told, name) for name in ("hits", "misses", "evictions") if hasattr(told, name)}


def _usage(tier: Any) -> tuple[int | None, int | None]:
    try:
        return tier.usage() if hasattr(tier, "usage") else (None, None)
    except Exception:  # it is away, and counted as such where it is called
        return None, None
