"""What a memory hit is made of: each part measured alone. `python -m benchmarks.parts`"""

from __future__ import annotations

import time
import timeit
from collections.abc import Callable
from typing import Any

from benchmarks.workload import messages
from edgeagent import EdgeClient
from edgeagent.cache.entry import decode_entry
from edgeagent.cache.key import raw_key
from edgeagent.core.call import Call
from edgeagent.core.requests import chat_request
from edgeagent.effects import Scope
from edgeagent.testing import FakeProvider
from edgeagent.types import ChatCompletion

__all__ = ["main"]

CALLS, ROUNDS = 2000, 25


def microseconds(call: Callable[[], Any]) -> float:
    """The least of several rounds."""
    return min(timeit.repeat(call, number=CALLS, repeat=ROUNDS)) / CALLS * 1e6


def main() -> None:
    """Print the table."""
    client = EdgeClient(providers=[FakeProvider("Paris", name="fake")])
    params: dict[str, Any] = {"model": "fake/gpt", "messages": messages(1, 0)}

    def hit() -> Any:
        return client.chat.completions.create(**params)

    for _ in range(300):
        hit()
    pipeline = client._engine.here().pipeline
    request = chat_request(params)
    digest = pipeline.targets.candidates("fake/gpt", (), None).digest
    key = raw_key(request, digest, client.options.cache.fingerprint)
    found = pipeline.layers.near(key, None)
    assert found is not None
    data = pipeline.layers._near[0].get(key)
    assert data is not None
    parts: dict[str, Callable[[], Any]] = {
        "the whole call": hit,
        "the request, checked": lambda: chat_request(params),
        "its key": lambda: raw_key(request, digest, b""),
        "the look-up": lambda: pipeline.layers.near(key, None),
        "(an entry taken apart, the first time)": lambda: decode_entry(data),
        "a fresh completion": lambda: ChatCompletion.from_json(found[0].completion),
        "the call's state": lambda: Call(request, client.options, Scope(), time.monotonic, time.time),
    }
    print("| part | µs |\n|---|---:|")
    for name, call in parts.items():
        print(f"| {name} | {microseconds(call):.1f} |")


if __name__ == "__main__":
    main()
