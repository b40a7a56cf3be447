"""Background writes: seen while they are under way, sent together where the tier can, each fault told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from edgeagent.cache.base import LeaseLost, Put
from edgeagent.core import writes as module
from edgeagent.core.counts import Counts
from edgeagent.core.writes import Writes
from tests.cache.test_tiers import Shelf

__all__: list[str] = []


class Counter(Shelf):
    """Refuses the key `bad`; counts its round trips."""

    batches = False

    def __init__(self) -> None:
        super().__init__()
        self.trips: list[int] = []
        self.leased: list[str] = []
        self.away = False

    def put(self, key: bytes, value: bytes, /, ttl: float | None = None) -> None:
        self.put_many([Put(key, value, ttl)], told=False)

    def put_leased(self, key: bytes, value: bytes, token: str, /, ttl: float | None = None) -> bool:
        self.leased.append(token)
        self.put(key, value, ttl)
        return True

    def put_many(self, puts: Sequence[Put], /, *, told: bool = True) -> list[Exception | None]:
        self.trips.append(len(puts))
        if self.away:
            raise ConnectionError
        faults: list[Exception | None] = []
        for put in puts:
            faults.append(OSError("refused") if put.key == b"bad" else None)
            if put.key != b"bad":
                self.items[put.key] = put.value
        if faults[0] is not None and not told:
            raise faults[0]
        return faults


class Batching(Counter):
    batches = True

    def get_many(self, keys: Sequence[bytes], /) -> list[bytes | None]:
        return [self.items.get(key) for key in keys]


class Scene:
    def __init__(self, shelf: Counter) -> None:
        self.shelf = shelf
        self.jobs: list[Callable[[], None]] = []
        self.faults: list[type[Exception]] = []
        self.writes = Writes(self.jobs.append, lambda tier, error: self.faults.append(type(error)))

    def put(self, *keys: bytes, token: str = "") -> None:
        for key in keys:
            self.writes.put(self.shelf, Put(key, b"v" + key, None, token))

    def work(self) -> None:
        while self.jobs:
            self.jobs.pop(0)()


@pytest.mark.parametrize("kind", [Counter, Batching])
def test_a_write_is_seen_while_it_is_under_way(kind: type[Counter]) -> None:
    """From the moment it is asked for until it is done; then the tier has it."""
    scene = Scene(kind())
    scene.put(b"a")
    assert scene.writes.under_way(b"a") == b"va"
    scene.work()
    assert scene.writes.under_way(b"a") is None
    assert scene.shelf.items == {b"a": b"va"}


def test_a_tier_that_can_is_sent_many_at_once() -> None:
    """What has gathered goes in one trip, in order; the jobs behind find nothing to do."""
    scene = Scene(Batching())
    scene.put(*(b"%d" % number for number in range(module.BATCH + 10)), b"0")
    scene.work()
    assert scene.shelf.trips == [module.BATCH, 11]
    assert len(scene.shelf.items) == module.BATCH + 10
    other = Scene(Counter())
    other.put(b"a", b"b")
    other.work()
    assert other.shelf.trips == [1, 1]


def test_large_values_go_in_smaller_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trip is bounded by bytes too."""
    monkeypatch.setattr(module, "BATCH_BYTES", 5)
    scene = Scene(Batching())
    scene.put(*(b"%04d" % number for number in range(4)))
    scene.work()
    assert scene.shelf.trips == [1, 1, 1, 1]


@pytest.mark.parametrize("kind", [Counter, Batching])
def test_faults_are_told_and_the_rest_is_stored(kind: type[Counter]) -> None:
    """One that was refused does not stop the others; nothing stays under way."""
    scene = Scene(kind())
    scene.put(b"a", b"bad", b"b")
    scene.work()
    assert scene.faults == [OSError]
    assert set(scene.shelf.items) == {b"a", b"b"}
    scene.shelf.away = True
    scene.put(b"c", b"d")
    scene.work()
    assert set(scene.faults[1:]) == {ConnectionError}
    assert scene.writes.under_way(b"c") is scene.writes.under_way(b"d") is None


