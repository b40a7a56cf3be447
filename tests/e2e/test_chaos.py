"""Under fire: a small run of `benchmarks.chaos`, in which nothing must happen that must not."""

from __future__ import annotations

from benchmarks.chaos.run import run
from benchmarks.chaos.script import FAULTS

CALLS = 1200


def test_under_fire() -> None:
    """Threads and tasks on one client, three targets that fail: every call ends in time, once, and leaves nothing."""
    report = run(CALLS, seed=6)
    assert report.violations == []
    assert report.ends.total() == CALLS
    assert report.ends["answer"] > 0.7 * CALLS
    assert set(report.faults) == {type(fault).__name__ for fault in FAULTS}
    assert report.faults.total() > 0.25 * report.requests.total()
    assert all(report.requests[name] > 0.2 * CALLS for name in report.requests)


def test_without_fire() -> None:
    """Targets that never fail: every call that is not given up has its answer, after one request."""
    report = run(CALLS // 4, seed=7, rate=0.0)
    assert report.violations == []
    assert set(report.ends) == {"answer", "given up by the caller"}
    assert report.requests.total() <= CALLS // 4
    assert report.retries.total() == 0
