"""Stream events: those of the openai package on the same chunks, and where ours go on when theirs give up."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pydantic
import pytest
from openai import pydantic_function_tool as their_tool
from openai._models import construct_type
from openai.lib.streaming.chat import ChatCompletionStreamState as Theirs
from openai.types.chat import ChatCompletionChunk as TheirChunk
from pydantic import BaseModel

from edgeagent import (
    ContentFilterFinishReasonError,
    EdgeAgentError,
    LengthFinishReasonError,
    RequestValidationError,
    pydantic_function_tool,
)
from edgeagent.resources.event_state import ChatCompletionStreamState
from edgeagent.types import ChatCompletionChunk
from edgeagent.types.assembly import assemble
from tests.support.corpus import body, records

WIRES = ["openai.chat", "deepseek.chat", "alibaba.chat", "xai.chat"]
"""Vendors whose chunks openai's state can read."""


class City(BaseModel):
    name: str
    people: int


class Weather(BaseModel):
    """Look up the weather."""

    city: str


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    index = more.pop("index", 0)
    choice = {"index": index, "delta": delta or {}, "finish_reason": finish}
    if "logprobs" in more:
        choice["logprobs"] = more.pop("logprobs")
    base = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return {**base, "choices": [choice], **more}


def call(index: int, arguments: str, name: str | None = None, **more: Any) -> dict[str, Any]:
    function = {"arguments": arguments, **({"name": name} if name else {})}
    head = {"id": f"call_{index}", "type": "function"} if name else {}
    return {"tool_calls": [{"index": index, **head, "function": function, **more}]}


def plain(value: Any, name: str = "") -> Any:
    """A value without what says nothing, and without what differs by intention.

    A role that a vendor repeats is not joined; audio ids are not joined.
    """
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_unset=True, warnings=False)
    if isinstance(value, dict):
        fields = {k: plain(v, k) for k, v in value.items() if k not in ("obfuscation", "audio")}
        return {k: v for k, v in fields.items() if v not in (None, "", [], {})}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return "assistant" if name == "role" else value


