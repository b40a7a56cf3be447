"""The model in this process behind a client: the whole pipeline without a socket."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest

from edgeagent import AsyncEdgeClient
from edgeagent.errors import APITimeoutError, ContextWindowExceededError, NoTargetError
from edgeagent.providers import Local
from tests.integration.harness import WAYS, Asker
from tests.support.local_model import CONTEXT, WEATHER_TOOL, required_model_file


@pytest.fixture(scope="module")
def local() -> Iterator[Local]:
    provider = Local(required_model_file(), context=CONTEXT, slots=2, threads=1)
    yield provider
    provider.close()


@pytest.fixture(params=WAYS)
def asker(request: pytest.FixtureRequest, local: Local) -> Iterator[Asker]:
    with Asker(request.param, [local]) as asker:
        yield asker


def wait_until_idle(local: Local) -> None:
    until = time.monotonic() + 10
    while local.busy():
        assert time.monotonic() < until, "a slot is still taken"
        time.sleep(0.01)


def test_it_answers_under_the_name_of_its_file(asker: Asker, local: Local) -> None:
    """The file's name is a known model; the provider's name and any other lead to it as well."""
    for model in (local.models[0], f"local/{local.models[0]}", "local/any"):
        completion = asker.create(model=model, max_tokens=3, edge={"cache": "off"})
        assert completion.choices[0].message.content
        assert (completion.edge.provider, completion.model) == ("local", local.models[0])
        assert completion.usage is not None


def test_a_stream_arrives_in_pieces_and_is_replayed_from_the_cache(asker: Asker) -> None:
    """A streamed answer is stored like any other, and a second stream never reaches the model."""
    first = asker.stream(model="local/m", stop=["e"], temperature=0, max_tokens=60)
    second = asker.stream(model="local/m", stop=["e"], temperature=0, max_tokens=60)
    whole = asker.create(model="local/m", stop=["e"], temperature=0, max_tokens=60)
    assert first.text == second.text == whole.choices[0].message.content
    assert (first.edge.cached, second.edge.cached, whole.edge.cached) == (False, True, True)
    assert first.usage == second.usage == whole.usage


def test_closing_a_stream_early_stops_the_model(asker: Asker, local: Local) -> None:
    """The slot is free again long before the answer would have ended."""
    streamed = asker.stream("Count for ever.", model="local/m", take=3, extra_body={"ignore_eos": True})
    assert len(streamed.chunks) == 3
    wait_until_idle(local)


def test_a_deadline_stops_the_model(asker: Asker, local: Local) -> None:
    """A call that has no time left is over in time, and so is its generation, though nothing was streamed."""
    started = time.monotonic()
    with pytest.raises(APITimeoutError):
        asker.create("Count for ever.", model="local/m", extra_body={"ignore_eos": True}, edge={"deadline": 0.3})
    wait_until_idle(local)
    assert time.monotonic() - started < 8


def test_structured_output_is_valid(asker: Asker) -> None:
    """The grammar of a JSON schema holds through the pipeline."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    completion = asker.create("A number.", model="local/m", response_format=form, max_tokens=60, temperature=0)
    assert type(json.loads(completion.choices[0].message.content or "")["n"]) is int


def test_what_the_model_cannot_do_is_not_tried(asker: Asker) -> None:
    """Its template has no place for tools, and it has no eyes: no target is fit."""
    with pytest.raises(NoTargetError, match="tools"):
        asker.create(model="local/m", tools=[WEATHER_TOOL])
    picture = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]
    with pytest.raises(NoTargetError, match="vision"):
        asker.create(model="local/m", messages=[{"role": "user", "content": picture}])


def test_too_long_a_prompt_is_not_tried(asker: Asker) -> None:
    """A prompt that surely does not fit fails at once, with its own error, and the model is not asked."""
    with pytest.raises(ContextWindowExceededError) as caught:
        asker.create("word " * 2 * CONTEXT, model="local/m")
    assert caught.value.attempts == ()


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_task_stops_the_model(local: Local, backend: str, streamed: bool) -> None:
    """Who goes away in the middle of an answer leaves a free slot."""

    async def cancelled() -> None:
        async with AsyncEdgeClient(providers=[local]) as client:
            with anyio.move_on_after(0.3) as scope:
                messages = [{"role": "user", "content": "Count for ever."}]
                more = {"extra_body": {"ignore_eos": True}, "stream": streamed}
                answer: Any = await client.chat.completions.create(model="local/m", messages=messages, **more)
                async for _ in answer:
                    pass
            assert scope.cancelled_caught

    anyio.run(cancelled, backend=backend)
    started = time.monotonic()
    wait_until_idle(local)
    assert time.monotonic() - started < 8


def test_threads_share_the_model_and_the_answer(local: Local) -> None:
    """Eight threads that ask two questions get two answers."""
    with Asker("sync", [local]) as asker, ThreadPoolExecutor(8) as pool:
        questions = ["Name a river.", "Name a mountain."] * 4
        answers = list(pool.map(lambda text: asker.create(text, model="local/m", max_tokens=60, stop=["e"]), questions))
    assert len({answer.id for answer in answers}) == 2
