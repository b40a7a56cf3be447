"""Streams on the wire: when `create()` returns, what is retried, how a stream ends, who gives its connection back."""

from __future__ import annotations

import gc
import gzip
import pickle
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import anyio
import pytest

import edgeagent
from edgeagent import (
    APIConnectionError,
    APITimeoutError,
    EdgeClient,
    OverloadedError,
    ResponseValidationError,
    StreamInterruptedError,
)
from edgeagent.effects import Timeout
from edgeagent.types.assembly import assemble
from tests.e2e.harness import (
    ANTHROPIC,
    OPENAI,
    VENDORS,
    Gate,
    Script,
    Streamed,
    Vendor,
    at_once,
    data_event,
    named_event,
    outcome,
    run,
    streamed,
    text_of,
)
from tests.e2e.test_deadlines import LIBRARIES, client_of, close
from tests.support.loopback import HANG_UP, Loopback, Request, chunk, head, reply


def endless(vendor: Vendor, closed: Event | None = None) -> Any:
    """A stream that never ends by itself; `closed` is set when the client has gone."""

    def answer(request: Request) -> Iterator[bytes]:
        try:
            yield head()
            for event in vendor.opening():
                yield chunk(event)
            while True:
                yield chunk(vendor.text("x"))
                Event().wait(0.005)
        finally:
            if closed is not None:
                closed.set()

    return answer


# when create() returns


async def test_create_returns_with_the_first_content(kind: str, vendor: Vendor) -> None:
    """Not with the head, nor the role, nor a comment: when there is something to read."""
    spoken = Event()

    def answer(request: Request) -> Iterator[bytes]:
        yield head()
        for event in vendor.opening():
            yield chunk(event)
        yield chunk(b": keep-alive\n\n")
        Event().wait(0.1)
        spoken.set()
        yield chunk(vendor.text("first"))
        release.wait(60)
        for event in [vendor.text(" second"), *vendor.closing()]:
            yield chunk(event)
        yield chunk(b"")

    release = Event()
    with Loopback(answer) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            stream = await gate.stream(model=vendor.model)
            assert spoken.is_set()
            first = []
            while text_of(first) != "first":
                first.append(await stream.next())
            assert first[0].choices[0].delta.role == "assistant"
            release.set()
            assert text_of([piece async for piece in stream]) == " second"


CALL = {"id": "call_1", "name": "f", "arguments": '{"a":1}'}


def call_events(vendor: Vendor) -> list[bytes]:
    """A stream that says nothing and calls a tool."""
    if vendor is OPENAI:
        function = {"name": "f", "arguments": ""}
        opening = {"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": function}]}
        rest = [{"tool_calls": [{"index": 0, "function": {"arguments": part}}]} for part in ('{"a"', ":1}")]
        return [
            *OPENAI.opening(),
            *(OPENAI._chunk(delta) for delta in (opening, *rest)),
            *OPENAI.closing("tool_calls"),
        ]
    block = {"type": "tool_use", "id": "call_1", "name": "f", "input": {}}
    deltas = [{"type": "input_json_delta", "partial_json": part} for part in ("", '{"a"', ":1}")]
    return [
        *ANTHROPIC.opening()[:2],
        named_event({"type": "content_block_start", "index": 0, "content_block": block}),
        *(named_event({"type": "content_block_delta", "index": 0, "delta": delta}) for delta in deltas),
        *ANTHROPIC.closing("tool_calls"),
    ]


async def test_a_tool_call_is_content(kind: str, vendor: Vendor) -> None:
    """Its arguments come in pieces, and are whole in the end; a hit replays the same call."""
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    with Loopback(lambda request: streamed(call_events(vendor))) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            told = [assemble(await gate.chunks(model=vendor.model, tools=[tool])) for _ in range(2)]
    assert len(server.requests) == 1
    for completion in told:
        (call,) = completion.choices[0].message.tool_calls or []
        assert {"id": call.id, **call.function.model_dump()} == CALL
        assert completion.choices[0].finish_reason == "tool_calls"


