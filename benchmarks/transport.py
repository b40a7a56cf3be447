"""What the transport costs under the official SDK: `python -m benchmarks.transport`

The bare SDK and the SDK over the transport take turns, call by call in one process, against the server of the other
benchmarks. The figures are the tenth percentile of a call's processor time in this process: what it costs when the
machine does little else. "The SDK alone" has a transport that answers from memory without doing anything: nothing under
an SDK can be faster. The lines of the distant server are by the wall clock: it answers after 5 ms, where the others
answer before a client can measure it; a model takes longer than either. Beside the times stand the function calls of
one call, the interpreter's own functions among them: the same on every machine, busy or not.
"""

from __future__ import annotations

import cProfile
import pstats
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count
from statistics import quantiles
from typing import Any

import httpx2
import openai

from benchmarks.upstream import DELAY
from benchmarks.workload import COMPLETION, MODEL, messages
from edgeagent import EdgeClient
from edgeagent.providers import OpenAI
from edgeagent.transports import transport

__all__ = ["main"]

CALLS = 400
WARM = 30

Call = Callable[[], Any]


def main() -> None:
    """Print the table; the lines below it say how it compares with what is wanted."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.upstream"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            figures, functions = _measure(f"http://127.0.0.1:{int(server.stdout.readline())}")
        finally:
            server.terminate()
    print("| call | µs | of the bare SDK's | function calls | of the bare SDK's |\n| --- | ---: | ---: | ---: | ---: |")
    for name, seconds in figures.items():
        base = _base(name)
        count, ratio = functions[name], functions[name] / functions[base]
        print(f"| {name} | {seconds * 1e6:.0f} | {seconds / figures[base]:.2f} | {count:.0f} | {ratio:.2f} |")
    bare, hit = figures["bare"], figures["memory hit"]
    print(f"\nover the transport: {figures['over the transport'] / bare:.2f} x of a bare call (wanted: 1.15)")
    print(f"memory hit: {bare / hit:.1f} x faster than a bare call that is answered at once (wanted: 3);")
    print(f"of its {hit * 1e6:.0f} µs the SDK itself takes {figures['the SDK alone'] * 1e6:.0f};")
    far = figures["bare, distant"] / figures["memory hit, distant"]
    print(f"{far:.1f} x faster than one that is answered after {DELAY * 1e3:.0f} ms")


def _base(name: str) -> str:
    _, comma, kind = name.rpartition(", ")
    return f"bare, {kind}" if comma and kind in {"streamed", "distant"} else "bare"


def _measure(url: str) -> tuple[dict[str, float], dict[str, float]]:
    edge = EdgeClient(providers=[OpenAI(api_key="k", base_url=f"{url}/v1")])
    sdk = openai.OpenAI(api_key="k", base_url=f"{url}/v1")
    over = openai.OpenAI(
        api_key="k", base_url=f"{url}/v1", http_client=openai.DefaultHttpxClient(transport=transport(edge))
    )
    off = over.with_options(default_headers={"x-edgeagent-cache": "off"})
    alone = openai.OpenAI(
        api_key="k",
        base_url=f"{url}/v1",
        http_client=openai.DefaultHttpxClient(transport=httpx2.MockTransport(_answer)),
    )
    numbers = count()

    def ask(client: Any) -> Call:
        return lambda: client.chat.completions.create(model=MODEL, messages=messages(1, next(numbers)))

    def stream(client: Any) -> Call:
        options: Any = {"stream": True, "stream_options": {"include_usage": True}}
        return lambda: list(client.chat.completions.create(model=MODEL, messages=messages(1, next(numbers)), **options))

    def hit() -> Any:
        return over.chat.completions.create(model=MODEL, messages=messages(1, 0))

    whole = {
        "bare": ask(sdk),
        "the SDK alone": ask(alone),
        "over the transport": ask(off),
        "over the transport, and stored": ask(over),
        "memory hit": hit,
    }
    streamed = {"bare, streamed": stream(sdk), "over the transport, streamed": stream(off)}
    distant = {
        "bare, distant": ask(sdk.with_options(base_url=f"{url}/distant/v1")),
        "over the transport, distant": ask(off.with_options(base_url=f"{url}/distant/v1")),
        "memory hit, distant": hit,
    }
    times = {
        **_turns(whole, CALLS, time.process_time),
        **_turns(streamed, CALLS // 8, time.process_time),
        **_turns(distant, CALLS // 2, time.perf_counter),
    }
    return times, {name: _functions(call) for name, call in {**whole, **streamed, **distant}.items()}


def _answer(request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, headers={"content-type": "application/json"}, content=COMPLETION)


def _turns(calls: dict[str, Call], number: int, clock: Callable[[], float]) -> dict[str, float]:
    """The tenth percentile of each, in seconds."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(WARM + number):
        for name, call in calls.items():
            before = clock()
            call()
            if turn >= WARM:
                times[name].append(clock() - before)
    return {name: quantiles(seconds, n=10)[0] for name, seconds in times.items()}


def _functions(call: Call) -> float:
    """How many functions one call calls."""
    with cProfile.Profile() as profile:
        for _ in range(WARM):
            call()
    return float(pstats.Stats(profile).total_calls) / WARM  # type: ignore[attr-defined]  # as it is documented


if __name__ == "__main__":
    main()
