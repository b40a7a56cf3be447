"""What a provider of the caller's own may answer, as a table; everything else is a typed error."""

from __future__ import annotations

from typing import Any

import openai.types.chat as theirs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from edgeagent.errors import ResponseValidationError
from edgeagent.providers.answers import LOCAL_ID, chunk_from, completion_from
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.types.metadata import ResponseMetadata

REQUEST = ChatRequest(model="m", messages=[{"role": "user", "content": "private prompt"}])
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
FULL = {
    "id": "chatcmpl-9",
    "object": "chat.completion",
    "created": 7,
    "model": "n",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "A"}, "finish_reason": "length"}],
    "usage": USAGE,
    "vendor_field": {"a": [1]},
}
TOP = {"id": LOCAL_ID, "created": 0, "model": "m"}


def choice(message: dict[str, Any], reason: str = "stop", **fields: Any) -> dict[str, Any]:
    return {"index": 0, "message": message, "finish_reason": reason, **fields}


def call(**fields: Any) -> dict[str, Any]:
    function = {"name": "look", "arguments": '{"a":1}'}
    return {"id": "call_0", "type": "function", "function": function, **fields}


COMPLETIONS = [
    pytest.param("A", {**TOP, "choices": [choice({"content": "A"})]}, id="text"),
    pytest.param("", {**TOP, "choices": [choice({"content": ""})]}, id="empty text"),
    pytest.param({"content": "A"}, {**TOP, "choices": [choice({"content": "A"})]}, id="message"),
    pytest.param(
        {"content": "A", "role": "assistant", "vendor": 1},
        {**TOP, "choices": [choice({"content": "A", "role": "assistant", "vendor": 1})]},
        id="message with fields of a vendor",
    ),
    pytest.param({"refusal": "no"}, {**TOP, "choices": [choice({"refusal": "no"})]}, id="refusal"),
    pytest.param(
        {"content": "A", "finish_reason": "length", "native_finish_reason": "max", "logprobs": None},
        {
            **TOP,
            "choices": [choice({"content": "A"}, "length", native_finish_reason="max", logprobs=None)],
        },
        id="message with fields of its choice",
    ),
    pytest.param(
        {"content": "A", "usage": USAGE, "model": "n", "id": "x", "created": 5},
        {"id": "x", "created": 5, "model": "n", "usage": USAGE, "choices": [choice({"content": "A"})]},
        id="message with fields of its completion",
    ),
    pytest.param(
        {"tool_calls": [{"function": {"name": "look", "arguments": {"a": 1}}}]},
        {**TOP, "choices": [choice({"tool_calls": [call()]}, "tool_calls")]},
        id="tool call in short",
    ),
    pytest.param(
        {"tool_calls": [call(id="a"), call(id="b", function={"name": "look", "arguments": "{"})]},
        {
            **TOP,
            "choices": [
                choice(
                    {"tool_calls": [call(id="a"), call(id="b", function={"name": "look", "arguments": "{"})]},
                    "tool_calls",
                )
            ],
        },
        id="tool calls in full, arguments as they are",
    ),
    pytest.param(
        {"tool_calls": [{"custom": {"name": "sql", "input": "select"}}]},
        {
            **TOP,
            "choices": [
                choice(
                    {"tool_calls": [{"id": "call_0", "type": "custom", "custom": {"name": "sql", "input": "select"}}]},
                    "tool_calls",
                )
            ],
        },
        id="custom tool call in short",
    ),
    pytest.param(
        {"function_call": {"name": "look", "arguments": "{}"}},
        {**TOP, "choices": [choice({"function_call": {"name": "look", "arguments": "{}"}}, "function_call")]},
        id="older function call",
    ),
    pytest.param(
        {"content": "A", "tool_calls": []},
        {**TOP, "choices": [choice({"content": "A", "tool_calls": []})]},
        id="no tool calls after all",
    ),
    pytest.param(FULL, FULL, id="completion"),
    pytest.param(
        {"choices": [{"message": {"content": "A"}}, {"message": {"content": "B"}, "finish_reason": None}]},
        {**TOP, "choices": [choice({"content": "A"}), {**choice({"content": "B"}), "index": 1, "finish_reason": None}]},
        id="completion in short",
    ),
]


