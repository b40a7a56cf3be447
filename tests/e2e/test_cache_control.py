"""`client.cache` of both kinds of client, over memory and disk."""

from __future__ import annotations

import io
import itertools
import json
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edgeagent import EdgeClient, RequestValidationError
from edgeagent.cache import Cache, DiskCache, EncryptedCache, MemoryCache
from edgeagent.core.catalogue import Imported
from edgeagent.core.embedding import Embeddings
from edgeagent.core.shielding import Shielding
from edgeagent.resources import cache as module
from edgeagent.testing import FakeProvider
from tests.cache.test_tiers import Shelf
from tests.e2e.harness import PROMPT, Gate, settled, text_of


def counting() -> FakeProvider:
    """Answers with the number of the request."""
    fake = FakeProvider(lambda _: str(len(fake.requests)))
    return fake


def ask(**more: Any) -> dict[str, Any]:
    return {"model": "fake/m", **more}


async def test_forgetting(kind: str, tmp_path: Path) -> None:
    """By tag, model, namespace, age and key, in memory and on disk at once; also what is just being written."""
    async with Gate(kind, [counting()], cache=tmp_path / "cache") as gate:
        cache = gate.client.cache
        await gate.create(**ask(edge={"tags": ["batch"]}))
        await gate.create(**ask(model="fake/other"))
        await gate.create(**ask(edge={"cache": {"namespace": "team"}}))
        assert await settled(cache.clear(tag="batch")) == 2
        assert not (await gate.create(**ask())).edge.cached
        assert await settled(cache.clear(model="fake/other")) == 2
        assert await settled(cache.clear(namespace="team")) == 2
        assert await settled(cache.clear(older_than=3600)) == 0
        key = (await settled(cache.peek(messages=[{"role": "user", "content": PROMPT}], **ask()))).key
        assert await settled(cache.clear(key=key)) == 2
        assert await settled(cache.clear(key=[key, "00"])) == 0
        assert not (await gate.create(**ask())).edge.cached
        assert await settled(cache.clear()) == 2
        stats = (await settled(cache.stats())).tiers
        assert (stats["memory"].entries, stats["disk"].entries) == (0, 0)
        assert stats["disk"].writes == 5


class Meanwhile:
    """Something happens while it is asked; then it answers with the number of the request."""

    name = "fake"

    def __init__(self) -> None:
        self.asked = 0
        self.happens: Any = lambda: None

    def complete(self, request: Any) -> str:
        self.asked += 1
        self.happens()
        return str(self.asked)

    def embed(self, request: Any) -> Any:
        self.complete(request)
        return [[float(self.asked)] for _ in request.input]


class AsyncMeanwhile(Meanwhile):
    """The same, awaited."""

    async def acomplete(self, request: Any) -> str:
        self.asked += 1
        await settled(self.happens())
        return str(self.asked)

    async def aembed(self, request: Any) -> Any:
        await self.acomplete(request)
        return [[float(self.asked)] for _ in request.input]


CLEARED: dict[str, dict[str, Any]] = {
    "all": {},
    "its tag": {"tag": "batch"},
    "its model": {"model": "fake/m"},
    "its namespace": {"namespace": "team"},
    "all of it": {"tag": "batch", "model": "m", "namespace": "team"},
}
OTHERS: dict[str, dict[str, Any]] = {
    "another tag": {"tag": "other"},
    "another model": {"model": "fake/other"},
    "another namespace": {"namespace": "other"},
    "older ones": {"older_than": 60},
    "another key": {"key": "00" * 32},
    "its tag, another model": {"tag": "batch", "model": "other"},
}


