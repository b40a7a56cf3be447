"""What `strict` promised is checked on the answer where the vendor was asked for less."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent import EdgeClient, RequestValidationError, ResponseValidationError, StreamInterruptedError
from edgeagent.core import promises as module
from edgeagent.core.promises import check_promises, require_checker
from edgeagent.providers import Anthropic
from edgeagent.providers.base import Promise
from edgeagent.types import ChatCompletion
from tests.support.loopback import Loopback, Request, reply

__all__: list[str] = []

AGE = {
    "type": "object",
    "properties": {"age": {"type": "integer", "minimum": 18}},
    "required": ["age"],
    "additionalProperties": False,
}


def answer(content: str | None = None, finish: str = "stop", **message: Any) -> ChatCompletion:
    choice = {"index": 0, "message": {"content": content, **message}, "finish_reason": finish}
    return ChatCompletion.model_validate({"id": "1", "created": 1, "model": "m", "choices": [choice]})


def called(arguments: str, name: str = "f") -> ChatCompletion:
    call = {"id": "1", "type": "function", "function": {"name": name, "arguments": arguments}}
    return answer(finish="tool_calls", tool_calls=[call])


@pytest.mark.parametrize(
    ("completion", "tool"),
    [
        (answer('{"age": 18}'), None),
        (answer('{"age": 1', "length"), None),
        (answer("", "content_filter"), None),
        (answer('{"age": 1}', refusal="I will not."), None),
        (called("{}"), None),
        (called('{"age": 44}'), "f"),
        (called("{}", "other"), "f"),
        (answer("words"), "f"),
    ],
)
def test_what_keeps_a_promise(completion: ChatCompletion, tool: str | None) -> None:
    """The right form, and what is no whole answer: cut off, filtered, refused, another tool's call."""
    check_promises([Promise(AGE, tool)], completion)


@pytest.mark.parametrize(
    ("completion", "tool", "place"),
    [
        (answer('{"age": 17}'), None, "properties.age.minimum"),
        (answer('{"age": 18.5}'), None, "properties.age.type"),
        (answer("{}"), None, "required"),
        (answer('{"age": 44, "secret-name": 1}'), None, "additionalProperties"),
        (answer("I am secret-name."), None, "not JSON"),
        (answer('{"age": NaN}'), None, "not JSON"),
        (called('{"age": 3}'), "f", "properties.age.minimum"),
        (answer(function_call={"name": "f", "arguments": '{"age": 3}'}), "f", "properties.age.minimum"),
    ],
)
def test_what_breaks_a_promise(completion: ChatCompletion, tool: str | None, place: str) -> None:
    """The error says where, and quotes nothing of the answer."""
    with pytest.raises(ResponseValidationError) as caught:
        check_promises([Promise(AGE, tool)], completion)
    assert place in str(caught.value)
    assert "secret-name" not in str(caught.value)


@pytest.mark.parametrize("schema", [{"type": "nothing"}, {"$ref": "http://127.0.0.1:9/schema.json"}, {"pattern": "("}])
def test_what_is_no_schema(schema: dict[str, Any]) -> None:
    """It is refused before anything is sent, and nothing is fetched."""
    with pytest.raises(RequestValidationError) as caught:
        require_checker([Promise(schema)])
    assert caught.value.param == "response_format"


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""

    def missing() -> Any:
        raise ImportError

    monkeypatch.setattr(module, "_library", missing)
    with pytest.raises(RequestValidationError, match=r"pip install 'edgeagent\[schema\]'") as caught:
        require_checker([Promise(AGE, "f")])
    assert caught.value.param == "tools"
    require_checker([])


def message(text: str) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-4-8",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }


def streamed(text: str) -> bytes:
    events = [
        {"type": "message_start", "message": {**message(text), "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
    ]
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


PARAMS: dict[str, Any] = {
    "model": "claude-opus-4-8",
    "messages": [{"role": "user", "content": "How old?"}],
    "max_tokens": 9,
    "response_format": {"type": "json_schema", "json_schema": {"name": "age", "schema": AGE, "strict": True}},
}


def test_a_broken_promise_is_tried_again() -> None:
    """An answer out of the promised form is one more attempt, and is never cached."""
    texts = iter(['{"age": 3}', '{"age": 44}'])
    with (
        Loopback(lambda _: reply(200, message(next(texts)))) as server,
        EdgeClient(providers=[Anthropic(api_key="k", base_url=server.url)], retry=1) as client,
    ):
        client._engine.runtime.sync_driver._sleep = lambda _: None
        made = client.chat.completions.create(**PARAMS)
        assert made.choices[0].message.content == '{"age": 44}'
        assert [attempt.outcome for attempt in made.edge.attempts] == ["ResponseValidationError", "ok"]
        again = client.chat.completions.create(**PARAMS)
        assert (again.edge.cached, again.choices[0].message.content) == (True, '{"age": 44}')


def test_a_stream_that_breaks_a_promise_ends_with_an_error() -> None:
    """The caller has seen the text by then; the error carries it, and nothing is cached."""
    asked: list[Request] = []

    def serve(request: Request) -> bytes:
        asked.append(request)
        return reply(200, streamed('{"age": 3}'), content_type="text/event-stream")

    with (
        Loopback(serve) as server,
        EdgeClient(providers=[Anthropic(api_key="k", base_url=server.url)], retry=0) as client,
    ):
        for _ in range(2):
            with pytest.raises(StreamInterruptedError) as caught:
                list(client.chat.completions.create(**PARAMS, stream=True))
            assert caught.value.partial is not None
            assert caught.value.partial.choices[0].message.content == '{"age": 3}'
            assert isinstance(caught.value.__cause__, ResponseValidationError)
    assert len(asked) == 2
