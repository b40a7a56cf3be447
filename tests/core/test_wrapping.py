"""Wanted forms that are no objects: what is asked for, and what the caller gets of the answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import validator_for

from edgeagent.core.wrapping import Unwrapper, unwrap, wrap
from edgeagent.providers.base import Promise
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import assemble

TREES: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(alphabet='ab"\\{}[], :\n', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["answer", "b", "}"]), inner),
    max_leaves=8,
)
FRUITS = {"type": "array", "items": {"$ref": "#/$defs/Fruit"}, "$defs": {"Fruit": {"type": "string"}}}


def cut(text: str, places: list[int]) -> list[str]:
    """A text in pieces."""
    ends = sorted({place % (len(text) + 1) for place in places} | {len(text)})
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def asking(schema: Any) -> ChatRequest:
    """A request for an answer of this form."""
    form = {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": schema}}
    return ChatRequest(model="m", messages=[{"role": "user", "content": "?"}], response_format=form)


def whole(text: str) -> str | None:
    """A text as the caller of a whole answer gets it."""
    message = {"role": "assistant", "content": text}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    completion = ChatCompletion.model_validate({"id": "c", "created": 1, "model": "m", "choices": choices})
    unwrap(completion)
    return completion.choices[0].message.content


def streamed(pieces: list[str]) -> list[ChatCompletionChunk]:
    """Pieces of a text as the caller of a stream gets them."""
    deltas: list[dict[str, Any]] = [{"delta": {"content": piece}} for piece in pieces]
    deltas.append({"delta": {}, "finish_reason": "stop"})
    top = {"id": "c", "created": 1, "model": "m"}
    chunks = [ChatCompletionChunk.model_validate({**top, "choices": [{"index": 0, **one}]}) for one in deltas]
    take_out = Unwrapper()
    for chunk in chunks:
        take_out(chunk)
    return chunks


@pytest.mark.parametrize(
    ("schema", "inner", "right", "wrong"),
    [
        (FRUITS, {"type": "array", "items": {"$ref": "#/$defs/Fruit"}}, ["fig"], [1]),
        ({"type": "integer"}, {"type": "integer"}, 3, "3"),
        ({"anyOf": [{"type": "object"}, {"type": "null"}]}, None, None, 1),
        ({"type": ["object", "null"]}, None, None, 1),
        ({"type": "array", "items": {"$ref": "#"}}, None, [[], [[]]], [1]),
        ({"type": "array", "prefixItems": [{"$ref": "#/definitions/a"}], "definitions": {"a": {}}}, None, [1], {}),
        (
            {"type": "array", "items": {"properties": {"$ref": {"type": "string"}}}},
            None,
            [{"$ref": "#"}],
            [{"$ref": 1}],
        ),
    ],
)
def test_the_form_is_wanted_in_an_object(schema: Any, inner: Any, right: Any, wrong: Any) -> None:
    """Its only field has the form, wherever its references led; the rest of the request is as it was."""
    wrapped = wrap(asking(schema))
    assert wrapped is not None
    form: Any = wrapped.request.response_format
    outer = form["json_schema"].pop("schema")
    assert form == {"type": "json_schema", "json_schema": {"name": "n", "strict": True}}
    assert (outer["type"], list(outer["properties"]), outer["required"]) == ("object", ["answer"], ["answer"])
    assert inner is None or outer["properties"]["answer"] == inner
    judge = validator_for(outer)
    assert judge.is_valid({"answer": right})
    assert not judge.is_valid({"answer": wrong})
    assert not judge.is_valid({"answer": right, "more": 1})
    promises = (Promise(outer), Promise({}, "tool"))
    assert wrapped.promises(promises) == (Promise(schema), Promise({}, "tool"))


@pytest.mark.parametrize("form", [None, {"type": "json_object"}, {"type": "text"}, "object"])
def test_other_requests_are_left_alone(form: Any) -> None:
    """Objects, and what names no schema."""
    request = asking({"type": "object", "properties": {}})
    assert wrap(request if form == "object" else request.model_copy(update={"response_format": form})) is None


@given(TREES, st.sampled_from([None, 1]), st.lists(st.integers(0, 99)))
def test_the_value_is_taken_out(value: Any, indent: int | None, places: list[int]) -> None:
    """The same for every way of cutting the stream, and as the model wrote it."""
    text = json.dumps({"answer": value}, indent=indent)
    expected = whole(text)
    assert expected is not None
    assert expected == expected.strip()
    assert expected in text
    assert json.loads(expected) == value
    assert "".join(chunk.choices[0].delta.content or "" for chunk in streamed(list(text))) == expected
    chunks = streamed(cut(text, places))
    assert (assemble(chunks).choices[0].message.content or "") == expected


@given(st.text(alphabet='{"answer: }]\n', max_size=20), st.lists(st.integers(0, 99)))
def test_other_texts_stay(text: str, places: list[int]) -> None:
    """What does not begin as the object does is given as it came, whole and streamed."""
    chunks = streamed(cut(text, places))
    told = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert told == (whole(text) or "")
    if not "".join(text.split()).startswith('{"answer":'):
        assert told == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"answer": [1, {"a": "}', '[1, {"a": "}'),
        ('{"answer": "a\\', '"a\\'),
        ('{"answer": [1]', "[1]"),
        ('{"answer":', ""),
        ('{"ans', '{"ans'),
        ('{"answers": 1}', '{"answers": 1}'),
        ('{ "answer" : 1 , "more": 2}', "1"),
        ("I cannot say.", "I cannot say."),
    ],
)
def test_what_breaks_off_is_given_as_far_as_it_goes(text: str, expected: str) -> None:
    """And a refusal in words as it is."""
    assert whole(text) == expected
    assert "".join(chunk.choices[0].delta.content or "" for chunk in streamed(list(text))) == expected


def test_choices_do_not_mix() -> None:
    """Each of several answers is taken out of its own object, and what comes next sees what was left."""
    seen: list[Any] = []
    take_out = Unwrapper(lambda chunk: seen.append(chunk.choices[0].delta.content))
    for index, piece in [(0, '{"answer": ['), (1, '{"answer'), (0, "1]}"), (1, '": 2}')]:
        take_out(
            ChatCompletionChunk.model_validate(
                {"id": "c", "created": 1, "model": "m", "choices": [{"index": index, "delta": {"content": piece}}]}
            )
        )
    assert seen == ["[", "", "1]", "2"]
