"""Wanted forms that are no objects: what is asked for, and what the caller gets of the answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import validator_for

from edgeagent.core.promises import check_promises
from edgeagent.core.wrapping import Unwrapper, unwrap, wrap
from edgeagent.errors import ResponseValidationError
from edgeagent.providers.base import PLAIN, Promise
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


def whole(text: str, *, plain: bool = False) -> str | None:
    """A text as the caller of a whole answer gets it."""
    message = {"role": "assistant", "content": text}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    completion = ChatCompletion.model_validate({"id": "c", "created": 1, "model": "m", "choices": choices})
    unwrap(completion, plain=plain)
    return completion.choices[0].message.content


def streamed(pieces: list[str], *, plain: bool = False) -> list[ChatCompletionChunk]:
    """Pieces of a text as the caller of a stream gets them."""
    deltas: list[dict[str, Any]] = [{"delta": {"content": piece}} for piece in pieces]
    deltas.append({"delta": {}, "finish_reason": "stop"})
    top = {"id": "c", "created": 1, "model": "m"}
    chunks = [ChatCompletionChunk.model_validate({**top, "choices": [{"index": 0, **one}]}) for one in deltas]
    take_out = Unwrapper(plain=plain)
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


def tokens_of(text: str, places: list[int], *, told: bool) -> list[dict[str, Any]]:
    """A text in tokens, which may be parts of characters where their bytes are told."""
    raw = text.encode()
    ends = sorted({place % (len(raw) + 1) for place in places} | {len(raw)})
    pieces = [raw[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    if not told:
        return [{"token": piece, "logprob": -1.0} for piece in cut(text, places)]
    return [{"token": piece.decode(errors="replace"), "logprob": -1.0, "bytes": list(piece)} for piece in pieces]


def said(tokens: Any) -> str:
    """What tokens say, by their bytes where these are told."""
    tokens = tokens or []
    return b"".join(one.token.encode() if one.bytes is None else bytes(one.bytes) for one in tokens).decode()


@given(TREES | st.text(alphabet="ü…🙂"), st.sampled_from([None, 1]), st.lists(st.integers(0, 99)), st.booleans())
def test_tokens_say_what_the_text_says(value: Any, indent: int | None, places: list[int], told: bool) -> None:
    """Whole and streamed, with tokens beside their piece of the text or all of them at once."""
    text = json.dumps({"answer": value}, indent=indent, ensure_ascii=False)
    expected, tokens = whole(text), tokens_of(text, places, told=told)
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "logprobs": {"content": tokens}}
    completion = ChatCompletion.model_validate({"id": "c", "created": 1, "model": "m", "choices": [choice]})
    unwrap(completion)
    assert completion.choices[0].logprobs is not None
    assert said(completion.choices[0].logprobs.content) == expected
    pieces = cut(text, places) if not told else list(text)
    beside = [[token] for token in tokens] if not told else [tokens, *[[]] * (len(pieces) - 1)]
    take_out, found = Unwrapper(), list[Any]()
    ends: list[Any] = [
        {"delta": {"content": one}, "logprobs": {"content": two}} for one, two in zip(pieces, beside, strict=True)
    ]
    for end in (*ends, {"delta": {}, "finish_reason": "stop"}):
        made = {"id": "c", "created": 1, "model": "m", "choices": [{"index": 0, **end}]}
        chunk = ChatCompletionChunk.model_validate(made)
        take_out(chunk)
        if chunk.choices[0].logprobs is not None:
            found += chunk.choices[0].logprobs.content or []
    assert said(found) == expected
    if not told:
        assert "".join(one.token for one in found) == expected


def test_tokens_of_the_wrapping_are_left_out() -> None:
    """One that has a part of both is cut; the others are as they were, with what might have stood in their place."""
    written = ['{"', "answer", '":[', "1", "]}", "<end>"]
    tokens = [
        {"token": one, "logprob": -n, "top_logprobs": [{"token": "x", "logprob": -9}]} for n, one in enumerate(written)
    ]
    message = {"role": "assistant", "content": "".join(written[:-1])}
    choice = {"index": 0, "message": message, "logprobs": {"content": tokens}}
    completion = ChatCompletion.model_validate({"id": "c", "created": 1, "model": "m", "choices": [choice]})
    unwrap(completion)
    told = completion.choices[0].logprobs
    assert told is not None
    assert [(one.token, one.logprob) for one in told.content or []] == [("[", -2), ("1", -3), ("]", -4)]
    assert all(len(one.top_logprobs or []) == 1 for one in told.content or [])


@pytest.mark.parametrize("text", ['{"answers": 1}', '{"ans', "I cannot say.", "null"])
def test_tokens_of_other_texts_stay(text: str) -> None:
    """All of them, also those that no text has."""
    tokens = [{"token": one, "logprob": -1} for one in (*text, "<end>")]
    take_out, found = Unwrapper(), list[Any]()
    ends: list[Any] = [
        {"delta": {"content": token["token"]}, "logprobs": {"content": [token]}} for token in tokens[:-1]
    ]
    for end in (*ends, {"delta": {}, "logprobs": {"content": tokens[-1:]}, "finish_reason": "stop"}):
        made = {"id": "c", "created": 1, "model": "m", "choices": [{"index": 0, **end}]}
        chunk = ChatCompletionChunk.model_validate(made)
        take_out(chunk)
        if chunk.choices[0].logprobs is not None:
            found += chunk.choices[0].logprobs.content or []
    assert [one.token for one in found] == [token["token"] for token in tokens]


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


WORDS = st.text(alphabet='ab"\\{}[], :\nü', max_size=8)


@given(WORDS, st.sampled_from([None, 1]), st.booleans(), st.lists(st.integers(0, 99)))
def test_a_word_comes_without_quotes(word: str, indent: int | None, ascii_only: bool, places: list[int]) -> None:
    """Where a text is wanted as it is: whole, and at once when it is whole in a stream; other answers stay."""
    text = json.dumps({"answer": word}, indent=indent, ensure_ascii=ascii_only)
    assert whole(text, plain=True) == word
    chunks = streamed(cut(text, places), plain=True)
    assert [said for chunk in chunks if (said := chunk.choices[0].delta.content)] == ([word] if word else [])
    for other in (word, text[:7], json.dumps({"answer": [word]})):
        told = "".join(chunk.choices[0].delta.content or "" for chunk in streamed(cut(other, places), plain=True))
        assert told == whole(other, plain=True)


@pytest.mark.parametrize(
    ("cut_off", "told"), [('{"answer": "Perc', "Perc"), ('{"answer": ', ""), ('{"answer": 12}', "12")]
)
def test_what_is_no_word(cut_off: str, told: str) -> None:
    """An answer that was cut off has no end to be waited for; what was not asked for comes as it is."""
    assert whole(cut_off, plain=True) == told
    assert "".join(chunk.choices[0].delta.content or "" for chunk in streamed(list(cut_off), plain=True)) == told


PIECES = ['{"', "answer", '": "', "Perc", "ussion", '"', "}"]


def test_tokens_of_a_word() -> None:
    """They say the word: those of the quotes are left out, and none comes before the word."""
    take_out, found = Unwrapper(plain=True), list[Any]()
    for piece in PIECES:
        one = {"index": 0, "delta": {"content": piece}, "logprobs": {"content": [{"token": piece, "logprob": -1}]}}
        chunk = ChatCompletionChunk.model_validate({"id": "c", "created": 1, "model": "m", "choices": [one]})
        take_out(chunk)
        logprobs = chunk.choices[0].logprobs
        found += [] if logprobs is None else logprobs.content or []
        assert not found or piece in ('"', "}")
    assert [token.token for token in found] == ["Perc", "ussion"]


@pytest.mark.parametrize("pieces", [PIECES, PIECES[:5], ['{"answer":"Perc', 'ussion"}']])
def test_tokens_of_a_whole_word(pieces: list[str]) -> None:
    """Of a whole answer, of one that was cut off, and of a stream that tells all of them at its end."""
    tokens = {"content": [{"token": piece, "logprob": -1} for piece in pieces]}
    message = {"role": "assistant", "content": "".join(pieces)}
    choice = {"index": 0, "message": message, "logprobs": tokens, "finish_reason": "stop"}
    completion = ChatCompletion.model_validate({"id": "c", "created": 1, "model": "m", "choices": [choice]})
    unwrap(completion, plain=True)
    take_out, last = Unwrapper(plain=True), None
    ends: list[Any] = [{"delta": {"content": piece}} for piece in pieces]
    for one in (*ends, {"delta": {}, "logprobs": tokens, "finish_reason": "stop"}):
        chunk = ChatCompletionChunk.model_validate(
            {"id": "c", "created": 1, "model": "m", "choices": [{"index": 0, **one}]}
        )
        take_out(chunk)
        last = chunk.choices[0].logprobs
    for told in (completion.choices[0].logprobs, last):
        assert told is not None
        assert "".join(token.token for token in told.content or []) == "Percussion"


def test_a_word_is_checked_as_it_is() -> None:
    """What was promised of the JSON is looked for in the text itself; nobody is sent the mark."""
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"enum": ["a", "b"]}, PLAIN: True}}
    wrapped = wrap(asking({}).model_copy(update={"response_format": form}))
    assert wrapped is not None
    assert wrapped.plain
    assert PLAIN not in json.dumps(wrapped.request.response_format)
    (promise,) = wrapped.promises((Promise({}),))
    for text, right in (("a", True), ('"a"', False), ("c", False)):
        message = {"role": "assistant", "content": text}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        completion = ChatCompletion.model_validate({"id": "c", "created": 1, "model": "m", "choices": choices})
        if right:
            check_promises([promise], completion)
        else:
            with pytest.raises(ResponseValidationError):
                check_promises([promise], completion)
