"""What Responses APIs really send (`ODDITIES.md` beside the recorded traffic), one test each."""

from __future__ import annotations

import json

from edgeagent.errors import BadRequestError, NotFoundError
from edgeagent.types import ChatCompletion
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.providers.responses.support import CODEC, OTHERS, read
from tests.support.corpus import Record, body, record


def whole(found: Record) -> ChatCompletion:
    return CODEC.decode_response(HTTPResponse(200, content=body(found)))


def test_oddity_33_queued_has_no_finish_reason_and_no_usage() -> None:
    """A background answer that has only been queued is no error: nothing has come, and nothing has finished."""
    answer = whole(record("openai.responses", "f75e9b6d29"))
    (choice,) = answer.choices
    assert (choice.finish_reason, choice.native_finish_reason) == (None, "queued")
    assert (choice.message.content, answer.usage) == (None, None)
    assert answer.id.startswith("resp_")


def test_oddity_33_keepalive_is_harmless() -> None:
    """A `keepalive` event between two others changes nothing."""
    data = body(record("openai.responses", "2ef03b87af"))
    lines = data.decode().split("\n\n")
    assert any('"keepalive"' in line for line in lines)
    without = "\n\n".join(line for line in lines if '"keepalive"' not in line).encode()
    assert read([data]) == read([without])


def test_oddity_33_incomplete_is_length() -> None:
    """`status: incomplete` is the finish reason that its details tell."""
    found = record("openai.responses", "45759543da")
    answer = assemble(read([body(found)])) if found["stream"] else whole(found)
    assert answer.choices[0].finish_reason == "length"
    assert answer.choices[0].native_finish_reason == "max_output_tokens"


def test_oddity_33_two_message_items_are_one_text() -> None:
    """The texts of two message items are joined in order, without a separator."""
    found = record("openai.responses", "57b39f3f93")
    response = found["response"]
    items = response["body_json"]["output"] if "body_json" in response else None
    if items is None:
        events = [json.loads(line[6:]) for line in response["body_text"].splitlines() if line.startswith("data: {")]
        items = next(e for e in events if e["type"] == "response.completed")["response"]["output"]
    texts = [part["text"] for item in items if item["type"] == "message" for part in item["content"]]
    answer = assemble(read([body(found)])) if found["stream"] else whole(found)
    assert len(texts) == 2
    assert answer.choices[0].message.content == "".join(texts)


def test_oddity_34_an_unknown_model_is_not_found() -> None:
    """A 400 whose code is `model_not_found` is a `NotFoundError`."""
    found = record("openai.responses", "3c7ac6e0fb")
    error = CODEC.decode_error(HTTPResponse(found["status"], content=body(found)))
    assert (type(error), error.status_code, error.param) == (NotFoundError, 400, "model")


def test_oddity_35_an_empty_output_is_rebuilt_from_the_deltas() -> None:
    """`response.completed` says `output: []` though items came: the answer is what came."""
    found = record("chatgpt.responses", "05dcece214")
    events = [json.loads(line[6:]) for line in body(found).decode().splitlines() if line.startswith("data: {")]
    assert events[-1]["response"]["output"] == []
    said = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    answer = assemble(read([body(found)]))
    assert said
    assert answer.choices[0].message.content == said
    assert answer.choices[0].finish_reason == "stop"


def test_oddity_50_a_bad_key_at_xai_is_a_bad_request_with_its_words() -> None:
    """xAI's 400 has a text where OpenAI has an object, and a code that it has for every bad argument."""
    found = record("xai.responses", "764d71285b")
    error = OTHERS.decode_error(HTTPResponse(found["status"], found["response"]["headers"], body(found)))
    assert type(error) is BadRequestError
    assert error.message == found["response"]["body_json"]["error"]