async def test_two_choices(kind: str) -> None:
    """Each has its own text and its own end."""
    events = [
        OPENAI._event([{"index": i, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}], None)
        for i in (0, 1)
    ]
    for i, text in ((0, "a"), (1, "b"), (0, "c"), (1, "d")):
        events.append(OPENAI._event([{"index": i, "delta": {"content": text}, "finish_reason": None}], None))
    for i, reason in ((0, "stop"), (1, "length")):
        events.append(OPENAI._event([{"index": i, "delta": {}, "finish_reason": reason}], None))
    with Loopback(lambda request: streamed([*events, b"data: [DONE]\n\n"])) as server:
        async with Gate(kind, [OPENAI.provider(server)]) as gate:
            completion = assemble(await gate.chunks(model=OPENAI.model, n=2))
    told = [(c.index, c.message.content, c.finish_reason) for c in completion.choices]
    assert told == [(0, "ac", "stop"), (1, "bd", "length")]


# faults before the first content


BEFORE: dict[str, tuple[Any, type[Exception]]] = {
    "reset after the head": (lambda v: [HANG_UP], APIConnectionError),
    "reset after the role": (lambda v: [v.opening()[0], HANG_UP], APIConnectionError),
    "error event first": (lambda v: [v.error_event()], OverloadedError),
    "error event after the role": (lambda v: [*v.opening(), v.error_event()], OverloadedError),
    "nothing": (lambda v: [], APIConnectionError),
    "the role alone": (lambda v: v.opening()[:1], APIConnectionError),
    "no event stream": (lambda v: [b"<html>hello</html>"], ResponseValidationError),
    "broken json": (lambda v: [b"data: {broken\n\n"], ResponseValidationError),
}


@pytest.mark.parametrize("fault", BEFORE)
async def test_faults_before_the_first_content_are_retried(kind: str, vendor: Vendor, fault: str) -> None:
    """Three times, then the next target answers; the caller sees nothing of it but the story."""
    other = ANTHROPIC if vendor is OPENAI else OPENAI
    events, error = BEFORE[fault]
    with Loopback(lambda request: streamed(events(vendor))) as broken, Loopback(other.serve) as healthy:
        async with Gate(kind, [vendor.provider(broken), other.provider(healthy)]) as gate:
            stream = await gate.stream(model=vendor.model, edge={"fallbacks": [f"{other.name}/{other.model}"]})
            assert text_of([piece async for piece in stream]) == "Paris"
            with pytest.raises(error):
                await gate.stream("alone", model=vendor.model)
            assert broken.connections <= 6
            await gate.until(lambda: broken.open <= 1)  # what ended properly may be used again
    assert len(broken.requests) == 6
    assert [attempt.outcome for attempt in stream.edge.attempts] == [error.__name__] * 3 + ["ok"]
    assert stream.edge.provider == other.name


# faults after it


AFTER: dict[str, tuple[Any, type[Exception]]] = {
    "error event": (lambda v: [v.error_event()], OverloadedError),
    "reset": (lambda v: [HANG_UP], APIConnectionError),
    "end": (lambda v: [], APIConnectionError),
    "broken json": (lambda v: [b"data: {broken\n\n"], ResponseValidationError),
}


