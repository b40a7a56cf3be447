"""What a memory hit, a disk hit, a miss and a stream are made of, part by part: `python -m benchmarks.parts`"""

from __future__ import annotations

import asyncio
import tempfile
import time
import timeit
from collections.abc import Awaitable, Callable
from decimal import Decimal
from itertools import count, cycle
from statistics import median
from typing import Any

import anyio

from benchmarks.transport import function_calls
from benchmarks.workload import COMPLETION, MODEL, STREAMED, messages, stream_events, text_of
from edgeagent import EdgeClient
from edgeagent.cache import Cache
from edgeagent.cache.disk import DiskCache
from edgeagent.cache.entry import Entry, decode_entry, encode_entry
from edgeagent.cache.key import raw_key
from edgeagent.cache.memory import MemoryCache
from edgeagent.core.call import Call
from edgeagent.core.flight import Flights
from edgeagent.core.known_requests import KnownRequests
from edgeagent.core.requests import chat_request
from edgeagent.core.validate import validate
from edgeagent.effects import Scope, Timeout
from edgeagent.io.messages import Body, address_of, core_request, timeouts
from edgeagent.io.sources import Exchange
from edgeagent.io.sync_engine import PoolEngine
from edgeagent.pricing import Pricing
from edgeagent.providers.openai import OpenAI, OpenAIChatCodec
from edgeagent.testing import FakeProvider
from edgeagent.types import ChatCompletion, ChatCompletionChunk
from edgeagent.types.chunk_log import ChunkLog
from edgeagent.types.recording import recording
from edgeagent.wire.http import Headers, HTTPRequest, HTTPResponse
from edgeagent.wire.sse import SSEDecoder

__all__ = ["main"]

EVENTS = stream_events()
WHOLE = "the whole call"
CALLS, ROUNDS = 100, 500
"""Short rounds, many of them: on a machine that others use, too, some of them are not disturbed."""


def microseconds(call: Callable[[], Any], calls: int) -> float:
    """Of processor time, the least of the rounds."""
    return min(timeit.repeat(call, number=calls, repeat=ROUNDS, timer=time.thread_time)) / calls * 1e6


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
    known = KnownRequests()
    for _ in range(2):
        _, one = known.request(params)
    assert one is not None
    parts: dict[str, Callable[[], Any]] = {
        WHOLE: hit,
        "the request, known": lambda: known.request(params),
        "(the request, checked)": lambda: chat_request(params),
        "its key, known": lambda: one.key(request, digest, b""),
        "(its key, made)": lambda: raw_key(request, digest, b""),
        "the look-up": lambda: pipeline.layers.near(key, None),
        "(an entry taken apart, the first time)": lambda: decode_entry(data),
        "a fresh completion": lambda: ChatCompletion.from_json(found[0].completion),
        "the call's state": lambda: Call(request, client.options, Scope(), time.monotonic, time.time),
    }
    return parts


class DiskOnly:
    """Clients whose memory has room for one answer: asked for two in turn, every hit is the disk's."""

    def __init__(self) -> None:
        params = [{"model": "fake/gpt", "messages": messages(1, number)} for number in range(2)]
        self._params: Any = cycle(params)
        self.client = EdgeClient(
            providers=[FakeProvider("Paris", name="fake")],
            cache=Cache(memory=MemoryCache(max_entries=1), disk=tempfile.mkdtemp()),
        )
        self._async = self.client.to_async()
        for _ in params:
            self.hit()
        self.client.flush()

    def hit(self) -> Any:
        return self.client.chat.completions.create(**next(self._params))

    async def ahit(self) -> Any:
        return await self._async.chat.completions.create(**next(self._params))


def disk() -> dict[str, Callable[[], Any]]:
    """Of a disk hit."""
    house = DiskOnly()
    tier = DiskCache(tempfile.mkdtemp())
    data = encode_entry(Entry(0.0, "fake", "gpt", "fake", None, None, COMPLETION))
    key = bytes(32)
    tier.put(key, data)
    assert tier.get(key) == data
    flights = Flights()
    request = chat_request({"model": "fake/gpt", "messages": messages(1, 0)})
    memory = MemoryCache(max_entries=1)
    keys = cycle([bytes(32), bytes(31) + b"1"])

    def fly() -> None:
        flight, _ = flights.board(key)
        assert flight is not None
        flight.land(data)

    return {
        WHOLE: house.hit,
        "the request, checked whole": lambda: validate(request),
        "a flight, boarded and landed": fly,
        "the row, read": lambda: tier.get(key),
        "the entry, its sum checked and taken apart": lambda: decode_entry(data),
        "put into memory, where another makes room": lambda: memory.put(next(keys), data),
        "a fresh completion of the benchmark's size": lambda: ChatCompletion.from_json(COMPLETION),
    }


async def async_disk() -> dict[str, float]:
    """Of an async disk hit: the whole call, and nothing but the way into a thread and back."""
    house = DiskOnly()
    runtime = house.client._engine.runtime
    aside = runtime._get_aside()

    async def by_anyio() -> None:
        with anyio.fail_after(2.0):
            await runtime._in_thread(int)

    calls: dict[str, Callable[[], Awaitable[Any]]] = {
        "the whole call": house.ahit,
        "into a thread of ours and back": lambda: aside.run(int, 2.0),
        "(the same by anyio, as on trio)": by_anyio,
    }
    return {name: await awaited_microseconds(call) for name, call in calls.items()}


