"""What is known of targets: quantiles, retry budget, loads, probes, reports."""

from __future__ import annotations

import random
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent import InternalServerError
from edgeagent.routing.breaker import BreakerPolicy
from edgeagent.routing.health import REMEMBERED, Health, LastError
from edgeagent.routing.quantile import RATIO, DecayedQuantiles
from edgeagent.routing.retry_budget import RESERVE, RetryBudget
from edgeagent.types import Target

A, B = Target("a", "m"), Target("b", "m")


@given(st.lists(st.floats(0.001, 1000), min_size=1, max_size=200), st.floats(0.01, 0.99))
def test_quantiles(values: list[float], share: float) -> None:
    """Without decay a quantile is that of the sorted values, within the ratio of a bucket."""
    quantiles = DecayedQuantiles(1e9)
    for value in values:
        quantiles.observe(value, 5.0)
    found = quantiles.quantile(share)
    ordered = sorted(values)
    at = int(share * len(values))
    near = ordered[max(0, at - 1) : at + 2]
    assert found is not None
    assert min(near) / RATIO <= found <= max(near) * RATIO


def test_quantiles_follow_a_change() -> None:
    """After a few half-lives the old level is forgotten; in silence nothing is."""
    quantiles = DecayedQuantiles(10)
    assert quantiles.quantile(0.5) is None
    assert quantiles.weight(0) == 0
    for second in range(100):
        quantiles.observe(1.0, second)
    assert quantiles.quantile(0.5) == pytest.approx(1.0, rel=0.1)
    for second in range(100, 130):
        quantiles.observe(5.0, second)
    assert quantiles.quantile(0.5) == pytest.approx(5.0, rel=0.1)
    assert quantiles.weight(1e5) < 1e-6
    assert quantiles.quantile(0.5) == pytest.approx(5.0, rel=0.1)


def test_quantiles_never_overflow() -> None:
    """Weights that grow for days are scaled back, and extremes fall into the outer buckets."""
    quantiles = DecayedQuantiles(1)
    for second in range(0, 10_000, 100):
        quantiles.observe(2.0, second)
    quantiles.observe(0.0, 10_000)
    quantiles.observe(1e12, 10_000)
    assert quantiles.quantile(0.01) is not None
    assert quantiles.weight(10_000) == pytest.approx(2.0)


def test_the_retry_budget() -> None:
    """A fifth of the calls may be repeated in the long run, a reserve at once, and a little comes back by itself."""
    budget = RetryBudget()
    assert sum(budget.retry(0) for _ in range(100)) == RESERVE
    for _ in range(100):
        budget.first(0)
    assert sum(budget.retry(0) for _ in range(100)) == RESERVE
    for _ in range(11):
        budget.first(0)
    assert sum(budget.retry(0) for _ in range(100)) == 2
    assert sum(budget.retry(10) for _ in range(100)) == 2
    assert sum(budget.retry(1e6) for _ in range(100)) == RESERVE


def health(policy: BreakerPolicy | None = None) -> Health:
    return Health(policy, lambda: 50.0, random.Random(1).random, lambda target: f"key of {target}")


def test_a_report() -> None:
    """It tells breaker, rates, quantiles, load and the last error: class and status, never its text."""
    known = health(BreakerPolicy(consecutive=2))
    state = known.of(A)
    state.begin(10)
    state.measured(20, whole=2.0, first_token=0.5, per_token=0.01)
    state.succeeded(20)
    state.ended(10)
    for _ in range(2):
        state.begin(30)
        state.failed(40, InternalServerError("secret text"), "counts")
        state.ended(30)
    state.begin(45, early=True)
    report = known.report()["a/m"]
    assert "secret" not in repr(report)
    assert (report.requests, report.failures, report.load) == (2, 2, 1)
    assert report.last_error == LastError("InternalServerError", 500, 10.0)
    assert report.whole.p50 == pytest.approx(2.0, rel=0.1)
    assert report.first_token.p95 == pytest.approx(0.5, rel=0.1)
    assert report.per_token.p50 == pytest.approx(0.01, rel=0.1)
    assert (report.breaker, report.ready_in) == ("half-open", 0.0)
    state.failed(50, InternalServerError("x"), "credential", None, "key of a/m")
    assert known.report()["a/m"].ready_in is None
    known.reset()
    assert known.report()["a/m"].breaker == "closed"


def test_loads_never_go_below_zero() -> None:
    """Ending twice does no harm."""
    state = health().of(A)
    state.begin(0)
    state.begin(10)
    assert state.age(20) == 15
    for began in (10, 0, 0):
        state.ended(began)
    assert (state.load, state.age(20)) == (0, 0)


@pytest.mark.parametrize("ending", ["succeeded", "failed", "told nothing", "undone", "reset"])
def test_every_end_of_a_probe_is_told(ending: str) -> None:
    """Nobody waits for a probe that has ended, however that was."""
    state = health(BreakerPolicy(consecutive=1, open_for=1)).of(A)
    state.begin(0)
    state.failed(0, InternalServerError("x"), "counts")
    state.ended(0)
    assert state.begin(0.1) == "no"
    assert state.begin(2) == "probe"
    told: list[int] = []
    assert state.probe is not None
    state.probe.add_done_callback(lambda: told.append(1))
    if ending == "succeeded":
        state.succeeded(3, probe=True)
    elif ending in ("failed", "told nothing"):
        state.failed(3, InternalServerError("x"), "counts" if ending == "failed" else None, probe=True)
    elif ending == "undone":
        state.ended(2, undone_probe=True)
    else:
        state.reset()
    assert told == [1]
    assert state.probe is None


def test_memory_is_bounded() -> None:
    """Models are named by callers: of many, those with nothing under way are forgotten, oldest first."""
    known = health()
    known.of(A).begin(0)
    for number in range(2 * REMEMBERED):
        known.of(Target("p", str(number)))
        known.turn(number)
    assert len(known.report()) <= REMEMBERED
    assert known.of(A).load == 1
    assert len(known._turns) <= REMEMBERED


def test_turns() -> None:
    """Each key counts by itself; a look takes none."""
    known = health()
    assert [known.turn("x"), known.turn("x", looking=True), known.turn("x"), known.turn("y")] == [0, 1, 1, 0]


def test_after_a_fork() -> None:
    """In the child nothing is under way, locks are new, what was learned is kept."""
    known = health(BreakerPolicy(consecutive=1, open_for=1))
    state = known.of(A)
    state.begin(0)
    state.failed(0, InternalServerError("x"), "counts")
    assert state.begin(2) == "probe"
    state._lock.acquire()
    known._lock.acquire()
    known.after_fork()
    assert (state.load, state.probe) == (0, None)
    assert state.begin(2) == "probe"
    assert known.of(B).load == 0
    assert known.report()["a/m"].last_error is not None


def test_threads() -> None:
    """Attempts of many threads are all counted."""
    state = health(BreakerPolicy()).of(A)

    def attempts() -> None:
        for _ in range(500):
            state.begin(1)
            state.measured(1, whole=0.1)
            state.succeeded(1)
            state.ended(1)

    threads = [Thread(target=attempts) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state.load == 0
    assert state.breaker.counts(1) == (2000, 0)
