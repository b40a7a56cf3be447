"""`parse`, `stream`, `with_raw_response` and `with_streaming_response`, with every kind of client and both vendors."""

from __future__ import annotations

import json
import threading
from operator import attrgetter
from typing import Any

import openai
import pytest
from pydantic import BaseModel

import edgeagent
from edgeagent import ConfigurationError, EdgeAgentError, LengthFinishReasonError, StreamInterruptedError
from edgeagent.providers import OpenAI
from edgeagent.testing import FakeProvider
from tests.e2e.harness import ANTHROPIC, OPENAI, PROMPT, Gate, Vendor, settled, together
from tests.support.loopback import HANG_UP, Loopback

MESSAGES = [{"role": "user", "content": PROMPT}]


class City(BaseModel):
    name: str


class Weather(BaseModel):
    """Look up the weather."""

    city: str


ASK: dict[str, Any] = {"model": "m", "messages": MESSAGES}
PARIS = '{"name": "Paris"}'


def completions(gate: Gate) -> Any:
    return gate.client.chat.completions


async def entered(manager: Any) -> Any:
    """What a context manager of either kind gives."""
    return await manager.__aenter__() if hasattr(manager, "__aenter__") else manager.__enter__()


async def left(manager: Any) -> None:
    await settled((getattr(manager, "__aexit__", None) or manager.__exit__)(None, None, None))


async def listed(items: Any) -> list[Any]:
    return [item async for item in items] if hasattr(items, "__aiter__") else list(items)


# parse


async def test_parse(kind: str, vendor: Vendor) -> None:
    """Any vendor is asked for the strict schema, and its answer read."""
    with Loopback(lambda request: vendor.serve(request, PARIS)) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            made = await settled(completions(gate).parse(**{**ASK, "model": vendor.model}, response_format=City))
        body = server.requests[0].json()
    assert made.choices[0].message.parsed == City(name="Paris")
    assert made.edge.provider == vendor.name
    assert '"additionalProperties": false' in json.dumps(body)


async def test_parse_and_create_share_an_entry(kind: str) -> None:
    """The type is sent as an ordinary response format: a call that spells it out has the same key, and the reverse."""
    fake = FakeProvider(PARIS)
    schema = edgeagent.pydantic_function_tool(City)["function"]["parameters"]
    spelt = {"type": "json_schema", "json_schema": {"name": "City", "strict": True, "schema": schema}}
    async with Gate(kind, [fake]) as gate:
        for create in (gate.client.chat.completions, gate.client.beta.chat.completions):
            made = await settled(create.parse(**ASK, response_format=City))
            assert made.choices[0].message.parsed == City(name="Paris")
        assert made.edge.cached
        assert (await settled(completions(gate).create(**ASK, response_format=spelt))).edge.cached
        manager = completions(gate).stream(**ASK, response_format=City)
        stream = await entered(manager)
        final = await settled(stream.get_final_completion())
        await left(manager)
        assert final.choices[0].message.parsed == City(name="Paris")
        assert stream.edge.cached
        assert (stream.usage is not None, final.usage) == (True, None)  # as with openai, it has to be asked for
    assert len(fake.requests) == 1


async def test_parsed_tools(kind: str) -> None:
    """Arguments become instances of the tool's model."""
    answer = {"tool_calls": [{"function": {"name": "Weather", "arguments": {"city": "Paris"}}}]}
    async with Gate(kind, [FakeProvider(answer)]) as gate:
        made = await settled(completions(gate).parse(**ASK, tools=iter([edgeagent.pydantic_function_tool(Weather)])))
    assert made.choices[0].message.tool_calls[0].function.parsed_arguments == Weather(city="Paris")


async def test_parse_refuses(kind: str) -> None:
    """A cut answer; `stream=`, which is another call; a type that is none."""
    cut = {"content": "{", "finish_reason": "length"}
    async with Gate(kind, [FakeProvider(cut)]) as gate:
        with pytest.raises(LengthFinishReasonError):
            await settled(completions(gate).parse(**ASK, response_format=City))
        with pytest.raises(TypeError, match="stream"):
            await settled(completions(gate).parse(**ASK, stream=True))
        with pytest.raises(edgeagent.RequestValidationError):
            await settled(completions(gate).parse(**ASK, response_format=int))


