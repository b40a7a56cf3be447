"""What calls under way must not bring back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from edgeagent.core.clearings import REMEMBERED, Clearings

__all__: list[str] = []


class Of(NamedTuple):
    """All entries under these keys."""

    keys: tuple[bytes, ...]

    def takes(self, key: bytes, data: bytes, now: float) -> bool:
        return key in self.keys


def test_only_what_was_forgotten_since_counts() -> None:
    """And only if it is about one of the entry's keys."""
    clearings = Clearings()
    clearings.add(Of((b"old",)))
    began = clearings.count
    assert not clearings.forgot(began, (b"old", b"new"), b"", 0.0)
    clearings.add(Of((b"new",)))
    clearings.add(Of((b"other",)))
    assert clearings.forgot(began, (b"raw", b"new"), b"", 0.0)
    assert not clearings.forgot(began, (b"raw", b"old"), b"", 0.0)
    assert not clearings.forgot(began + 1, (b"raw", b"new"), b"", 0.0)


def test_a_call_that_has_outlived_many_keeps_nothing() -> None:
    """What is not remembered any more may have been about its entry."""
    clearings = Clearings()
    for _ in range(REMEMBERED):
        clearings.add(Of((b"other",)))
    assert not clearings.forgot(0, (b"k",), b"", 0.0)
    clearings.add(Of((b"other",)))
    assert clearings.forgot(0, (b"k",), b"", 0.0)
    assert not clearings.forgot(1, (b"k",), b"", 0.0)


def test_from_many_threads() -> None:
    """None is lost, and each is seen by who began before it."""
    clearings = Clearings()

    def clear(number: int) -> bool:
        began, key = clearings.count, b"%d" % number
        clearings.add(Of((key,)))
        return clearings.forgot(began, (key,), b"", 0.0)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(clear, range(REMEMBERED)))
    assert clearings.count == REMEMBERED


def test_in_a_child_nobody_holds_the_lock() -> None:
    """Whoever held it in the parent does not exist there."""
    clearings = Clearings()
    clearings._lock.acquire()
    clearings.after_fork()
    done = threading.Thread(target=clearings.add, args=(Of((b"k",)),), daemon=True)
    done.start()
    done.join(10)
    assert clearings.forgot(0, (b"k",), b"", 0.0)


def test_what_is_stored_is_there_before_it_is_forgotten() -> None:
    """An entry is stored unless its like was forgotten; who forgets waits for the end of that."""
    clearings, order = Clearings(), list[str]()
    forgetting = threading.Thread(target=lambda: (clearings.add(Of((b"k",))), order.append("forgotten")))

    def store() -> None:
        forgetting.start()
        forgetting.join(0.05)  # it would be done by then, if nothing kept it waiting
        order.append("stored")

    assert clearings.keep(0, (b"k",), b"", 0.0, store)
    forgetting.join(30)
    assert order == ["stored", "forgotten"]
    assert not clearings.keep(0, (b"k",), b"", 0.0, lambda: order.append("again"))
    assert len(order) == 2
