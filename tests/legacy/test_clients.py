"""Which client serves an old call: kept, shared by threads and loops, forgotten."""

from __future__ import annotations

import asyncio
import gc
import os
import threading

import pytest
import trio

import edgeagent as openai
from edgeagent.legacy.clients import CLIENTS, client_for
from tests.legacy.server import ANSWERS, ASK, END, MESSAGES, TEXT
from tests.support.children import forked
from tests.support.loopback import Loopback, Request, events

__all__: list[str] = []


def test_one_client_for_the_same_settings(server):
    """Calls share a connection; other settings have another client; only so many are kept."""
    for _ in range(3):
        openai.ChatCompletion.create(**ASK)
    assert server.connections == 1
    for n in range(CLIENTS + 5):
        openai.ChatCompletion.create(**ASK, api_key=f"sk-{n}")
    info = client_for.cache_info()
    assert (info.currsize, info.maxsize) == (CLIENTS, CLIENTS)


def test_forgotten_clients_give_their_connections_back(server):
    """A client that is no longer kept has no connection open once it is collected."""
    openai.ChatCompletion.create(**ASK)
    assert server.open == 1
    server.closed.clear()
    client_for.cache_clear()
    gc.collect()
    assert server.closed.wait(10)


def test_equal_calls_at_once_are_all_made():
    """Without a cache, none waits for another's answer."""
    together = threading.Barrier(3)

    def handler(request: Request) -> bytes:
        together.wait(10)
        return ANSWERS["plain"]

    with Loopback(handler) as server:
        openai.api_key, openai.api_base = "sk", server.url
        openai.ChatCompletion  # noqa: B018  # loaded before the threads begin
        threads = [threading.Thread(target=openai.ChatCompletion.create, kwargs=ASK) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.requests) == 3


def test_threads(server):
    """First calls from several threads at once, with several keys."""
    answers: list[str] = []

    def ask(n: int) -> None:
        result = openai.ChatCompletion.create(model="whose-key", messages=MESSAGES, api_key=f"sk-{n % 3}")
        answers.append(result.choices[0].message.content)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == sorted(f"Bearer sk-{n % 3} of no organization" for n in range(12))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_after_a_fork(server):
    """The child makes calls with connections of its own, and so does the parent afterwards."""
    openai.ChatCompletion.create(**ASK)
    child = forked(lambda: bool(openai.ChatCompletion.create(**ASK).choices))
    assert os.waitpid(child, 0)[1] == 0
    openai.ChatCompletion.create(**ASK)
    assert server.connections == 2


@pytest.mark.parametrize("run", [asyncio.run, trio.run], ids=["asyncio", "trio"])
def test_every_event_loop(run, server):
    """`acreate` works on asyncio and on trio, in one loop after another, streams too."""

    async def main() -> list[str]:
        whole = await openai.ChatCompletion.acreate(model="m", messages=MESSAGES)
        stream = await openai.ChatCompletion.acreate(model="m", messages=MESSAGES, stream=True)
        return [
            whole.choices[0].message.content,
            "".join([c.choices[0].delta.get("content", "") async for c in stream]),
        ]

    def again() -> list[str]:
        return run(lambda: main()) if run is trio.run else run(main())

    assert again() == again() == ["You said: Hello", "You said: Hello"]


def test_a_stream_that_is_not_read_to_its_end_is_closed(server):
    """By `close`, as the generators of that time."""
    stream = openai.ChatCompletion.create(model="m", messages=MESSAGES, stream=True)
    next(stream)
    stream.close()
    with pytest.raises(StopIteration):
        next(stream)


@pytest.mark.parametrize("asked", [False, True])
def test_a_streams_usage_is_told_to_those_who_asked(asked):
    """The pipeline asks for it anyway, and takes what that adds out of the chunks."""
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    told = [{**one, "usage": None} for one in (*TEXT, END)] + [{**END, "choices": [], "usage": usage}]
    with Loopback(lambda request: events([*told, "[DONE]"])) as server:
        openai.api_key, openai.api_base = "sk", server.url
        more = {"stream_options": {"include_usage": True}} if asked else {}
        chunks = list(openai.ChatCompletion.create(**ASK, stream=True, **more))
        assert server.requests[-1].json()["stream_options"] == {"include_usage": True}
    assert chunks == told if asked else chunks == [*TEXT, END]
