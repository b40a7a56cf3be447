"""Processor time, for tests of how work grows with its input."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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
    """The least of so many runs, of this thread alone."""
    times = []
    with _undisturbed():
        for _ in range(runs):
            started = time.thread_time()
            work()
            times.append(time.thread_time() - started)
    return min(times)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Without the collector of garbage, which costs what all the tests before have left; and without the measuring of
    coverage, which makes Python several times slower, and what is written in C no slower at all.
    """
    gc.collect()
    was_enabled, tracer = gc.isenabled(), sys.gettrace()
    gc.disable()
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(tracer)
        if was_enabled:
            gc.enable()