@pytest.mark.parametrize("name", ["list", "retrieve", "update", "delete", "messages.list"])
async def test_stored_completions(kind: str, name: str) -> None:
    """They are OpenAI's own, and refused by name."""
    async with Gate(kind, [FakeProvider("x")]) as gate:
        with pytest.raises(ConfigurationError, match=f"chat.completions.{name}"):
            attrgetter(name)(completions(gate))("id")


# stream


def both(kind: str, server: Loopback) -> list[Any]:
    """openai's client and ours, of the kind."""
    options = {"api_key": "k", "base_url": server.url + "/v1", "max_retries": 0}
    name = "OpenAI" if kind == "sync" else "AsyncOpenAI"
    libraries: list[Any] = [edgeagent] if kind == "trio" else [openai, edgeagent]
    return [getattr(library, name)(**options) for library in libraries]


def said(value: Any) -> Any:
    """A dump without what is None or missing."""
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_unset=True, warnings=False)
    if isinstance(value, dict):
        return {k: said(v) for k, v in value.items() if v is not None and v != []}
    return [said(item) for item in value] if isinstance(value, list) else value


async def test_the_same_events(kind: str) -> None:
    """Against one server, openai's client and ours tell the same events and end with the same completion."""
    told = []
    with Loopback(lambda request: OPENAI.serve(request, '{"na', 'me": "Par', 'is"}')) as server:
        for client in both(kind, server):
            manager = client.chat.completions.stream(**ASK, response_format=City)
            stream = await entered(manager)
            events = [(e.type, said(e)) for e in await listed(stream) if e.type != "chunk"]
            final = await settled(stream.get_final_completion())
            await left(manager)
            await settled(client.close())
            told.append((events, said(final.choices), final.choices[0].message.parsed))
    assert told[0] == told[-1]
    assert [kind for kind, _ in told[0][0]].count("content.delta") >= 3
    assert told[-1][2] == City(name="Paris")


async def test_leaving_early(kind: str) -> None:
    """What is left early is closed; the snapshot is what had come, and nothing is stored."""
    with Loopback(lambda request: OPENAI.serve(request, "a", "b", "c")) as server:
        async with Gate(kind, [OPENAI.provider(server)]) as gate:
            manager = completions(gate).stream(**ASK)
            assert len(server.requests) == 0
            stream = await entered(manager)
            while (await settled(anext(stream) if kind != "sync" else next(stream))).type != "content.delta":
                pass
            assert stream.current_completion_snapshot.choices[0].message.role == "assistant"
            await left(manager)
            assert not stream._stream._session.flowing
            async_or_not = await entered(stream)
            await left(async_or_not)
            again = completions(gate).stream(**ASK)
            other = await entered(again)
            assert await settled(other.until_done()) is other
            assert other.current_completion_snapshot.choices[0].message.content == "abc"
            await left(again)
            assert len(server.requests) == 2


async def test_a_stream_that_was_cut_off(kind: str) -> None:
    """Where nothing was to be read the events go on; the whole completion cannot be had, but what came can."""
    cut = {"content": "a", "finish_reason": "length"}
    async with Gate(kind, [FakeProvider(cut)]) as gate:
        manager = completions(gate).stream(**ASK)
        stream = await entered(manager)
        assert [event.type for event in await listed(stream)][-1] == "content.done"
        with pytest.raises(LengthFinishReasonError):
            await settled(stream.get_final_completion())
        assert stream.current_completion_snapshot.choices[0].finish_reason == "length"
        await left(manager)


async def test_a_request_that_fails(kind: str) -> None:
    """Entering raises what `create` raises; there is nothing to leave."""
    async with Gate(kind, [FakeProvider(edgeagent.NotFoundError("no"))]) as gate:
        for manager in (
            completions(gate).stream(**ASK),
            completions(gate).with_streaming_response.create(**ASK),
        ):
            with pytest.raises(edgeagent.NotFoundError):
                await entered(manager)
            await left(manager)


# raw responses