@pytest.mark.parametrize("fault", AFTER)
async def test_faults_after_the_first_content_are_told(kind: str, vendor: Vendor, fault: str) -> None:
    """Nothing is tried again; the error has what had come and its typed cause, and so has its pickle."""
    events, cause = AFTER[fault]
    whole = [*vendor.opening(), vendor.text("one "), vendor.text("two")]
    with Loopback(lambda request: streamed([*whole, *events(vendor)], request_id="r", x_request_id="r")) as server:
        async with Gate(kind, [vendor.provider(server), OPENAI.provider(server, name="other")]) as gate:
            stream = await gate.stream(model=vendor.model, edge={"fallbacks": ["other/gpt-4o"]})
            seen: list[Any] = []
            error = await outcome(lambda: _take_all(stream, seen))
            assert await stream.next() is None
            await gate.until(lambda: server.open <= (fault == "end"))
    assert isinstance(error, StreamInterruptedError)
    assert text_of(seen) == "one two"
    assert isinstance(error.__cause__, cause)
    assert isinstance(error, APIConnectionError)
    assert len(server.requests) == 1
    assert [attempt.outcome for attempt in error.attempts] == [type(error.__cause__).__name__]
    again = pickle.loads(pickle.dumps(error))
    for one in (error, again):
        assert facts(one) == facts(error.__cause__)
        assert one.partial.choices[0].message.content == "one two"
        assert one.partial.choices[0].finish_reason is None or one.partial.choices[0].finish_reason == "length"
    assert stream.edge.request_id == "r"
    assert stream.edge.provider == vendor.name


def facts(error: Any) -> tuple[Any, ...]:
    return error.body, error.code, error.param, error.type, error.request.url


async def _take_all(stream: Streamed, into: list[Any]) -> None:
    async for piece in stream:
        into.append(piece)


# a whole stream


@pytest.mark.parametrize("asked", [None, True, False], ids=["not asked", "asked", "refused"])
async def test_usage_and_edge(kind: str, vendor: Vendor, asked: bool | None) -> None:
    """Usage is asked for upstream in any case, shown only if wanted; both are complete at the end."""
    options: dict[str, Any] = {} if asked is None else {"stream_options": {"include_usage": asked}}
    with Loopback(vendor.serve) as server:
        async with Gate(kind, [vendor.provider(server)], cache=False) as gate:
            stream = await gate.stream(model=vendor.model, **options)
            pieces = [piece async for piece in stream]
    body = server.requests[0].json()
    assert body["stream"] is True
    assert body.get("stream_options") == ({"include_usage": True} if vendor is OPENAI else None)
    assert server.requests[0].headers["accept"] == "text/event-stream"
    assert [bool(piece.usage) for piece in pieces].count(True) == (1 if asked else 0)
    assert (pieces[-1].choices == []) == bool(asked)
    assert (stream.usage.prompt_tokens, stream.usage.completion_tokens) == vendor.usage
    edge = stream.edge
    assert pieces[-1].edge is edge
    assert [piece.edge for piece in pieces[:-1]] == [None] * (len(pieces) - 1)
    assert (edge.provider, edge.model, edge.cached) == (vendor.name, vendor.model, False)
    assert edge.cost_usd is not None
    assert edge.cost_usd > 0
    assert 0 < edge.provider_latency_ms <= edge.latency_ms
    assert [attempt.outcome for attempt in edge.attempts] == ["ok"]


async def test_a_vendor_that_tells_no_usage(kind: str) -> None:
    """Then there is none, and no cost."""
    events = [*OPENAI.opening(), OPENAI.text("Paris"), OPENAI.closing()[0], b"data: [DONE]\n\n"]
    with Loopback(lambda request: streamed(events)) as server:
        async with Gate(kind, [OPENAI.provider(server)]) as gate:
            stream = await gate.stream(model=OPENAI.model)
            assert text_of([piece async for piece in stream]) == "Paris"
    assert (stream.usage, stream.edge.cost_usd) == (None, None)


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("ends", [b"\n", b"\r\n"], ids=["lf", "crlf"])
async def test_any_cut_of_the_bytes_gives_the_same(kind: str, vendor: Vendor, size: int, ends: bytes) -> None:
    """Events are cut by the network anywhere, within characters, too."""
    data = b"".join(vendor.events("Par", "is ist schön — ", "日本語")).replace(b"\n", ends)
    if vendor is OPENAI:
        data = data.replace(b"\\u65e5", "日".encode())
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    with Loopback(lambda request: streamed(pieces)) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            stream = await gate.stream(model=vendor.model)
            assert text_of([piece async for piece in stream]) == "Paris ist schön — 日本語"
            assert (stream.usage.prompt_tokens, stream.usage.completion_tokens) == vendor.usage


