"""Both adapters end to end: real HTTP, real tokens, real events, real errors, from sync and async code."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from edgeagent.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    BadRequestError,
    ContextWindowExceededError,
    NotFoundError,
    StreamInterruptedError,
)
from edgeagent.types import ChatCompletion
from tests.integration.harness import VENDORS, WAYS, Asker, metric, wait_until_idle
from tests.support.local_model import CALL_PROMPT, CONTEXT, NAME, WEATHER_TOOL, LlamaServer

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 20}},
    "required": ["city"],
    "additionalProperties": False,
}


@pytest.fixture(params=VENDORS)
def vendor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def asker(vendor: str, way: str, llama_server: LlamaServer) -> Iterator[Asker]:
    """A client of one provider, without a cache."""
    with Asker(way, [VENDORS[vendor](llama_server.url)], cache=False) as asker:
        yield asker


@pytest.fixture
def asker_once(vendor: str, way: str, llama_server: LlamaServer) -> Iterator[Asker]:
    """The same, trying everything only once."""
    with Asker(way, [VENDORS[vendor](llama_server.url)], cache=False, retry=0) as asker:
        yield asker


@pytest.fixture
def dead_url() -> Iterator[str]:
    """An address where nobody listens: bound, so that nobody else takes it, but not listening."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def text_of(completion: ChatCompletion) -> str:
    return completion.choices[0].message.content or ""


def test_a_completion(asker: Asker, vendor: str) -> None:
    """Text, finish reason, usage that adds up, and the facts about the call."""
    completion = asker.create(max_tokens=8, temperature=0)
    assert text_of(completion)
    assert completion.choices[0].finish_reason in {"stop", "length"}
    usage = completion.usage
    assert usage is not None
    assert 0 < usage.completion_tokens <= 8
    assert usage.prompt_tokens > 5
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    edge = completion.edge
    assert (edge.provider, edge.model, edge.cached, edge.cache_tier) == (vendor, NAME, False, None)
    assert [(attempt.outcome, attempt.status) for attempt in edge.attempts] == [("ok", 200)]
    assert 0 < (edge.provider_latency_ms or edge.latency_ms) <= edge.latency_ms


def test_a_stream_says_what_a_completion_says(asker: Asker) -> None:
    """The pieces of a stream make the text of the unstreamed answer, and its usage is known at the end."""
    params: dict[str, Any] = {"temperature": 0, "max_tokens": 20}
    whole = asker.create("Name three colours.", **params)
    streamed = asker.stream("Name three colours.", **params)
    assert streamed.text == text_of(whole)
    assert len(streamed.chunks) > 5
    assert [choice.finish_reason for choice in streamed.chunks[-1].choices] == [whole.choices[0].finish_reason]
    assert streamed.usage is not None
    assert whole.usage is not None
    assert streamed.usage.completion_tokens == whole.usage.completion_tokens
    assert streamed.usage.prompt_tokens == whole.usage.prompt_tokens
    assert streamed.chunks[-1].edge is streamed.edge
    assert all(chunk.usage is None for chunk in streamed.chunks)


def test_usage_is_shown_in_the_stream_if_asked_for(asker: Asker) -> None:
    """`include_usage` adds one chunk with usage and without choices."""
    streamed = asker.stream(max_tokens=3, stream_options={"include_usage": True})
    assert streamed.chunks[-1].choices == []
    assert streamed.chunks[-1].usage == streamed.usage
    assert all(chunk.usage is None for chunk in streamed.chunks[:-1])


def test_the_output_limit_is_the_finish_reason(asker: Asker) -> None:
    """A cut answer says so."""
    completion = asker.create("Count to one hundred in words.", max_tokens=4, temperature=0)
    assert completion.choices[0].finish_reason == "length"
    assert completion.usage is not None
    assert completion.usage.completion_tokens == 4


def test_a_stop_sequence_ends_the_answer(asker: Asker) -> None:
    """Nothing after the stop sequence is generated, and it is not part of the text."""
    params: dict[str, Any] = {"max_tokens": 60, "temperature": 0, "stop": ["e"]}
    completion = asker.create("Count to one hundred in words.", **params)
    assert completion.choices[0].finish_reason == "stop"
    assert "e" not in text_of(completion)
    assert asker.stream("Count to one hundred in words.", **params).text == text_of(completion)