def test_one_write_that_holds_a_lease_ends_it() -> None:
    """By the token; in a batch the tier sees to it."""
    scene = Scene(Batching())
    scene.put(b"a", token="t")
    scene.work()
    assert scene.shelf.leased == ["t"]


@pytest.mark.parametrize("kind", [Counter, Batching])
def test_what_is_dropped_is_not_written(kind: type[Counter]) -> None:
    """Neither by its own job nor by another's."""
    scene = Scene(kind())
    scene.put(b"a", b"b")
    dropped = scene.jobs.pop(0)
    dropped.dropped()  # type: ignore[attr-defined]
    assert scene.writes.under_way(b"a") is None
    scene.work()
    assert set(scene.shelf.items) == {b"b"}


def test_a_write_that_another_job_takes_along_is_not_dropped() -> None:
    """When the queue throws away a job whose work is being done already: it is stored, seen, and no dropped write."""
    jobs: list[Any] = []
    seen: list[bytes | None] = []
    counts = Counts(looks=False)

    class Dropping(Batching):
        def put_many(self, puts: Sequence[Put], /, *, told: bool = True) -> list[Exception | None]:
            jobs.pop().dropped()
            seen.append(writes.under_way(b"b"))
            return super().put_many(puts, told=told)

    shelf = Dropping()
    writes = Writes(jobs.append, lambda tier, error: None, lambda tier: counts)
    for key in (b"a", b"b"):
        writes.put(shelf, Put(key, b"v" + key))
    jobs.pop(0)()
    assert set(shelf.items) == {b"a", b"b"}
    assert (counts.writes, counts.dropped, seen) == (2, 0, [b"vb"])


def test_a_later_value_stays_under_way() -> None:
    """When an earlier write of the same key is done."""
    scene = Scene(Counter())
    scene.writes.put(scene.shelf, Put(b"a", b"one"))
    scene.writes.put(scene.shelf, Put(b"a", b"two"))
    scene.jobs.pop(0)()
    assert scene.writes.under_way(b"a") == b"two"


@pytest.mark.parametrize("kind", [Counter, Batching])
@pytest.mark.parametrize("frees", [True, False])
def test_a_write_that_is_refused_ends_its_lease(kind: type[Counter], frees: bool) -> None:
    """Who waits for it in another process must not wait until its time is over; if even that fails, he does."""
    scene = Scene(kind())
    released: list[tuple[bytes, str]] = []

    def release(key: bytes, token: str) -> None:
        released.append((key, token))
        if not frees:
            raise OSError

    scene.shelf.release = release  # type: ignore[attr-defined]
    scene.put(b"a", b"bad", b"b", token="t")
    scene.work()
    assert released == [(b"bad", "t")]
    assert scene.faults == [OSError]
    assert set(scene.shelf.items) == {b"a", b"b"}


@pytest.mark.parametrize("kind", [Counter, Batching])
def test_a_leased_write_that_is_dropped_ends_its_lease(kind: type[Counter]) -> None:
    """The next job of any write does, before its own work; not who found the queue full, who must not wait."""
    scene = Scene(kind())
    ended: list[tuple[bytes, str]] = []
    scene.shelf.release = lambda key, token: ended.append((key, token))  # type: ignore[attr-defined]
    scene.put(b"a", token="t")
    scene.put(b"b")
    scene.put(b"c")
    for _ in range(2):
        scene.jobs.pop(0).dropped()  # type: ignore[attr-defined]
    assert ended == []
    scene.work()
    assert ended == [(b"a", "t")]
    assert set(scene.shelf.items) == {b"c"}


