"""Answers: every part of one is restored, and a stream says what the whole answer says."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.shield.answers import ChunkRestorer, restored_completion
from edgeagent.shield.restore import Restorer
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import assemble, to_chunks
from tests.providers.every import CODECS, Wire

HELD = Restorer(
    {"<EMAIL_1>": 'b"o\\b@x.com', "<NAME_2>": "Eve"}, {"kim.archer2@example.net": "k@y.de"}, {"NAME_2": "Eve"}
)

MESSAGE = {
    "role": "assistant",
    "content": "Mail <EMAIL_1> & <name 2>, kim.archer2@example.net <EMAIL_9>",
    "refusal": "not <NAME_2>",
    "reasoning_content": "&lt;NAME_2&gt; wants",
    "annotations": [
        {
            "type": "url_citation",
            "url_citation": {"title": "<NAME_2>", "url": "https://a/<NAME_2>", "start_index": 5, "end_index": 14},
        }
    ],
    "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "NAME_2", "arguments": '{"to": "<EMAIL_1>", "n": 1.0}'}},
        {"id": "c2", "type": "custom", "custom": {"name": "run", "input": "print <EMAIL_1>"}},
    ],
    "native_content": {"wire": "w", "content": [{"text": "<NAME_2>"}]},
    "citations": ["https://a/<NAME_2>"],
}


def completion(message: dict[str, Any], finish: str = "tool_calls") -> ChatCompletion:
    choices = [{"index": 0, "message": message, "finish_reason": finish, "stop_reason": "<NAME_2>"}]
    return ChatCompletion.model_validate(
        {"id": "i", "created": 1, "model": "m", "choices": choices, "sources": ["<NAME_2>"]}
    )


def test_every_part() -> None:
    """Text, refusal, reasoning, citations with their places, arguments, names of tools, unknown fields."""
    masked = completion(MESSAGE)
    before = masked.to_json()
    whole = restored_completion(masked, HELD, structured=False)
    message = whole.choices[0].message
    assert message.content == 'Mail b"o\\b@x.com & Eve, k@y.de <EMAIL_9>'
    assert (message.refusal, message.reasoning_content) == ("not Eve", "Eve wants")
    note = message.annotations[0].url_citation  # type: ignore[index]
    assert note is not None
    assert note.title == "Eve"
    assert note.url == "https://a/Eve"
    assert message.content[note.start_index : note.end_index] == 'b"o\\b@x.com'
    first, second = message.tool_calls or ()
    assert json.loads(first.function.arguments) == {"to": 'b"o\\b@x.com', "n": 1.0}  # type: ignore[union-attr]
    assert first.function.name == "Eve"
    assert second.custom.input == 'print b"o\\b@x.com'
    assert message.native_content == {"wire": "w", "content": [{"text": "Eve"}]}
    assert message.model_extra == {"citations": ["https://a/Eve"]}
    assert whole.model_extra == {"sources": ["Eve"]}
    assert whole.choices[0].model_extra == {"stop_reason": "Eve"}
    assert masked.to_json() == before


def test_structured_content() -> None:
    """JSON that was asked for stays JSON."""
    answer = completion({"role": "assistant", "content": '{"to": "<EMAIL_1>"}'}, "stop")
    content = restored_completion(answer, HELD, structured=True).choices[0].message.content
    assert json.loads(content or "") == {"to": 'b"o\\b@x.com'}


def cut(chunk: ChatCompletionChunk, sizes: list[int]) -> list[ChatCompletionChunk]:
    """A chunk as several, its texts cut after so many characters."""
    told = chunk.to_dict()
    if not told["choices"] or told["choices"][0].get("finish_reason"):
        return [chunk]
    pieces: list[dict[str, Any]] = []
    delta = told["choices"][0]["delta"]
    for path, text in texts(delta):
        rest = text
        for size in [*sizes, len(text)]:
            if rest:
                pieces.append(path(rest[:size]))
                rest = rest[size:]
    others = {
        name: value for name, value in delta.items() if name in {"role", "annotations", "native_content", "citations"}
    }
    calls = [{**call, **stripped(call)} for call in delta.get("tool_calls") or ()]
    starts = [{"tool_calls": [call]} for call in calls]
    made = [*starts, *([{"role": "assistant"}] if not calls else []), *pieces]
    if others:
        made.append({name: value for name, value in others.items() if name != "role"})
    return [
        ChatCompletionChunk.model_validate({**told, "choices": [{"index": 0, "delta": one}]}) for one in made if one
    ]


def stripped(call: dict[str, Any]) -> dict[str, Any]:
    if "function" in call:
        return {"function": {**call["function"], "arguments": ""}}
    return {"custom": {**call["custom"], "input": ""}}


def texts(delta: dict[str, Any]) -> Any:
    for name in ("content", "refusal", "reasoning_content"):
        if delta.get(name):
            yield (lambda piece, name=name: {name: piece}), delta[name]
    for call in delta.get("tool_calls") or ():
        kind, field = ("function", "arguments") if "function" in call else ("custom", "input")
        yield (
            (
                lambda piece, call=call, kind=kind, field=field: {
                    "tool_calls": [{"index": call["index"], kind: {field: piece}}]
                }
            ),
            call[kind][field],
        )


TEXT = st.lists(
    st.sampled_from(
        ["<EMAIL_1>", "<NAME_2>", "kim.archer2@example.net", " ", "<", "<EM", "&lt;name\\_2&gt;", "x", '"', "\\", "1"]
    ),
    max_size=8,
).map("".join)


@given(TEXT, TEXT, TEXT, st.lists(st.integers(1, 9), max_size=6), st.booleans())
def test_streams_say_what_whole_answers_say(
    text: str, reasoning: str, argument: str, sizes: list[int], one: bool
) -> None:
    """For every way of cutting a stream the restored chunks make the restored completion, arguments included."""
    call = {"id": "c", "type": "function", "function": {"name": "NAME_2", "arguments": json.dumps({"a": argument})}}
    message = {**MESSAGE, "content": text or "-", "reasoning_content": reasoning or "-", "tool_calls": [call]}
    message.pop("annotations")
    masked = completion(message)
    chunks = [part for chunk in to_chunks(masked) for part in ([chunk] if one else cut(chunk, sizes))]
    wanted = restored_completion(assemble(chunks), HELD, structured=False)
    restorer = ChunkRestorer(HELD, structured=False)
    out = [made for chunk in chunks for made in restorer.feed(chunk)]
    out += restorer.end()
    assert assemble(out).to_dict() == wanted.to_dict()


def test_what_waits_comes_before_the_end() -> None:
    """What was held back comes in a chunk of its own before the one that says why the choice ended."""
    restorer = ChunkRestorer(HELD, structured=False)

    def chunk(delta: dict[str, Any], finish: str | None = None) -> ChatCompletionChunk:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return ChatCompletionChunk.model_validate({"id": "i", "created": 1, "model": "m", "choices": [choice]})

    assert [made.choices[0].delta.content for made in restorer.feed(chunk({"content": "a <EMA"}))] == ["a "]
    assert list(restorer.feed(chunk({"content": "IL"}))) == []
    last = list(restorer.feed(chunk({"content": "_"}, "stop")))
    assert [(made.choices[0].delta.content, made.choices[0].finish_reason) for made in last] == [
        ("<EMAIL_", None),
        (None, "stop"),
    ]
    assert list(restorer.end()) == []


def test_a_stream_without_an_end() -> None:
    """What is still held back when a stream is over comes at its end."""
    restorer = ChunkRestorer(HELD, structured=False)
    choice = {"index": 0, "delta": {"content": "<EMAIL_1", "thought": "<NA"}}
    chunk = ChatCompletionChunk.model_validate({"id": "i", "created": 1, "model": "m", "choices": [choice]})
    assert list(restorer.feed(chunk)) == []
    assert assemble(restorer.end()).choices[0].message.to_dict() == {
        "role": "assistant",
        "content": "<EMAIL_1",
        "thought": "<NA",
    }


def test_older_forms_and_speech() -> None:
    """The older single function call, a spoken answer's transcript, and notes that are no citation."""
    message = {
        "role": "assistant",
        "content": None,
        "function_call": {"name": "NAME_2", "arguments": '{"to": "<EMAIL_1>"}'},
        "audio": {"id": "a", "data": "AAAA", "transcript": "I am <NAME_2>"},
        "annotations": [{"type": "note", "text": "<NAME_2>"}],
    }
    masked = completion(message, "function_call")
    whole = restored_completion(masked, HELD, structured=False).choices[0].message
    assert whole.function_call is not None
    assert (whole.function_call.name, json.loads(whole.function_call.arguments)) == ("Eve", {"to": 'b"o\\b@x.com'})
    assert whole.audio is not None
    assert whole.audio.transcript == "I am Eve"
    assert whole.annotations is not None
    assert whole.annotations[0].model_extra == {"text": "Eve"}
    restorer = ChunkRestorer(HELD, structured=False)
    out = [made for chunk in to_chunks(masked) for made in restorer.feed(chunk)]
    streamed = assemble([*out, *restorer.end()])
    assert streamed.to_dict() == restored_completion(assemble(to_chunks(masked)), HELD, structured=False).to_dict()


