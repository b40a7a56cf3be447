"""What the transport costs under the official SDK: `python -m benchmarks.transport`

Each line is measured in a process of its own, as a program would have it, against the server of the other benchmarks;
the processes take turns, some calls each, after a few that do not count. The figures are the tenth percentile of a
call's processor time: what it costs when the machine does little else. "Over nothing" has a transport that gives a
ready answer at once: what the SDK itself takes, and so the ceiling of whatever answers under it. The lines of the
distant server are by the wall clock: it answers after 5 ms, where the others answer before a client can measure it; a
model takes longer than either. Beside the times stand the function calls of one call, the interpreter's own functions
among them: the same on every machine, busy or not.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from statistics import quantiles
from typing import Any, Final, NamedTuple

from benchmarks.upstream import DELAY
from benchmarks.workload import COMPLETION, MODEL, messages

__all__ = ["function_calls", "main"]

ROUNDS: Final = 20
WARM: Final = 30
LEAD: Final = 3
"""Calls of each round that do not count: other processes had the processor's caches before them."""

Call = Callable[[], Any]


class Line(NamedTuple):
    """One line of the table.

    Attributes:
        base: the line that it is compared with.
        client: `bare`, over `nothing`, or over the transport, its cache `off` or `on`.
        calls: how many of each round count.
        path: below the server's address.
        same: whether every call asks the same.
        streamed: whether the answer is.
        wall: whether the wall's clock counts, not the process's.
    """

    base: str
    client: str
    calls: int = 20
    path: str = "/v1"
    same: bool = False
    streamed: bool = False
    wall: bool = False


LINES: Final[dict[str, Line]] = {
    "bare": Line("bare", "bare"),
    "over nothing": Line("bare", "nothing"),
    "over the transport": Line("bare", "off"),
    "over the transport, and stored": Line("bare", "on"),
    "memory hit": Line("bare", "on", same=True),
    "bare, streamed": Line("bare, streamed", "bare", calls=3, streamed=True),
    "over the transport, streamed": Line("bare, streamed", "off", calls=3, streamed=True),
    "bare, distant": Line("bare, distant", "bare", calls=10, path="/distant/v1", wall=True),
    "over nothing, distant": Line("bare, distant", "nothing", calls=10, path="/distant/v1", wall=True),
    "over the transport, distant": Line("bare, distant", "off", calls=10, path="/distant/v1", wall=True),
    "memory hit, distant": Line("bare, distant", "on", calls=10, path="/distant/v1", same=True, wall=True),
}


def main() -> None:
    """Print the table; the lines below it say how it compares with what is wanted."""
    if len(sys.argv) > 1:
        _work(LINES[sys.argv[1]], sys.argv[2])
        return
    figures, functions = _measured()
    print("| call | µs | of the bare SDK's | function calls | of the bare SDK's |\n| --- | ---: | ---: | ---: | ---: |")
    for name, seconds in figures.items():
        base = LINES[name].base
        number, ratio = functions[name], functions[name] / functions[base]
        print(f"| {name} | {seconds * 1e6:.0f} | {seconds / figures[base]:.2f} | {number:.0f} | {ratio:.2f} |")
    bare, hit, nothing = figures["bare"], figures["memory hit"], figures["over nothing"]
    print(f"\nover the transport: {figures['over the transport'] / bare:.2f} x of a bare call (wanted: 1.15)")
    print(f"memory hit: {bare / hit:.1f} x faster than a bare call that is answered at once (wanted: 3);")
    print(f"the ceiling, over nothing: {bare / nothing:.1f} x; a hit takes {(hit - nothing) * 1e6:.0f} µs more")
    far, ceiling = (figures["bare, distant"] / figures[f"{name}, distant"] for name in ("memory hit", "over nothing"))
    print(f"{far:.1f} x faster than one that is answered after {DELAY * 1e3:.0f} ms; the ceiling: {ceiling:.1f} x")
    least = (figures["over the transport"] - bare) / 0.15
    print(
        f"so the 15 % hold for bare calls of {least * 1e3:.1f} ms or more, 3 x for those of {hit * 3e3:.1f} ms or more"
    )


def _measured() -> tuple[dict[str, float], dict[str, float]]:
    with ExitStack() as stack:
        server = _started(stack, "benchmarks.upstream")
        url = f"http://127.0.0.1:{int(_line(server))}"
        workers = {name: _started(stack, "benchmarks.transport", name, url) for name in LINES}
        for worker in workers.values():
            _line(worker)  # warm
        times: dict[str, list[float]] = {name: [] for name in LINES}
        for _ in range(ROUNDS):
            for name, worker in workers.items():
                times[name] += json.loads(_asked(worker, "measure"))
        functions = {name: float(_asked(worker, "count")) for name, worker in workers.items()}
    return {name: quantiles(seconds, n=10)[0] for name, seconds in times.items()}, functions


def _started(stack: ExitStack, *command: str) -> subprocess.Popen[str]:
    python = [sys.executable, "-m", *command]
    process = stack.enter_context(subprocess.Popen(python, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
    stack.callback(process.terminate)
    return process


def _asked(worker: subprocess.Popen[str], order: str) -> str:
    assert worker.stdin is not None
    worker.stdin.write(order + "\n")
    worker.stdin.flush()
    return _line(worker)


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


# in a process of its own


def _work(line: Line, url: str) -> None:
    call = _call(line, url)
    for _ in range(WARM):
        call()
    print("warm", flush=True)
    clock = time.perf_counter if line.wall else time.process_time
    for order in sys.stdin:
        print(function_calls(call) if order == "count\n" else json.dumps(_times(call, line.calls, clock)), flush=True)


def _call(line: Line, url: str) -> Call:
    client = _client(line.client, url + line.path)
    numbers = count()
    options: Any = {"stream": True, "stream_options": {"include_usage": True}} if line.streamed else {}

    def call() -> Any:
        asked = messages(1, 0 if line.same else next(numbers))
        answer = client.chat.completions.create(model=MODEL, messages=asked, **options)
        return list(answer) if line.streamed else answer

    return call


def _client(kind: str, url: str) -> Any:
    import openai

    if kind == "bare":
        return openai.OpenAI(api_key="k", base_url=url)
    made: Any
    if kind == "nothing":
        made = _nothing()
    else:
        from edgeagent import EdgeClient
        from edgeagent.providers import OpenAI
        from edgeagent.transports import transport

        made = transport(EdgeClient(providers=[OpenAI(api_key="k", base_url=url)]))
    client = openai.OpenAI(api_key="k", base_url=url, http_client=openai.DefaultHttpxClient(transport=made))
    return client.with_options(default_headers={"x-edgeagent-cache": "off"}) if kind == "off" else client


def _nothing() -> Any:
    """A transport that makes the response, and does nothing else: the client needs one of its own each time."""
    import httpx2

    head = httpx2.Headers({"content-type": "application/json", "content-length": str(len(COMPLETION))})

    class Nothing(httpx2.BaseTransport):
        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            return httpx2.Response(200, headers=head, stream=httpx2.ByteStream(COMPLETION))

    return Nothing()


def _times(call: Call, number: int, clock: Callable[[], float]) -> list[float]:
    times = []
    for _ in range(LEAD + number):
        before = clock()
        call()
        times.append(clock() - before)
    return times[LEAD:]


def function_calls(call: Call) -> float:
    """How many functions one call calls."""
    with cProfile.Profile() as profile:
        for _ in range(WARM):
            call()
    return float(pstats.Stats(profile).total_calls) / WARM  # type: ignore[attr-defined]  # as it is documented


if __name__ == "__main__":
    main()
