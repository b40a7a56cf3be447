"""The order of the events, whatever was answered, by whomever, and however it was cut into chunks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types import responses as theirs

from edgeagent.errors import APIError
from edgeagent.providers.responses import ResponsesCodec
from edgeagent.providers.responses.replay import stream_of
from edgeagent.types import ChatCompletion, ChatCompletionChunk
from edgeagent.types.assembly import assemble, to_chunks
from edgeagent.types.responses.events import event_from
from edgeagent.wire.http import HTTPResponse
from tests.providers.every import CODECS, Wire
from tests.providers.responses.order import check_order
from tests.providers.responses.reading import events_of
from tests.providers.responses.support import APIS, CODEC, asking, read
from tests.support.corpus import body, records

TEXT = st.text(alphabet='aé€𝄞 \n{}"', max_size=4)
CALLS = st.integers(0, 2)
SEARCH = {"type": "web_search_call", "id": "ws", "status": "completed"}


def called(index: int, text: str) -> dict[str, Any]:
    """Every second tool is a custom one."""
    if index % 2:
        return {"type": "custom", "custom": {"name": "g", "input": text}}
    return {"function": {"name": "f", "arguments": text}}


DELTAS = st.one_of(
    st.builds(lambda text: {"content": text}, TEXT),
    st.builds(lambda text: {"reasoning_content": text}, TEXT),
    st.builds(lambda text: {"refusal": text}, TEXT),
    st.builds(
        lambda index, text, kind: {
            "tool_calls": [{"index": index, "id": f"c{index}", kind[0]: {"name": "f", kind[1]: text}}]
        },
        CALLS,
        TEXT,
        st.sampled_from([("function", "arguments")]),
    ),
    st.just({"annotations": [{"type": "url_citation", "url_citation": {"url": "https://x", "start_index": 0}}]}),
    st.just({"native_content": {"wire": "anthropic.messages", "content": [{"type": "thinking", "signature": "s"}]}}),
    st.just(
        {
            "native_content": {
                "wire": "openai.responses",
                "content": [{"type": "web_search_call", "id": "ws", "status": "x"}],
            }
        }
    ),
)
FINISH = st.sampled_from(["stop", "length", "content_filter", "tool_calls", None])


def streamed(chunks: list[ChatCompletionChunk], codec: ResponsesCodec = CODEC) -> list[dict[str, Any]]:
    encoder = codec.stream_encoder()
    return events_of((b"".join(map(encoder.feed, chunks)) + encoder.end()).decode())


@settings(max_examples=300, deadline=None)
@given(st.lists(DELTAS, max_size=12), FINISH)
def test_any_chunks_are_told_in_the_documented_order(deltas: list[dict[str, Any]], finish: str | None) -> None:
    """Interleaved as no vendor would, with parts that end where another begins."""
    choices: list[dict[str, Any]] = [{"index": 0, "delta": delta} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": finish})
    chunks = [
        ChatCompletionChunk.model_validate({"id": "c", "created": 1, "model": "m", "choices": [choice]})
        for choice in choices
    ]
    check_order(streamed(chunks))


def test_recorded_answers_of_this_api_are_told_in_order_again() -> None:
    """Read, and written; and what servers recorded in this order is: the judge is not stricter than they are."""
    judged = 0
    for api in ("openai", "azure"):
        for record in records(f"{api}.responses"):
            if not record["stream"] or record["status"] != 200:
                continue
            check_order(streamed(read([body(record)])))
            events = [
                e
                for e in events_of(body(record).decode())
                if ("response" in e or "output_index" in e) and e["type"] != "response.queued"
            ]
            if not {"reasoning", "message", "function_call"} >= {
                event["item"]["type"] for event in events if event["type"] == "response.output_item.done"
            }:
                continue  # tools of the vendor's have events of their own
            for number, event in enumerate(events):  # recorders scrub, some servers count from elsewhere
                event["sequence_number"] = number
            check_order(events, recorded=True)
            judged += 1
    assert judged > 5


def without_notes(response: dict[str, Any]) -> dict[str, Any]:
    """A copy of the response without annotations of texts and without its service tier: vendors have their own."""
    copy: dict[str, Any] = json.loads(json.dumps(response))
    copy.pop("service_tier", None)
    for item in copy["output"]:
        for part in item["content"] if item["type"] == "message" else ():
            part.pop("annotations", None) if part["type"] == "refusal" else part.update(annotations=[])
    return copy


OTHERS = [wire for wire in CODECS if wire.name != "responses"]


def answers(wire: Wire) -> Iterator[list[ChatCompletionChunk]]:
    """The chunks of every recorded answer of one API, whole ones too."""
    for record in records(wire.api):
        if record["status"] != 200:
            continue
        head = HTTPResponse(200, record["response"]["headers"])
        with suppress(APIError):
            if record["stream"]:
                decoder = wire.codec.stream_decoder(asking(), head)
                chunks = decoder.feed(body(record))
                yield chunks + decoder.end()
            else:
                yield to_chunks(wire.codec.decode_response(HTTPResponse(200, head.headers, body(record))))


@pytest.mark.bulk
@pytest.mark.parametrize("wire", OTHERS, ids=str)
def test_recorded_answers_of_others_are_told_in_order(wire: Wire) -> None:
    """Every one; openai's own models take each event, and the output sent back says to its vendor what it said."""
    count = 0
    for chunks in answers(wire):
        events = streamed(chunks)
        check_order(events)
        response = events[-1]["response"]
        completion = assemble(chunks)
        if not completion.choices or completion.choices[0].message.audio is not None:
            continue
        message = completion.choices[0].message
        hers = theirs.Response.model_validate(without_notes(response))  # some vendors have annotations of their own
        assert hers.output_text == (message.content or "")
        for event in events:
            mine: Any = event_from(event)
            assert mine.to_dict() == event
        back = CODEC.decode_request({"model": "m", "input": ["hi", *response["output"]][1:] or "hi"}).messages
        assert "".join(one.get("content") or "" for one in back if one["role"] == "assistant") == (
            message.content or ""
        )
        if message.native_content is not None:
            assert back[-1]["native_content"] == json.loads(json.dumps(message.native_content))
        count += 1
    assert count > 0


