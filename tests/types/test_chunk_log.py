"""What is kept of a stream's chunks, whatever is done to them afterwards."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.types import ChatCompletionChunk
from edgeagent.types.assembly import assemble
from edgeagent.types.chunk_log import ChunkLog
from tests.types.test_recording import CHUNKS, chunk

BATCHES = st.lists(st.lists(CHUNKS, max_size=4), max_size=8)


def spoil(chunks: list[ChatCompletionChunk]) -> None:
    """Change all that can be changed in its place."""
    for one in chunks:
        one.id = one.model = "changed"
        one.usage = None
        for choice in one.choices:
            choice.finish_reason = "length"
            choice.delta.content = "changed"
            for call in choice.delta.tool_calls or ():
                call.id = "changed"
            (choice.delta.tool_calls or []).clear()
            (choice.delta.model_extra or {})["changed"] = True
        one.choices.clear()
        one.__pydantic_fields_set__.clear()


def dumped(chunks: list[ChatCompletionChunk]) -> list[Any]:
    return [one.model_dump(exclude_unset=True) for one in chunks]


def copied(chunks: list[ChatCompletionChunk]) -> list[ChatCompletionChunk]:
    return [ChatCompletionChunk.from_json(one.as_json()) for one in chunks]


@given(BATCHES)
def test_the_same_is_said_at_any_time(batches: list[list[ChatCompletionChunk]]) -> None:
    """What is assembled from the log is what the chunks say together, also of a part of them, and each can be had again
    as it came."""
    log = ChunkLog()
    came: list[ChatCompletionChunk] = []
    for batch in batches:
        came += copied(batch)
        log.took(batch)
        spoil(batch)
        assert log.completion() == assemble(copied(came))
    for end in range(len(came) + 1):
        assert log.completion(end) == assemble(came[:end])
        for place in range(end + 1):
            assert dumped(log.since(place, end)) == dumped(came[place:end])


@given(BATCHES)
def test_readers_share_nothing(batches: list[list[ChatCompletionChunk]]) -> None:
    """What one does to his chunks is not in those of another, nor in the whole."""
    log = ChunkLog()
    for batch in batches:
        log.took(batch)
    there = len(log.items)
    whole, chunks = log.completion(), dumped(log.since(0, there))
    spoil(log.since(0, there))
    assert dumped(log.since(0, there)) == chunks
    assert log.completion() == whole


def test_pieces_of_text_take_the_place_of_their_text() -> None:
    """All that follow the first and say nothing else; padding is not kept."""
    log = ChunkLog()
    log.took([chunk({"content": f"word{n} "}, top={"obfuscation": "x" * (n % 7)}) for n in range(100)])
    assert log.items == [f"word{n} " for n in range(100)]
    assert [one.model_extra for one in log.since(0, 100)] == [{}] * 100
    assert log.completion().choices[0].message.content == "".join(f"word{n} " for n in range(100))


def test_another_choices_text_is_its_own() -> None:
    """Where several answers come interleaved, each is put together from its own."""
    log = ChunkLog()
    log.took([chunk({"content": f"{n}"}, index=n % 2) for n in range(10)])
    assert [choice.message.content for choice in log.completion().choices] == ["02468", "13579"]


def test_times_are_kept_for_who_asks() -> None:
    """One for each addition that brought anything."""
    now = iter((1.0, 2.5))
    log = ChunkLog(lambda: next(now))
    for batch in ([chunk({"content": "a"}), chunk({"content": "b"})], [], [chunk({"content": "c"})]):
        log.took(batch)
    assert log.times == [(1.0, 2), (2.5, 1)]
    silent = ChunkLog()
    silent.took([chunk({"content": "a"})])
    assert silent.times == []


def test_a_number_in_another_form_is_another_piece() -> None:
    """A vendor's field that no model knows is in its chunk alone."""
    log = ChunkLog()
    log.took([chunk({"content": "a"}), chunk({"content": "b", "x": 1}), chunk({"content": "c", "x": 1.5})])
    assert [json.loads(one.as_json())["choices"][0]["delta"] for one in log.since(0, 3)] == [
        {"content": "a"},
        {"content": "b", "x": 1},
        {"content": "c", "x": 1.5},
    ]


@pytest.mark.parametrize(
    ("delta", "choice"),
    [
        ({}, {"logprobs": {"content": [{"token": "ha", "logprob": 0.0, "bytes": None, "top_logprobs": []}]}}),
        ({"reasoning_content": "well, "}, {}),
        ({"tool_calls": [{"index": 0, "id": "t", "function": {"name": "f", "arguments": "1"}}]}, {}),
        ({"annotations": [{"type": "url_citation"}]}, {}),
    ],
)
def test_what_equal_pieces_say_beside_their_text_is_said_by_each(delta: dict[str, Any], choice: dict[str, Any]) -> None:
    """A token that comes twice with the same probability has it twice."""
    chunks = [chunk({"content": "ha", **delta}, **choice) for _ in range(3)]
    log = ChunkLog()
    log.took(chunks)
    assert log.completion() == assemble(chunks)
