"""What a validator of the caller's raises, other than a `ValueError`, is the caller's own: it comes to him as it is.

pydantic lets it through, and so does what reads answers here. Its text may quote an answer, so nothing that leaves the
process without the caller's doing may have it: no log, no span, no metric, no row of a ledger, no error of ours.
"""

from __future__ import annotations

import asyncio
import json
import logging
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import BaseModel, field_validator

from edgeagent import AsyncEdgeClient, EdgeClient, pydantic_function_tool
from edgeagent.telemetry import Ledger, OpenTelemetryObserver
from edgeagent.testing import FakeProvider
from edgeagent.types import ChatRequest

SECRET = "ann@example.com"
ASKED: dict[str, Any] = {"model": "fake/m", "messages": [{"role": "user", "content": f"Who is {SECRET}"}]}


class OwnError(Exception):
    """Of the caller's own, with the value in it."""


KINDS = [KeyError, TypeError, RuntimeError, OSError, OwnError]
raised: list[BaseException] = []
wanted: list[type[Exception]] = [KeyError]


class Person(BaseModel):
    """Its validator fails, with what it was given."""

    mail: str

    @field_validator("mail")
    @classmethod
    def fails(cls, value: str) -> str:
        raised.append(wanted[0](value))
        raise raised[-1]


class Completion(BaseModel):
    """The same of a whole completion."""

    choices: Any

    @field_validator("choices")
    @classmethod
    def fails(cls, value: Any) -> Any:
        raised.append(wanted[0](str(value)))
        raise raised[-1]


def parse(client: Any) -> Any:
    return client.chat.completions.parse(**ASKED, response_format=Person)


def parse_raw(client: Any) -> Any:
    return client.chat.completions.with_raw_response.parse(**ASKED, response_format=Person).parse()


def by_tool(client: Any) -> Any:
    return client.chat.completions.parse(**ASKED, tools=[pydantic_function_tool(Person)])


def streamed(client: Any) -> Any:
    with client.chat.completions.stream(**ASKED, response_format=Person) as stream:
        for _ in stream:
            pass


def streamed_to_the_end(client: Any) -> Any:
    with client.chat.completions.stream(**ASKED, response_format=Person) as stream:
        return stream.get_final_completion()


def responses(client: Any) -> Any:
    return client.responses.parse(model="fake/m", input=f"Who is {SECRET}", text_format=Person)


def responses_streamed(client: Any) -> Any:
    with client.responses.stream(model="fake/m", input=f"Who is {SECRET}", text_format=Person) as stream:
        return stream.get_final_response()


def as_another_type(client: Any) -> Any:
    return client.chat.completions.with_raw_response.create(**ASKED).parse(to=Completion)


def awaited(client: Any) -> Any:
    async def ask() -> None:
        async with client.to_async() as other:
            await other.chat.completions.parse(**ASKED, response_format=Person)

    asyncio.run(ask())


def awaited_stream(client: Any) -> Any:
    async def ask() -> None:
        other: AsyncEdgeClient
        async with (
            client.to_async() as other,
            other.chat.completions.stream(**ASKED, response_format=Person) as stream,
        ):
            async for _ in stream:
                pass

    asyncio.run(ask())


WAYS = [
    parse,
    parse_raw,
    by_tool,
    streamed,
    streamed_to_the_end,
    responses,
    responses_streamed,
    as_another_type,
    awaited,
    awaited_stream,
]


def answer(request: ChatRequest) -> Any:
    """What quotes the placeholder that it was sent."""
    text = json.dumps({"mail": str(request.messages[-1]["content"]).split()[-1]})
    if not request.tools:
        return text
    return {"tool_calls": [{"id": "c", "type": "function", "function": {"name": "Person", "arguments": text}}]}


class Seen:
    """An observer that keeps all that it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def start(self, event: Any) -> Any:
        self.told.append(repr(event.request))
        return self

    def end(self, event: Any) -> None:
        self.told.append(repr(event))

    def attempt(self, attempt: Any, error: Any) -> None:
        self.told.append(repr((attempt, error)))

    retry = fallback = cache_lookup = cache_fault = activate = lambda *_, **__: None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ask", WAYS)
@pytest.mark.parametrize("shield", ["default", None])
def test_it_comes_as_it_is_and_is_told_to_nobody(
    ask: Callable[[Any], Any], kind: type[Exception], shield: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """The very object, without a cause of ours; nothing of its text is in what leaves the process."""
    wanted[:], raised[:] = [kind], []
    caplog.set_level(logging.DEBUG)
    exporter, reader, ledger, seen = InMemorySpanExporter(), InMemoryMetricReader(), Ledger(), Seen()
    tracers = TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    meters = MeterProvider([reader], shutdown_on_exit=False)
    observers: Any = [OpenTelemetryObserver(tracers, meters), ledger, seen]
    fake = FakeProvider(answer, name="fake")
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with EdgeClient(providers=[fake], shield=shield, observers=observers) as client:
            with pytest.raises(kind) as caught:
                ask(client)
            told = [repr(client), repr(client.health())]
    assert caught.value is raised[-1]
    assert SECRET in str(caught.value)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert len(fake.requests) == 1, "it is no fault of the provider's"
    assert ledger.rows
    told += [span.to_json() for span in exporter.get_finished_spans()]
    told += [repr(reader.get_metrics_data()), repr(ledger.rows), str(ledger), caplog.text, *map(str, warned)]
    told += seen.told if shield else []
    assert len(exporter.get_finished_spans()) == 1
    assert not [text for text in told if "ann@" in text]


def responses_to_the_end(client: Any) -> Any:
    with client.responses.stream(model="fake/m", input=f"Who is {SECRET}", text_format=Person) as stream:
        for _ in stream:
            pass


def awaited_responses(client: Any) -> Any:
    async def ask() -> None:
        async with (
            client.to_async() as other,
            other.responses.stream(model="fake/m", input=f"Who is {SECRET}", text_format=Person) as stream,
        ):
            async for _ in stream:
                pass

    asyncio.run(ask())


@pytest.mark.parametrize("kind", [StopIteration, StopAsyncIteration])
@pytest.mark.parametrize("ask", [streamed, responses_to_the_end, awaited_stream, awaited_responses])
def test_what_would_end_a_loop_is_an_error(ask: Callable[[Any], Any], kind: type[Exception]) -> None:
    """As out of a generator: a loop over the events must not end as if the answer were whole."""
    wanted[:], raised[:] = [kind], []
    with (
        EdgeClient(providers=[FakeProvider(answer, name="fake")]) as client,
        pytest.raises(RuntimeError, match=f"raised {kind.__name__}") as caught,
    ):
        ask(client)
    assert caught.value.__cause__ is raised[0]
