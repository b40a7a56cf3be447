"""What a memory hit, a disk hit, a miss and a stream are made of, part by part: `python -m benchmarks.parts`"""

from __future__ import annotations

import tempfile
import time
import timeit
from collections.abc import Callable
from typing import Any

from benchmarks.workload import COMPLETION, MODEL, messages, stream_events
from edgeagent import EdgeClient
from edgeagent.cache.disk import DiskCache
from edgeagent.cache.entry import Entry, decode_entry, encode_entry
from edgeagent.cache.key import raw_key
from edgeagent.core.call import Call
from edgeagent.core.requests import chat_request
from edgeagent.core.validate import validate
from edgeagent.effects import Scope
from edgeagent.pricing import Pricing
from edgeagent.providers.openai import OpenAI, OpenAIChatCodec
from edgeagent.testing import FakeProvider
from edgeagent.types import ChatCompletion, ChatCompletionChunk
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.sse import SSEDecoder

__all__ = ["main"]

CALLS, ROUNDS = 2000, 25


def microseconds(call: Callable[[], Any], calls: int) -> float:
    """The least of several rounds."""
    return min(timeit.repeat(call, number=calls, repeat=ROUNDS)) / calls * 1e6


def memory() -> dict[str, Callable[[], Any]]:
    """Of a memory hit."""
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
    return parts


def disk() -> dict[str, Callable[[], Any]]:
    """Of a disk hit."""
    folder = tempfile.mkdtemp()
    tier = DiskCache(folder)
    data = encode_entry(Entry(0.0, "fake", "gpt", "fake", None, None, COMPLETION))
    key = bytes(32)
    tier.put(key, data)
    assert tier.get(key) == data
    return {
        "the row, read and its sum checked": lambda: tier.get(key),
        "the entry taken apart": lambda: decode_entry(data),
        "a fresh completion": lambda: ChatCompletion.from_json(COMPLETION),
    }


def miss() -> dict[str, Callable[[], Any]]:
    """Of a miss, beside what a memory hit has and the HTTP exchange itself."""
    provider = OpenAI(api_key="k", base_url="http://127.0.0.1:9/v1")
    codec = OpenAIChatCodec()
    request = chat_request({"model": MODEL, "messages": messages(1, 0)})
    encoded = codec.encode_request(request, model=MODEL, stream=False)
    answer = HTTPResponse(200, {"content-type": "application/json"}, COMPLETION)
    completion = codec.decode_response(answer)
    usage = completion.usage
    assert usage is not None
    pricing = Pricing.default()
    return {
        "the request, checked whole": lambda: validate(request),
        "in the vendor's form": lambda: codec.encode_request(request, model=MODEL, stream=False),
        "as an HTTP request": lambda: provider.http_request(encoded, "k", model=MODEL, stream=False),
        "the answer, decoded": lambda: codec.decode_response(answer),
        "its cost": lambda: pricing.cost("openai", MODEL, usage),
        "its entry": lambda: completion.model_dump_json(exclude_unset=True),
    }


def stream() -> dict[str, Callable[[], Any]]:
    """Of a chunk of a stream."""
    events = list(stream_events())
    event, first = events[2], events[:-1]
    (told,) = SSEDecoder().feed(event) or SSEDecoder().feed(b"\n" + event)
    codec = OpenAIChatCodec()
    request = chat_request({"model": MODEL, "messages": messages(1, 0), "stream": True})
    decoder = codec.stream_decoder(request)
    chunks = [chunk for each in first for chunk in decoder.feed(each)]
    count = len(chunks)
    sse = SSEDecoder()
    sse.feed(events[0])

    def decoded() -> Any:
        whole = codec.stream_decoder(request)
        return [whole.feed(each) for each in first]

    return {
        "an event found in the bytes": lambda: sse.feed(event),
        "a chunk made of its JSON": lambda: ChatCompletionChunk.from_json(told.data),
        f"all of decoding, {count} chunks": decoded,
        f"the completion put together, {count} chunks": lambda: assemble(chunks),
    }


def main() -> None:
    """Print the tables."""
    for title, parts in (
        ("A memory hit", memory()),
        ("A disk hit", disk()),
        ("A miss", miss()),
        ("A stream", stream()),
    ):
        print(f"| {title} | µs |\n|---|---:|")
        for name, call in parts.items():
            print(f"| {name} | {microseconds(call, 20 if 'chunks' in name else CALLS):.1f} |")
        print()


if __name__ == "__main__":
    main()
