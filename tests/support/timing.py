"""Processor time, for tests of how work grows with its input."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

__all__ = ["cpu_seconds", "is_linear"]

RUNS = 3


def is_linear(few: Callable[[], object], many: Callable[[], object], at_most: float = 12) -> bool:
    """Whether four times the input takes less than so many times as long: squares would take sixteen.

    Measured again where it does not look so: work that is not linear never does, and other processes pass.
    """
    few()  # warm
    runs = (1, RUNS, RUNS)  # more of `many` could only be in its favour: one is enough where it already is
    return any(cpu_seconds(many, times) < at_most * cpu_seconds(few) + 0.05 for times in runs)


def cpu_seconds(work: Callable[[], object], runs: int = RUNS) -> float:
    """The least of so many runs, without the collector of garbage: what it costs depends on all that tests left."""
    times = []
    gc.collect()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        for _ in range(runs):
            started = time.process_time()
            work()
            times.append(time.process_time() - started)
    finally:
        if was_enabled:
            gc.enable()
    return min(times)
