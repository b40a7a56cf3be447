"""The simulated fleet: what routing.md says of the latency router holds on it, for several seeds."""

from __future__ import annotations

import pytest

from benchmarks.fleet import figures, main


@pytest.mark.bulk
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_latency_beats_round_robin_and_adapts(seed: int) -> None:
    """A lower 95th percentile; a target that slows down is left within seconds, and found again within seconds."""
    turns, latency = figures("round-robin", seed), figures("latency", seed)
    assert latency.p95 < 0.85 * turns.p95
    assert latency.slow_p95 < 0.3 * turns.slow_p95
    assert latency.leaves is not None
    assert latency.leaves <= 5
    assert latency.returns is not None
    assert latency.returns <= 20


@pytest.mark.bulk
def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """It has a line for each router, and is the same in every run."""
    main()
    first = capsys.readouterr().out
    main()
    assert capsys.readouterr().out == first
    assert len(first.splitlines()) == 6