@pytest.mark.parametrize(
    ("what", "cleared"),
    [
        *itertools.product(["answer", "stream", "vector"], [*CLEARED, *OTHERS]),
        ("answer", "its key"),
        ("stream", "its key"),  # that of a vector is told nowhere
    ],
)
async def test_what_is_forgotten_is_not_brought_back(kind: str, tmp_path: Path, what: str, cleared: str) -> None:
    """By a call that was under way: its caller has the answer, but nobody else. Other entries are kept."""
    provider = (Meanwhile if kind == "sync" else AsyncMeanwhile)()
    edge: dict[str, Any] = {"tags": ["batch"], "cache": {"namespace": "team"}}
    async with Gate(kind, [provider], cache=tmp_path / "cache") as gate:

        async def call() -> Any:
            if what == "vector":
                made = gate.client.embeddings.create(model="fake/m", input=["a"], edge=edge)
                return (await settled(made)).data[0].embedding[0]
            if what == "stream":
                return float(text_of(await gate.chunks(**ask(edge=edge))))
            return float((await gate.create(**ask(edge=edge))).choices[0].message.content)

        selection = {**CLEARED, **OTHERS}.get(cleared)
        if selection is None:
            messages = [{"role": "user", "content": PROMPT}]
            selection = {"key": (await settled(gate.client.cache.peek(messages=messages, **ask(edge=edge)))).shared_key}
        provider.happens = lambda: gate.client.cache.clear(**selection)
        assert await call() == 1.0
        provider.happens = lambda: None
        assert await call() == (1.0 if cleared in OTHERS else 2.0)
        await gate.flush()
    async with Gate(kind, [provider], cache=tmp_path / "cache") as gate:
        assert await call() == (1.0 if cleared in OTHERS else 2.0)


@pytest.mark.parametrize("what", ["answer", "vector"])
def test_who_asks_after_a_clearing_is_given_nothing_of_before(what: str) -> None:
    """He waits for the call under way and then asks anew; what comes of that is kept."""
    provider, asked, go = Meanwhile(), threading.Event(), threading.Event()
    provider.happens = lambda: (asked.set(), go.wait(30))
    with EdgeClient(providers=[provider]) as client, ThreadPoolExecutor(2) as pool:

        def call() -> float:
            if what == "vector":
                return float(client.embeddings.create(model="fake/m", input="a").data[0].embedding[0])
            answer = client.chat.completions.create(**ask(), messages=[{"role": "user", "content": PROMPT}])
            return float(answer.choices[0].message.content or 0)

        engine = client._engine
        flights = engine.pipeline.flights if what == "answer" else engine.flows(Embeddings).flights
        before = pool.submit(call)
        assert asked.wait(30)
        client.cache.clear()
        after = pool.submit(call)
        while not any(flight._callbacks for flight in list(flights._flights.values())):
            go.wait(0.002)
        go.set()
        assert (before.result(30), after.result(30), call()) == (1.0, 2.0, 2.0)


@pytest.mark.parametrize("far", [False, True], ids=["asked", "promoted"])
def test_what_is_forgotten_while_it_is_restored_is_not_kept(tmp_path: Path, far: bool) -> None:
    """To put the caller's values back into a long answer takes a while, in which another thread may clear."""
    echo = FakeProvider(lambda request: request.messages[-1]["content"])
    prompt = [{"role": "user", "content": "write to joe.miller@example.org"}]
    with EdgeClient(providers=[echo], cache=tmp_path / "cache", shield="default") as client:
        create = client.chat.completions.create
        if far:
            create(**ask(), messages=prompt)
            client.flush()
            client._engine.pipeline.layers.tiers[0].clear()
        restore = Shielding.near

        def near(shielding: Shielding, entry: Any) -> bytes | None:
            data = restore(shielding, entry)
            client.cache.clear()
            return data

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Shielding, "near", near)
            assert create(**ask(), messages=prompt).edge.cached is far
        client.flush()
        assert [stats.entries for stats in client.cache.stats().tiers.values()] == [0, 0]


