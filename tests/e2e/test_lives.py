"""Threads, event loops, processes, notebooks, garbage: one client in every life that a program may lead."""

from __future__ import annotations

import ast
import asyncio
import gc
import inspect
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import trio

import edgeagent
from edgeagent import AsyncEdgeClient, EdgeClient
from edgeagent.cache import Cache
from edgeagent.io import threads
from tests.e2e.harness import ANTHROPIC, KINDS, OPENAI, Gate, Vendor, outcome, run, streamed, text_of
from tests.support.children import unmeasured_environment
from tests.support.loopback import HANG_UP, Loopback, Request

Ours = Callable[[], list[str]]


# many threads, many tasks


def mixed(request: Request) -> Any:
    """An answer to every kind of prompt."""
    vendor = ANTHROPIC if request.path == ANTHROPIC.path else OPENAI
    prompt = request.json()["messages"][0]["content"]
    if prompt.startswith("fail"):
        return vendor.fail(400)
    if prompt.startswith("cut"):
        return streamed([*vendor.opening(), vendor.text(prompt), HANG_UP])
    return vendor.serve(request, prompt, "!")


async def one_of_many(gate: Gate, number: int) -> str:
    """One of several ways to use a client; what came of it."""
    vendor = (OPENAI, ANTHROPIC)[number % 2]
    way = ("same", "own", "stream", "close", "fail", "cut")[number % 6]
    prompt = f"{way} {0 if way == 'same' else number}"
    if way in {"same", "own"}:
        answer = await gate.create(prompt, model=vendor.model)
        assert answer.choices[0].message.content == f"{prompt}!"
    elif way == "stream":
        assert text_of(await gate.chunks(prompt, model=vendor.model)) == f"{prompt}!"
    elif way == "close":
        stream = await gate.stream(prompt, model=vendor.model)
        await stream.next()
        await stream.close()
    elif way == "fail":
        assert isinstance(await outcome(lambda: gate.create(prompt, model=vendor.model)), edgeagent.BadRequestError)
    else:
        error = await outcome(lambda: gate.chunks(prompt, model=vendor.model))
        assert isinstance(error, edgeagent.StreamInterruptedError)
        assert error.partial.choices[0].message.content == prompt
    return way


@pytest.mark.bulk
async def test_one_client_for_everyone(kind: str, tmp_path: Path) -> None:
    """32 threads (or tasks), 320 calls: hits, misses, streams, early ends, errors, two vendors, memory and disk."""
    with Loopback(mixed) as server:
        providers = [OPENAI.provider(server), ANTHROPIC.provider(server)]
        async with Gate(kind, providers, cache=tmp_path) as gate:
            numbers = iter(range(320))
            lock = threading.Lock()

            async def work() -> list[str]:
                done = []
                for _ in range(10):
                    with lock:
                        number = next(numbers)
                    done.append(await one_of_many(gate, number))
                return done

            results = await gate.together(32, work)
            assert [result for result in results if not isinstance(result, list)] == []
            assert len(gate.client._engine.pipeline.flights) == 0
        await gate.until(lambda: server.open == 0)
    ways = Counter(way for result in results for way in result)
    assert sum(ways.values()) == 320
    same = [r for r in server.requests if r.json()["messages"][0]["content"] == "same 0"]
    assert len(same) == 1


# event loops


def test_several_event_loops_in_turn(vendor: Vendor) -> None:
    """asyncio, trio, asyncio: each has connections of its own, which end with it, though nobody closed anything."""
    with Loopback(vendor.serve) as server:
        client = AsyncEdgeClient(providers=[vendor.provider(server)], cache=False)

        async def main() -> str:
            answer = await client.chat.completions.create(model=vendor.model, messages=MESSAGES)
            stream = await client.chat.completions.create(model=vendor.model, messages=MESSAGES, stream=True)
            assert text_of([piece async for piece in stream]) == "Paris"
            return str(answer.choices[0].message.content)

        for number, start in enumerate((asyncio.run, trio.run, asyncio.run, trio.run)):
            if start is asyncio.run:
                assert asyncio.run(main()) == "Paris"
            else:
                assert trio.run(main) == "Paris"
            _until(lambda: server.open == 0)
            assert server.connections == number + 1
        asyncio.run(client.close())


