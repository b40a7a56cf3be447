"""Providers of the caller's own that have one method only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from edgeagent import AsyncEdgeClient, EdgeClient, RequestValidationError, ResponseValidationError
from edgeagent.providers import OpenAI
from edgeagent.types import ChatRequest

__all__: list[str] = []

ASK = [{"role": "user", "content": "Count"}]
USAGE = {"usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}


class Streams:
    name = "own"

    def stream(self, request: ChatRequest) -> Iterator[Any]:
        yield "One,"
        yield " two."
        yield USAGE


class StreamsAsync:
    name = "own"

    async def astream(self, request: ChatRequest) -> AsyncIterator[Any]:
        yield "One,"
        yield " two."
        yield USAGE


class StreamsNothing:
    name = "own"

    def stream(self, request: ChatRequest) -> Iterator[Any]:
        return iter(())


@pytest.mark.parametrize("provider", [Streams(), StreamsAsync()], ids=["sync", "async"])
def test_a_provider_that_only_streams_answers_whole(provider):
    """What it streams is joined, with its finish reason and usage, for sync and async clients."""

    async def ask() -> Any:
        async with AsyncEdgeClient(providers=[provider], cache=False) as client:
            return await client.chat.completions.create(model="own/x", messages=ASK)

    with EdgeClient(providers=[provider], cache=False) as client:
        answers = [client.chat.completions.create(model="own/x", messages=ASK), asyncio.run(ask())]
    for answer in answers:
        assert answer.choices[0].message.content == "One, two."
        assert answer.choices[0].finish_reason == "stop"
        assert answer.usage is not None
        assert answer.usage.total_tokens == 3


def test_a_provider_that_streams_nothing_is_refused():
    """A stream without a chunk is no answer."""
    with EdgeClient(providers=[StreamsNothing()], retry=0) as client, pytest.raises(ResponseValidationError):
        client.chat.completions.create(model="own/x", messages=ASK)


class Stoppable(Streams):
    prefers_stream = True

    def complete(self, request: ChatRequest) -> str:
        raise AssertionError("a whole answer cannot be stopped")


def test_a_provider_that_prefers_to_stream_is_never_asked_for_a_whole_answer():
    """Its stream can be stopped by a deadline or a cancelled task, so a call without `stream` reads it too."""
    with EdgeClient(providers=[Stoppable()], cache=False) as client:
        answer = client.chat.completions.create(model="own/x", messages=ASK)
    assert answer.choices[0].message.content == "One, two."


class WantsToStream:
    name = "own"
    prefers_stream = True

    def complete(self, request: ChatRequest) -> str:
        return "whole"


def test_a_preference_for_what_is_not_there_changes_nothing():
    """A provider without a stream is asked for what it has."""
    with EdgeClient(providers=[WantsToStream()], cache=False) as client:
        assert client.chat.completions.create(model="own/x", messages=ASK).choices[0].message.content == "whole"


@pytest.mark.parametrize("edge", [{"cache": "off"}, {}], ids=["uncached", "cached"])
def test_what_json_cannot_hold_is_refused(edge):
    """A lone surrogate in a prompt is an error of ours that says so, whether or not a key is made of it."""
    provider = OpenAI(api_key="k", base_url="http://127.0.0.1:9/v1")
    ask = [{"role": "user", "content": "\ud800"}]
    with EdgeClient(providers=[provider], retry=0) as client, pytest.raises(RequestValidationError, match="JSON"):
        client.chat.completions.create(model="gpt-4o", messages=ask, edge=edge)


@pytest.mark.parametrize("stream", [False, True])
def test_what_was_changed_for_another_target_is_not_told_of_the_callers_own(stream):
    """What an attempt that failed was sent says nothing of the answer."""
    models = {"g": ["openai/gpt-5", "own/x"]}
    providers = [OpenAI(api_key="k", base_url="http://127.0.0.1:9/v1"), Streams()]
    with EdgeClient(providers=providers, retry=0, cache=False, models=models) as client:
        answer = client.chat.completions.create(model="g", messages=ASK, max_completion_tokens=500_000, stream=stream)
        if stream:
            assert list(answer)
    assert answer.edge.provider == "own"
    assert answer.edge.edits == ()