@pytest.mark.parametrize("what", ["asked", "promoted", "vector"])
def test_what_is_forgotten_while_it_is_stored_is_not_kept(
    tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread clears just before memory has the answer: it is done before, or waits and finds it there."""
    put = MemoryCache.put
    with EdgeClient(providers=[FakeProvider("yes")], cache=tmp_path / "cache") as client:
        clear = threading.Thread(target=client.cache.clear)

        def call() -> Any:
            if what == "vector":
                return client.embeddings.create(model="fake/m", input="a")
            return client.chat.completions.create(**ask(), messages=[{"role": "user", "content": PROMPT}])

        def while_clearing(memory: MemoryCache, key: bytes, value: bytes, /, ttl: float | None = None) -> None:
            if clear.ident is None:
                clear.start()
                clear.join(0.1)  # it would be done by then, if nothing kept it waiting
            put(memory, key, value, ttl)

        if what == "promoted":
            call()
            client.flush()
            client._engine.pipeline.layers.tiers[0].clear()
        monkeypatch.setattr(MemoryCache, "put", while_clearing)
        call()
        clear.join(30)
        client.flush()
        assert [stats.entries for stats in client.cache.stats().tiers.values()] == [0, 0]


def test_what_is_read_while_it_is_forgotten_does_not_come_after(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that begins meanwhile finds the entry in Redis, and disk is about to have it: that is waited for, too."""
    disk, redis, go, waits = Shelf(), Shelf(), threading.Event(), 0
    disk.name = "disk"
    with EdgeClient(providers=[counting()], cache=Cache(memory=False, disk=disk, redis=redis)) as client:

        def call() -> Any:
            return client.chat.completions.create(**ask(), messages=[{"role": "user", "content": PROMPT}])

        call()
        client.flush()
        disk.clear()
        runtime, flush = client._engine.runtime, client._engine.runtime.flush

        def flush_and_call(timeout: float | None = None) -> bool:
            nonlocal waits
            waits += 1
            if waits > 1:
                go.set()
            done = flush(timeout)
            if waits == 1:
                runtime.submit(partial(go.wait, 30))  # the writer is busy
                assert call().edge.cached
            return done

        monkeypatch.setattr(runtime, "flush", flush_and_call)
        assert client.cache.clear() is None  # a shelf does not say
        go.set()
        flush()
    assert (disk.items, redis.items) == ({}, {})


class Hanging:
    """A tier that stores when it is let go."""

    name, blocking = "disk", True

    def __init__(self) -> None:
        self.held: dict[bytes, bytes] = {}
        self.go = threading.Event()

    def get(self, key: bytes, /) -> bytes | None:
        return self.held.get(key)

    def put(self, key: bytes, value: bytes, /, ttl: float | None = None) -> None:
        self.go.wait(30)
        self.held[key] = value

    def delete(self, key: bytes, /) -> None:
        self.held.pop(key, None)

    def clear(self) -> None:
        self.held.clear()

    def close(self) -> None:
        pass


async def test_a_write_that_is_not_waited_for_is_told(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is still being written when nobody waits any more comes after the clearing: whoever clears must know."""
    monkeypatch.setattr(module, "FLUSH_SECONDS", 0.01)
    tier = Hanging()
    async with Gate(kind, [FakeProvider("Paris")], cache=Cache(disk=tier)) as gate:
        await gate.create(**ask())
        with pytest.raises(TimeoutError, match="still being written"):
            await settled(gate.client.cache.clear())
        memory = (await settled(gate.client.cache.stats())).tiers["memory"]
        assert memory.entries == 0
        tier.go.set()
        assert await gate.flush()
        await settled(gate.client.cache.clear())
        assert tier.held == {}


async def test_vectors_are_entries_too(kind: str) -> None:
    """Forgotten by tag, and taken along in a file."""
    provider = Vectors()
    file = io.StringIO()
    async with Gate(kind, [provider]) as gate:

        async def embed(**more: Any) -> Any:
            return await settled(gate.client.embeddings.create(model="mine/v", input=["a", "b"], **more))

        await embed(edge={"tags": ["batch"]})
        assert await settled(gate.client.cache.export(file)) == 2
        assert await settled(gate.client.cache.clear(tag="batch")) == 2
        assert not (await embed()).edge.cached
        assert await settled(gate.client.cache.clear(model="mine/v")) == 2
        file.seek(0)
        assert (await settled(gate.client.cache.import_(file))).entries == 2
        again = await embed()
        assert again.edge.cached
        assert [one.embedding for one in again.data] == [[1.0], [2.0]]
    assert provider.asked == 2


class Vectors:
    """Counts up."""

    name = "mine"

    def __init__(self) -> None:
        self.asked = 0

    def embed(self, request: Any) -> Any:
        self.asked += 1
        return [[float(number + 1)] for number in range(len(request.input))]


async def test_what_is_too_large_is_no_write(kind: str, tmp_path: Path) -> None:
    """An answer that no tier keeps was written to none, encrypted or not; other entries count as ever."""
    for encryption in (False, EncryptedCache.generate_key()):
        disk = DiskCache(tmp_path / f"cache {bool(encryption)}", size_limit=100)
        tier = disk if isinstance(encryption, bool) else EncryptedCache(disk, [encryption])
        async with Gate(kind, [counting()], cache=Cache(memory=MemoryCache(max_bytes=100), disk=tier)) as gate:
            await gate.create("a", **ask())
            await gate.flush()
            stats = await settled(gate.client.cache.stats())
        for name in ("memory", "disk"):
            assert (stats.tiers[name].entries, stats.tiers[name].writes, stats.tiers[name].faults) == (0, 0, 0)


async def test_counts(kind: str, tmp_path: Path) -> None:
    """What the tiers have seen of three calls."""
    async with Gate(kind, [counting()], cache=tmp_path / "cache") as gate:
        for prompt in ("a", "b", "a"):
            await gate.create(prompt, **ask())
        await gate.flush()
        stats = await settled(gate.client.cache.stats())
    memory, disk = stats.tiers["memory"], stats.tiers["disk"]
    assert (memory.entries, memory.hits, memory.writes, memory.evictions) == (2, 1, 2, 0)
    assert (disk.entries, disk.hits, disk.misses, disk.writes, disk.faults) == (2, 0, 2, 2, 0)
    assert disk.bytes > 0
    assert stats.refreshes.done == 0


async def test_peek_says_what_then_comes(kind: str, tmp_path: Path) -> None:
    """With the arguments of `create`, also streamed; wrong ones are the same errors."""
    messages = [{"role": "user", "content": PROMPT}]
    async with Gate(kind, [counting()], cache=tmp_path / "cache") as gate:
        assert (await settled(gate.client.cache.peek(messages=messages, **ask()))).outcome == "ask"
        await gate.create(**ask())
        assert (await settled(gate.client.cache.peek(messages=messages, stream=True, **ask()))).outcome == "hit"
        off = await settled(gate.client.cache.peek(messages=messages, **ask(edge={"cache": "off"})))
        assert off.outcome == "off"
        with pytest.raises(RequestValidationError) as caught:
            await settled(gate.client.cache.peek(messages=messages, **ask(edge={"cache": {"tll": 1}})))
    assert caught.value.param == "edge.cache.tll"


async def test_a_file_from_client_to_client(kind: str, tmp_path: Path) -> None:
    """Answers are hits elsewhere; the file is its owner's alone. An open file will do as well."""
    file = tmp_path / "answers.jsonl"
    fake = counting()
    async with Gate(kind, [fake]) as gate:
        await gate.create("a", **ask())
        await gate.create("b", **ask(edge={"cache": {"namespace": "team"}}))
        assert await settled(gate.client.cache.export(file)) == 2
        text = io.StringIO()
        assert await settled(gate.client.cache.export(text, namespace="team")) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [json.loads(line)["entry"]["completion"] for line in file.read_text().splitlines()[1:]]
    async with Gate(kind, [fake]) as gate:
        assert (await settled(gate.client.cache.import_(file))).entries == 2
        answer = await gate.create("a", **ask())
        assert (answer.edge.cached, answer.choices[0].message.content) == (True, "1")
        await settled(gate.client.cache.clear())
        text.seek(0)
        assert (await settled(gate.client.cache.import_(text))).entries == 1
    assert len(fake.requests) == 2


async def test_what_another_client_restored_goes_into_no_file(kind: str) -> None:
    """Of a memory tier that a client with a shield uses too, its unmasked answers are left out."""
    memory = MemoryCache()
    echo = FakeProvider(lambda request: request.messages[-1]["content"])
    async with (
        Gate(kind, [echo], cache=Cache(memory=memory), shield="default") as shielded,
        Gate(kind, [echo], cache=Cache(memory=memory)) as plain,
    ):
        answer = await shielded.create("write to joe.miller@example.org", **ask())
        assert answer.choices[0].message.content == "write to joe.miller@example.org"
        await plain.create(**ask())
        file = io.StringIO()
        assert await settled(plain.client.cache.export(file)) == 1
        assert "joe.miller" not in file.getvalue()
        assert (await shielded.create("write to joe.miller@example.org", **ask())).edge.cached


async def test_bytes_that_are_no_text_damage_one_line(kind: str, tmp_path: Path) -> None:
    """The entries before and after it are read."""
    file = tmp_path / "answers.jsonl"
    async with Gate(kind, [counting()]) as gate:
        for prompt in "abc":
            await gate.create(prompt, **ask())
        await settled(gate.client.cache.export(file))
        header, one, two, three = file.read_bytes().splitlines()
        file.write_bytes(b"\n".join([header, one, two.replace(b"fake", b"f\xffke"), three]))
        await settled(gate.client.cache.clear())
        assert await settled(gate.client.cache.import_(file)) == Imported(2, 0, 1)
        assert [(await gate.create(prompt, **ask())).edge.cached for prompt in "abc"] == [True, False, True]


@pytest.mark.parametrize(
    ("arguments", "param"),
    [
        ({"model": 7}, "model"),
        ({"namespace": b"x"}, "namespace"),
        ({"tag": ["x"]}, "tag"),
        ({"older_than": -1}, "older_than"),
        ({"older_than": True}, "older_than"),
        ({"older_than": float("nan")}, "older_than"),
        ({"key": "no hex"}, "key"),
        ({"key": 7}, "key"),
        ({"key": [7]}, "key"),
    ],
)
async def test_wrong_arguments(kind: str, arguments: dict[str, Any], param: str) -> None:
    """Typed errors that name the argument; nothing is forgotten."""
    async with Gate(kind, [counting()]) as gate:
        await gate.create(**ask())
        with pytest.raises(RequestValidationError) as caught:
            await settled(gate.client.cache.clear(**arguments))
        assert caught.value.param == param
        assert (await gate.create(**ask())).edge.cached


@pytest.mark.parametrize("file", [7, None, b"answers.jsonl", io.BytesIO()], ids=["number", "none", "bytes", "binary"])
async def test_what_is_no_file(kind: str, file: Any) -> None:
    """An error that names the argument, before any tier is looked at."""
    async with Gate(kind, [counting()]) as gate:
        await gate.create(**ask())
        for use in (gate.client.cache.export, gate.client.cache.import_):
            with pytest.raises(RequestValidationError) as caught:
                await settled(use(file))
            assert caught.value.param == "file"


def test_views_share_what_they_see() -> None:
    """A view's `cache` is the same cache, under the view's own options."""
    with EdgeClient(providers=[counting()], cache=Cache(memory=MemoryCache())) as client:
        view = client.with_options(cache={"namespace": "team"})
        view.chat.completions.create(model="fake/m", messages=[{"role": "user", "content": "x"}])
        assert client.cache.peek(model="fake/m", messages=[{"role": "user", "content": "x"}]).outcome == "ask"
        assert view.cache.peek(model="fake/m", messages=[{"role": "user", "content": "x"}]).outcome == "hit"
        assert client.cache.clear(namespace="team") == 1