def test_two_event_loops_at_once(vendor: Vendor) -> None:
    """Loops in threads share the cache, not connections."""
    with Loopback(vendor.serve) as server:
        client = AsyncEdgeClient(providers=[vendor.provider(server)])

        async def main(prompt: str) -> bool:
            told = False
            for _ in range(20):
                messages: Any = [{"role": "user", "content": prompt}]
                told = (await client.chat.completions.create(model=vendor.model, messages=messages)).edge.cached
            return told

        with ThreadPoolExecutor(4) as pool:
            jobs = [
                pool.submit(anyio.run, main, f"prompt {i % 2}", backend=("asyncio", "trio")[i % 2]) for i in range(4)
            ]
            assert [job.result(20) for job in jobs] == [True] * 4
        assert len(server.requests) == 2
        asyncio.run(client.close())


MESSAGES: Any = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.mark.parametrize("start", [asyncio.run, lambda coroutine: trio.run(lambda: coroutine)], ids=["asyncio", "trio"])
def test_a_blocking_client_inside_a_running_loop(start: Any, vendor: Vendor) -> None:
    """As in a notebook's cell: whole, streamed, and with an async-only provider behind it."""

    class AsyncOnly:
        name = "mine"

        async def acomplete(self, request: Any) -> str:
            await asyncio.sleep(0)
            return "mine"

    async def cell() -> list[Any]:
        with EdgeClient(providers=[vendor.provider(server), AsyncOnly()]) as client:
            create = client.chat.completions.create
            whole = create(model=vendor.model, messages=MESSAGES).choices[0].message.content
            pieces = text_of(list(create(model=vendor.model, messages=MESSAGES, stream=True, edge={"cache": "off"})))
            mine = create(model="mine/x", messages=MESSAGES).choices[0].message.content
            return [whole, pieces, mine]

    with Loopback(vendor.serve) as server:
        assert start(cell()) == ["Paris", "Paris", "mine"]


CELLS = [
    "from edgeagent import AsyncEdgeClient, EdgeClient",
    "client = AsyncEdgeClient(providers=[provider])\nsync = EdgeClient(providers=[provider])",
    "answer = await client.chat.completions.create(model=model, messages=messages)",
    "said = answer.choices[0].message.content",
    "again = await client.chat.completions.create(model=model, messages=messages)",
    "stream = await client.chat.completions.create(model=model, messages=messages, stream=True, edge={'cache': 'off'})",
    "pieces = [piece async for piece in stream]",
    "blocking = sync.chat.completions.create(model=model, messages=messages)",
    "shown = again._repr_html_()",
    "await client.close()\nsync.close()",
]