async def test_a_compressed_stream(kind: str, vendor: Vendor) -> None:
    """It is undone as it comes."""
    packed = gzip.compress(b"".join(vendor.events("Par", "is")))
    pieces = [packed[i : i + 10] for i in range(0, len(packed), 10)]
    with Loopback(lambda request: streamed(pieces, content_encoding="gzip")) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            assert text_of(await gate.chunks(model=vendor.model)) == "Paris"


@pytest.mark.parametrize(
    ("label", "length"),
    [
        ("application/json", 5),
        ("application/json; charset=utf-8", 3_000_000),
        ("text/event-stream", 5),
        ("text/event-stream", 500_000),
    ],
)
async def test_a_json_answer_to_a_streaming_call(kind: str, vendor: Vendor, label: str, length: int) -> None:
    """Some servers do not stream: the answer comes all the same, however large, whatever it is labelled."""
    text = "Paris" if length == 5 else "x" * length
    with Loopback(lambda request: reply(200, vendor.answer(text), content_type=label)) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            stream = await gate.stream(model=vendor.model)
            pieces = [piece async for piece in stream]
            assert text_of(pieces) == text
            assert pieces[-1].edge is stream.edge
            assert (stream.usage.prompt_tokens, stream.usage.completion_tokens) == vendor.usage
    assert len(server.requests) == 1


async def test_an_error_in_a_json_answer_to_a_streaming_call(kind: str, vendor: Vendor) -> None:
    """A 200 may hide it."""
    with Loopback(lambda request: reply(200, vendor.error(529, "overloaded_error"))) as server:
        async with Gate(kind, [vendor.provider(server)], retry=0) as gate:
            error = await outcome(lambda: gate.stream(model=vendor.model))
    assert isinstance(error, edgeagent.APIError)


async def test_many_streams_at_once(kind: str, vendor: Vendor) -> None:
    """Each has its own text."""

    def answer(request: Request) -> Any:
        prompt = request.json()["messages"][0]["content"]
        return streamed(vendor.events(*(f"{prompt}{i} " for i in range(10))))

    with Loopback(answer) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            prompts = iter("abcdefghijklmnop")

            async def call() -> tuple[str, str]:
                prompt = next(prompts)
                return prompt, text_of(await gate.chunks(prompt, model=vendor.model))

            told = await gate.together(16, call)
    assert dict(told) == {p: "".join(f"{p}{i} " for i in range(10)) for p in "abcdefghijklmnop"}


# connections


async def test_a_connection_is_used_again_after_a_whole_stream(kind: str, vendor: Vendor) -> None:
    """Three streams and an answer, one connection."""
    with Loopback(vendor.serve) as server:
        async with Gate(kind, [vendor.provider(server)], cache=False) as gate:
            for _ in range(3):
                await gate.chunks(model=vendor.model)
            await gate.create(model=vendor.model)
    assert len(server.requests) == 4
    assert server.connections == 1


async def lingered(kind: str, vendor: Vendor, library: Any) -> None:
    release = Event()
    client = client_of(library, kind)
    events = [*vendor.events("Paris"), lambda: release.wait(120)]
    with Loopback(lambda request: streamed(events)) as server:
        async with Gate(kind, [vendor.provider(server)], http_client=client) as gate:
            begun = time.monotonic()
            stream = await gate.stream(model=vendor.model)
            assert text_of([piece async for piece in stream]) == "Paris"
            assert time.monotonic() - begun < 60
            assert stream.usage is not None
            assert (await gate.create(model=vendor.model)).edge.cached
            release.set()
            await gate.until(lambda: server.open == 0)
        await close(client)


def test_a_server_that_holds_on_after_the_end() -> None:
    """The answer is whole with `[DONE]` or `message_stop`: nobody waits for the connection's end for long."""
    at_once(lingered, [(vendor, library) for vendor in VENDORS.values() for library in LIBRARIES])


