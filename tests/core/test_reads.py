"""Reads of tiers that may block: how long they are waited for, and in whose thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from edgeagent.cache.outage import Away
from edgeagent.core.call import Call
from edgeagent.core.reads import PROMPT, PROMPT_READS, READ_BOUND, STUCK, Reads, bound_of
from edgeagent.effects import Offload


class Tier:
    """One whose reads take as long as is said."""

    def __init__(self, clock: list[float]) -> None:
        self.clock = clock
        self.seconds = 0.0
        self.error: Exception | None = None

    def get(self, key: bytes, /) -> bytes:
        self.clock[0] += self.seconds
        if self.error is not None:
            raise self.error
        return key


class House:
    """A call, a tier, and what is read."""

    def __init__(self, left: float | None = None) -> None:
        self.now = [0.0]
        self.tier: Any = Tier(self.now)
        self.reads = Reads()
        self.call: Any = SimpleNamespace(clock=lambda: self.now[0], deadline=left)
        self.call.remaining = partial(Call.remaining, self.call)
        self.call.at_most = partial(Call.at_most, self.call)

    def read(self, seconds: float = 0.0, error: Exception | None = None) -> Offload:
        """What the driver is asked for; the read is done."""
        self.tier.seconds, self.tier.error = seconds, error
        flow = self.reads.read(self.call, self.tier, b"k")
        effect = next(flow)
        assert isinstance(effect, Offload)
        if error is None:
            assert effect.call() == b"k"
        else:
            with pytest.raises(type(error)):
                effect.call()
        return effect


@pytest.mark.parametrize(
    ("left", "bound"),
    [(None, READ_BOUND), (100.0, READ_BOUND), (READ_BOUND / 4, READ_BOUND / 4), (0.0, 0.0), (-3.0, 0.0)],
)
def test_no_read_is_waited_for_longer_than_the_call_may_take(left: float | None, bound: float) -> None:
    """The bound of the tiers, or what is left of the deadline."""
    house = House(left)
    assert house.read().bound == bound
    assert bound_of(house.call) == bound


def test_a_tier_is_prompt_once_some_reads_in_a_row_were() -> None:
    """Until then, a client that blocks waits for another thread, which it can leave."""
    house = House()
    assert [house.read(PROMPT * 0.99).prompt for _ in range(PROMPT_READS + 2)] == [*[False] * PROMPT_READS, True, True]


@pytest.mark.parametrize(("seconds", "error"), [(PROMPT * 1.01, None), (0.0, OSError("no disk"))])
def test_one_slow_read_or_a_fault_and_it_is_no_longer(seconds: float, error: Exception | None) -> None:
    """It has to show it again."""
    house = House()
    for _ in range(10):
        house.read()
    assert house.read(seconds, error).prompt
    assert [house.read().prompt for _ in range(PROMPT_READS + 1)] == [*[False] * PROMPT_READS, True]


def test_each_tier_for_itself() -> None:
    """A slow disk says nothing of a server."""
    house = House()
    for _ in range(PROMPT_READS):
        house.read()
    other: Any = Tier(house.now)
    prompt, new = house.reads.read(house.call, house.tier, b"k"), house.reads.read(house.call, other, b"k")
    assert (next(prompt).prompt, next(new).prompt) == (True, False)  # type: ignore[union-attr]


def test_many_at_once() -> None:
    """In one step; what is not there is left out."""
    house = House()
    house.tier.get = {b"a": b"1", b"c": b"3"}.get
    flow = house.reads.read_many(house.call, house.tier, [b"a", b"b", b"c"])
    effect = next(flow)
    assert isinstance(effect, Offload)
    with pytest.raises(StopIteration) as end:
        flow.send(effect.call())
    assert end.value.value == {b"a": b"1", b"c": b"3"}


def begun(house: House) -> Callable[[], object]:
    """A read that is under way; what is returned lets it come to an end."""
    inside, go = threading.Event(), threading.Event()

    def hang(key: bytes, /) -> None:
        inside.set()
        go.wait(30)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(house.tier, "get", hang)
        effect = next(house.reads.read(house.call, house.tier, b"k"))
    assert isinstance(effect, Offload)
    thread = threading.Thread(target=effect.call)
    thread.start()
    assert inside.wait(30)

    def end() -> None:
        go.set()
        thread.join()

    return end


def test_while_one_hangs_the_next_are_not_taken_for_prompt() -> None:
    """Their callers have a thread that they can leave, though no read has come to an end yet that was slow."""
    house = House()
    for _ in range(PROMPT_READS):
        house.read()
    end = begun(house)
    house.now[0] += PROMPT * 0.99
    assert house.read().prompt
    house.now[0] += PROMPT
    assert not house.read().prompt
    end()
    assert [house.read().prompt for _ in range(PROMPT_READS + 1)] == [*[False] * PROMPT_READS, True]


def test_a_tier_whose_reads_do_not_end_is_not_asked() -> None:
    """Each of them holds a thread; once one has come to an end, it is asked again."""
    house = House()
    ends = [begun(house) for _ in range(STUCK)]
    house.read()
    house.now[0] += READ_BOUND * 1.01
    with pytest.raises(Away):
        house.read()
    with pytest.raises(Away):
        next(house.reads.read_many(house.call, house.tier, [b"k"]))
    ends.pop()()
    house.read()
    for end in ends:
        end()