def test_a_notebook(vendor: Vendor) -> None:
    """Cells with `await` at top level, run one after the other in the same loop, as IPython does."""
    with Loopback(vendor.serve) as server:
        names: dict[str, Any] = {"provider": vendor.provider(server), "model": vendor.model, "messages": MESSAGES}
        loop = asyncio.new_event_loop()
        for cell in CELLS:
            code = compile(cell, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            made = eval(code, names)
            if inspect.iscoroutine(made):
                loop.run_until_complete(made)
        loop.close()
    assert names["said"] == "Paris"
    assert (names["again"].edge.cached, text_of(names["pieces"])) == (True, "Paris")
    assert names["blocking"].choices[0].message.content == "Paris"
    for word in ("Paris", vendor.model, "memory"):
        assert word in names["shown"]


# threads and garbage


def _until(condition: Any, seconds: float = 60.0) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it has not happened"
        threading.Event().wait(0.005)


@pytest.fixture
def ours() -> Callable[[], list[str]]:
    """The names of this package's threads that have been started since."""
    before = set(threading.enumerate())
    return lambda: [t.name for t in threading.enumerate() if t not in before and t.name.startswith("edgeagent")]


@pytest.mark.parametrize("kind", KINDS)
def test_no_thread_outlives_close(kind: str, vendor: Vendor, tmp_path: Path, ours: Ours) -> None:
    """Writer, bridge and helpers end with the client. (trio keeps idle threads of its own for ten seconds.)"""

    class OtherKind:
        name = "mine"

        async def acomplete(self, request: Any) -> str:
            return "mine"

    before = set(threading.enumerate())
    with Loopback(vendor.serve) as server:

        async def main() -> None:
            client = httpx.Client() if kind == "sync" else None
            lent = vendor.provider(server, name="lent", http_client=client)
            async with Gate(kind, [vendor.provider(server), OtherKind(), lent], cache=tmp_path) as gate:
                for edge in ({}, {"deadline": 20.0}):
                    await gate.create(f"{edge}", model=vendor.model, edge=edge)
                    await gate.create(f"{edge}", model=f"lent/{vendor.model}", edge=edge)
                    await gate.create(f"{edge}", model="mine/x", edge=edge)
                    await gate.chunks(f"stream {edge}", model=vendor.model, edge=edge)
            if client is not None:
                client.close()

        run(kind, main)
        _until(lambda: not ours(), 2)
    _until(lambda: not [t for t in set(threading.enumerate()) - before if not t.name.startswith("Trio")], 5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_forgotten_client_leaves_nothing(
    kind: str, vendor: Vendor, tmp_path: Path, ours: Ours, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No connection, no thread, no warning (which would be an error here), and its writes are done."""
    monkeypatch.setattr(threads, "IDLE_SECONDS", 0.5)  # how long a thread waits for more to do
    with Loopback(vendor.serve) as server:

        async def main() -> None:
            gate = Gate(kind, [vendor.provider(server)], cache=tmp_path)
            await gate.create(model=vendor.model)
            await gate.chunks("other", model=vendor.model)
            del gate

        run(kind, main)
        _until(lambda: gc.collect() >= 0 and server.open == 0)  # a write under way still holds it
        _until(lambda: gc.collect() >= 0 and not ours())
        with EdgeClient(providers=[vendor.provider(server)], cache=tmp_path) as client:
            assert client.chat.completions.create(model=vendor.model, messages=MESSAGES).edge.cache_tier == "disk"


async def test_a_client_after_its_close(kind: str, vendor: Vendor, tmp_path: Path, ours: Ours) -> None:
    """Closing twice is no fault; what is called afterwards works or says why, and leaves nothing behind either."""
    with Loopback(vendor.serve) as server:
        gate = Gate(kind, [vendor.provider(server)], cache=tmp_path)
        await gate.create(model=vendor.model)
        await gate.close()
        await gate.close()
        result = await outcome(lambda: gate.create("again", model=vendor.model))
        assert isinstance(result, edgeagent.EdgeAgentError) or result.choices[0].message.content == "Paris"
        await gate.close()
        await gate.until(lambda: server.open == 0)
        await gate.until(lambda: not ours())


# processes


def program(text: str, *arguments: object, path: Path | None = None) -> None:
    """Run a program in which a warning is an error; it must succeed and say nothing on stderr."""
    code = textwrap.dedent(text)
    if path is not None:
        path.write_text(code)
    done = subprocess.run(
        [sys.executable, "-W", "error", *(["-c", code] if path is None else [path]), *map(str, arguments)],
        env=unmeasured_environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


FORK = """
    import multiprocessing, sys, threading, warnings
    from concurrent.futures import ThreadPoolExecutor
    warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of every fork with threads
    from edgeagent import EdgeClient
    from edgeagent.providers import OpenAI

    client = EdgeClient(providers=[OpenAI(api_key="k", base_url=sys.argv[1])], cache=sys.argv[2])

    def ask(prompt, **more):
        messages = [{"role": "user", "content": prompt}]
        return client.chat.completions.create(model="gpt-4o-mini", messages=messages, **more)

    def child(name):
        barrier = threading.Barrier(8)

        def work(i):
            barrier.wait()
            assert ask("held").choices[0].message.content == "held!"
            assert ask("known").edge.cached
            for k in range(5):
                prompt = f"{name} {i} {k}"
                assert ask(prompt).choices[0].message.content == prompt + "!"
                pieces = ask("stream " + prompt, stream=True)
                assert "".join(c.choices[0].delta.content or "" for c in pieces) == f"stream {prompt}!"

        with ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(work, i) for i in range(8)]:
                done.result(30)
        client.flush()
        if name == "closing":
            client.close()

    if __name__ == "__main__":
        ask("known")
        stop = threading.Event()

        def load(i):
            k = 0
            while not stop.is_set():
                prompt = f"parent {i} {k}"
                assert ask(prompt).choices[0].message.content == prompt + "!"
                k += 1

        with ThreadPoolExecutor(6) as pool:
            jobs = [pool.submit(ask, "held")] + [pool.submit(load, i) for i in range(3)]
            fork = multiprocessing.get_context("fork")
            children = [fork.Process(target=child, args=(name,)) for name in ("one", "two", "closing")]
            for process in children:
                process.start()
            for process in children:
                process.join(300)
            stop.set()
            codes = [process.exitcode for process in children]
            for process in children:
                process.kill()
            for job in jobs:
                job.result(20)
        assert codes == [0, 0, 0], codes
        assert ask("known").edge.cached
        client.close()
"""


def test_fork_under_load(tmp_path: Path) -> None:
    """Children that are forked amid calls and flights fly on their own, with eight threads at once, and end well."""
    held: list[Request] = []
    everyone = threading.Event()

    def answer(request: Request) -> Any:
        prompt = request.json()["messages"][0]["content"]
        if prompt == "held":
            held.append(request)
            if len(held) == 4:  # the parent's and the three children's
                everyone.set()
            everyone.wait(120)
        return OPENAI.serve(request, prompt, "!")

    with Loopback(answer) as server:
        program(FORK, server.url, tmp_path / "cache", path=tmp_path / "fork.py")
    assert len(held) == 4
    with EdgeClient(providers=[OPENAI.provider("http://127.0.0.1:1")], cache=tmp_path / "cache") as client:
        assert client is not None


SPAWN = """
    import multiprocessing, sys
    from edgeagent import AsyncEdgeClient, EdgeClient, BadRequestError
    from edgeagent.providers import Anthropic, OpenAI

    def ask(client, model):
        messages = [{"role": "user", "content": "hello"}]
        answer = client.chat.completions.create(model=model, messages=messages)
        return answer, answer.edge.cache_tier, client.options.timeout.read

    def fail(client):
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "fail"}])

    if __name__ == "__main__":
        providers = [OpenAI(base_url=sys.argv[1] + "/v1"), Anthropic(base_url=sys.argv[1])]
        client = EdgeClient(providers=providers, cache=sys.argv[2]).with_options(timeout=7)
        for model in ("gpt-4o-mini", "claude-haiku-4-5"):
            answer, _, _ = ask(client, model)
            client.flush()
            for kind in (client, client.to_async().to_sync()):
                with multiprocessing.get_context("spawn").Pool(1) as pool:
                    theirs, tier, timeout = pool.apply(ask, (kind, model))
                    assert (tier, timeout) == ("disk", 7.0), (tier, timeout)
                    assert theirs == answer
                    try:
                        pool.apply(fail, (kind,))
                    except BadRequestError as error:
                        assert error.status_code == 400 and error.attempts[0].status == 400
                    else:
                        raise AssertionError("no error")
                    pool.close()
                    pool.join()
        client.close()