@pytest.mark.parametrize(("value", "expected"), COMPLETIONS)
def test_completion(value: Any, expected: dict[str, Any]) -> None:
    """Text, a message and a completion become a completion; what is left out is filled in."""
    assert completion_from(value, request=REQUEST) == ChatCompletion.model_validate(expected)


def test_a_dump_is_complete() -> None:
    """What is filled in counts as set: role and object are in the dump, as in OpenAI's own answers."""
    assert completion_from("A", request=REQUEST).to_dict() == {
        **TOP,
        "object": "chat.completion",
        "choices": [choice({"role": "assistant", "content": "A"})],
    }
    assert chunk_from("A", request=REQUEST).to_dict()["object"] == "chat.completion.chunk"


def test_id_and_created_are_the_callers() -> None:
    """An answer without an id and a time gets those of the caller; one that has them keeps its own."""
    made = completion_from("A", request=REQUEST, id="x", created=5)
    assert (made.id, made.created) == ("x", 5)
    kept = completion_from(FULL, request=REQUEST, id="x", created=5)
    assert (kept.id, kept.created) == ("chatcmpl-9", 7)
    chunk = chunk_from("A", request=REQUEST, id="x", created=5)
    assert (chunk.id, chunk.created) == ("x", 5)


def test_nothing_is_shared() -> None:
    """Changing the completion changes nothing of the answer that it was made of."""
    original = ChatCompletion.model_validate(FULL)
    original._edge = ResponseMetadata(provider="inner")
    for value in (original, dict(FULL)):
        made = completion_from(value, request=REQUEST)
        made.choices[0].message.content = "changed"
        made.vendor_field["a"].append(2)
        made.edge.provider = "outer"
    assert original == ChatCompletion.model_validate(FULL)
    assert FULL["vendor_field"] == {"a": [1]}
    assert original.edge.provider == "inner"


def test_objects_of_openai() -> None:
    """The objects of the `openai` package are taken as they are, fields of a vendor included."""
    made = completion_from(theirs.ChatCompletion.model_validate(FULL), request=REQUEST)
    assert made.to_dict() == FULL
    body = {**TOP, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "A"}}]}
    assert chunk_from(theirs.ChatCompletionChunk.construct(**body), request=REQUEST).choices[0].delta.content == "A"


class Other(BaseModel):
    """A pydantic model that is no completion."""

    content: list[int] = [1]


class Loop(dict[str, Any]):
    """A dict that holds itself."""

    def __init__(self) -> None:
        super().__init__(content="A")
        self["self"] = self


NO_COMPLETIONS = [
    pytest.param(None, "not NoneType", id="nothing"),
    pytest.param(b"private", "not bytes", id="bytes"),
    pytest.param(["private"], "not list", id="a list"),
    pytest.param(42, "not int", id="a number"),
    pytest.param(ValueError("private"), "not ValueError", id="an exception"),
    pytest.param({}, "it has nothing", id="an empty dict"),
    pytest.param({"contnet": "private"}, "it has 'contnet'", id="no field of a message"),
    pytest.param({"role": "assistant"}, "it has 'role'", id="a role alone"),
    pytest.param({"choices": []}, "no choices", id="no choices"),
    pytest.param({"choices": "private"}, "no choices", id="choices of another type"),
    pytest.param({"choices": ["private"]}, "choices.0", id="a choice of another type"),
    pytest.param({"choices": [{}]}, "choices.0.message", id="a choice without a message"),
    pytest.param({"choices": [{"message": "private"}]}, "choices.0.message", id="a message of another type"),
    pytest.param({"content": ["private"]}, "choices.0.message.content", id="content of another type"),
    pytest.param({"tool_calls": "private"}, "choices.0.message.tool_calls", id="tool calls of another type"),
    pytest.param({"tool_calls": ["private"]}, "tool_calls.0", id="a tool call of another type"),
    pytest.param({"content": "A", "finish_reason": "private"}, "finish_reason", id="an unknown finish reason"),
    pytest.param({"content": "A", "usage": {"private": 1}}, "usage", id="usage of another form"),
    pytest.param({"content": "A", "other": object()}, "not JSON", id="something that is not JSON"),
    pytest.param(Loop(), "not JSON", id="a dict that holds itself"),
    pytest.param(Other(), "it has nothing", id="another pydantic model"),
    pytest.param(
        Other(content=[2]), "choices.0.message.content", id="another pydantic model with a field of a message"
    ),
    pytest.param(ChatCompletion(id="c", created=1, model="m", choices=[]), "no choices", id="an empty completion"),
]