@pytest.mark.parametrize("vendor", ["openai"], indirect=True)
def test_a_json_schema_is_obeyed(asker: Asker) -> None:
    """Structured output is what the schema says. (The server's Anthropic endpoint ignores `output_config`.)"""
    form = {"type": "json_schema", "json_schema": {"name": "city", "strict": True, "schema": CITY}}
    completion = asker.create("Name a city.", response_format=form, max_tokens=60, temperature=0)
    assert json.loads(text_of(completion)).keys() == {"city"}
    streamed = asker.stream("Name a city.", response_format=form, max_tokens=60, temperature=0)
    assert json.loads(streamed.text).keys() == {"city"}


def test_a_tool_is_called_and_its_result_used(asker: Asker) -> None:
    """A call comes back whole, streamed or not, and its result can be sent in the next turn."""
    params: dict[str, Any] = {"tools": [WEATHER_TOOL], "temperature": 0, "max_tokens": 60}
    choice = asker.create(CALL_PROMPT, **params).choices[0]
    assert choice.finish_reason == "tool_calls"
    (call,) = choice.message.tool_calls or ()
    assert call.id
    assert call.function is not None
    assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "Paris"})

    deltas = [
        d for c in asker.stream(CALL_PROMPT, **params).chunks for ch in c.choices for d in ch.delta.tool_calls or ()
    ]
    assert {delta.index for delta in deltas} == {0}
    arguments = "".join(delta.function.arguments or "" for delta in deltas if delta.function)
    assert json.loads(arguments) == {"city": "Paris"}

    messages = [
        {"role": "user", "content": CALL_PROMPT},
        choice.message,
        {"role": "tool", "tool_call_id": call.id, "content": "Sunny, 21 degrees."},
    ]
    answer = asker.create(messages=messages, max_tokens=20, temperature=0, tools=[WEATHER_TOOL])
    assert "unny" in text_of(answer)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
