"""The benchmarks of the cache tiers run, and what is said of them in the documentation holds on a short run."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import eviction, memory
from benchmarks.tiers import many_processes

__all__: list[str] = []


@pytest.mark.bulk
def test_the_rule_of_the_memory_tier_beats_lru_where_it_matters() -> None:
    """On popular keys, with scans in between, and while what is popular changes; it is never far from the best."""
    for trace, room, rates in eviction.table(20_000):
        ours, lru = rates["S3-FIFO (edgeagent)"], rates["LRU (cachetools)"]
        assert ours >= lru, (trace, room)
        if trace in ("zipf", "scan"):
            assert ours > 1.03 * lru
            assert ours > 0.9 * max(rates.values())


def test_the_memory_benchmark_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """A row for each size, and the bytes of an entry."""
    memory.main((100, 1000))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert "bytes besides its key and value" in lines[-1]


def test_processes_on_one_disk_cache_never_read_a_wrong_answer(tmp_path: Path) -> None:
    """Each value is made of its key, so that any mixture would be seen."""
    total = many_processes(str(tmp_path / "cache"), 0.5, 3)
    assert total["hits"] > 0
    assert total["writes"] > 0
    assert total["wrong"] == 0