@pytest.mark.parametrize(("value", "reason"), NO_COMPLETIONS)
def test_no_completion(value: Any, reason: str) -> None:
    """Anything else is a ResponseValidationError that says what is wrong and quotes nothing."""
    with pytest.raises(ResponseValidationError) as caught:
        completion_from(value, request=REQUEST)
    assert reason in str(caught.value)
    assert "private" not in f"{caught.value!r} {caught.value} {caught.value.body}"


def chunk(delta: dict[str, Any] | None, **fields: Any) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, **fields.pop("choice", {})}]
    return {**TOP, "choices": choices, **fields}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("A", chunk({"content": "A"}), id="text"),
        pytest.param({"content": "A"}, chunk({"content": "A"}), id="delta"),
        pytest.param({"role": "assistant"}, chunk({"role": "assistant"}), id="role"),
        pytest.param(
            {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "look"}}]},
            chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "look"}}]}),
            id="tool call",
        ),
        pytest.param(
            {"content": "A", "finish_reason": "stop"},
            chunk({"content": "A"}, choice={"finish_reason": "stop"}),
            id="delta with a field of its choice",
        ),
        pytest.param({"finish_reason": "stop"}, chunk({}, choice={"finish_reason": "stop"}), id="finish reason"),
        pytest.param({"usage": USAGE}, chunk(None, usage=USAGE), id="usage"),
        pytest.param({"content": "A", "usage": USAGE}, chunk({"content": "A"}, usage=USAGE), id="delta with usage"),
        pytest.param(chunk({"content": "A"}, id="z"), chunk({"content": "A"}, id="z"), id="chunk"),
    ],
)
def test_chunk(value: Any, expected: dict[str, Any]) -> None:
    """Text, a delta and a chunk become a chunk."""
    assert chunk_from(value, request=REQUEST) == ChatCompletionChunk.model_validate(expected)


@pytest.mark.parametrize("value", [None, b"private", {}, {"contnet": "private"}, {"content": 1}, {"choices": [{}]}])
def test_no_chunk(value: Any) -> None:
    """Anything else is a ResponseValidationError that quotes nothing."""
    with pytest.raises(ResponseValidationError) as caught:
        chunk_from(value, request=REQUEST)
    assert "private" not in str(caught.value)


def test_chunks_share_nothing() -> None:
    """A chunk object that is given out twice is two chunks."""
    original = ChatCompletionChunk.model_validate(chunk({"content": "A"}))
    chunk_from(original, request=REQUEST).choices[0].delta.content = "changed"
    assert original.choices[0].delta.content == "A"


keys = st.sampled_from(["content", "tool_calls", "choices", "usage", "message", "finish_reason", "role", "id", "index"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_any_value(value: Any) -> None:
    """Whatever a provider returns, the outcome is a completion (chunk) or a ResponseValidationError."""
    for function in (completion_from, chunk_from):
        try:
            made = function(value, request=REQUEST)
        except ResponseValidationError:
            continue
        assert type(made).model_validate_json(made.model_dump_json(exclude_unset=True)) == made