@pytest.mark.parametrize("way", ["close", "with", "error", "forgotten", "client"])
async def test_a_stream_left_early_gives_its_connection_back(kind: str, vendor: Vendor, way: str) -> None:
    """Closed, left by `with`, by an exception, or just forgotten: the server sees the end, nothing is stored."""
    closed = Event()
    with Loopback(endless(vendor, closed)) as server:
        gate = Gate(kind, [vendor.provider(server)])
        stream = await gate.stream(model=vendor.model)
        assert text_of([await stream.next(), await stream.next()]) != ""
        if way == "close":
            await stream.close()
            await stream.close()
            assert await stream.next() is None
        elif way == "client":
            await stream.close()
            await gate.close()
        elif way == "forgotten":
            del stream
            gc.collect()
        else:
            await leave(stream, fail=way == "error")
        await gate.until(closed.is_set)
        await gate.until(lambda: server.open == 0)
        if way != "client":
            handler, server.handler = server.handler, vendor.serve
            assert not (await gate.create(model=vendor.model)).edge.cached
            server.handler = handler
        await gate.close()
    assert len(server.requests) == (1 if way == "client" else 2)


async def leave(stream: Streamed, *, fail: bool) -> None:
    """Leave a `with` block, perhaps by an exception."""
    try:
        if hasattr(stream.raw, "__aenter__"):
            async with stream.raw as entered:
                assert entered is stream.raw
                if fail:
                    raise ZeroDivisionError
        else:
            with stream.raw as entered:
                assert entered is stream.raw
                if fail:
                    raise ZeroDivisionError
    except ZeroDivisionError:
        assert fail


@pytest.mark.parametrize("library", LIBRARIES, ids=["pool", "httpx", "httpx2"])
async def test_early_closing_with_a_client_of_the_callers(kind: str, library: Any) -> None:
    """Its connection is given back as well, the client stays open."""
    closed = Event()
    client = client_of(library, kind)
    with Loopback(endless(OPENAI, closed)) as server:
        async with Gate(kind, [OPENAI.provider(server)], http_client=client) as gate:
            stream = await gate.stream(model=OPENAI.model)
            await stream.next()
            await stream.close()
            await gate.until(closed.is_set)
            server.handler = OPENAI.serve
            assert (await gate.create(model=OPENAI.model)).choices[0].message.content == "Paris"
        await close(client)


def test_a_stream_made_in_one_thread_and_read_in_another(vendor: Vendor) -> None:
    """Its deadline and its connection go with it."""
    with Loopback(vendor.serve) as server, EdgeClient(providers=[vendor.provider(server)]) as client:
        messages: Any = [{"role": "user", "content": "hello"}]
        with ThreadPoolExecutor(1) as pool:
            for deadline in (None, 30.0):
                stream = pool.submit(
                    client.chat.completions.create,
                    model=vendor.model,
                    messages=messages,
                    stream=True,
                    edge={"cache": "off", "deadline": deadline},
                ).result(5)
                assert text_of(list(stream)) == "Paris"
        assert len(server.requests) == 2
        assert server.connections == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_stream_made_in_one_task_and_read_in_another(backend: str, vendor: Vendor) -> None:
    """Also when the first task has ended, and when each chunk is read by a task of its own."""
    with Loopback(vendor.serve) as server:

        async def main() -> str:
            async with Gate(backend, [vendor.provider(server)]) as gate:
                made: list[Streamed] = []
                pieces: list[Any] = []

                async def make() -> None:
                    made.append(await gate.stream(model=vendor.model, edge={"deadline": 30.0}))

                async def take() -> None:
                    pieces.append(await made[0].next())

                async with anyio.create_task_group() as group:
                    group.start_soon(make)
                while not pieces or pieces[-1] is not None:
                    async with anyio.create_task_group() as group:
                        group.start_soon(take)
                return text_of(pieces[:-1])

        assert anyio.run(main, backend=backend) == "Paris"
    assert len(server.requests) == 1


