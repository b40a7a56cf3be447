"""Many callers at once."""

from __future__ import annotations

import threading

import anyio
import pytest

from edgeagent import effects
from edgeagent.effects import Flow, Scope
from edgeagent.io.runtime import Runtime
from tests.io.driving import LONG, post, read_all, soon
from tests.support.loopback import Loopback, events, reply

__all__: list[str] = []

CALLERS = 200


def calls(url: str, number: int) -> Flow[bool]:
    """A whole answer and a stream, both of which must be this caller's own."""
    body = str(number).encode()
    whole = yield from effects.send(post(url, body), LONG, soon(60))
    source = yield from effects.open_stream(post(f"{url}/stream", body), LONG, soon(60))
    pieces = yield from read_all(source, soon(60))
    return whole.content == body and b"".join(pieces) == b"data: %d\n\ndata: end\n\n" % number


@pytest.fixture
def server():
    def answer(request):
        return events([request.body.decode(), "end"]) if request.path == "/stream" else reply(200, request.body)

    with Loopback(answer) as server:
        yield server


@pytest.mark.bulk
def test_threads(server: Loopback) -> None:
    """Two hundred threads share a runtime."""
    runtime = Runtime()
    answers: list[bool] = []
    start = threading.Barrier(CALLERS)

    def caller(number: int) -> None:
        start.wait(30)
        answers.append(runtime.sync_driver.run(calls(server.url, number), Scope()))

    threads = [threading.Thread(target=caller, args=(number,)) for number in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == [True] * CALLERS
    runtime.close()


@pytest.mark.bulk
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_tasks(server: Loopback, backend: str) -> None:
    """Two hundred tasks share a runtime."""
    runtime = Runtime()
    answers: list[bool] = []

    async def caller(number: int) -> None:
        answers.append(await runtime.async_driver.run(calls(server.url, number), Scope()))

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for number in range(CALLERS):
                group.start_soon(caller, number)
        await runtime.aclose()

    anyio.run(main, backend=backend)
    assert answers == [True] * CALLERS
