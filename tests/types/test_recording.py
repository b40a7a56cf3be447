"""A stream's recording: the same chunks come out again, beside the completion that they say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.types import ChatCompletion, ChatCompletionChunk
from edgeagent.types import recording as module
from edgeagent.types.assembly import assemble
from edgeagent.types.chunk_log import ChunkLog
from edgeagent.types.recording import recording, replayed


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def chunk(
    delta: dict[str, Any] | None = None, *, top: dict[str, Any] | None = None, **choice: Any
) -> ChatCompletionChunk:
    choices = [] if delta is None else [{"index": 0, "delta": delta, **choice}]
    return ChatCompletionChunk.model_validate(
        {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **(top or {})}
    )


def again(*batches: list[ChatCompletionChunk]) -> tuple[list[ChatCompletionChunk], list[float], bytes]:
    """What is replayed of batches that came a second apart, and the recording."""
    clock = Clock()
    log = ChunkLog(clock)
    for batch in batches:
        log.took(batch)
        clock.now += 1
    completion = assemble([piece for batch in batches for piece in batch])
    data = recording(log, completion)
    stored = ChatCompletion.from_json(completion.as_json())
    recorded = replayed(data, stored)
    return [one.chunk for one in recorded], [one.after for one in recorded], data


DELTAS = st.one_of(
    st.builds(lambda text: {"content": text}, st.text(max_size=8)),
    st.builds(lambda text: {"role": "assistant", "content": text}, st.text(max_size=8)),
    st.builds(lambda text: {"reasoning_content": text}, st.text(max_size=8)),
    st.builds(lambda text: {"refusal": text}, st.text(max_size=8)),
    st.builds(lambda text: {"content": text, "unknown": 1}, st.text(max_size=8)),
    st.builds(
        lambda index, text: {"tool_calls": [{"index": index, "id": f"i{index}", "function": {"arguments": text}}]},
        st.integers(0, 1),
        st.text(max_size=8),
    ),
    st.just({}),
)
CHUNKS = st.builds(
    lambda delta, index, top, more: chunk(delta, top=top, index=index, **more),
    DELTAS,
    st.integers(0, 1),
    st.sampled_from([{}, {}, {}, {"service_tier": "flex"}, {"x": 1}, {"usage": None}]),
    st.sampled_from([{}, {}, {"logprobs": None}, {"finish_reason": None}, {"native_finish_reason": "x"}]),
)


@given(st.lists(st.lists(CHUNKS, max_size=4), min_size=1, max_size=8).filter(lambda batches: any(batches)))
def test_the_same_chunks_come_again(batches: list[list[ChatCompletionChunk]]) -> None:
    """Equal, with the same fields set; in the same order, each at its time."""
    chunks, times, _ = again(*batches)
    live = [piece for batch in batches for piece in batch]
    assert [piece.model_dump(exclude_unset=True) for piece in chunks] == [
        piece.model_dump(exclude_unset=True) for piece in live
    ]
    first = next(place for place, batch in enumerate(batches) if batch)
    assert times == [float(place - first) for place, batch in enumerate(batches) for _ in batch]


def test_text_is_recorded_as_its_length() -> None:
    """A thousand words take a thousand numbers, not a thousand chunks; padding takes nothing."""
    words = [chunk({"content": f"word{n} "}, top={"obfuscation": "x" * (n % 7)}) for n in range(1000)]
    chunks, _, data = again([chunk({"role": "assistant", "content": ""})], words, [chunk({}, finish_reason="stop")])
    assert len(data) < 1000 * 6 + 1500
    assert "".join(piece.choices[0].delta.content or "" for piece in chunks) == "".join(
        f"word{n} " for n in range(1000)
    )
    assert b"obfuscation" not in data


def test_padding_of_other_chunks_is_not_recorded() -> None:
    """It is no part of the answer."""
    chunks, _, data = again([chunk({"role": "assistant"}, top={"obfuscation": "é"}), chunk({"refusal": "é"})])
    assert b"obfuscation" not in data
    assert chunks == [chunk({"role": "assistant"}), chunk({"refusal": "é"})]


def test_usage_comes_where_it_came() -> None:
    """As a chunk of its own, with no choices."""
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    chunks, _, _ = again([chunk({"content": "a"})], [chunk(None, top={"usage": usage})])
    assert chunks[-1].usage is not None
    assert chunks[-1].choices == []


def test_what_does_not_fit_is_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing came, the completion says something else than the chunks, or the recording is too large."""
    log = ChunkLog(Clock())
    log.took([])
    assert recording(log, assemble([])) == b""
    log.took([chunk({"content": "a"})])
    assert recording(log, assemble([chunk({"content": "b"})])) == b""
    assert recording(log, assemble([])) == b""
    data = recording(log, assemble([chunk({"content": "a"})]))
    monkeypatch.setattr(module, "MAX_BYTES", len(data) - 1)
    assert recording(log, assemble([chunk({"content": "a"})])) == b""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"7",
        b"{",
        b"[" * 100_000,
        json.dumps({"like": None, "chunks": [3], "ms": [0]}).encode(),
        json.dumps({"like": {}, "chunks": [3], "ms": [0]}).encode(),
        json.dumps({"like": None, "chunks": [{}], "ms": [0]}).encode(),
        json.dumps({"like": None, "chunks": [], "ms": [0]}).encode(),
        json.dumps({"like": None, "chunks": ["x"], "ms": ["y"]}).encode(),
        b'{"like":{"choices":[]},"chunks":[],"ms":[]}',
        b'{"like":null,"chunks":[{"id":"c","choices":[],"created":1,"model":"m"}],"ms":[1%s]}' % (b"0" * 400),
        b'{"like":null,"chunks":[{"id":"c","choices":[],"created":1,"model":"m"}],"ms":[1e300]}',
        b'{"like":null,"chunks":[{"id":"c","choices":[],"created":1,"model":"m"}],"ms":[NaN]}',
        b'{"like":null,"chunks":[{"id":"c","choices":[],"created":1,"model":"m"}],"ms":[-1]}',
    ],
)
def test_other_data_is_no_recording(data: bytes) -> None:
    """One kind of error, whatever it is."""
    with pytest.raises(ValueError, match="no recording"):
        replayed(data, assemble([]))