class TestRefusals:
    """What the server refuses is the same typed error, streaming or not."""

    def ask(self, asker: Asker, streamed: bool, text: str = "Say hi.", **params: Any) -> APIError:
        with pytest.raises(APIError) as caught:
            asker.stream(text, **params) if streamed else asker.create(text, **params)
        return caught.value

    def test_an_unknown_route(self, vendor: str, way: str, llama_server: LlamaServer, streamed: bool) -> None:
        """A base URL that leads elsewhere is a 404."""
        with Asker(way, [VENDORS[vendor](f"{llama_server.url}/elsewhere")], cache=False, retry=0) as asker:
            error = self.ask(asker, streamed)
        assert type(error) is NotFoundError
        assert error.status_code == 404
        assert "Not Found" in error.message

    def test_a_wrong_payload(self, asker_once: Asker, streamed: bool) -> None:
        """A parameter of the wrong type is a 400 in the server's words, tried once."""
        error = self.ask(asker_once, streamed, extra_body={"top_k": "many"})
        assert type(error) is BadRequestError
        assert "top_k" in error.message
        assert [attempt.status for attempt in error.attempts] == [400]

    def test_too_long_a_prompt(self, asker_once: Asker, streamed: bool) -> None:
        """A prompt that does not fit has an error of its own."""
        error = self.ask(asker_once, streamed, "word " * 2 * CONTEXT)
        assert type(error) is ContextWindowExceededError
        assert error.status_code == 400

    @pytest.mark.parametrize("vendor", ["openai"], indirect=True)
    def test_a_server_that_takes_too_long(self, asker_once: Asker, streamed: bool, llama_server: LlamaServer) -> None:
        """The wait for the first bytes is bounded, and the server is not left at work."""
        long = f"{uuid4()} " + "word " * (CONTEXT // 4)  # new to the server's prompt cache
        error = self.ask(asker_once, streamed, long, max_tokens=1, timeout=0.05)
        assert type(error) is APITimeoutError
        wait_until_idle(llama_server)

    def test_nobody_there(self, vendor: str, way: str, dead_url: str, streamed: bool) -> None:
        """A refused connection says that nothing was sent."""
        with Asker(way, [VENDORS[vendor](dead_url)], cache=False, retry=0) as asker:
            error = self.ask(asker, streamed)
        assert type(error) is APIConnectionError
        assert error.sent is False


def test_a_server_that_dies_in_mid_stream(vendor: str, way: str) -> None:
    """What had come is kept in the error."""
    heard: list[int] = []
    with LlamaServer() as server, Asker(way, [VENDORS[vendor](server.url)], retry=0) as asker:

        def at(number: int) -> None:
            heard.append(number)
            if number == 3:
                server.kill()

        with pytest.raises(StreamInterruptedError) as caught:
            asker.stream("Write a very long story.", max_tokens=900, extra_body={"ignore_eos": True}, at=at)
    partial = caught.value.partial
    assert text_of(partial)
    assert partial.choices[0].finish_reason is None
    assert isinstance(caught.value.__cause__, APIConnectionError)
    assert len(heard) >= 3
    (attempt,) = caught.value.attempts
    assert attempt.outcome == "APIConnectionError"


def test_closing_a_stream_early_stops_the_server(asker: Asker, llama_server: LlamaServer) -> None:
    """The connection is given up, so the server generates for nobody."""
    before = metric(llama_server, "tokens_predicted_total")
    streamed = asker.stream("Count for ever.", take=3, extra_body={"ignore_eos": True}, max_tokens=900)
    assert len(streamed.chunks) == 3
    wait_until_idle(llama_server)
    assert metric(llama_server, "tokens_predicted_total") - before < 200


def test_the_second_call_is_a_cache_hit(vendor: str, way: str, llama_server: LlamaServer) -> None:
    """It equals the first, costs nothing, and the server never hears of it, streamed or not."""
    with Asker(way, [VENDORS[vendor](llama_server.url)]) as asker:
        params: dict[str, Any] = {"max_tokens": 60, "stop": ["e"], "temperature": 0}  # cut answers are not stored
        first = asker.create("Name a river.", **params)
        before = metric(llama_server, "prompt_tokens_total"), metric(llama_server, "prompt_tokens_cached_total")
        second = asker.create("Name a river.", **params)
        replayed = asker.stream("Name a river.", **params)
        after = metric(llama_server, "prompt_tokens_total"), metric(llama_server, "prompt_tokens_cached_total")
    assert second == first
    assert second is not first
    assert (second.edge.cached, second.edge.cache_tier, second.edge.provider) == (True, "memory", vendor)
    assert replayed.text == text_of(first)
    assert replayed.edge.cached
    assert replayed.usage == first.usage
    assert after == before


def test_a_dead_provider_is_passed_over(vendor: str, way: str, dead_url: str, llama_server: LlamaServer) -> None:
    """The next target answers, and the attempts tell the story."""
    make = VENDORS[vendor]
    providers = [make(dead_url, name="dead"), make(llama_server.url, name="live")]
    with Asker(way, providers, models={"any": [f"dead/{NAME}", f"live/{NAME}"]}, cache=False, retry=0) as asker:
        completion = asker.create(model="any", max_tokens=4, temperature=0)  # else it may have nothing to say
        streamed = asker.stream(model="any", max_tokens=4, temperature=0)
    for edge in (completion.edge, streamed.edge):
        assert edge.provider == "live"
        assert [(str(one.target), one.outcome) for one in edge.attempts] == [
            (f"dead/{NAME}", "APIConnectionError"),
            (f"live/{NAME}", "ok"),
        ]
    assert streamed.text


def test_one_vendor_stands_in_for_the_other(way: str, dead_url: str, llama_server: LlamaServer) -> None:
    """A conversation with a tool's result moves from one wire format to the other in one call."""
    providers = [VENDORS["openai"](dead_url), VENDORS["anthropic"](llama_server.url)]
    call = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": CALL_PROMPT},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "Sunny, 21 degrees."},
    ]
    with Asker(way, providers, models={"any": [f"openai/{NAME}", f"anthropic/{NAME}"]}) as asker:
        answer = asker.create(model="any", messages=messages, tools=[WEATHER_TOOL], max_tokens=20, temperature=0)
    assert answer.edge.provider == "anthropic"
    assert "unny" in text_of(answer)


def test_identical_requests_in_flight_are_one(vendor: str, llama_server: LlamaServer) -> None:
    """Threads that ask the same at the same time share one answer: the server generates it once."""
    before = metric(llama_server, "tokens_predicted_total")
    answers: list[ChatCompletion] = []
    with Asker("sync", [VENDORS[vendor](llama_server.url)]) as asker:
        together = threading.Barrier(4)

        def ask() -> None:
            together.wait()
            answers.append(asker.create("Count to one hundred in words.", max_tokens=30))

        _in_threads(ask, 4)
    assert len({answer.id for answer in answers}) == 1
    assert len({id(answer) for answer in answers}) == 4
    (usage,) = {answer.usage.completion_tokens for answer in answers if answer.usage is not None}
    wait_until_idle(llama_server)
    assert metric(llama_server, "tokens_predicted_total") - before == usage


def _in_threads(function: Callable[[], None], number: int) -> None:
    threads = [threading.Thread(target=function) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
