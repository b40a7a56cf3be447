"""What Mistral really sends and naive adapters get wrong, one test each; the numbers are those of the collection."""

from __future__ import annotations

import json

import pytest

from edgeagent.errors import AuthenticationError, UnprocessableEntityError
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.providers.mistral.support import CODEC, asking
from tests.support.corpus import body, record

API = "mistral.chat"


def test_oddity_41_calls_without_index_or_type() -> None:
    """Two calls in one delta, without index and type, are two calls."""
    decoder = CODEC.stream_decoder(asking())
    chunks = decoder.feed(body(record(API, "ff0f28cbcb")))
    fragments = [call for chunk in chunks for choice in chunk.choices for call in choice.delta.tool_calls or ()]
    assert [(call.index, call.type) for call in fragments] == [(0, "function"), (1, "function")]
    [choice] = assemble(chunks + decoder.end()).choices
    calls = [(c.id, c.function.name, json.loads(c.function.arguments)) for c in choice.message.tool_calls if c.function]
    arguments = {"a": 1, "b": 2}
    assert calls == [("QAw0JBXkB", "plus", arguments), ("HlyhI5zAI", "minus", arguments)]
    assert (choice.message.content, choice.finish_reason) == (None, "tool_calls")


def test_oddity_42_content_is_a_list_with_thinking() -> None:
    """Thinking parts are the reasoning, text parts the content, and the parts go back as they came: whole, streamed."""
    given = record(API, "207e5baa43")["response"]["body_json"]["choices"][0]["message"]["content"]
    whole = CODEC.decode_response(HTTPResponse(200, content=body(record(API, "207e5baa43")))).choices[0].message
    assert whole.content == "144"
    assert whole.reasoning_content == given[0]["thinking"][0]["text"]
    decoder = CODEC.stream_decoder(asking())
    chunks = decoder.feed(body(record(API, "0f6f682775")))
    streamed = assemble(chunks).choices[0].message
    assert streamed.reasoning_content is not None
    assert streamed.reasoning_content.startswith("Okay, the user has asked")
    assert streamed.content is not None
    assert streamed.content.startswith("What is 2+2?")
    assert sum(bool(c.delta.reasoning_content) for chunk in chunks for c in chunk.choices) > 20  # as it comes
    for message in (whole, streamed):
        turn = message.model_dump(exclude_unset=True)
        sent = CODEC.encode_request(asking(messages=[turn]), model="m", stream=False).body["messages"][0]
        assert [part["type"] for part in sent["content"]] == ["thinking", "text"]
        assert sent["content"][0]["thinking"] == [{"type": "text", "text": message.reasoning_content}]


@pytest.mark.parametrize(
    ("digits", "kind", "text"),
    [
        ("0d2f0dd518", UnprocessableEntityError, "body.tools.list[Tool].0.type: Input should be 'function'"),
        ("eb85646b0e", AuthenticationError, "Unauthorized"),
    ],
)
def test_oddity_43_errors_with_a_detail(digits: str, kind: type[Exception], text: str) -> None:
    """A `detail` that is a list says what is wrong where; one that is a text is the message."""
    found = record(API, digits)
    error = CODEC.decode_error(HTTPResponse(found["status"], found["response"]["headers"], body(found)))
    assert type(error) is kind
    assert error.message.startswith(text)
    assert error.body == found["response"]["body_json"]