async def test_the_vendors_response(kind: str, vendor: Vendor) -> None:
    """Status, headers and body are the vendor's own; `.parse()` gives the completion."""
    with Loopback(lambda request: vendor.reply("Paris", x_request_id="req_1", x_own="1")) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            raw = await settled(completions(gate).with_raw_response.create(model=vendor.model, messages=MESSAGES))
        assert raw.url == server.url + ("/v1/messages" if vendor is ANTHROPIC else vendor.path)
    assert (raw.status_code, raw.method, raw.http_version, raw.retries_taken) == (200, "POST", "HTTP/1.1", 0)
    assert (raw.headers["X-Own"], raw.request_id, raw.is_closed) == ("1", "req_1", True)
    assert json.loads(raw.text) == raw.json() == raw.http_response.json() == vendor.answer("Paris")
    assert raw.headers["x-edgeagent-cache"] == "miss"
    assert raw.headers["x-edgeagent-provider"] == vendor.name
    assert "x-edgeagent-synthetic" not in raw.headers
    assert 0 < raw.elapsed.total_seconds() < 60
    assert raw.parse() is raw.parse()
    assert raw.parse().choices[0].message.content == "Paris"
    assert raw.parse()._request_id == "req_1"
    assert "secret" not in repr(raw) + repr(raw.http_request.headers)
    assert raw.parse(to=dict)["choices"][0]["message"]["content"] == "Paris"
    assert raw.parse(to=str).encode() == raw.parse(to=bytes) == raw.content


async def test_the_same_raw_response(kind: str) -> None:
    """openai's client and ours tell the same of one response, whole and streamed."""
    told = []
    with Loopback(lambda request: OPENAI.serve(request)) as server:
        for client in both(kind, server):
            with_raw = client.chat.completions.with_raw_response
            raw, streamed = await settled(with_raw.create(**ASK)), await settled(with_raw.create(**ASK, stream=True))
            text = [c.choices[0].delta.content for c in await listed(streamed.parse()) if c.choices]
            facts = [
                raw.text,
                raw.content,
                raw.method,
                str(raw.url),
                raw.http_version,
                raw.request_id,
                raw.retries_taken,
            ]
            facts += [
                streamed.status_code,
                streamed.headers["content-type"],
                [t for t in text if t],
                raw.parse().to_dict(),
            ]
            parsed = await settled(with_raw.parse(**ASK))
            told.append((facts, parsed.parse().choices[0].message.content))
            await settled(client.close())
    assert told[0] == told[-1]


async def test_a_made_up_response(kind: str) -> None:
    """A provider without HTTP, then a hit: OpenAI's shape, and headers that say so."""
    async with Gate(kind, [FakeProvider(PARIS)]) as gate:
        first, hit = [await settled(completions(gate).with_raw_response.create(**ASK)) for _ in range(2)]
        parsed = await settled(completions(gate).with_raw_response.parse(**ASK, response_format=City))
    for raw, cache, attempts in ((first, "miss", "1"), (hit, "memory", "0")):
        assert raw.status_code == 200
        assert raw.headers["content-type"] == "application/json"
        assert raw.headers["x-edgeagent-synthetic"] == "true"
        assert (raw.headers["x-edgeagent-cache"], raw.headers["x-edgeagent-attempts"]) == (cache, attempts)
        assert raw.json()["object"] == "chat.completion"
        assert openai.types.chat.ChatCompletion.model_validate(raw.json()).choices[0].message.content == PARIS
        assert raw.retries_taken == 0
        assert raw.url == "local:"
    assert parsed.parse().choices[0].message.parsed == City(name="Paris")


async def test_a_hit_tells_the_vendors_request(kind: str) -> None:
    """The id of the request that was answered then; what it cost now."""
    with Loopback(lambda request: OPENAI.reply(x_request_id="req_1")) as server:
        async with Gate(kind, [OPENAI.provider(server)]) as gate:
            calls = [
                await settled(completions(gate).with_raw_response.create(**{**ASK, "model": OPENAI.model}))
                for _ in "ab"
            ]
    assert [raw.headers["x-request-id"] for raw in calls] == ["req_1", "req_1"]
    assert [raw.headers["x-edgeagent-cost-usd"] == "0" for raw in calls] == [False, True]
    assert calls[1].headers["x-edgeagent-synthetic"] == "true"