"""


def test_a_client_in_a_spawned_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It travels by pickle, with keys left to the environment; answers and errors travel back."""
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    with Loopback(lambda r: mixed(r)) as server:
        program(SPAWN, server.url, tmp_path / "cache", path=tmp_path / "spawn.py")
    kept = [r for r in server.requests if r.json()["messages"][0]["content"] == "hello"]
    assert len(kept) == 2


EXIT = """
    import asyncio, sys
    from edgeagent import AsyncEdgeClient, EdgeClient
    from edgeagent.providers import OpenAI

    messages = [{"role": "user", "content": "x"}]
    client = EdgeClient(providers=[OpenAI(api_key="k", base_url=sys.argv[1])], cache=False)
    stream = client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True)
    next(stream)
    aclient = client.to_async()

    async def main():
        global astream
        astream = await aclient.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True)
        await anext(astream)

    asyncio.run(main())
"""


def test_an_exit_with_open_streams(vendor: Vendor) -> None:
    """A program may just end."""
    with Loopback(OPENAI.serve) as server:
        program(EXIT, server.url)
        _until(lambda: server.open == 0)


def test_an_exit_within_a_thread(tmp_path: Path) -> None:
    """Also while a daemon thread is in the middle of a call."""
    text = """
        import sys, threading, time
        from edgeagent import EdgeClient
        from edgeagent.providers import OpenAI

        client = EdgeClient(providers=[OpenAI(api_key="k", base_url=sys.argv[1])], cache=sys.argv[2])

        def call(i):
            while True:
                client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": str(i)}])
                i += 10

        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "first"}])
        for i in range(4):
            threading.Thread(target=call, args=(i,), daemon=True).start()
        time.sleep(0.3)
    """
    with Loopback(OPENAI.serve) as server:
        program(text, server.url, tmp_path)
    assert len(server.requests) > 4


def test_a_memory_only_client_starts_no_thread(vendor: Vendor, ours: Ours) -> None:
    """Nor does importing or building one."""
    with Loopback(vendor.serve) as server, EdgeClient(providers=[vendor.provider(server)], cache=Cache()) as client:
        client.chat.completions.create(model=vendor.model, messages=MESSAGES)
        assert ours() == []
