"""Green threads: a process in which gevent has put its own in the place of sockets, locks and threads."""

from __future__ import annotations

import importlib.util

import pytest

from edgeagent.testing import FaultServer
from edgeagent.testing.faults import Slow
from tests.io.test_exit import prints

pytestmark = pytest.mark.skipif(importlib.util.find_spec("gevent") is None, reason="gevent is not installed")

PATCHED = """
    from gevent import monkey
    monkey.patch_all()
    import sys, time
    import gevent
    from edgeagent import EdgeClient
    from edgeagent.errors import DeadlineExceededError
    from edgeagent.providers import OpenAI

    class Awaits:
        name = "awaits"

        async def acomplete(self, request):
            import anyio

            await anyio.sleep(0.05)
            return "awaited"

    client = EdgeClient(providers=[OpenAI(api_key="any", base_url=sys.argv[1]), Awaits()], deadline=60)

    def call(prompt, model="openai/m", stream=False, **edge):
        messages = [{"role": "user", "content": str(prompt)}]
        answer = client.chat.completions.create(model=model, messages=messages, stream=stream, edge=edge)
        if stream:
            return "".join(choice.delta.content or "" for chunk in answer for choice in chunk.choices)
        return answer.choices[0].message.content
"""


def test_many_green_threads_at_once() -> None:
    """They wait for the vendor together, whole and streamed; identical requests share one; async providers answer."""
    program = """
    call("warm")
    began = time.monotonic()
    jobs = [gevent.spawn(call, n, stream=n % 2 == 0) for n in range(60)]
    jobs += [gevent.spawn(call, "same") for _ in range(20)]
    jobs += [gevent.spawn(call, n, model="awaits/m") for n in range(5)]
    gevent.joinall(jobs, timeout=60, raise_error=True)
    took = time.monotonic() - began
    print(sorted({job.value for job in jobs}), took < 60 * 0.3)
    client.close()
    """
    with FaultServer("Paris.", faults=Slow(first=0.3)) as server:
        assert prints(PATCHED + program, server.base_url) == ["['Paris.', 'awaited'] True"]
        assert server.peak > 30
    asked = [request.json()["messages"][0]["content"] for request in server.requests]
    assert len(asked) == 62
    assert asked.count("same") == 1


def test_green_threads_that_are_given_up() -> None:
    """By the call's deadline, or killed while they wait: their connections are closed, others go on."""
    program = """
    def caught(*arguments, **options):
        try:
            return call(*arguments, **options)
        except DeadlineExceededError as error:
            return error

    call("warm")
    late = gevent.spawn(caught, "late", deadline=0.3)
    killed = gevent.spawn(call, "killed")
    gevent.sleep(0.1)
    killed.kill()
    late.join()
    print(type(late.value).__name__, type(killed.value).__name__)
    print(call("after"))
    client.close()
    """
    with FaultServer("Paris.", faults=[None, Slow(first=3600), Slow(first=3600)]) as server:
        told = ["DeadlineExceededError GreenletExit", "Paris."]
        assert prints(PATCHED + program, server.base_url)[-2:] == told
        assert server.busy == 0


def test_the_interpreter_ends_with_green_threads_in_the_middle_of_calls() -> None:
    """In silence, though nobody closed the client, with an event loop's thread and streams open."""
    program = """
    call("warm"), call("warm", model="awaits/m")
    kept = client.chat.completions.create(model="openai/m", messages=[{"role": "user", "content": "2"}], stream=True)
    next(kept)
    jobs = [gevent.spawn(call, n, stream=n % 2 == 0) for n in range(4)]
    gevent.sleep(0.1)
    print("ends", flush=True)
    """
    with FaultServer("Paris is it.", faults=[None, Slow(first=0, between=3600)] + [Slow(first=3600)] * 4) as server:
        assert prints(PATCHED + program, server.base_url) == ["ends"]
