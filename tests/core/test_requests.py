"""Keyword arguments → a request that shares nothing with the caller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from openai import NOT_GIVEN, omit
from openai.types.chat import ChatCompletionMessage as TheirMessage
from pydantic import BaseModel, ConfigDict

from edgeagent.core.requests import chat_request
from edgeagent.errors import RequestValidationError
from edgeagent.types import ChatCompletionMessage

USER = {"role": "user", "content": "hello"}


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"messages": [USER]}, "model"),
        ({"model": "m"}, "messages"),
        ({"model": 3, "messages": [USER]}, "model"),
        ({"model": "m", "messages": "hello"}, "messages"),
        ({"model": "m", "messages": ["hello"]}, "messages[0]"),
        ({"model": "m", "messages": [USER], "n": "2"}, "n"),
        ({"model": "m", "messages": [USER], "temperature": "hot"}, "temperature"),
        ({"model": "m", "messages": [USER], "tools": [3]}, "tools[0]"),
        ({"model": "m", "messages": [USER], "stop": [1]}, "stop[0]"),
        ({"model": "m", "messages": [USER], "metadata": [1]}, "metadata"),
        ({"model": "m", "messages": [USER], "logprobs": 1}, "logprobs"),
    ],
)
def test_wrong_types_are_named(params: dict[str, Any], param: str) -> None:
    """A missing or ill-typed parameter is a RequestValidationError that names it and maps to 400."""
    with pytest.raises(RequestValidationError) as caught:
        chat_request(params)
    assert caught.value.param == param
    assert caught.value.status_code == 400
    assert param in str(caught.value)


def test_left_out_arguments() -> None:
    """None, NOT_GIVEN and omit are the same as absent, in `extra_body` too."""
    more = chat_request({"model": "m", "messages": [USER]}, {"top_k": 3, "top_n": omit, "deep": {"a": NOT_GIVEN}})
    assert more.model_extra == {"top_k": 3, "deep": {}}
    request = chat_request({"model": "m", "messages": [USER], "n": None, "stop": NOT_GIVEN, "seed": omit})
    assert request.params() == {"model": "m", "messages": [USER]}


def test_one_shot_iterables() -> None:
    """Generators and tuples are read once."""
    request = chat_request(
        {
            "model": "m",
            "messages": (m for m in [USER]),
            "tools": iter([{"type": "function", "function": {"name": "f"}}]),
            "stop": ("a", "b"),
        }
    )
    assert request.messages == [USER]
    assert request.tools == [{"type": "function", "function": {"name": "f"}}]
    assert request.stop == ["a", "b"]


def test_message_objects_of_both_libraries() -> None:
    """An answer can be sent back as it came, from us or from openai."""
    ours = ChatCompletionMessage.model_validate({"role": "assistant", "content": "hi", "tool_calls": None, "x": 1})
    theirs = TheirMessage(role="assistant", content="hi")
    request = chat_request({"model": "m", "messages": [USER, ours, theirs]})
    assert request.messages[1] == {"role": "assistant", "content": "hi", "x": 1}
    assert request.messages[2] == {"role": "assistant", "content": "hi"}


def test_nothing_is_shared_with_the_caller() -> None:
    """What the caller does to its objects afterwards changes nothing."""
    part = {"type": "text", "text": "one"}
    plain = dict(USER)
    schema = {"type": "object"}
    params = {
        "model": "m",
        "messages": [plain, {"role": "user", "content": [part]}],
        "response_format": {"type": "json_schema", "json_schema": {"schema": schema}},
    }
    request = chat_request(params, {"top_k": [1]})
    part["text"] = plain["content"] = schema["type"] = "changed"
    assert request.messages == [USER, {"role": "user", "content": [{"type": "text", "text": "one"}]}]
    assert request.response_format == {"type": "json_schema", "json_schema": {"schema": {"type": "object"}}}


def test_extra_body_is_part_of_the_request() -> None:
    """Known fields in it count as such, unknown ones are kept."""
    request = chat_request({"model": "m", "messages": [USER], "temperature": 1}, {"temperature": 0, "top_k": 5})
    assert request.temperature == 0.0
    assert request.params() == {"model": "m", "messages": [USER], "temperature": 0.0, "top_k": 5}


def test_extra_body_must_be_a_mapping() -> None:
    """Anything else is refused by name."""
    with pytest.raises(RequestValidationError) as caught:
        chat_request({"model": "m", "messages": [USER]}, [("a", 1)])  # type: ignore[arg-type]
    assert caught.value.param == "extra_body"


def test_a_type_as_response_format() -> None:
    """The error says which call takes one."""
    with pytest.raises(RequestValidationError, match=r"response_format: .*parse\(\)") as caught:
        chat_request({"model": "m", "messages": [], "response_format": RequestValidationError})
    assert caught.value.param == "response_format"


@pytest.mark.parametrize("bias", [{50256: -100}, {"50256": -100}, {50256: -100.0}])
def test_numbers_of_tokens(bias: dict[Any, float]) -> None:
    """They are keys of an object, where a number is its digits; another kind of key is refused."""
    assert chat_request({"model": "m", "messages": [], "logit_bias": bias}).params()["logit_bias"] == {"50256": -100}
    for wrong in (1.5, None, True):
        with pytest.raises(RequestValidationError) as caught:
            chat_request({"model": "m", "messages": [], "logit_bias": {**bias, wrong: 1}})
        assert caught.value.param is not None
        assert caught.value.param.startswith("logit_bias")


class Anything(BaseModel):
    """An object that takes whatever it is given."""

    model_config = ConfigDict(extra="allow")


def _nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value] if isinstance(value, dict) else {"a": value}
    return value


def _circular(kind: type) -> Any:
    value: Any = kind()
    if isinstance(value, list):
        value.append({"in": value})
    elif isinstance(value, dict):
        value["in"] = [value]
    else:
        value.me = value
    return value


UNWRITABLE: dict[str, Callable[[], Any]] = {
    "nested": lambda: _nested(100_000),
    "circular list": lambda: _circular(list),
    "circular dict": lambda: _circular(dict),
    "circular object": lambda: _circular(Anything),
    "nested in an object": lambda: Anything.model_construct(a=_nested(300)),
    "no JSON in an object": lambda: Anything.model_construct(a=object()),
    "bytes in an object": lambda: Anything.model_construct(a=b"\xff"),
}


@pytest.mark.parametrize("make", UNWRITABLE.values(), ids=UNWRITABLE)
def test_what_cannot_be_written_is_refused_by_name(make: Callable[[], Any]) -> None:
    """Nested beyond measure, or holding itself: an error of ours that names the parameter and says what to do."""
    value = make()
    where: list[tuple[str, dict[str, Any], Any]] = [
        ("extra_body", {}, {"x": value}),
        ("messages", {"messages": [{"role": "user", "content": "q", "x": value}]}, None),
        ("tools", {"tools": [{"type": "function", "function": {"name": "f", "x": value}}]}, None),
        ("metadata", {"metadata": {"x": value}}, None),
    ]
    for name, params, extra_body in where:
        with pytest.raises(RequestValidationError, match=r"200 levels.*JSON text") as caught:
            chat_request({"model": "m", "messages": [{"role": "user", "content": "q"}], **params}, extra_body)
        assert caught.value.param == name
        assert caught.value.__cause__ is None
