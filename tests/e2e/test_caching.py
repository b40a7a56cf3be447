"""The cache on the wire: what a hit is, what is stored and what never, tiers, modes, and the end of a process."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import edgeagent
from edgeagent.cache import Cache
from edgeagent.types.assembly import assemble
from tests.e2e.harness import ANTHROPIC, KEY, OPENAI, VENDORS, Gate, Script, Vendor, outcome, streamed, text_of
from tests.support.children import unmeasured_environment
from tests.support.corpus import Record, body, records
from tests.support.judge import documents, fold, same
from tests.support.loopback import HANG_UP, Loopback, Request, reply

COMPLETE = {"stop", "tool_calls", "function_call"}


def facts(completion: Any) -> dict[str, Any]:
    """All that a completion says."""
    return {**completion.model_dump(), "edge": None}


# a hit


async def test_a_hit(kind: str, vendor: Vendor) -> None:
    """The same answer without a request; who answered is still named, the price is what was saved."""
    with Loopback(vendor.serve) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            first = await gate.create(model=vendor.model)
            hit = await gate.create(model=vendor.model)
    assert len(server.requests) == 1
    assert facts(first) == facts(hit)
    assert (first.edge.cached, first.edge.cache_tier, first.edge.saved_usd) == (False, None, None)
    assert (hit.edge.cached, hit.edge.cache_tier, hit.edge.cost_usd) == (True, "memory", 0)
    assert isinstance(hit.edge.cost_usd, Decimal)
    assert hit.edge.saved_usd == first.edge.cost_usd is not None
    assert (hit.edge.provider, hit.edge.model) == (vendor.name, vendor.model)
    assert (hit.edge.attempts, hit.edge.provider_latency_ms) == ((), None)
    assert len(first.edge.attempts) == 1
    assert hit.edge.latency_ms > 0


async def test_a_hit_is_nobody_elses_object(kind: str, vendor: Vendor) -> None:
    """Whatever a caller does to an answer, the next one is as it was stored."""
    with Loopback(vendor.serve) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            first = await gate.create(model=vendor.model)
            kept = facts(first)
            for _ in range(2):
                hit = await gate.create(model=vendor.model)
                assert facts(hit) == kept
                hit.choices[0].message.content = "spoiled"
                hit.choices.append(hit.choices[0])
                hit.usage.prompt_tokens = 0
                hit.edge.cached = False
            first.choices.clear()
            assert facts(await gate.create(model=vendor.model)) == kept
    assert len(server.requests) == 1


async def test_memory_then_disk_then_memory(kind: str, vendor: Vendor, tmp_path: Path) -> None:
    """The next client finds it on disk and promotes it; then it is in memory."""
    tiers = []
    with Loopback(vendor.serve) as server:
        for _ in range(2):
            async with Gate(kind, [vendor.provider(server)], cache=tmp_path) as gate:
                for _ in range(2):
                    answer = await gate.create(model=vendor.model)
                    tiers.append(answer.edge.cache_tier)
                    assert answer.choices[0].message.content == "Paris"
                    assert (answer.edge.provider, answer.edge.model) == (vendor.name, vendor.model)
    assert tiers == [None, "memory", "disk", "memory"]
    assert len(server.requests) == 1


async def test_nothing_on_disk_shows_the_key(kind: str, vendor: Vendor, tmp_path: Path) -> None:
    """Neither key nor prompt is in any file; the files are the user's own."""
    with Loopback(vendor.serve) as server:
        async with Gate(kind, [vendor.provider(server)], cache=tmp_path / "cache") as gate:
            await gate.create("a prompt to remember", model=vendor.model, extra_headers={"x-mine": KEY})
            assert await gate.flush()
    files = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    stored = b"".join(path.read_bytes() for path in files)
    assert b"Paris" in stored
    assert KEY.encode() not in stored
    assert b"a prompt to remember" not in stored
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700


# recorded answers: exactly what was stored