def test_rests_of_every_kind() -> None:
    """Whatever text breaks off inside a placeholder is given back as it is."""
    fragments: list[dict[str, Any]] = [
        {"function_call": {"name": "f", "arguments": "<EMAIL"}},
        {"audio": {"id": "a", "transcript": "<EMAIL"}},
        {"tool_calls": [{"index": 0, "id": "c", "type": "custom", "custom": {"name": "f", "input": "<EMAIL"}}]},
        {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "<EMAIL"}}]},
        {"reasoning_content": "<EMAIL"},
    ]
    for fragment in fragments:
        choice = {"index": 0, "delta": fragment}
        chunk = ChatCompletionChunk.model_validate({"id": "i", "created": 1, "model": "m", "choices": [choice]})
        restorer = ChunkRestorer(HELD, structured=False)
        out = [*restorer.feed(chunk), *restorer.end()]
        assert assemble(out).choices[0].message.to_dict() == assemble([chunk]).choices[0].message.to_dict()


def test_what_waits_comes_before_what_follows() -> None:
    """A text that ends in what may become a placeholder is told before a tool's call, reasoning before the text."""
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "content": "", "reasoning_content": "ask kim.archer2@example.net"},
        {"content": "to kim.archer2@"},
        {"content": "example.net"},
        {"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
        {"content": "<"},
    ]
    restorer = ChunkRestorer(HELD, structured=False)
    told: list[tuple[str, str]] = []
    for delta in deltas:
        chunk = {"id": "i", "created": 1, "model": "m", "choices": [{"index": 0, "delta": delta}]}
        for out in restorer.feed(ChatCompletionChunk.model_validate(chunk)):
            said = out.choices[0].delta
            for name in ("reasoning_content", "content", "tool_calls"):
                value = getattr(said, name)
                told += [(name, value if isinstance(value, str) else "")] if value else []
    assert told == [
        ("reasoning_content", "ask "),
        ("reasoning_content", "k@y.de"),
        ("content", "to "),
        ("content", "k@y.de"),
        ("tool_calls", ""),
        ("tool_calls", ""),
    ]
    assert [chunk.choices[0].delta.content for chunk in restorer.end()] == ["<"]