async def test_an_answer_shared_with_an_identical_call(kind: str) -> None:
    """The one that asked has the vendor's response, the others one that says whose answer it is."""
    release = threading.Event()

    def answer(request: Any) -> Any:
        release.wait(60)
        return OPENAI.reply()

    with Loopback(answer) as server:
        async with Gate(kind, [OPENAI.provider(server)]) as gate:

            async def call() -> Any:
                return await settled(completions(gate).with_raw_response.create(**ASK))

            async def let_go() -> None:
                await gate.until(lambda: gate.client._engine.pipeline.flights)
                await gate.pause(0.05)
                release.set()

            first, second, _ = await together(kind, [call, call, let_go])
    told = sorted(
        (raw.headers["x-edgeagent-cache"], raw.headers.get("x-edgeagent-synthetic")) for raw in (first, second)
    )
    assert told[-1] == ("miss", None)
    assert told[0] in {("flight", "true"), ("memory", "true")}  # the second may have come late
    assert len(server.requests) == 1


async def test_the_attempt_that_answered(kind: str) -> None:
    """After failures of one target the response is the next one's; an answer without HTTP has none of theirs."""
    with Loopback(lambda request: OPENAI.fail(500, x_own="1")) as server:
        providers = [OPENAI.provider(server), FakeProvider("x", name="fake")]
        async with Gate(kind, providers, models={"m": ["openai/a", "fake/b"]}, retry=1) as gate:
            raw = await settled(completions(gate).with_raw_response.create(**ASK))
            manager = completions(gate).with_streaming_response.create(**ASK, stream=True)
            streamed = await entered(manager)
            body = await settled(streamed.read())
            await left(manager)
    assert (raw.headers["x-edgeagent-provider"], raw.headers.get("x-own"), raw.retries_taken) == ("fake", None, 2)
    assert raw.headers["x-edgeagent-synthetic"] == "true"
    assert body.endswith(b"data: [DONE]\n\n")


async def test_an_invalid_answer_is_not_the_response(kind: str) -> None:
    """A 200 that could not be read, and then a provider without HTTP."""
    with Loopback(lambda request: OPENAI.reply("x").replace(b'"choices"', b'"chances"')) as server:
        providers = [OPENAI.provider(server), FakeProvider("x", name="fake")]
        async with Gate(kind, providers, models={"m": ["openai/a", "fake/b"]}, retry=0) as gate:
            raw = await settled(completions(gate).with_raw_response.create(**ASK))
    assert raw.headers["x-edgeagent-synthetic"] == "true"


async def test_a_stream_has_no_content(kind: str) -> None:
    """Its body was not read: it is said so, and what to do."""
    async with Gate(kind, [FakeProvider("x")]) as gate:
        raw = await settled(completions(gate).with_raw_response.create(**ASK, stream=True))
        assert not raw.is_closed
        for name in ("content", "text"):
            with pytest.raises(EdgeAgentError, match="stream"):
                getattr(raw, name)
        with pytest.raises(EdgeAgentError, match="stream"):
            raw.json()
        assert raw.parse(to=dict) is raw.parse()
        assert len(await listed(raw.parse())) >= 1
        assert raw.is_closed


# streaming responses


EVENTS = OPENAI.events("Pa", "ris é")


async def test_the_vendors_bytes(kind: str) -> None:
    """The stream's own bytes as they come; the answer is stored when they have been read to their end."""
    with Loopback(lambda request: OPENAI.serve(request, "Pa", "ris é")) as server:
        async with Gate(kind, [OPENAI.provider(server)]) as gate:
            manager = completions(gate).with_streaming_response.create(**ASK, stream=True)
            response = await entered(manager)
            assert (response.status_code, response.is_closed) == (200, False)
            assert b"".join(await listed(response.iter_bytes())) == b"".join(EVENTS)
            assert response.is_closed
            for read in (response.read, response.parse):
                with pytest.raises(EdgeAgentError, match="twice"):
                    await settled(read())
            await left(manager)
            assert response.edge.cost_usd is None
            assert (await gate.create(model="m")).edge.cached


