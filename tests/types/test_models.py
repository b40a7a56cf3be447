"""The unified model: openai's objects by introspection, unknown fields kept, what the gateway did kept apart."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
from typing import Any, get_args

import openai
import openai.types.chat as chat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types import completion_usage as their_usage
from openai.types.chat import chat_completion as their_completion
from openai.types.chat import chat_completion_chunk as their_chunk
from openai.types.chat import chat_completion_message as their_message
from openai.types.chat import chat_completion_message_custom_tool_call as their_custom
from openai.types.chat import chat_completion_message_function_tool_call as their_function
from openai.types.chat import chat_completion_token_logprob as their_logprob
from openai.types.chat.completion_create_params import CompletionCreateParamsBase
from pydantic import BaseModel, ValidationError

import edgeagent.types as ours
from edgeagent.types import (
    ChatCompletion,
    ChatCompletionChunk,
    ChatRequest,
    ResponseMetadata,
    Target,
)
from edgeagent.types._model import own

PAIRS: list[tuple[type[BaseModel], type[BaseModel]]] = [
    (their_completion.ChatCompletion, ours.ChatCompletion),
    (their_completion.Choice, ours.Choice),
    (their_completion.ChoiceLogprobs, ours.ChoiceLogprobs),
    (their_message.ChatCompletionMessage, ours.ChatCompletionMessage),
    (their_message.Annotation, ours.Annotation),
    (their_message.AnnotationURLCitation, ours.AnnotationURLCitation),
    (their_message.FunctionCall, ours.FunctionCall),
    (chat.ChatCompletionAudio, ours.ChatCompletionAudio),
    (their_function.ChatCompletionMessageFunctionToolCall, ours.ChatCompletionMessageToolCall),
    (their_custom.ChatCompletionMessageCustomToolCall, ours.ChatCompletionMessageToolCall),
    (their_function.Function, ours.Function),
    (their_custom.Custom, ours.CustomToolCall),
    (their_logprob.ChatCompletionTokenLogprob, ours.ChatCompletionTokenLogprob),
    (their_logprob.TopLogprob, ours.TopLogprob),
    (their_chunk.ChatCompletionChunk, ours.ChatCompletionChunk),
    (their_chunk.Choice, ours.ChunkChoice),
    (their_chunk.ChoiceLogprobs, ours.ChoiceLogprobs),
    (their_chunk.ChoiceDelta, ours.ChoiceDelta),
    (their_chunk.ChoiceDeltaFunctionCall, ours.ChoiceDeltaFunctionCall),
    (their_chunk.ChoiceDeltaToolCall, ours.ChoiceDeltaToolCall),
    (their_chunk.ChoiceDeltaToolCallFunction, ours.ChoiceDeltaToolCallFunction),
    (their_usage.CompletionUsage, ours.CompletionUsage),
    (their_usage.PromptTokensDetails, ours.PromptTokensDetails),
    (their_usage.CompletionTokensDetails, ours.CompletionTokensDetails),
]
OURS_ALONE = {
    "Choice": {"native_finish_reason"},
    "ChatCompletionMessage": {"native_content", "reasoning_content"},
    "ChatCompletionMessageToolCall": {"custom", "function"},
    "ChunkChoice": {"native_finish_reason"},
    "ChoiceDelta": {"annotations", "audio", "native_content", "reasoning_content"},
    "ChoiceDeltaToolCall": {"custom"},
    "PromptTokensDetails": {"cache_write_tokens", "image_tokens", "text_tokens"},
    "CompletionTokensDetails": {"text_tokens"},
}
"""What other vendors have; and a tool call is one class for openai's two."""
KEPT_AS_SENT = {"ChatCompletionChunk": {"moderation", "obfuscation"}}
"""openai's fields that are no fields here: they are kept where they are sent."""

pairs = pytest.mark.parametrize(("theirs", "mine"), PAIRS, ids=lambda cls: cls.__name__)


@pairs
def test_fields(theirs: type[BaseModel], mine: type[BaseModel]) -> None:
    """Every field of openai's object is there under its name; what is there besides is on a list."""
    names, found = set(theirs.model_fields), set(mine.model_fields)
    assert names - found <= KEPT_AS_SENT.get(mine.__name__, set())
    assert found - names <= OURS_ALONE.get(mine.__name__, set())