def test_a_whole_response_becomes_the_stream_that_tells_it() -> None:
    """Every recorded document: in order, itself in the last event, and it reads as the same answer."""
    count = 0
    for api in APIS:
        for record in records(f"{api}.responses"):
            document = record["response"].get("body_json")
            if (
                record["status"] != 200
                or not isinstance(document, dict)
                or document.get("status")
                not in (
                    "completed",
                    "incomplete",
                )
            ):
                continue
            data = stream_of(document)
            events = events_of(data.decode())
            assert events[-1]["response"] == document
            if all(item.get("id") for item in document["output"]):
                check_order(events)
            whole = CODEC.decode_response(HTTPResponse(200, content=json.dumps(document).encode()))
            said = assemble(read([data])).choices[0].message
            assert (said.content or "") == (whole.choices[0].message.content or "")
            assert said.tool_calls == whole.choices[0].message.tool_calls
            assert said.native_content == whole.choices[0].message.native_content
            count += 1
    assert count > 20


ASKED = {
    "model": "m",
    "input": "hi",
    "instructions": "Be kind.",
    "tools": [{"type": "function", "name": "f", "parameters": {}}],
    "temperature": 0.5,
    "metadata": {"a": "b"},
    "reasoning": {"effort": "low"},
    "user": None,
}


def test_an_answer_repeats_what_was_asked() -> None:
    """In the document, and in the first and the last event."""
    codec = ResponsesCodec(asked=ASKED)
    completion = ChatCompletion.model_validate(
        {"id": "msg_1", "created": 1, "model": "claude", "choices": [{"index": 0, "message": {"content": "hi"}}]}
    )
    events = streamed(to_chunks(completion), codec)
    for response in (codec.encode_response(completion), events[0]["response"], events[-1]["response"]):
        for name in ("instructions", "tools", "temperature", "metadata", "reasoning"):
            assert response[name] == ASKED[name]
        assert response["model"] == "claude"
        assert "input" not in response
    assert codec.encode_response(completion)["output"] == CODEC.encode_response(completion)["output"]
