"""What the transport costs under the official SDK: `python -m benchmarks.transport`

The bare SDK and the SDK over the transport take turns in one process, against the server of the other benchmarks, which
answers at once; processor time of this process, the least of many turns. "The SDK alone" has a transport that answers
from memory without doing anything: nothing under an SDK can be faster.
"""

from __future__ import annotations

import subprocess
import sys
import time
import timeit
from collections.abc import Callable
from itertools import count
from typing import Any

import httpx2
import openai

from benchmarks.workload import COMPLETION, MODEL, messages
from edgeagent import EdgeClient
from edgeagent.providers import OpenAI
from edgeagent.transports import transport

__all__ = ["main"]

CALLS, ROUNDS = 40, 15


def main() -> None:
    """Print the table; the lines below it say how it compares with what is wanted."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.upstream"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
            figures = _measure(url)
        finally:
            server.terminate()
    bare, alone = figures["bare"], figures["the SDK alone"]
    print("| call | µs | of the bare SDK's |\n| --- | ---: | ---: |")
    for name, seconds in figures.items():
        print(f"| {name} | {seconds * 1e6:.0f} | {seconds / figures[_base(name)]:.2f} |")
    print(f"\nover the transport: {figures['over the transport'] / bare:.2f} x of a bare call (wanted: 1.15)")
    hit = figures["memory hit"]
    print(f"memory hit: {bare / hit:.1f} x faster than a bare call that is answered at once (wanted: 3);")
    print(f"of its {hit * 1e6:.0f} µs the SDK itself takes {alone * 1e6:.0f}")


def _base(name: str) -> str:
    return "bare, streamed" if "streamed" in name else "bare"


def _measure(url: str) -> dict[str, float]:
    edge = EdgeClient(providers=[OpenAI(api_key="k", base_url=url)])
    bare = openai.OpenAI(api_key="k", base_url=url)
    over = openai.OpenAI(api_key="k", base_url=url, http_client=openai.DefaultHttpxClient(transport=transport(edge)))
    off = over.with_options(default_headers={"x-edgeagent-cache": "off"})
    numbers = count()

    def ask(client: Any) -> Callable[[], Any]:
        return lambda: client.chat.completions.create(model=MODEL, messages=messages(1, next(numbers)))

    def stream(client: Any) -> Callable[[], Any]:
        options: Any = {"stream": True, "stream_options": {"include_usage": True}}
        return lambda: list(client.chat.completions.create(model=MODEL, messages=messages(1, next(numbers)), **options))

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": "application/json"}, content=COMPLETION)

    memory = httpx2.MockTransport(answer)
    alone = openai.OpenAI(api_key="k", base_url=url, http_client=openai.DefaultHttpxClient(transport=memory))
    same = messages(1, 0)
    calls = {
        "bare": ask(bare),
        "the SDK alone": ask(alone),
        "over the transport": ask(off),
        "over the transport, and stored": ask(over),
        "memory hit": lambda: over.chat.completions.create(model=MODEL, messages=same),
        "bare, streamed": stream(bare),
        "over the transport, streamed": stream(off),
    }
    least = dict.fromkeys(calls, float("inf"))
    for _ in range(ROUNDS):
        for name, call in calls.items():
            number = CALLS if "streamed" not in name else CALLS // 8
            least[name] = min(least[name], timeit.timeit(call, number=number, timer=time.process_time) / number)
    return least


if __name__ == "__main__":
    main()