@pairs
def test_required(theirs: type[BaseModel], mine: type[BaseModel]) -> None:
    """No field must be there that openai's object can do without."""
    for name, field in mine.model_fields.items():
        if field.is_required():
            assert theirs.model_fields[name].is_required(), name


def sample(cls: type[BaseModel]) -> Any:
    """A value for each field of one of openai's objects, fields of fields included."""
    return {name: _value(field.annotation) for name, field in cls.model_fields.items()}


def _value(annotation: Any) -> Any:
    options = [option for option in get_args(annotation) if option is not type(None)]
    origin = getattr(annotation, "__origin__", None)
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return sample(annotation)
    if origin is list:
        return [_value(options[0])]
    if origin is dict:
        return {"key": _value(get_args(annotation)[1])}
    if options:
        return options[0] if isinstance(options[0], str) else _value(options[0])
    return {int: 1, float: 0.5, str: "text", bool: True}.get(annotation, "anything")


@pytest.mark.parametrize(
    ("theirs", "mine"), [p for p in PAIRS if p[1].__name__ in {"ChatCompletion", "ChatCompletionChunk"}]
)
def test_values(theirs: type[BaseModel], mine: Any) -> None:
    """What openai's object holds, ours holds, and dumps as openai's does."""
    body = sample(theirs)
    assert len(json.dumps(body)) > 500
    made = mine.model_validate(body)
    assert made.to_dict() == theirs.model_validate(body).to_dict()  # type: ignore[attr-defined]
    assert json.loads(made.to_json()) == body


@pytest.mark.parametrize("method", ["to_dict", "to_json"])
def test_methods(method: str) -> None:
    """`to_dict` and `to_json` take openai's arguments, with openai's defaults."""
    theirs = inspect.signature(getattr(openai.BaseModel, method)).parameters
    mine = inspect.signature(getattr(ChatCompletion, method)).parameters
    assert {name: (p.kind, p.default) for name, p in mine.items()} == {
        name: (p.kind, p.default) for name, p in theirs.items()
    }


def test_request_parameters() -> None:
    """A request's fields are openai's parameters, and those that travel outside the body."""
    theirs = set(CompletionCreateParamsBase.__annotations__) | {"stream"}
    assert set(ChatRequest.model_fields) == theirs | {"extra_headers", "extra_query"}


# unknown fields


MESSAGE = {"role": "assistant", "content": "A", "vendor": {"x": [1]}}
BODY = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop", "vendor": 1}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "vendor_tokens": 4},
    "vendor": None,
}
CHUNK = {
    "id": "c",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "delta": {"content": "A", "vendor": {"x": [1]}}, "finish_reason": None, "vendor": 1}],
    "obfuscation": "abc",
    "moderation": {"flagged": False},
}
both = pytest.mark.parametrize(
    ("cls", "body"), [(ChatCompletion, BODY), (ChatCompletionChunk, CHUNK)], ids=["completion", "chunk"]
)


@both
def test_unknown_fields_are_kept(cls: Any, body: dict[str, Any]) -> None:
    """Fields that nobody knows are kept at every level, can be read, and are dumped; nothing is added."""
    made = cls.model_validate(body)
    assert made.to_dict() == body
    assert json.loads(made.to_json()) == body
    assert made.choices[0].vendor == 1
    assert cls.model_validate_json(made.to_json()) == made


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
names = st.text(min_size=1, max_size=5).map(lambda name: f"x{name}")


@given(st.dictionaries(names, json_values, max_size=3), st.dictionaries(names, json_values, max_size=3))
def test_any_unknown_fields(top: dict[str, Any], inner: dict[str, Any]) -> None:
    """Whatever a vendor adds comes back as it was, through JSON too."""
    body = {**BODY, **top, "choices": [{"index": 0, "message": {**MESSAGE, **inner}, "finish_reason": "stop"}]}
    made = ChatCompletion.model_validate(body)
    assert made.to_dict() == body
    assert ChatCompletion.model_validate_json(made.to_json(indent=None)).to_dict() == body


