"""`client.responses` for vendors that have only chat: recorded answers of theirs, as openai's objects."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai.types import responses as theirs

from edgeagent.errors import APIError
from edgeagent.providers import Anthropic, Gemini
from edgeagent.testing import FakeProvider
from edgeagent.types.assembly import assemble
from edgeagent.types.responses import Response
from edgeagent.wire.http import HTTPResponse
from tests.providers.every import CODECS
from tests.providers.responses.order import check_order
from tests.providers.responses.support import asking
from tests.resources.both import Driven, every_way
from tests.support.corpus import Record, body, records
from tests.support.loopback import Loopback, reply

ASK: dict[str, Any] = {"input": "hi", "max_output_tokens": 500}
VENDORS = {
    "anthropic": ("claude-sonnet-4-5", "anthropic.messages", lambda url: Anthropic(api_key="k", base_url=url)),
    "gemini": ("gemini-2.5-flash", "gemini.generate", lambda url: Gemini(api_key="k", base_url=url)),
}


def answers(api: str, *, stream: bool) -> list[Record]:
    found = [r for r in records(api) if r["status"] == 200 and r["stream"] == stream]
    return [r for r in found if stream == ("body_text" in r["response"])]


def chosen(api: str, most: int) -> list[Record]:
    """At most about so many of each kind, from the whole length of the collection."""
    both = answers(api, stream=False), answers(api, stream=True)
    return [record for some in both for record in some[:: 1 + len(some) // most]]


def completion_of(name: str, record: Record) -> Any:
    """What the vendor's codec reads, or None for what it refuses."""
    codec = next(wire.codec for wire in CODECS if wire.name == name)
    head = HTTPResponse(200, record["response"]["headers"], body(record))
    try:
        if not record["stream"]:
            return codec.decode_response(head)
        decoder = codec.stream_decoder(asking(), head)
        return assemble(decoder.feed(head.content) + decoder.end())
    except APIError:
        return None


@pytest.mark.bulk
@every_way
@pytest.mark.parametrize("name", VENDORS)
def test_recorded_answers_of_others_are_responses(way: Any, name: str) -> None:
    """openai's models take each; text, calls and usage are what the vendor said; streamed and unstreamed are alike."""
    model, api, make = VENDORS[name]
    queue: list[Record] = []

    def handler(request: Any) -> bytes:
        kind = queue[0]["response"]["headers"].get("content-type") or "text/event-stream"
        return reply(200, body(queue[0]), content_type=kind)

    count = 0
    with Loopback(handler) as server:
        client = Driven(way, providers=[make(server.url)], cache=False, retry=0)
        for record in chosen(api, 150 if way is None else 15):
            said = completion_of(name, record)
            if said is None or not said.choices:
                continue
            queue[:] = [record]
            if record["stream"]:
                found = client.events(model=model, **ASK)
                check_order([event.to_dict() for event in found])
                response = found[-1].response
            else:
                response = client.ask(model=model, **ASK)
            compare(response, said)
            assert response.edge.provider == name
            count += 1
        client.close()
    assert count > (50 if way is None else 10)


def compare(response: Response, said: Any) -> None:
    message = said.choices[0].message
    hers = theirs.Response.model_validate(response.to_dict())
    assert response.output_text == hers.output_text == (message.content or "")
    calls = [item for item in hers.output if item.type == "function_call"]
    assert [(call.call_id, call.name, call.arguments) for call in calls] == [
        (call.id, call.function.name, call.function.arguments) for call in message.tool_calls or ()
    ]
    thoughts = [part.text for item in hers.output if item.type == "reasoning" for part in item.summary]
    assert "".join(thoughts) == (message.reasoning_content or "")
    if said.usage is not None:
        assert hers.usage is not None
        assert (hers.usage.input_tokens, hers.usage.output_tokens) == (
            said.usage.prompt_tokens,
            said.usage.completion_tokens,
        )
    cut = said.choices[0].finish_reason in ("length", "content_filter")
    assert hers.status == ("incomplete" if cut else "completed")
    assert hers.max_output_tokens == 500


THINKING = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [
        {"type": "thinking", "thinking": "The weather.", "signature": "c2ln"},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Paris"}},
    ],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 3, "output_tokens": 4},
}
WEATHER = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}, "strict": False}