def sample(api: str, count: int, *, stream: bool) -> list[Record]:
    """Successful records, evenly taken from all of them, different in their answers."""
    fit = [r for r in records(api) if r["status"] == 200 and bool(r["stream"]) == stream and len(body(r)) < 60_000]
    return fit[:: max(1, len(fit) // count)]


class Recorded:
    """A server that answers with records: the prompt says with which."""

    def __init__(self, chosen: list[Record]) -> None:
        self.records = chosen

    def __call__(self, request: Request) -> Any:
        content = request.json()["messages"][-1]["content"]
        text = content if isinstance(content, str) else content[0]["text"]
        record = self.records[int(text)]
        kind = "text/event-stream" if record["stream"] else "application/json"
        return reply(200, body(record), content_type=kind)


def judged(vendor: Vendor, record: Record, completion: Any) -> list[str]:
    """Where a completion differs from the vendor's own words, by plain dict code."""
    if vendor is ANTHROPIC:
        return list(_anthropic_differences(record, completion))
    value = fold(documents(body(record).decode())) if record["stream"] else json.loads(body(record))
    told = completion.model_copy(update={"object": value.get("object", completion.object)})
    return [d for d in same(value, told) if not d.startswith(("$.object", "$.created: 0 became"))]


def _anthropic_differences(record: Record, completion: Any) -> Any:
    from tests.providers.anthropic.reading import message_of_stream

    message = message_of_stream(body(record).decode()) if record["stream"] else json.loads(body(record))
    choice = completion.choices[0]
    text = "".join(block["text"] for block in message["content"] if block["type"] == "text")
    if (choice.message.content or "") != text:
        yield "text"
    calls = [block for block in message["content"] if block["type"] == "tool_use"]
    told = choice.message.tool_calls or []
    if [(c["id"], c["name"]) for c in calls] != [(c.id, c.function.name) for c in told]:
        yield "calls"
    usage = message["usage"]
    put = sum(usage.get(f"{name}input_tokens") or 0 for name in ("", "cache_read_", "cache_creation_"))
    if (completion.usage.prompt_tokens, completion.usage.completion_tokens) != (put, usage["output_tokens"]):
        yield "usage"


@pytest.mark.bulk
@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
async def test_recorded_answers(kind: str, vendor: Vendor, streaming: bool, tmp_path: Path) -> None:
    """Whatever a vendor has answered: a hit from memory or disk says what the first answer said, in either form."""
    count = 70 if kind == "sync" else 20  # an event loop changes when bytes come, not what they say
    chosen = sample("openai.chat" if vendor is OPENAI else "anthropic.messages", count, stream=streaming)
    assert len(chosen) >= 10  # as many as the selection has of the rarest kind
    stored = 0
    with Loopback(Recorded(chosen)) as server:
        first: list[Any] = []
        async with Gate(kind, [vendor.provider(server)], cache=tmp_path) as gate:
            for number in range(len(chosen)):
                if streaming:
                    stream = await gate.stream(str(number), model=vendor.model, stream_options={"include_usage": True})
                    first.append(assemble([piece async for piece in stream]))
                else:
                    first.append(await gate.create(str(number), model=vendor.model))
            sent = len(server.requests)
            assert sent == len(chosen)
            for number, answer in enumerate(first):
                if not {choice.finish_reason for choice in answer.choices} <= COMPLETE:
                    continue
                stored += 1
                hit = await gate.create(str(number), model=vendor.model)
                assert hit.edge.cache_tier == "memory"
                assert facts(hit) == facts(answer), chosen[number]["id"]
                assert judged(vendor, chosen[number], hit) == [], chosen[number]["id"]
        async with Gate(kind, [vendor.provider(server)], cache=tmp_path) as gate:
            for number, answer in enumerate(first):
                if not {choice.finish_reason for choice in answer.choices} <= COMPLETE:
                    continue
                pieces = await gate.chunks(str(number), model=vendor.model, stream_options={"include_usage": True})
                assert pieces[-1].edge.cache_tier == "disk"
                replayed = assemble(pieces)
                assert replayed.model_dump() == answer.model_dump(), chosen[number]["id"]
        assert len(server.requests) == sent
    assert stored > len(chosen) // 2


# a streamed and an unstreamed call share


@pytest.mark.parametrize("shown", [False, True], ids=["usage hidden", "usage shown"])
@pytest.mark.parametrize("streamed_first", [False, True])
async def test_both_forms_share_an_entry(kind: str, vendor: Vendor, streamed_first: bool, shown: bool) -> None:
    """In both directions; usage is shown only where it was asked for, and known in any case."""
    options: dict[str, Any] = {"stream_options": {"include_usage": True}} if shown else {}
    with Loopback(vendor.serve) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            if streamed_first:
                await gate.chunks(model=vendor.model)
            else:
                await gate.create(model=vendor.model)
            answer = await gate.create(model=vendor.model)
            stream = await gate.stream(model=vendor.model, **options)
            pieces = [piece async for piece in stream]
    assert len(server.requests) == 1
    assert answer.edge.cached
    assert stream.edge.cached
    assert (answer.choices[0].message.content, text_of(pieces)) == ("Paris", "Paris")
    assert answer.choices[0].finish_reason == "stop"
    assert stream.usage == answer.usage
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == vendor.usage
    assert [piece.usage for piece in pieces if piece.usage is not None] == ([answer.usage] if shown else [])
    assert pieces[-1].edge is stream.edge
    assert stream.edge.saved_usd == answer.edge.saved_usd is not None


# what is stored, and what never


async def test_errors_are_never_cached(kind: str, vendor: Vendor) -> None:
    """The next call asks again."""
    with Loopback(Script(vendor.fail(400), vendor.fail(404), lambda request: vendor.serve(request))) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            for _ in range(2):
                assert isinstance(await outcome(lambda: gate.create(model=vendor.model)), edgeagent.APIStatusError)
            answer = await gate.create(model=vendor.model)
    assert not answer.edge.cached
    assert len(server.requests) == 3


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
async def test_an_answer_cut_by_a_limit_is_not_stored(
    kind: str, vendor: Vendor, streaming: bool, tmp_path: Path
) -> None:
    """It is returned, in memory it is not, nor on disk."""
    with Loopback(lambda request: vendor.serve(request, "Par", finish="length")) as server:
        async with Gate(kind, [vendor.provider(server)], cache=tmp_path) as gate:
            for _ in range(2):
                if streaming:
                    assert text_of(await gate.chunks(model=vendor.model)) == "Par"
                else:
                    answer = await gate.create(model=vendor.model)
                    assert (answer.choices[0].finish_reason, answer.edge.cached) == ("length", False)
        async with Gate(kind, [vendor.provider(server)], cache=tmp_path) as gate:
            assert not (await gate.create(model=vendor.model)).edge.cached
    assert len(server.requests) == 3


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
async def test_an_answer_of_a_fallback_is_not_stored(kind: str, vendor: Vendor, streaming: bool) -> None:
    """When the first target is well again, it is asked again."""
    other = ANTHROPIC if vendor is OPENAI else OPENAI
    well = [False]
    with (
        Loopback(lambda r: vendor.serve(r, "first") if well[0] else vendor.fail(404)) as one,
        Loopback(lambda r: other.serve(r, "second")) as two,
    ):
        group = {"m": [f"{vendor.name}/{vendor.model}", f"{other.name}/{other.model}"]}
        async with Gate(kind, [vendor.provider(one), other.provider(two)], models=group) as gate:
            said = []
            for now in (False, False, True, True):
                well[0] = now
                said.append(text_of(await gate.chunks(model="m")) if streaming else "")
                if not streaming:
                    said[-1] = (await gate.create(model="m")).choices[0].message.content
    assert said == ["second", "second", "first", "first"]
    assert (len(one.requests), len(two.requests)) == (3, 2)


async def test_a_retried_answer_of_the_first_target_is_stored(kind: str, vendor: Vendor) -> None:
    """It is clean, complete, and the first choice's."""
    with Loopback(Script(vendor.fail(500), vendor.reply())) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            await gate.create(model=vendor.model)
            assert (await gate.create(model=vendor.model)).edge.cached
    assert len(server.requests) == 2


@pytest.mark.parametrize("end", ["closed", "reset", "error event", "no end"])
async def test_an_unfinished_stream_is_not_stored(kind: str, vendor: Vendor, end: str) -> None:
    """Closed early, cut, ended by an error event, or ended without its end: nothing of it is kept."""
    tail: dict[str, list[Any]] = {
        "closed": [vendor.text("b")],
        "reset": [HANG_UP],
        "error event": [vendor.error_event()],
        "no end": [],
    }
    whole = [*vendor.opening(), vendor.text("a")]
    script = Script(lambda r: streamed([*whole, *tail[end]]), lambda r: vendor.serve(r))
    with Loopback(script) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            stream = await gate.stream(model=vendor.model)
            if end == "closed":
                await stream.next()
                await stream.close()
            else:
                with pytest.raises(edgeagent.StreamInterruptedError):
                    async for _ in stream:
                        pass
            assert not (await gate.create(model=vendor.model)).edge.cached
    assert len(server.requests) == 2


# controls


MODES: list[tuple[Any, list[bool]]] = [
    ("on", [False, True, True]),
    ("off", [False, False, False]),
    ("read", [False, False, False]),
    ("write", [False, False, True]),
    ("refresh", [False, False, True]),
    (True, [False, True, True]),
    (False, [False, False, False]),
    ({"mode": "on", "max_age": 0}, [False, False, True]),
    ({"sample": 1}, [False, True, False]),
    ({"namespace": "mine"}, [False, True, False]),
]


@pytest.mark.parametrize(("mode", "cached"), MODES, ids=str)
async def test_modes_of_a_call(kind: str, mode: Any, cached: list[bool]) -> None:
    """Two calls with the mode and one without: which of them were hits."""
    with Loopback(OPENAI.serve) as server:
        async with Gate(kind, [OPENAI.provider(server)]) as gate:
            told = [
                (await gate.create(model=OPENAI.model, edge=edge)).edge.cached
                for edge in ({"cache": mode}, {"cache": mode}, {})
            ]
    assert told == cached
    assert len(server.requests) == cached.count(False)


async def test_refresh_replaces(kind: str) -> None:
    """What a refresh brought is what the next call gets."""
    with Loopback(Script(OPENAI.reply("old"), OPENAI.reply("new"))) as server:
        async with Gate(kind, [OPENAI.provider(server)]) as gate:
            said = [
                (await gate.create(model=OPENAI.model, edge=edge)).choices[0].message.content
                for edge in ({}, {"cache": "refresh"}, {})
            ]
    assert said == ["old", "new", "new"]
    assert len(server.requests) == 2


async def test_an_entry_lives_as_long_as_it_was_given(kind: str, tmp_path: Path) -> None:
    """Then it is a miss, in memory and on disk."""
    with Loopback(OPENAI.serve) as server:
        async with Gate(kind, [OPENAI.provider(server)], cache=tmp_path) as gate:
            await gate.create(model=OPENAI.model, edge={"cache": {"ttl": 0.05}})
            assert await gate.flush()
            await gate.pause(0.06)
            assert not (await gate.create(model=OPENAI.model, edge={"cache": "read"})).edge.cached
    assert len(server.requests) == 2


async def test_a_client_without_cache(kind: str) -> None:
    """Asks every time."""
    with Loopback(OPENAI.serve) as server:
        async with Gate(kind, [OPENAI.provider(server)], cache=False) as gate:
            for _ in range(3):
                assert not (await gate.create(model=OPENAI.model)).edge.cached
    assert len(server.requests) == 3


OTHERS: dict[str, dict[str, Any]] = {
    "temperature": {"temperature": 0.5},
    "top_p": {"top_p": 0.5},
    "stop": {"stop": ["x"]},
    "max_tokens": {"max_tokens": 3},
    "tools": {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]},
    "user": {"user": "somebody"},
    "extra_body": {"extra_body": {"colour": "blue"}},
    "extra_headers": {"extra_headers": {"x-tenant": "b"}},
    "extra_query": {"extra_query": {"v": "2"}},
    "one part": {"messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}]},
    "a name": {"messages": [{"role": "user", "content": "hello", "name": "bob"}]},
    "another model": {"model": "gpt-4o"},
}


async def test_everything_that_can_change_the_answer_is_in_the_key(kind: str) -> None:
    """One parameter more is another request; what only traces a call is not."""
    base: dict[str, Any] = {"model": OPENAI.model, "messages": [{"role": "user", "content": "hello"}]}
    with Loopback(OPENAI.serve) as server:
        async with Gate(kind, [OPENAI.provider(server)]) as gate:
            await gate.create(**base)
            for other in OTHERS.values():
                assert not (await gate.create(**{**base, **other})).edge.cached
            for trace in ("traceparent", "X-Request-Id", "idempotency-key", "x-stainless-lang"):
                assert (await gate.create(**base, extra_headers={trace: "1"})).edge.cached
            assert (await gate.create(**base, metadata={"a": "b"})).edge.cached
    assert len(server.requests) == 1 + len(OTHERS)


async def test_another_key_is_another_cache(kind: str, vendor: Vendor, tmp_path: Path) -> None:
    """Another credential, base URL or header of the provider's sees nothing; a namespace lets credentials share.

    Not what may change the answer: the headers and the query of a provider count as those of a call do.
    """
    with Loopback(vendor.serve) as server, Loopback(vendor.serve) as elsewhere:
        shapes: list[Any] = [
            vendor.provider(server),
            vendor.provider(server, api_key="another"),
            vendor.provider(server, default_headers={"x-tenant": "b"}),
            vendor.provider(elsewhere),
        ]
        for provider in shapes:
            async with Gate(kind, [provider], cache=tmp_path) as gate:
                assert not (await gate.create(model=vendor.model)).edge.cached
        told = []
        shapes[3:] = [
            vendor.provider(server, default_headers={"x-proxy-auth-token": "c", "user-agent": "mine"}),
            vendor.provider(server, default_query={"api-version": "2"}),
        ]
        for provider in shapes:
            async with Gate(kind, [provider], cache=tmp_path, namespace="team") as gate:
                told.append((await gate.create(model=vendor.model)).edge.cached)
        assert told == [False, True, False, True, False]
        told = []
        for more in ({}, {"api_key": "another"}, {"default_headers": {"x-beta": "b"}}, {"default_query": {"v": "2"}}):
            provider = vendor.provider(server, **{"api_key": KEY, "cache_identity": "me", **more})
            async with Gate(kind, [provider], cache=tmp_path) as gate:
                told.append((await gate.create(model=vendor.model)).edge.cached)
    assert told == [False, True, False, False]


async def test_a_rotating_key_stays_off_the_disk(kind: str, vendor: Vendor, tmp_path: Path) -> None:
    """Memory only, unless the caller says what stands for the key."""
    with Loopback(vendor.serve) as server:
        for identity, tiers in ((None, [None, "memory", None]), ("me", [None, "memory", "disk"])):
            told = []
            for calls in (2, 1):
                provider = vendor.provider(server, api_key=lambda: KEY, cache_identity=identity)
                async with Gate(kind, [provider], cache=tmp_path) as gate:
                    told += [(await gate.create(model=vendor.model)).edge.cache_tier for _ in range(calls)]
            assert told == tiers


@pytest.mark.parametrize(
    "special",
    [{"store": True}, {"web_search_options": {}}, {"extra_body": {"background": True}}],
    ids=lambda special: str(*special),
)
async def test_what_is_not_cached_unless_forced(kind: str, special: dict[str, Any]) -> None:
    """State at the vendor, or a look at the world."""
    with Loopback(OPENAI.serve) as server:
        async with Gate(kind, [OPENAI.provider(server)]) as gate:
            for _ in range(2):
                assert not (await gate.create(model=OPENAI.model, **special)).edge.cached
            edge = {"cache": {"force": True}}
            told = [(await gate.create(model=OPENAI.model, edge=edge, **special)).edge.cached for _ in range(2)]
    assert told == [False, True]
    assert len(server.requests) == 3


# faults of tiers


class Broken:
    """A tier that can nothing."""

    name = "disk"
    blocking = True

    def get(self, key: bytes) -> bytes | None:
        raise OSError("no disk")

    def put(self, key: bytes, value: bytes, ttl: float | None) -> None:
        raise OSError("no disk")

    def delete(self, key: bytes) -> None:
        raise OSError("no disk")

    def clear(self) -> None:
        raise OSError("no disk")

    def close(self) -> None:
        pass


class Garbled(Broken):
    """A tier that gives back something else."""

    def get(self, key: bytes) -> bytes | None:
        return b"something else"

    def put(self, key: bytes, value: bytes, ttl: float | None) -> None:
        pass


@pytest.mark.parametrize("tier", [Broken, Garbled])
async def test_a_broken_tier_is_a_miss(kind: str, vendor: Vendor, tier: Any) -> None:
    """Never an error; memory goes on."""
    with Loopback(vendor.serve) as server:
        async with Gate(kind, [vendor.provider(server)], cache=Cache(disk=tier())) as gate:
            for prompt in ("a", "a", "b"):
                assert (await gate.create(prompt, model=vendor.model)).choices[0].message.content == "Paris"
            assert await gate.flush()
    assert len(server.requests) == 2


async def test_a_damaged_file_is_a_miss(kind: str, tmp_path: Path) -> None:
    """Bytes of another kind in the place of the entries."""
    with Loopback(OPENAI.serve) as server:
        async with Gate(kind, [OPENAI.provider(server)], cache=tmp_path) as gate:
            await gate.create(model=OPENAI.model)
        for path in tmp_path.rglob("*"):
            if path.is_file():
                path.write_bytes(b"damaged" * 100)
        async with Gate(kind, [OPENAI.provider(server)], cache=tmp_path) as gate:
            answer = await gate.create(model=OPENAI.model)
    assert (answer.choices[0].message.content, answer.edge.cached) == ("Paris", False)


# off the caller's path, and not lost


class Slow(Garbled):
    """A tier that takes its time to write."""

    def __init__(self) -> None:
        from threading import Event

        self.release = Event()
        self.kept: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self.kept.get(key)

    def put(self, key: bytes, value: bytes, ttl: float | None) -> None:
        self.release.wait(60)
        self.kept[key] = value


async def test_a_write_is_off_the_callers_path(kind: str, vendor: Vendor) -> None:
    """The answer does not wait for it; a look-up sees it while it is under way; `flush` waits for it."""
    tier = Slow()
    with Loopback(vendor.serve) as server:
        async with Gate(kind, [vendor.provider(server)], cache=Cache(memory=False, disk=tier)) as gate:
            await gate.create(model=vendor.model)
            assert tier.kept == {}
            assert (await gate.create(model=vendor.model)).edge.cached
            assert not await gate.flush(0.01)
            tier.release.set()
            assert await gate.flush()
            assert len(tier.kept) == 1
    assert len(server.requests) == 1


PROGRAMS = {
    "sync": """
        import sys
        from edgeagent import EdgeClient
        from edgeagent.providers import {vendor}
        client = EdgeClient(providers=[{vendor}(api_key="k", base_url=sys.argv[1])], cache=sys.argv[2])
        for i in range(20):
            client.chat.completions.create(model=sys.argv[3], messages=[{{"role": "user", "content": str(i)}}])
    """,
    "asyncio": """
        import asyncio, sys
        from edgeagent import AsyncEdgeClient
        from edgeagent.providers import {vendor}

        async def main():
            client = AsyncEdgeClient(providers=[{vendor}(api_key="k", base_url=sys.argv[1])], cache=sys.argv[2])
            for i in range(20):
                messages = [{{"role": "user", "content": str(i)}}]
                await client.chat.completions.create(model=sys.argv[3], messages=messages)
            if sys.argv[4:] == ["close"]:
                await client.close()

        asyncio.run(main())
    """,
}


@pytest.mark.parametrize(("program", "end"), [("sync", "exit"), ("asyncio", "exit"), ("asyncio", "close")])
def test_the_end_of_a_process(program: str, end: str, tmp_path: Path) -> None:
    """A program that just ends loses no write, and says nothing on its way."""
    for vendor, name in zip(VENDORS.values(), ("OpenAI", "Anthropic"), strict=True):
        with Loopback(vendor.serve) as server:
            code = textwrap.dedent(PROGRAMS[program]).format(vendor=name)
            url = server.url + ("/v1" if vendor is OPENAI else "")
            done = subprocess.run(
                [sys.executable, "-W", "error", "-c", code, url, tmp_path, vendor.model, end],
                env=unmeasured_environment(),
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            assert (done.returncode, done.stderr) == (0, "")
            assert len(server.requests) == 20
            with edgeagent.EdgeClient(providers=[vendor.provider(server, api_key="k")], cache=tmp_path) as client:
                for i in range(20):
                    messages = [{"role": "user", "content": str(i)}]
                    answer = client.chat.completions.create(model=vendor.model, messages=messages)
                    assert answer.edge.cache_tier == "disk"