def test_to_dict_and_to_json() -> None:
    """By default what was set; on request all fields, or none of None; as JSON indented by two."""
    made = ChatCompletion.model_validate(BODY)
    assert "service_tier" not in made.to_dict()
    assert made.to_dict(exclude_unset=False)["service_tier"] is None
    assert "vendor" not in made.to_dict(exclude_none=True)
    assert "object" not in made.to_dict(exclude_defaults=True)
    assert made.to_json().startswith('{\n  "id": "c",')
    assert made.to_json(indent=None).startswith('{"id":"c",')
    assert json.loads(made.to_json(exclude_unset=False, exclude_none=True)).keys() == BODY.keys() - {"vendor"}
    assert made.to_dict(mode="json") == BODY


@both
def test_from_json(cls: Any, body: dict[str, Any]) -> None:
    """Reading JSON the short way is reading it the long way, refusals included."""
    text = json.dumps(body)
    assert cls.from_json(text) == cls.from_json(text.encode()) == cls.model_validate_json(text)
    assert cls.from_json(text).to_dict() == body
    with pytest.raises(ValidationError):
        cls.from_json(text.replace("created", "creation"))


@pytest.mark.parametrize(
    "change",
    [
        {"choices": None},
        {"choices": [{"index": 0}]},
        {"choices": [{"index": 0, "message": {"content": 1}}]},
        {"choices": [{"index": 0, "message": {}, "finish_reason": "end_turn"}]},
        {"id": None},
        {"object": "list"},
        {"usage": {"prompt_tokens": 1}},
    ],
)
def test_wrong_types(change: dict[str, Any]) -> None:
    """A known field of a wrong type is refused."""
    with pytest.raises(ValidationError):
        ChatCompletion.model_validate({**BODY, **change})


def test_citations() -> None:
    """A citation is read as openai's is; other vendors' annotations, and partial ones, are kept."""
    citation = {"url": "https://example.org", "title": "T", "start_index": 0, "end_index": 1}
    annotations = [
        {"type": "url_citation", "url_citation": citation},
        {"type": "url_citation", "url_citation": {"url": "https://example.org", "vendor": 1}},
        {"type": "file_citation", "file_id": "f"},
    ]
    message = ours.ChatCompletionMessage.model_validate({"content": "A", "annotations": annotations})
    first, second, third = message.annotations or ()
    assert first.url_citation is not None
    assert (first.url_citation.url, first.url_citation.end_index) == ("https://example.org", 1)
    assert second.url_citation is not None
    assert second.url_citation.title is None
    assert third.model_extra == {"file_id": "f"}
    assert message.to_dict()["annotations"] == annotations


# copies


def changeable(value: Any) -> set[int]:
    """The objects in a value that can be changed."""
    if isinstance(value, BaseModel):
        parts = [*value.__dict__.values(), value.model_extra]
        return {id(value), id(value.model_fields_set)}.union(*map(changeable, parts))
    if isinstance(value, list | dict):
        items = value.values() if isinstance(value, dict) else value
        return {id(value)}.union(*map(changeable, items))
    return set()


@pairs
def test_a_copy_of_ones_own(theirs: type[BaseModel], mine: Any) -> None:
    """It is equal, with the same fields set, and shares nothing that can be changed."""
    made = mine.model_validate({**sample(theirs), "vendor": {"one": [{"two": 2}]}})
    again = own(made)
    assert again == made
    assert again.model_dump(exclude_unset=True) == made.model_dump(exclude_unset=True)
    assert changeable(made).isdisjoint(changeable(again))


# what the gateway did


def edge() -> ResponseMetadata:
    return ResponseMetadata(provider="openai", model="m", request_id="req_1", cached=True, cache_tier="memory")


@both
def test_edge_is_apart(cls: Any, body: dict[str, Any]) -> None:
    """What the gateway did is in no dump and in no comparison."""
    plain, made = cls.model_validate(body), cls.model_validate(body)
    made._edge = edge()
    assert made.edge.provider == "openai"
    assert made == plain
    assert not made != plain  # noqa: SIM202  # `!=` is a method of its own
    assert made.to_dict() == made.model_dump(exclude_unset=True) == body
    assert "edge" not in made.model_dump_json() + str(cls.model_json_schema())
    assert "req_1" not in repr(made)


@both
def test_edge_travels(cls: Any, body: dict[str, Any]) -> None:
    """It goes with the object through copies and pickles."""
    made = cls.model_validate(body)
    made._edge = edge()
    for again in (copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m)), lambda m: m.model_copy()):
        assert again(made) == made
        assert again(made).edge == edge()


