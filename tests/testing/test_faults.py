"""Faults as values, and plans of them."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Any

import pytest

from edgeagent import testing
from edgeagent.errors import ConfigurationError
from edgeagent.testing import faults
from edgeagent.testing.faults import Drip, Fault, Hang, Mix, Reset, Schedule, Status, WrongLength


def first(plan: Any, count: int) -> list[Fault | None]:
    """What the first requests of a plan get."""
    schedule = Schedule(plan)
    return [schedule.next() for _ in range(count)]


def test_plans() -> None:
    """A list is used up, a single fault never; nothing means no fault."""
    assert first([Reset(), None, Hang()], 5) == [Reset(), None, Hang(), None, None]
    assert first(Reset(), 3) == [Reset()] * 3
    assert first((), 2) == [None, None]
    assert first((Status(500 + n) for n in range(2)), 3) == [Status(500), Status(501), None]


def test_what_was_injected_is_counted() -> None:
    """By name of the class, only what was given out."""
    schedule = Schedule([Status(500), None, Status(429), Reset(), Hang()])
    for _ in range(4):
        schedule.next()
    assert schedule.injected == {"Status": 2, "Reset": 1}


def test_no_fault_in_a_plan() -> None:
    """What is no fault is told when its turn comes."""
    plan: Any = [500]
    with pytest.raises(ConfigurationError, match=r"faults of edgeagent\.testing\.faults, and None; got 500"):
        Schedule(plan).next()


def test_a_mix_can_be_had_again() -> None:
    """Equal arguments give equal plans, another seed another one."""

    def drawn(seed: int) -> list[Fault | None]:
        return list(islice(Mix([Reset(), Hang()], 0.5, seed=seed), 100))

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_a_mix_keeps_its_rate_and_weights() -> None:
    """Three tenths have a fault, three quarters of them the heavier one."""
    drawn = Counter(islice(Mix({Reset(): 3, Hang(): 1}, 0.3, seed=7), 10_000))
    assert drawn[None] == pytest.approx(7000, rel=0.03)
    assert drawn[Reset()] == pytest.approx(2250, rel=0.06)
    assert drawn[Hang()] == pytest.approx(750, rel=0.1)


@pytest.mark.parametrize(("rate", "drawn"), [(0, {None}), (1, {Reset()})])
def test_a_mix_of_none_or_all(rate: float, drawn: set[Any]) -> None:
    """The ends of the scale are exact."""
    assert set(islice(Mix([Reset()], rate), 1000)) == drawn


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Mix([], 0.5), "at least one fault"),
        (lambda: Mix({Reset(): 0}, 0.5), "a weight above 0"),
        (lambda: Mix([Reset()], 1.5), "a rate from 0 to 1; got 1.5"),
        (lambda: Hang(-1), "Hang needs seconds of 0 or more; got -1"),
        (lambda: Status(200), "from 400 to 599; got 200"),
        (lambda: Status(429, retry_after=-1), "Status needs retry_after of 0 or more"),
        (lambda: Drip(size=0), "a size of 1 or more bytes; got 0"),
    ],
)
def test_what_cannot_be(make: Any, reason: str) -> None:
    """Refused when it is made, with the reason."""
    with pytest.raises(ConfigurationError, match=reason):
        make()


def test_a_length_may_be_too_short() -> None:
    """The one number that may be negative."""
    assert WrongLength(-3).by == -3


def test_every_fault_is_listed() -> None:
    """The module's public names are its faults and what plans are made of."""
    kinds = {name for name, value in vars(faults).items() if isinstance(value, type) and issubclass(value, Fault)}
    assert set(faults.__all__) == kinds | {"Mix", "Plan", "Schedule"}


def test_the_package() -> None:
    """Its names are loaded when they are used; others are not there."""
    assert sorted(testing.__all__) == dir(testing)
    assert all(getattr(testing, name) is not None for name in testing.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Faultless'"):
        testing.Faultless  # noqa: B018
