"""What a cache tier is: a store of bytes under keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, runtime_checkable

from edgeagent.types.metadata import CacheTierName

if TYPE_CHECKING:
    from edgeagent.effects import Place

__all__ = [
    "Awaits",
    "Batches",
    "CacheTier",
    "Grant",
    "LeaseLost",
    "Leases",
    "Listing",
    "Put",
    "lifetime",
    "listing",
    "shorter",
]


@runtime_checkable
class CacheTier(Protocol):
    """Get, put and delete bytes.

    A fault (full disk, lost connection) is raised as whatever the library raises: the core counts and logs it and goes
    on as after a miss. A tier that can block says so with `blocking`, and is then called through an effect.
    """

    name: CacheTierName
    blocking: bool

    def get(self, key: bytes, /) -> bytes | None:
        """The bytes under `key`, or None."""
        ...

    def put(self, key: bytes, value: bytes, /, ttl: float | None = None) -> bool | None:
        """Store `value` under `key` for `ttl` seconds (None: as long as there is room); False: it is not kept."""
        ...

    def delete(self, key: bytes, /) -> None:
        """Forget `key`; nothing happens if it is not there."""
        ...

    def clear(self) -> None:
        """Forget everything."""
        ...

    def close(self) -> None:
        """Give back files and connections. Idempotent."""
        ...


class Put(NamedTuple):
    """One entry to be stored; with a `token` as by `Leases.put_leased`, else as by `CacheTier.put`."""

    key: bytes
    value: bytes
    ttl: float | None = None
    token: str = ""


class LeaseLost(Exception):  # noqa: N818  # nothing is wrong
    """What `Batches.put_many` tells of a put whose token has lost its lease: nothing was stored."""


@runtime_checkable
class Batches(Protocol):
    """What a tier over a network has besides, so that many entries cost one round trip.

    `batches` says whether it does (a wrapper is as its inner tier is).
    """

    batches: bool

    def get_many(self, keys: Sequence[bytes], /) -> list[bytes | None]:
        """What is under each key, or None."""
        ...

    def put_many(self, puts: Sequence[Put], /) -> list[Exception | None]:
        """Store them; for each the fault that kept it from being stored, or `LeaseLost`. Raises if none was."""
        ...


@runtime_checkable
class Awaits(Protocol):
    """What a tier has besides whose look-ups an event loop of asyncio can await, without a thread.

    `awaits` says whether it does (a wrapper is as its inner tier is). The tier bounds the waiting itself: beside its
    own limits by `bound`, in seconds, after which an exception is raised; None is no bound of the caller's.
    """

    awaits: bool

    async def aget(self, key: bytes, place: Place, bound: float | None = None, /) -> bytes | None:
        """As `CacheTier.get`; `place` is the running loop."""
        ...

    async def aget_many(self, keys: Sequence[bytes], place: Place, bound: float | None = None, /) -> list[bytes | None]:
        """As `Batches.get_many`."""
        ...


@runtime_checkable
class Listing(Protocol):
    """What a tier has besides whose entries can be listed: some are forgotten, all are exported and counted."""

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Each key with its bytes. What is put or deleted meanwhile may or may not be among them."""
        ...

    def usage(self) -> tuple[int | None, int | None]:
        """How many entries it holds, and how many bytes; None where it does not know."""
        ...


class Grant(NamedTuple):
    """What came of asking for a lease.

    `granted`: the caller leads, and `token` says so to the tier. `held`: somebody else leads. `stored`: the answer is
    there already. `open`: who led has an answer that is not kept; whoever wants one asks for himself.
    """

    state: Literal["granted", "held", "stored", "open"]
    token: str = ""


@runtime_checkable
class Leases(Protocol):
    """What a tier has besides that several processes share, so that one of them asks for an answer all want.

    `leases` says whether it does (a wrapper is as its inner tier is). A lease is a promise for `lease_seconds`, renewed
    while its holder lives. Faults are raised as by `CacheTier`; whoever gets one goes on without a lease.
    """

    leases: bool
    lease_seconds: float

    def acquire(self, key: bytes, /, *, anyway: bool = False) -> Grant:
        """Ask for the lease of `key`; with `anyway` also where an answer is stored, which the caller cannot use."""
        ...

    def renew(self, key: bytes, token: str, /) -> bool:
        """Begin the lease's time anew; False if the token does not hold it any more."""
        ...

    def release(self, key: bytes, token: str, /) -> None:
        """End the lease, if the token still holds it."""
        ...

    def abandon(self, key: bytes, token: str, /) -> None:
        """End it like `release`, where an answer came that is not kept: those who wait for it now find it `open`."""
        ...

    def put_leased(self, key: bytes, value: bytes, token: str, /, ttl: float | None = None) -> bool:
        """Store as `put` does and end the lease, in one step; False: the token has lost it, and replaced nothing."""
        ...


def listing(tier: object) -> Listing | None:
    """The tier, if its entries can be listed; a wrapper keeps what it wraps in `tier`."""
    inner = getattr(tier, "tier", tier)
    return tier if isinstance(tier, Listing) and isinstance(inner, Listing) else None


def lifetime(tier: object) -> float | None:
    """Seconds that the tier gives to what is put with no time of its own, if it says so in `ttl`, as ours do."""
    ttl = getattr(getattr(tier, "tier", tier), "ttl", None)
    return ttl if isinstance(ttl, int | float) else None


def shorter(ttl: float | None, tier: object) -> float | None:
    """So many seconds (None: for ever), or the tier's own lifetime where that is shorter."""
    life = lifetime(tier)
    return ttl if life is None else life if ttl is None else min(ttl, life)