def test_edge_of_a_completion() -> None:
    """A completion always has one, the same each time; the request id is there under openai's name."""
    made = ChatCompletion.model_validate(BODY)
    assert made.edge is made.edge
    assert made.edge == ResponseMetadata()
    assert made._request_id is None
    made._edge = edge()
    assert made._request_id == "req_1"
    assert ChatCompletionChunk.model_validate(CHUNK).edge is None


@both
def test_equality(cls: Any, body: dict[str, Any]) -> None:
    """Objects differ when a field differs, known or not, or the class does; they cannot be hashed."""
    made = cls.model_validate(body)
    assert made != cls.model_validate({**body, "id": "d"})
    assert made != cls.model_validate({**body, "vendor": 2})
    assert made != body
    assert made.__eq__(1) is NotImplemented
    with pytest.raises(TypeError):
        hash(made)


def test_notebook() -> None:
    """A completion shows itself in a notebook."""
    made = ChatCompletion.model_validate(BODY)
    assert "A" in made._repr_html_()
    assert "A" in made._repr_markdown_()


def test_target() -> None:
    """A target is written as provider and model."""
    assert str(Target("openai", "ft:gpt-4o/x")) == "openai/ft:gpt-4o/x"


# requests


def request(**params: Any) -> ChatRequest:
    return ChatRequest.model_validate({"model": "m", "messages": [{"role": "user", "content": "A"}], **params})


@given(st.dictionaries(names, json_values, max_size=3))
def test_params(extra: dict[str, Any]) -> None:
    """The body has what is set, unknown parameters included (None too), and nothing that travels outside it."""
    made = request(temperature=0.0, seed=None, extra_headers={"a": "b"}, extra_query={"c": 1}, **extra)
    body = made.params()
    assert body == {"model": "m", "messages": [{"role": "user", "content": "A"}], "temperature": 0.0, **extra}
    body["model"] = "other"
    assert made.model == "m"


@pytest.mark.parametrize(
    ("params", "limit"),
    [
        ({}, None),
        ({"max_tokens": 1}, 1),
        ({"max_completion_tokens": 2}, 2),
        ({"max_tokens": 1, "max_completion_tokens": 2}, 2),
        ({"max_tokens": 1, "max_completion_tokens": 0}, 0),
    ],
)
def test_output_limit(params: dict[str, Any], limit: int | None) -> None:
    """The newer name of the output limit goes before the older one."""
    assert request(**params).output_limit == limit


@pytest.mark.parametrize(
    ("options", "shown"),
    [(None, False), ({}, False), ({"include_usage": False}, False), ({"include_usage": True}, True)],
)
def test_include_usage(options: dict[str, Any] | None, shown: bool) -> None:
    """Usage is shown to those who asked for it."""
    assert request(stream_options=options).include_usage is shown


def test_requests_are_values() -> None:
    """A request cannot be changed, and shows no headers."""
    made = request(extra_headers={"Authorization": "secret"}, extra_query={"key": "secret"})
    with pytest.raises(ValidationError):
        made.model = "other"  # type: ignore[misc]
    assert "secret" not in repr(made)


@pytest.mark.parametrize("params", [{"temperature": "0.5"}, {"n": 1.5}, {"messages": "A"}, {"stop": 1}, {"stream": 1}])
def test_requests_are_strict(params: dict[str, Any]) -> None:
    """A parameter of a wrong type is refused, not converted."""
    with pytest.raises(ValidationError):
        request(**params)


def test_public_names() -> None:
    """Every public name of the package exists."""
    assert all(hasattr(ours, name) for name in ours.__all__)


@given(
    names=st.permutations(["model", "messages", "temperature", "stop", "user", "x", "a", "extra_headers"]),
    copied=st.booleans(),
)
def test_a_body_has_one_order(names: list[str], *, copied: bool) -> None:
    """That of the fields, then the unknown ones as they came: whatever order they were given in, and after a copy."""
    values: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "A"}], "temperature": None, "x": 1}
    values |= {"stop": ["."], "user": "u", "a": 2, "extra_headers": {"h": "v"}}
    made = ChatRequest.model_validate({name: values[name] for name in names})
    if copied:
        made = made.model_copy(update={"temperature": 0.5, "stop": None})
    known = ["model", "messages", *(["temperature"] if copied else ["stop"]), "user"]
    assert list(made.params()) == [*known, *(name for name in names if name in ("x", "a"))]