@pytest.mark.parametrize("when", ["opening", "reading"])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_task_gives_its_connection_back(backend: str, vendor: Vendor, when: str) -> None:
    """While it waits for the first content, or for the next chunk."""
    release = Event()
    before = vendor.opening() if when == "opening" else [*vendor.opening(), vendor.text("a")]
    with Loopback(lambda request: streamed([*before, lambda: release.wait(60)])) as server:

        async def main() -> None:
            async with Gate(backend, [vendor.provider(server)]) as gate:
                with anyio.move_on_after(0.15) as scope:
                    async for _ in await gate.stream(model=vendor.model):
                        pass
                assert scope.cancelled_caught
                release.set()
                await gate.until(lambda: server.open == 0)
                assert len(gate.client._engine.pipeline.flights) == 0

        anyio.run(main, backend=backend)


@pytest.mark.parametrize("kind", ["sync", "asyncio"])
def test_an_interrupt_while_reading(kind: str) -> None:
    """Ctrl-C closes the stream, and is not swallowed."""
    with Loopback(endless(OPENAI)) as server:

        async def main() -> None:
            gate = Gate(kind, [OPENAI.provider(server)])
            stream = await gate.stream(model=OPENAI.model)
            while stream.raw._session.pending:
                await stream.next()
            opened = stream.raw._session._shared._opened
            decoder = opened.decoder

            class Interrupting:
                finished = False

                def feed(self, data: bytes) -> Any:
                    raise KeyboardInterrupt

                def end(self) -> Any:
                    return decoder.end()

            opened.decoder = Interrupting()
            try:
                await stream.next()
            except KeyboardInterrupt:
                interrupted.append(True)
            await gate.until(lambda: server.open == 0)
            await gate.close()

        interrupted: list[bool] = []
        run(kind, main)
        assert interrupted


async def test_unknown_events_do_no_harm(kind: str, vendor: Vendor) -> None:
    """Vendors add some every year."""
    unknown = named_event({"type": "brand_new", "data": {"a": 1}}) if vendor is ANTHROPIC else b": comment\n\n"
    events = [piece for event in vendor.events("Par", "is") for piece in (unknown, event)]
    with Loopback(lambda request: streamed(events)) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            assert text_of(await gate.chunks(model=vendor.model)) == "Paris"


async def test_chunks_keep_what_nobody_knows(kind: str) -> None:
    """A field of a compatible server's is there, on the chunk and on the whole."""
    events = [*OPENAI.opening(), data_event({**_chunk_of("Paris"), "vendor_field": {"x": 1}}), *OPENAI.closing()]
    with Loopback(lambda request: streamed(events)) as server:
        async with Gate(kind, [OPENAI.provider(server)]) as gate:
            pieces = await gate.chunks(model=OPENAI.model)
            hit = await gate.create(model=OPENAI.model)
    assert [getattr(piece, "vendor_field", None) for piece in pieces].count({"x": 1}) == 1
    assert (hit.edge.cached, hit.vendor_field) == (True, {"x": 1})


def _chunk_of(text: str) -> dict[str, Any]:
    import json

    value: dict[str, Any] = json.loads(OPENAI.text(text)[6:])
    return value


async def begun_late(kind: str, vendor: Vendor) -> None:
    release = Event()
    quiet = Timeout(connect=5.0, read=1.0, write=5.0, pool=5.0)
    with Loopback(
        Script(lambda r: streamed([*vendor.opening()[:1], lambda: release.wait(60)]), lambda r: vendor.serve(r))
    ) as server:
        async with Gate(kind, [vendor.provider(server)], timeout=quiet) as gate:
            stream = await gate.stream(model=vendor.model)
            assert text_of([piece async for piece in stream]) == "Paris"
            release.set()
    assert [attempt.outcome for attempt in stream.edge.attempts] == [APITimeoutError.__name__, "ok"]
    assert len(server.requests) == 2


def test_idle_and_first_chunk_limits() -> None:
    """A stream that never begins is tried again; its limit is that of one attempt."""
    at_once(begun_late, [(vendor,) for vendor in VENDORS.values()])
