"""The demo's offline responder."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent import EdgeClient
from edgeagent.demo.offline import PACE, Offline, instance
from edgeagent.errors import NoTargetError
from edgeagent.types import ChatRequest
from edgeagent.types.assembly import assemble


def ask(content: Any, **params: Any) -> ChatRequest:
    return ChatRequest(model="rules", messages=[{"role": "user", "content": content}], **params)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Name the capital of Japan.", "the capital of Japan; I have none"),
        ("Write a poem about the sea.", "A poem about sea"),
        ("Say hello.", "Hello!"),
        ("What is a monad?", "no rule for that"),
        ([{"type": "text", "text": "Say hello."}], "Hello!"),
        ([], "no rule for that"),
    ],
)
def test_it_answers_by_rule_and_says_what_it_is(question: Any, words: str) -> None:
    """Every answer says that no language model gave it."""
    text = Offline(sleep=lambda seconds: None).complete(ask(question)).choices[0].message.content or ""
    assert words in text
    assert "No language model answers here" in text


def test_it_waits_before_each_word_and_counts_words() -> None:
    """The pace is the same for every word, and usage is what was said."""
    waits: list[float] = []
    chunks = list(Offline(sleep=waits.append).stream(ask("Say hello.")))
    completion = assemble(chunks)
    words = (completion.choices[0].message.content or "").split()
    assert waits == [PACE] * len(words)
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.to_dict() == {
        "prompt_tokens": 2,
        "completion_tokens": len(words),
        "total_tokens": 2 + len(words),
    }


def test_a_request_without_a_user_is_answered_too() -> None:
    """A conversation may hold nothing but a system message."""
    request = ChatRequest(model="rules", messages=[{"role": "system", "content": "Be brief."}])
    assert "no rule" in (Offline(sleep=lambda seconds: None).complete(request).choices[0].message.content or "")


def test_it_does_text_and_structured_output_only() -> None:
    """What it cannot do is not asked of it."""
    with (
        EdgeClient(providers=[Offline(sleep=lambda seconds: None)]) as client,
        pytest.raises(NoTargetError, match="stop"),
    ):
        client.chat.completions.create(model="offline/rules", messages=[{"role": "user", "content": "x"}], stop=["e"])


def matches(schema: dict[str, Any], value: Any) -> bool:
    """A reading of the schemas below that owes nothing to the code."""
    kind = schema.get("type")
    if "enum" in schema:
        return value in schema["enum"]
    if "const" in schema:
        return bool(value == schema["const"])
    if "anyOf" in schema:
        return any(matches(part, value) for part in schema["anyOf"])
    if kind == "object":
        parts = schema["properties"]
        return (
            isinstance(value, dict) and value.keys() == parts.keys() and all(matches(parts[k], value[k]) for k in parts)
        )
    if kind == "array":
        long_enough = isinstance(value, list) and len(value) >= schema.get("minItems", 0)
        return long_enough and all(matches(schema["items"], item) for item in value)
    if kind == "integer":
        return type(value) is int and value >= schema.get("minimum", value)
    return isinstance(value, {"string": str, "boolean": bool, "number": (int, float), "null": type(None)}[str(kind)])


SCALARS = st.one_of(
    st.sampled_from([{"type": "string"}, {"type": "boolean"}, {"type": "number"}, {"type": "null"}]),
    st.integers(-5, 5).map(lambda n: {"type": "integer", "minimum": n}),
    st.lists(st.text(max_size=3), min_size=1, max_size=3).map(lambda words: {"enum": words}),
    st.integers().map(lambda n: {"const": n}),
)
SCHEMAS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.dictionaries(st.text(max_size=3), inner, max_size=3).map(lambda p: {"type": "object", "properties": p}),
        st.tuples(inner, st.integers(0, 2)).map(lambda t: {"type": "array", "items": t[0], "minItems": t[1]}),
        st.lists(inner, min_size=1, max_size=2).map(lambda several: {"anyOf": several}),
    ),
    max_leaves=6,
)


@given(SCHEMAS)
def test_structured_output_is_of_the_schema(schema: dict[str, Any]) -> None:
    """Whatever the schema, the answer is JSON that it describes."""
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    completion = Offline(sleep=lambda seconds: None).complete(ask("x", response_format=form))
    assert matches(schema, json.loads(completion.choices[0].message.content or ""))


@pytest.mark.parametrize(
    ("schema", "value"),
    [({"type": ["integer", "null"]}, 0), ({"oneOf": [{"const": 3}]}, 3), ({"properties": {"a": {}}}, {"a": None})],
)
def test_other_spellings_of_schemas(schema: dict[str, Any], value: Any) -> None:
    """A list of types, `oneOf`, and an object that does not say so."""
    assert instance(schema) == value