def within(theirs: Any, ours: Any) -> bool:
    """Whether ours says everything that theirs says; ours keeps usage, and what vendors send beside OpenAI's fields."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return all(within(value, ours.get(name)) for name, value in theirs.items())
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        return all(map(within, theirs, ours))
    return bool(theirs == ours)


def compare(chunks: list[dict[str, Any]], kinds: Counter[str], **options: Any) -> tuple[Any, Any]:
    """Feed both; every event must be the same. Returns both states."""
    tools = options.pop("tools", (None, None))
    theirs = Theirs(input_tools=tools[0] or [], **options)
    ours = ChatCompletionStreamState[Any](input_tools=tools[1], **options)
    for data in chunks:
        expected = list(theirs.handle_chunk(construct_type(type_=TheirChunk, value=data)))  # type: ignore[arg-type]
        events = ours.handle_chunk(ChatCompletionChunk.model_validate(data))
        if len(events) > len(expected) and any(
            c["finish_reason"] and c["delta"].get("tool_calls") for c in data["choices"]
        ):
            # a call that begins in the very last chunk: theirs never say that it is complete
            assert events.pop().type == "tool_calls.function.arguments.done"
        assert [event.type for event in events] == [event.type for event in expected]
        kinds.update(event.type for event in events)
        for event, other in zip(events, expected, strict=True):
            if event.type == "chunk" and other.type == "chunk":
                assert plain(event.chunk.to_dict()) == plain(other.chunk.to_dict())
                assert within(plain(other.snapshot), plain(event.snapshot))
            else:
                assert plain(event.model_dump()) == plain(other.model_dump(warnings=False))
    return theirs, ours


def chunks_of(record: Any) -> Iterator[dict[str, Any]]:
    for line in body(record).decode().split("\n"):
        if line.startswith("data:") and "[DONE]" not in line:
            data = json.loads(line[5:])
            if data.get("choices") is not None:
                yield data


@pytest.mark.bulk
@pytest.mark.parametrize("wire", WIRES)
def test_recorded_streams(wire: str) -> None:
    """Recorded streams: the same events with the same fields, and the same final completion."""
    kinds: Counter[str] = Counter()
    chosen = [r for r in records(wire) if r["stream"] and r["status"] == 200 and len(body(r)) < 60_000]
    for record in chosen[:60]:
        chunks = list(chunks_of(record))
        if not chunks or any(c.get("object") != "chat.completion.chunk" for c in chunks):
            continue
        theirs, ours = compare(chunks, kinds)
        if all(choice.finish_reason not in ("length", "content_filter") for choice in ours._snapshot.choices):
            final, other = ours.get_final_completion(), theirs.get_final_completion()
            assert within(plain(other), plain(final)), record["id"]
            assert [c.message.content for c in final.choices] == [c.message.content for c in other.choices]
    assert kinds["chunk"] > kinds["content.done"] > 0


TOKENS = [{"token": "a", "logprob": -0.1, "bytes": [97], "top_logprobs": []}]
USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
LOGPROBS: dict[str, Any] = {"content": TOKENS, "refusal": None}
REFUSED: dict[str, Any] = {"content": None, "refusal": TOKENS}
STREAMS: dict[str, list[dict[str, Any]]] = {
    "text": [chunk({"role": "assistant", "content": ""}), chunk({"content": "Par"}), chunk({"content": "is"}, "stop")],
    "usage": [chunk({"content": "a"}), chunk({}, "stop"), {**chunk(usage=USAGE), "choices": []}],
    "refusal": [
        chunk({"role": "assistant", "refusal": ""}),
        chunk({"refusal": "I "}),
        chunk({"refusal": "won't."}),
        chunk({}, "stop"),
    ],
    "calls": [
        chunk({"role": "assistant", "content": None}),
        chunk(call(0, "", "a")),
        chunk(call(0, '{"x"')),
        chunk(call(0, ":1}")),
        chunk(call(1, "", "b")),
        chunk(call(1, "{}")),
        chunk({}, "tool_calls"),
    ],
    "text, then calls": [
        chunk({"content": "Let me"}),
        chunk(call(0, "{}", "a")),
        chunk(call(1, "{}", "b")),
        chunk({}, "tool_calls"),
    ],
    "log probabilities": [
        chunk({"content": "a"}, logprobs=LOGPROBS),
        chunk({"content": "a"}, logprobs=LOGPROBS),
        chunk({}, "stop"),
    ],
    "log probabilities of a refusal": [
        chunk({"refusal": "a"}, logprobs=REFUSED),
        chunk({"refusal": "a"}, logprobs=REFUSED),
        chunk({}, "stop"),
    ],
    "two choices": [
        chunk({"content": "a"}),
        chunk({"content": "b"}, index=1),
        chunk({}, "stop"),
        chunk({"content": "c"}, "stop", index=1),
    ],
    "after the end": [
        chunk({"content": "a"}, "stop"),
        chunk({}, content_filter_results={"hate": {"filtered": False}}),
    ],
    "cut off": [chunk({"content": "a"}), chunk({}, "length")],
}


@pytest.mark.parametrize("name", STREAMS)
def test_made_streams(name: str) -> None:
    """A table of streams, each with something that recordings seldom have."""
    compare(STREAMS[name], Counter())


PIECES = ['{"na', 'me": "Par', 'is", "peo', 'ple": 2', "100000}"]


def test_content_is_read_as_it_comes() -> None:
    """`parsed` of a delta is what can be read so far; of the end, and of the completion, an instance of the type."""
    chunks = [*(chunk({"content": piece}) for piece in PIECES), chunk({}, "stop")]
    _, ours = compare(chunks, Counter(), response_format=City)
    assert ours.get_final_completion().choices[0].message.parsed == City(name="Paris", people=2100000)
    state = ChatCompletionStreamState[City](response_format=City)
    events = [event for c in chunks for event in state.handle_chunk(ChatCompletionChunk.model_validate(c))]
    assert [e.parsed for e in events if e.type == "content.delta"] == [
        {}, {}, {"name": "Paris"}, {"name": "Paris", "people": 2}, {"name": "Paris", "people": 2100000},
    ]  # fmt: skip
    (done,) = [e for e in events if e.type == "content.done"]
    assert done.parsed == City(name="Paris", people=2100000)


def test_arguments_are_read_as_they_come() -> None:
    """Of a tool made from a model: JSON so far, then an instance; of a strict one JSON; of any other nothing."""
    strict = {"type": "function", "function": {"name": "strict", "strict": True, "parameters": {}}}
    loose = {"type": "function", "function": {"name": "loose", "parameters": {}}}
    chunks = [
        chunk(call(0, '{"city": ', "Weather")),
        chunk(call(0, '"Paris"}')),
        chunk(call(1, '{"a": 1}', "strict")),
        chunk(call(2, '{"a": 1}', "loose")),
        chunk({}, "tool_calls"),
    ]
    tools = [their_tool(Weather), strict, loose], [pydantic_function_tool(Weather), strict, loose]
    _, ours = compare(chunks, Counter(), tools=tools)
    calls = ours.get_final_completion().choices[0].message.tool_calls
    assert [c.function.parsed_arguments for c in calls] == [Weather(city="Paris"), {"a": 1}, None]


@pytest.mark.parametrize(
    ("finish", "kind"), [("length", LengthFinishReasonError), ("content_filter", ContentFilterFinishReasonError)]
)
def test_a_cut_that_cannot_be_read(finish: str, kind: type[Exception]) -> None:
    """It is an error as soon as it is known if something was to be read, and at the final completion in any case."""
    state = ChatCompletionStreamState[City](response_format=City)
    state.handle_chunk(ChatCompletionChunk.model_validate(chunk({"content": '{"name":'})))
    with pytest.raises(kind) as caught:
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk({}, finish)))
    assert caught.value.completion.choices[0].message.content == '{"name":'  # type: ignore[attr-defined]
    plain_state = ChatCompletionStreamState[None]()
    plain_state.handle_chunk(ChatCompletionChunk.model_validate(chunk({"content": "a"}, finish)))
    with pytest.raises(kind):
        plain_state.get_final_completion()


def test_content_that_is_not_what_was_asked_for() -> None:
    """Text that is no JSON is not read on the way, and is pydantic's error at its end."""
    state = ChatCompletionStreamState[City](response_format=City)
    (_, event) = state.handle_chunk(ChatCompletionChunk.model_validate(chunk({"content": "Hello"})))
    assert event.parsed is None  # type: ignore[union-attr]
    with pytest.raises(pydantic.ValidationError):
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk({}, "stop")))


