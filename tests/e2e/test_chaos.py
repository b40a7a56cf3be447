"""Under fire: a small run of `benchmarks.chaos`, in which nothing must happen that must not."""

from __future__ import annotations

import pytest

from benchmarks.chaos.run import run
from benchmarks.chaos.script import FAULTS

CALLS = 800
CALLERS = (6, 6, 6)
"""Half of those of the whole run: the suite may have this machine for itself no more than a user's program does."""


@pytest.mark.bulk
def test_under_fire() -> None:
    """Threads and tasks on one client, three targets that fail: every call ends in time, once, and leaves nothing.

    One of its budgets is too small for its calls, and is never exceeded.
    """
    report = run(CALLS, seed=6, callers=CALLERS)
    assert report.violations == []
    assert report.ends.total() == CALLS
    assert report.ends["answer"] > 0.6 * CALLS
    assert 0 < report.ends["BudgetExceededError"] <= report.refused
    assert set(report.faults) == {type(fault).__name__ for fault in FAULTS}
    assert report.faults.total() > 0.25 * report.requests.total()
    assert all(report.requests[name] > 0.1 * CALLS for name in report.requests)


def test_providers_that_answer_by_themselves() -> None:
    """The same with a blocking and an async provider among the targets."""
    report = run(CALLS // 2, seed=8, callers=CALLERS, in_process=True)
    assert report.violations == []
    assert report.ends["answer"] > 0.4 * CALLS // 2


def test_without_fire() -> None:
    """Targets that never fail: every call that is not given up has its answer, after one request."""
    report = run(CALLS // 4, seed=7, callers=CALLERS, rate=0.0)
    assert report.violations == []
    expected = ("answer", "given up by the caller", "BudgetExceededError")
    slow = CALLS // 4 - sum(report.ends[end] for end in expected)  # timeouts, where the machine has other things to do
    assert slow <= 4
    assert report.requests.total() <= CALLS // 4 + report.retries.total() + slow
    assert report.retries.total() <= 4
