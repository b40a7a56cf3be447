"""Processor time, for tests of how work grows with its input."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

__all__ = ["cpu_seconds", "is_linear"]

TRIES = 3


def is_linear(few: Callable[[], object], many: Callable[[], object]) -> bool:
    """Whether four times the input takes less than twelve times as long: squares would take sixteen.

    Measured again where it does not look so: work that is not linear never does, and other processes pass.
    """
    few()  # warm
    return any(cpu_seconds(many) < 12 * cpu_seconds(few) + 0.05 for _ in range(TRIES))


def cpu_seconds(work: Callable[[], object]) -> float:
    """The least of three runs, without the collector of garbage: what it costs depends on all that other tests left."""
    times = []
    gc.collect()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        for _ in range(3):
            started = time.process_time()
            work()
            times.append(time.process_time() - started)
    finally:
        if was_enabled:
            gc.enable()
    return min(times)