async def awaited_microseconds(call: Callable[[], Awaitable[Any]]) -> float:
    """The least of the rounds' medians: what two threads tell each other varies more than a call does."""
    clock = time.perf_counter
    rounds = []
    for _ in range(ROUNDS // 10):
        times = []
        for _ in range(CALLS):
            began = clock()
            await call()
            times.append(clock() - began)
        rounds.append(median(times))
    return min(rounds) * 1e6


def miss() -> dict[str, Callable[[], Any]]:
    """Of a miss, beside what a memory hit has and the HTTP exchange itself."""
    provider = OpenAI(api_key="k", base_url="http://127.0.0.1:9/v1")
    codec = OpenAIChatCodec()
    request = chat_request({"model": MODEL, "messages": messages(1, 0)})
    encoded = codec.encode_request(request, model=MODEL, stream=False)
    sent = provider.http_request(encoded, "k", model=MODEL, stream=False)
    address, limits = address_of(sent.url), timeouts(Timeout())
    answer = HTTPResponse(200, {"content-type": "application/json"}, COMPLETION)
    completion = codec.decode_response(answer)
    entry = Entry(0.0, "openai", MODEL, "openai", Decimal("0.0001"), "req_7b1f", completion.as_json())
    usage = completion.usage
    assert usage is not None
    pricing = Pricing.default()
    return {
        "the request, checked whole": lambda: validate(request),
        "in the vendor's form": lambda: codec.encode_request(request, model=MODEL, stream=False),
        "as an HTTP request": lambda: provider.http_request(encoded, "k", model=MODEL, stream=False),
        "the HTTP request in httpcore's form": lambda: core_request(sent, address, limits, Body(sent.content)),
        "the answer, decoded": lambda: codec.decode_response(answer),
        "its cost": lambda: pricing.cost("openai", MODEL, usage, service_tier=completion.service_tier),
        "its JSON": completion.as_json,
        "its entry": lambda: encode_entry(entry),
    }


class _Gone:
    """A response that is closed already."""

    def close(self) -> None:
        pass


class Told(PoolEngine):
    """Connections whose answer has come: the stream of the benchmarks, one event in each piece."""

    def _request(self, request: HTTPRequest, timeout: Timeout, deadline: float | None) -> Exchange:
        exchange = Exchange(200, Headers(), _Gone(), iter(EVENTS), None)
        self._open_exchanges.add(exchange)
        return exchange


def whole_stream(*, cache: bool) -> Callable[[], Any]:
    """All that a stream costs here but the reading of its bytes; with a cache it is one that is asked for anew."""
    client = EdgeClient(providers=[OpenAI(api_key="k", base_url="http://127.0.0.1:9/v1")], cache=cache)
    runtime = client._engine.runtime
    runtime._engine = Told(runtime.clock, *runtime._shared())
    numbers = count()

    def streamed() -> str:
        return text_of(client.chat.completions.create(model=MODEL, messages=messages(1, next(numbers)), stream=True))

    assert streamed() == STREAMED
    return streamed


def stream() -> dict[str, Callable[[], Any]]:
    """Of a chunk of a stream."""
    events = list(stream_events())
    event, first = events[2], events[:-1]
    (told,) = SSEDecoder().feed(event) or SSEDecoder().feed(b"\n" + event)
    codec = OpenAIChatCodec()
    request = chat_request({"model": MODEL, "messages": messages(1, 0), "stream": True})
    decoder = codec.stream_decoder(request)
    chunks = [chunk for each in first for chunk in decoder.feed(each)]

    def kept() -> ChunkLog:
        log = ChunkLog(time.monotonic)
        for chunk in chunks:
            log.took([chunk])
        return log

    log = kept()
    completion = log.completion()
    total = len(chunks)
    sse = SSEDecoder()
    sse.feed(events[0])

    def decoded() -> Any:
        whole = codec.stream_decoder(request)
        return [whole.feed(each) for each in first]

    return {
        f"the whole call, {total} chunks that have come": whole_stream(cache=False),
        f"the same {total} chunks, which others may join, recorded and stored": whole_stream(cache=True),
        "an event found in the bytes": lambda: sse.feed(event),
        "a chunk made of its JSON": lambda: ChatCompletionChunk.from_json(told.data),
        f"all of decoding, {total} chunks": decoded,
        f"what they say kept for the end, {total} chunks": kept,
        f"the completion put together, {total} chunks": log.completion,
        f"the recording encoded, {total} chunks": lambda: recording(log, completion),
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
            print(f"| {name} | {microseconds(call, 1 if 'chunks' in name else CALLS):.1f} |")
        if WHOLE in parts:
            print(f"\n{title} is {function_calls(parts[WHOLE]):.0f} function calls.")
        print()
    print("| An async disk hit | µs |\n|---|---:|")
    for name, time_of_it in asyncio.run(async_disk()).items():
        print(f"| {name} | {time_of_it:.1f} |")


if __name__ == "__main__":
    main()