def test_nothing_has_come() -> None:
    """There is no completion before the first chunk."""
    with pytest.raises(EdgeAgentError, match="Nothing"):
        ChatCompletionStreamState[None]().get_final_completion()


def test_what_theirs_cannot_read() -> None:
    """Citations, gaps in the numbers of calls, custom tools, the last call in the last chunk, audio in pieces."""
    citation = {"type": "url_citation", "url_citation": {"url": "https://a.test", "title": "t"}}
    custom = {"tool_calls": [{"index": 7, "id": "x", "type": "custom", "custom": {"name": "shell", "input": "ls"}}]}
    state = ChatCompletionStreamState[None]()
    events = []
    for data in [
        chunk({"role": "assistant", "content": "a", "annotations": [citation]}),
        chunk({"annotations": [citation], "content": "b", "colour": "re"}),
        chunk({"colour": "d", "audio": {"id": "au", "data": "AA", "transcript": "x"}}),
        chunk({"audio": {"id": "au", "data": "BB", "transcript": "y"}}),
        chunk(call(3, '{"x"', "a")),
        {**chunk(call(3, ":1}")), "choices": [{**chunk(call(3, ":1}"))["choices"][0], "vendor": 1}]},
        chunk(custom),
        chunk({"tool_calls": [{"index": 7, "custom": {"input": " -l"}}]}),
        chunk(call(9, "{}", "b"), "tool_calls"),
    ]:
        events += state.handle_chunk(ChatCompletionChunk.model_validate(data))
    message = state.get_final_completion().choices[0].message
    assert message.content == "ab"
    assert message.annotations is not None
    assert len(message.annotations) == 2
    assert message.model_extra == {"colour": "red"}
    assert message.audio is not None
    assert (message.audio.id, message.audio.data, message.audio.transcript) == ("au", "AABB", "xy")
    calls: Any = message.tool_calls
    assert [c.function.arguments if c.function else c.custom.input for c in calls] == ['{"x":1}', "ls -l", "{}"]
    assert [e.index for e in events if e.type == "tool_calls.function.arguments.done"] == [3, 9]


def test_objects_beside_the_deltas() -> None:
    """Each of their fields counts as it was last told, as in the completion that is assembled of the same chunks."""
    parts = [
        chunk({"content": "a"}, x_groq={"id": "r", "seed": 7}),
        chunk({"content": "b"}, x_groq=None),
        chunk({}, "stop", x_groq={"id": "s", "usage": {"total_tokens": 3}}),
    ]
    for part, told in zip(parts, ({"hate": 1}, {"self_harm": 1}, None), strict=True):
        part["choices"][0]["filters"] = told
    chunks = [ChatCompletionChunk.model_validate(part) for part in parts]
    state: ChatCompletionStreamState[Any] = ChatCompletionStreamState()
    for one in chunks:
        state.handle_chunk(one)
    for made in (state.get_final_completion(), assemble(chunks)):
        assert made.model_extra == {"x_groq": {"id": "s", "seed": 7, "usage": {"total_tokens": 3}}}
        assert made.choices[0].model_extra == {"filters": {"hate": 1, "self_harm": 1}}


def test_snapshots_go_on_growing() -> None:
    """The snapshot is one object, with the first id and model that say anything, and the last usage."""
    state = ChatCompletionStreamState[None]()
    first = {**chunk({"content": "a"}), "id": "", "model": "", "created": 0}
    (event, *_) = state.handle_chunk(ChatCompletionChunk.model_validate(first))
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    for data in [chunk({"content": "b", "reasoning_content": "r"}, usage=usage), chunk({}, "stop", usage=None)]:
        state.handle_chunk(ChatCompletionChunk.model_validate(data))
    snapshot: Any = event.snapshot  # type: ignore[union-attr]
    assert snapshot is state.current_completion_snapshot
    assert (snapshot.id, snapshot.model, snapshot.created) == ("c", "m", 1)
    assert snapshot.usage.total_tokens == 3
    assert (snapshot.choices[0].message.content, snapshot.choices[0].message.reasoning_content) == ("ab", "r")


def test_types_that_cannot_be_read() -> None:
    """A response format that is no type and no dict is named."""
    with pytest.raises(RequestValidationError) as caught:
        ChatCompletionStreamState[None](response_format=int)
    assert caught.value.param == "response_format"