@pytest.mark.parametrize("hit", [False, True])
async def test_lines_and_texts(kind: str, hit: bool) -> None:
    """Lines, texts and sized pieces of one body: the vendor's, or, from the cache, one in its format."""
    with Loopback(lambda request: OPENAI.serve(request, "Pa", "ris é")) as server:
        async with Gate(kind, [OPENAI.provider(server)], cache=hit) as gate:
            bodies = []
            if hit:
                await gate.create(model="m")
            for read in (
                lambda r: r.iter_lines(),
                lambda r: r.iter_text(),
                lambda r: r.iter_text(7),
                lambda r: r.iter_bytes(5),
            ):
                manager = completions(gate).with_streaming_response.create(**ASK, stream=True)
                response = await entered(manager)
                bodies.append(await listed(read(response)))
                await left(manager)
            assert response.headers["x-edgeagent-cache"] == ("memory" if hit else "miss")
    lines, texts, sized, pieces = bodies
    whole = "".join(texts)
    assert lines == whole.split("\n")[:-1]
    assert "".join(sized) == whole == b"".join(pieces).decode()
    assert {len(piece) for piece in sized[:-1]} == {7}
    assert {len(piece) for piece in pieces[:-1]} == {5}
    data = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    assert "".join(c["delta"].get("content") or "" for d in data for c in d["choices"]) == "Paris é"
    assert lines[-2:] == ["data: [DONE]", ""]


async def test_a_whole_body(kind: str) -> None:
    """Without `stream=` the body is there: it can be read in every way, and more than once."""
    with Loopback(lambda request: OPENAI.serve(request)) as server:
        async with Gate(kind, [OPENAI.provider(server)]) as gate:
            manager = completions(gate).with_streaming_response.create(**ASK)
            response = await entered(manager)
            assert await settled(response.json()) == OPENAI.answer()
            assert json.loads(await settled(response.text())) == OPENAI.answer()
            assert b"".join(await listed(response.iter_bytes())) == await settled(response.read())
            assert (await settled(response.parse())).choices[0].message.content == "Paris"
            assert await settled(response.parse(to=str)) == await settled(response.text())
            await left(manager)
            assert response.is_closed
            parsed = completions(gate).with_streaming_response.parse(**ASK)
            assert (await settled((await entered(parsed)).parse())).choices[0].message.parsed is None
            await left(parsed)


async def test_a_stream_that_is_parsed(kind: str) -> None:
    """`.parse()` gives the stream of chunks, whose bytes are no longer kept."""
    with Loopback(lambda request: OPENAI.serve(request, "a", "b", "c")) as server:
        async with Gate(kind, [OPENAI.provider(server)]) as gate:
            manager = completions(gate).with_streaming_response.create(**ASK, stream=True)
            response = await entered(manager)
            stream = await settled(response.parse())
            assert await settled(response.parse()) is stream
            with pytest.raises(EdgeAgentError, match="twice"):
                await listed(response.iter_bytes())
            text = "".join(c.choices[0].delta.content or "" for c in await listed(stream))
            await left(manager)
    assert text == "abc"


async def test_a_body_that_breaks_off(kind: str) -> None:
    """Reading raises what iterating over the chunks raises, and the response is closed."""
    from tests.e2e.harness import streamed

    with Loopback(lambda request: streamed([*OPENAI.opening(), OPENAI.text("a"), HANG_UP])) as server:
        async with Gate(kind, [OPENAI.provider(server)]) as gate:
            manager = completions(gate).with_streaming_response.create(**ASK, stream=True)
            response = await entered(manager)
            with pytest.raises(StreamInterruptedError):
                await listed(response.iter_lines())
            assert response.is_closed
            await left(manager)


def test_nothing_is_kept_that_was_not_asked_for() -> None:
    """A call without the prefixes has no record; the client that lent a view has none either."""
    client = edgeagent.EdgeClient(providers=[OpenAI(api_key="k")])
    assert client.options.record is None
    client.chat.completions.with_raw_response  # noqa: B018
    assert client.options.record is None