def test_what_waits_comes_before_a_part_that_is_over() -> None:
    """A part in a vendor's own format holds all its text: what of it was held back is told before, and not again."""
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "content": "to kim.archer2@example.net"},
        {"tool_calls": [{"index": 0, "id": "c", "type": "custom", "custom": {"name": "f", "input": "<NAME_2> &"}}]},
        {"native_content": {"wire": "w", "content": [{"type": "x", "text": "kim.archer2@example.net"}]}},
    ]
    restorer = ChunkRestorer(HELD, structured=False)
    chunks = [{"id": "i", "created": 1, "model": "m", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    told = [out for chunk in chunks for out in restorer.feed(ChatCompletionChunk.model_validate(chunk))]
    assert [out.choices[0].delta.to_dict() for out in told][-2:] == [
        {"tool_calls": [{"index": 0, "custom": {"input": "&"}}]},
        {"native_content": {"wire": "w", "content": [{"type": "x", "text": "k@y.de"}]}},
    ]
    assert assemble(told).choices[0].message.content == "to k@y.de"
    assert not list(restorer.end())


@given(st.integers(0, 32), st.booleans())
def test_citations_of_what_is_held_back(size: int, together: bool) -> None:
    """A citation that follows its text has the places of the restored text, also while the end of that is held back."""
    text = "Mail <NAME_2>, kim.archer2@example.net"
    note = {"type": "url_citation", "url_citation": {"start_index": 15, "end_index": len(text), "title": "", "url": ""}}
    cited = (
        [{"content": text[size:], "annotations": [note]}]
        if together
        else [
            {"content": text[size:]},
            {"annotations": [note]},
        ]
    )
    stream = ChunkRestorer(HELD, structured=False)
    told = [
        ChatCompletionChunk.model_validate(
            {"id": "i", "created": 1, "model": "m", "choices": [{"index": 0, "delta": delta}]}
        )
        for delta in ({"content": text[:size]}, *cited)
    ]
    made = assemble([*(out for chunk in told for out in stream.feed(chunk)), *stream.end()]).choices[0].message
    assert made.content == "Mail Eve, k@y.de"
    place = made.annotations[0].url_citation  # type: ignore[index]
    assert place is not None
    assert (place.start_index, place.end_index) == (10, 16)


def test_members_of_choices_in_streams() -> None:
    """What a choice has of a vendor's own is restored: a stop sequence that was masked (`stop_reason`)."""
    chunk = {"index": 0, "delta": {"content": "x"}, "finish_reason": "stop", "stop_reason": "<NAME_2>"}
    (out,) = ChunkRestorer(HELD, structured=False).feed(
        ChatCompletionChunk.model_validate({"id": "i", "created": 1, "model": "m", "choices": [chunk]})
    )
    assert out.choices[0].model_extra == {"stop_reason": "Eve"}


def parts(cuts: list[int]) -> list[ChatCompletionChunk]:
    """A stream with a thought, a text and two calls, each cut in these places."""
    call = {"type": "function", "function": {"name": "f", "arguments": ""}}
    texts: list[tuple[Any, str]] = [
        (lambda text: {"reasoning_content": text}, "for <NAME_2>, <"),
        (lambda text: {"content": text}, "<NAME_2> & kim.archer2@example.net"),
    ]
    deltas: list[dict[str, Any]] = [{"role": "assistant"}]
    for tell, text in texts:
        deltas += [tell(text[a:b]) for a, b in itertools.pairwise([0, *cuts, 99]) if text[a:b]]
    for index in (0, 1):
        deltas.append({"tool_calls": [{"index": index, "id": f"call_{index}", **call}]})
        said = json.dumps({"path": "C:\\<NAME_2>\\x", "who": "<EMAIL_1>"})
        for a, b in itertools.pairwise([0, *cuts, 99]):
            deltas.append({"tool_calls": [{"index": index, "function": {"arguments": said[a:b]}}]})
    choices = [*({"index": 0, "delta": delta} for delta in deltas), {"index": 0, "delta": {}, "finish_reason": "stop"}]
    return [
        ChatCompletionChunk.model_validate({"id": "i", "created": 1, "model": "m", "choices": [choice]})
        for choice in choices
    ]


@pytest.mark.parametrize("wire", CODECS, ids=str)
def test_streams_of_every_vendor(wire: Wire) -> None:
    """A stream in a vendor's own format, restored and told in it again, says what the whole answer says."""

    def read(data: bytes) -> list[ChatCompletionChunk]:
        decoder = wire.codec.stream_decoder(ChatRequest(model="m", messages=[{"role": "user", "content": "?"}]))
        return [*decoder.feed(data), *decoder.end()]

    def told(chunks: list[ChatCompletionChunk]) -> bytes:
        encoder = wire.codec.stream_encoder()
        return b"".join([*map(encoder.feed, chunks), encoder.end()])

    def said(answer: ChatCompletion) -> Any:
        message = answer.choices[0].message
        calls = [json.loads(call.function.arguments) for call in message.tool_calls or () if call.function]
        return message.content, message.reasoning_content, calls

    for size in range(1, 16):
        masked = read(told(parts([size, 2 * size])))
        wanted = restored_completion(assemble(masked), HELD, structured=False)
        stream = ChunkRestorer(HELD, structured=False)
        out = [*(made for chunk in masked for made in stream.feed(chunk)), *stream.end()]
        assert said(assemble(out)) == said(assemble(read(told(out)))) == said(wanted)
        assert wanted.choices[0].message.content == "Eve & k@y.de"


@pytest.mark.parametrize("size", [1, 3, 100])
def test_what_a_vendor_tells_in_pieces(size: int) -> None:
    """Pieces with an index (`reasoning_details`) are each one text, however cut; words of the format stay whole."""
    texts = {0: ("summary", "ask <NAME_2> or <EMAIL_1>"), 1: ("text", "then <NAME_2>, or <NAM")}
    restorer = ChunkRestorer(HELD, structured=False)
    out: list[ChatCompletionChunk] = []
    for place, (member, text) in texts.items():
        for at in range(0, len(text), size):
            piece = {"type": f"reasoning.{member}", "index": place, "format": "x-v1", member: text[at : at + size]}
            delta = {"reasoning_details": [piece, {"note": "<NAME_2>"}] if at == 0 else [piece]}
            chunk = {"id": "i", "created": 1, "model": "m", "choices": [{"index": 0, "delta": delta}]}
            out += restorer.feed(ChatCompletionChunk.model_validate(chunk))
    details = (assemble([*out, *restorer.end()]).choices[0].message.model_extra or {})["reasoning_details"]
    assert [detail for detail in details if "note" in detail] == [{"note": "Eve"}] * 2
    assert [detail for detail in details if "note" not in detail] == [
        {"type": "reasoning.summary", "index": 0, "format": "x-v1", "summary": 'ask Eve or b"o\\b@x.com'},
        {"type": "reasoning.text", "index": 1, "format": "x-v1", "text": "then Eve, or <NAM"},
    ]