def test_a_lease_whose_own_job_is_dropped_is_ended_by_the_next() -> None:
    """A call that stores nothing gives its lease back, however full the queue is."""
    scene = Scene(Counter())
    ended: list[str] = []
    scene.writes.end_lease(lambda: ended.append("one"))
    scene.jobs.pop(0)
    scene.put(b"a")
    scene.work()
    assert ended == ["one"]
    scene.writes.end_lease(lambda: ended.append("two"))
    scene.writes.after_fork()
    scene.work()
    assert ended == ["one"]  # the other is the parent's


def test_leases_of_a_batch_that_fails_are_ended() -> None:
    """A batch that raises has stored nothing: its leases are given back as that of one write is."""
    scene = Scene(Batching())
    ended: list[str] = []
    scene.shelf.release = lambda key, token: ended.append(token)  # type: ignore[attr-defined]
    scene.shelf.away = True
    scene.put(b"a", token="one")
    scene.put(b"b", token="two")
    scene.work()
    assert ended == ["one", "two"]


def test_a_value_is_seen_until_the_last_tier_has_it() -> None:
    """Where one tier has refused it, or its write was dropped, the other's is still under way."""
    for refuses in (True, False):
        scene, value = Scene(Counter()), b"v"
        scene.writes.put(scene.shelf, Put(b"bad", value))
        other = Counter()
        scene.writes.put(other, Put(b"bad", value))
        if refuses:
            scene.jobs.pop(0)()
        else:
            scene.jobs.pop(0).dropped()  # type: ignore[attr-defined]
        assert scene.writes.under_way(b"bad") == value
        scene.work()
        assert scene.writes.under_way(b"bad") is None


def test_an_older_value_is_not_seen_again() -> None:
    """Once a later one was stored, whatever of the older one is still to be done."""
    scene = Scene(Counter())
    for value in (b"one", b"two"):
        scene.writes.put(scene.shelf, Put(b"a", value))
    scene.jobs.pop(1)()
    assert scene.writes.under_way(b"a") is None
    scene.work()
    assert scene.writes.under_way(b"a") is None


def test_a_child_has_nothing_under_way() -> None:
    """What was pending at the fork is the parent's."""
    scene = Scene(Batching())
    scene.put(b"a")
    scene.writes.after_fork()
    scene.jobs.clear()
    scene.put(b"b")
    scene.work()
    assert set(scene.shelf.items) == {b"b"}


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("many", [True, False])
def test_what_a_lost_lease_kept_from_being_stored_is_no_write(held: bool, many: bool) -> None:
    """The tier was asked, and stored nothing: that is no fault either, alone or among others."""

    class Leased(Batching):
        def put_leased(self, key: bytes, value: bytes, token: str, /, ttl: float | None = None) -> bool:
            return held

        def put_many(self, puts: Sequence[Put], /, *, told: bool = True) -> list[Exception | None]:
            return [None if held or not put.token else LeaseLost() for put in puts]

    jobs: list[Callable[[], None]] = []
    faults: list[Exception] = []
    counts = Counts(looks=False)
    writes = Writes(jobs.append, lambda tier, error: faults.append(error), lambda tier: counts)
    tier = Leased()
    writes.put(tier, Put(b"k", b"v", None, "token"))
    if many:
        writes.put(tier, Put(b"other", b"v"))
    jobs.pop(0)()
    assert (counts.writes, faults) == (held + many, [])


@pytest.mark.parametrize("kind", [Counter, Batching])
@pytest.mark.parametrize("needless", [False, True])
def test_a_write_that_has_become_needless_is_not_done(kind: type[Counter], needless: bool) -> None:
    """That is looked at just before it, so nobody sees its value until then; the lease that it holds is ended."""
    scene = Scene(kind())
    released: list[Any] = []
    scene.shelf.release = lambda *lease: released.append(lease)  # type: ignore[attr-defined]  # of tiers with leases
    scene.writes.put(scene.shelf, Put(b"k", b"v", None, "token"), lambda: needless)
    assert scene.writes.under_way(b"k") is None
    scene.work()
    assert scene.shelf.items == ({} if needless else {b"k": b"v"})
    assert released == ([(b"k", "token")] if needless else [])
    assert scene.faults == []