@every_way
def test_a_tool_loop_with_signed_reasoning(way: Any) -> None:
    """What Claude signed goes back to Claude exactly, though the caller only knows the items of a response."""
    with Loopback(lambda request: reply(200, THINKING)) as server:
        client = Driven(way, providers=[Anthropic(api_key="k", base_url=server.url)], cache=False)
        asked = [{"role": "user", "content": "The weather in Paris?"}]
        params = {"model": "claude-sonnet-4-5", "tools": [WEATHER], "reasoning": {"effort": "low", "summary": "auto"}}
        first = client.ask(input=asked, **params)
        assert [item.type for item in first.output] == ["reasoning", "message", "function_call", "reasoning"]
        output = {"type": "function_call_output", "call_id": "toolu_1", "output": "Sunny."}
        for items in (first.output, [item.to_dict() for item in first.output]):
            client.ask(input=[*asked, *items, output], **params)
            _, assistant, result = server.requests[-1].json()["messages"]
            assert assistant["content"] == THINKING["content"]
            assert result["content"][0]["tool_use_id"] == "toolu_1"
        client.close()


@every_way
def test_a_hit_is_told_in_the_callers_words(way: Any) -> None:
    """Streamed or not, the answer is from memory, and repeats what this caller asked."""
    fake = FakeProvider({"content": "Paris", "reasoning_content": "Hm."})
    client = Driven(way, providers=[fake])
    whole = client.ask(model="m", input="Where?", instructions="Be kind.")
    events = client.events(model="m", input="Where?", instructions="Be kind.")
    again = client.ask(model="m", input="Where?", instructions="Be kind.")
    assert len(fake.requests) == 1
    assert again.edge.cached
    assert events[-1].response.edge.cached
    assert again == whole
    assert [item.to_dict() for item in events[-1].response.output] == [item.to_dict() for item in whole.output]
    assert whole.instructions == events[0].response.instructions == "Be kind."
    client.close()


def test_identical_calls_under_way_share_one() -> None:
    """Single flight holds for responses."""
    from concurrent.futures import ThreadPoolExecutor

    fake = FakeProvider("Paris", latency=0.05)
    client = Driven(None, providers=[fake])
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: client.ask(model="m", input="hi"), range(8)))
    assert {answer.output_text for answer in found} == {"Paris"}
    assert len(fake.requests) == 1
    assert json.loads(found[0].to_json())["output"][0]["content"][0]["text"] == "Paris"
    client.close()


def called(*arguments: str) -> list[dict[str, Any]]:
    """A stream's deltas: some text, and a call with each of these arguments."""
    calls = [
        {"index": i, "id": f"call_{i}", "type": "function", "function": {"name": "weather", "arguments": text}}
        for i, text in enumerate(arguments)
    ]
    return [{"role": "assistant", "content": "I look."}, *({"tool_calls": [call]} for call in calls)]


@every_way
@pytest.mark.parametrize("reason", ["length", "content_filter"])
@pytest.mark.parametrize(
    ("arguments", "statuses"),
    [
        ([], ["incomplete"]),
        (['{"city"'], ["completed", "incomplete"]),
        (['{"city": 1}', '{"city"'], ["completed", "completed", "incomplete"]),
    ],
)
def test_what_was_cut_off_is_not_complete(way: Any, reason: str, arguments: list[str], statuses: list[str]) -> None:
    """A call whose arguments stop in the middle is told as OpenAI tells it: a program must not make it."""
    said = called(*arguments)
    message = {**said[0], "tool_calls": [part["tool_calls"][0] for part in said[1:]] or None}
    fake = FakeProvider(
        [
            {"choices": [{"index": 0, "message": message, "finish_reason": reason}]},
            [*said, {"finish_reason": reason}],
        ]
    )
    client = Driven(way, providers=[fake], cache=False)
    whole = client.ask(model="fake/m", input="x", tools=[WEATHER])
    found = client.events(model="fake/m", input="x", tools=[WEATHER])
    client.close()
    for response in (whole, found[-1].response):
        assert response.status == "incomplete"
        assert [item.status for item in response.output] == statuses
    done = [event.item.status for event in found if event.type == "response.output_item.done"]
    assert done == statuses


@every_way
@pytest.mark.parametrize("reason", ["stop", "length", "content_filter"])
@pytest.mark.parametrize("content", ["", None])
def test_an_answer_that_says_nothing_is_a_message(way: Any, reason: str, content: str | None) -> None:
    """Streamed or not: a program may look at the first item, as of OpenAI's."""
    message = {"role": "assistant", "content": content}
    whole = {"choices": [{"index": 0, "message": message, "finish_reason": reason}]}
    client = Driven(way, providers=[FakeProvider([whole, [message, {"finish_reason": reason}]])], cache=False)
    answer = client.ask(model="fake/m", input="x")
    found = client.events(model="fake/m", input="x")
    client.close()
    check_order([event.to_dict() for event in found])
    [item], [streamed] = answer.output, found[-1].response.output
    assert (item.type, item.status) == ("message", "completed" if reason == "stop" else "incomplete")
    assert [part.text for part in item.content] == [part.text for part in streamed.content]
    assert (streamed.type, streamed.status) == (item.type, item.status)
