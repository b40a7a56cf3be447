"""Processor time, for tests of how work grows with its input."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

__all__ = ["cpu_seconds"]


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
