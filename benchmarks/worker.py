"""One contender's process: reads orders from standard input, measures, answers on standard output, one JSON line each.

An order is `{"scenario": name, "calls": n}`. The answer has the wall time of each call and the processor time of the
whole batch, in nanoseconds. Every answer's text is checked, and after every batch what the upstream was asked: a
"hit" that was none, or a call that did not happen, ends the run instead of becoming a figure.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks.scenarios import SCENARIOS, Scenario
from benchmarks.workload import STREAMED, TEXT, messages

__all__ = ["main"]

FILL_SECONDS = 10.0
"""How long a contender may take until what it stores in the background is there."""
WARM_UP = 30


class Worker:
    def __init__(self, contender: Any, upstream: str) -> None:
        self._contender = contender
        self._upstream = upstream
        self._loop = asyncio.new_event_loop()
        self._numbers = count()
        self._prompts: dict[str, list[list[Any]]] = {}

    def measure(self, scenario: str, calls: int) -> dict[str, Any]:
        """One batch; the first of a scenario is preceded by a warm-up."""
        wanted = SCENARIOS[scenario]
        method = getattr(self._contender, wanted.method, None)
        if method is None or (wanted.group == "redis" and "BENCH_REDIS_URL" not in os.environ):
            return {"absent": True}
        if scenario not in self._prompts:
            self._warm_up(scenario, wanted, method)
        prompts = self._next(scenario, wanted, calls)
        before = self._asked()
        gc.collect()
        cpu = time.process_time_ns()
        wall, texts = self._run(method, prompts)
        cpu = time.process_time_ns() - cpu
        text = TEXT if wanted.text == "whole" else STREAMED
        if set(texts) != {text}:
            raise RuntimeError(f"{scenario}: a wrong answer: {next(each for each in texts if each != text)!r}")
        asked = self._asked() - before
        if asked != wanted.requests * calls:
            raise RuntimeError(f"{scenario}: {calls} calls made {asked} requests, not {wanted.requests * calls}")
        return {"wall": wall, "cpu": cpu}

    def _next(self, name: str, scenario: Scenario, calls: int) -> list[list[Any]]:
        if scenario.prompts is None:
            return [messages(scenario.kilobytes, next(self._numbers)) for _ in range(calls)]
        fixed = self._prompts[name]
        return [fixed[i % len(fixed)] for i in range(calls)]

    def _warm_up(self, name: str, scenario: Scenario, method: Callable[[Any], Any]) -> None:
        prompts = [messages(scenario.kilobytes, next(self._numbers)) for _ in range(scenario.prompts or WARM_UP)]
        self._prompts[name] = prompts
        self._run(method, prompts)
        limit = time.monotonic() + FILL_SECONDS
        while scenario.requests == 0:
            before = self._asked()
            self._run(method, prompts)
            if self._asked() == before:
                break
            if time.monotonic() > limit:
                raise RuntimeError(f"{name}: the cache never answered")

    def _run(self, method: Callable[[Any], Any], prompts: list[list[Any]]) -> tuple[list[int], list[Any]]:
        if inspect.iscoroutinefunction(method):
            return self._loop.run_until_complete(_awaited(method, prompts))
        return _called(method, prompts)

    def _asked(self) -> int:
        with urlopen(f"{self._upstream}/count") as response:
            return int(response.read())


def _called(method: Callable[[Any], Any], prompts: list[list[Any]]) -> tuple[list[int], list[Any]]:
    clock = time.perf_counter_ns
    wall, texts = [], []
    for prompt in prompts:
        began = clock()
        text = method(prompt)
        wall.append(clock() - began)
        texts.append(text)
    return wall, texts


async def _awaited(method: Callable[[Any], Awaitable[Any]], prompts: list[list[Any]]) -> tuple[list[int], list[Any]]:
    clock = time.perf_counter_ns
    wall, texts = [], []
    for prompt in prompts:
        began = clock()
        text = await method(prompt)
        wall.append(clock() - began)
        texts.append(text)
    return wall, texts


def main() -> None:
    """`python -m benchmarks.worker CONTENDER UPSTREAM SCRATCH`."""
    _, name, upstream, scratch = sys.argv
    answers = os.fdopen(os.dup(1), "w")  # whatever a contender prints must not mix with the answers
    os.dup2(2, 1)
    worker = Worker(import_module(f"benchmarks.contenders.{name}").Contender(upstream, Path(scratch)), upstream)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(worker.measure(**json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
