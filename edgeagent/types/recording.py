"""How a streamed answer came: its chunks and their times, recorded beside the completion that they say.

Most chunks of most streams are alike but for their text, and the texts together are the completion's. So such a chunk
is recorded as the number of its characters; the first of them stands as the pattern of all. Any other chunk (a tool
call's fragment, reasoning, an end, usage) is recorded whole. Padding (`obfuscation`) is not recorded.

The format is JSON: `{"like": pattern, "chunks": [number or chunk, …], "ms": [milliseconds since the first, …]}`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple

from edgeagent.types.assembly import PADDING
from edgeagent.types.chunk import ChatCompletionChunk, ChoiceDelta, ChunkChoice
from edgeagent.types.completion import ChatCompletion

__all__ = ["Recorded", "Recorder", "replayed"]

MAX_BYTES: Final = 2**20
"""The largest recording; a stream with a larger one is replayed in few chunks."""
LONGEST_MS: Final = 86_400_000
"""A chunk that came later than a day after the first is none of a stream."""


class Recorded(NamedTuple):
    """One chunk, and how many seconds after the first ones it came."""

    after: float
    chunk: ChatCompletionChunk


class Recorder:
    """Takes the chunks of one stream as they come. They are not changed, and must not be by others until the end.

    Args:
        clock: seconds, monotonic.
    """

    __slots__ = ("_chunks", "_clock", "_times")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._chunks: list[ChatCompletionChunk] = []
        self._times: list[tuple[float, int]] = []

    def took(self, chunks: Sequence[ChatCompletionChunk]) -> None:
        """These came now."""
        if chunks:
            self._chunks += chunks
            self._times.append((self._clock(), len(chunks)))

    def encoded(self, completion: ChatCompletion) -> bytes:
        """The recording, to be replayed beside `completion`; empty if there is none, or it is too large."""
        like = next((chunk for chunk in self._chunks if _is_text(chunk)), None)
        pattern = None if like is None else _shape(like)
        items: list[bytes] = []
        said: list[str] = []
        for chunk in self._chunks:
            if pattern is not None and _is_text(chunk) and _shape(chunk) == pattern:
                text = chunk.choices[0].delta.content or ""
                said.append(text)
                items.append(b"%d" % len(text))
            else:
                if like is not None:
                    said += _texts(chunk, like.choices[0].index)
                items.append(_whole(chunk))
        if like is not None and "".join(said) != _text(completion, like.choices[0].index):
            return b""
        return self._joined(items, like)

    def _joined(self, items: list[bytes], like: ChatCompletionChunk | None) -> bytes:
        first = self._times[0][0] if self._times else 0.0
        times = (b"%d" % round((time - first) * 1e3) for time, count in self._times for _ in range(count))
        shape = b"null" if like is None else _whole(like)
        data = b'{"like":%b,"chunks":[%b],"ms":[%b]}' % (shape, b",".join(items), b",".join(times))
        return data if items and len(data) <= MAX_BYTES else b""


def replayed(data: bytes, completion: ChatCompletion) -> list[Recorded]:
    """The chunks that were recorded beside `completion`. Raises `ValueError` for other data."""
    try:
        recording: dict[str, Any] = json.loads(data)
        return list(_replayed(recording["like"], recording["chunks"], recording["ms"], completion))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("this is no recording of a stream") from error


def _replayed(
    like: dict[str, Any] | None, items: list[Any], times: list[int], completion: ChatCompletion
) -> Iterator[Recorded]:
    index = 0 if like is None else like["choices"][0]["index"]
    text = _text(completion, index) or ""
    at = 0
    for item, time in zip(items, times, strict=True):
        if isinstance(item, int):
            if like is None:
                raise TypeError("a length without a pattern")
            (choice,) = like["choices"]
            delta = {**choice["delta"], "content": text[at : at + item]}
            chunk = ChatCompletionChunk.model_validate({**like, "choices": [{**choice, "delta": delta}]})
        else:
            chunk = ChatCompletionChunk.model_validate(item)
        at += sum(map(len, _texts(chunk, index)))
        if not 0 <= time <= LONGEST_MS:
            raise ValueError("a time that no stream takes")
        yield Recorded(time / 1e3, chunk)


def _is_text(chunk: ChatCompletionChunk) -> bool:
    """Whether it is a piece of one choice's text, and brings nothing that no model knows."""
    if len(chunk.choices) != 1 or (chunk.__pydantic_extra__ and not PADDING.issuperset(chunk.__pydantic_extra__)):
        return False
    choice = chunk.choices[0]
    delta = choice.delta
    return bool(delta.content) and not choice.__pydantic_extra__ and not delta.__pydantic_extra__


_TOP: Final = itemgetter(*(name for name in ChatCompletionChunk.model_fields if name != "choices"))
_CHOICE: Final = itemgetter(*(name for name in ChunkChoice.model_fields if name != "delta"))
_DELTA: Final = itemgetter(*(name for name in ChoiceDelta.model_fields if name != "content"))


def _shape(chunk: ChatCompletionChunk) -> tuple[Any, ...]:
    """All that a piece of text says but the text; equal shapes are equal chunks but for it."""
    choice = chunk.choices[0]
    delta = choice.delta
    return (
        _TOP(chunk.__dict__),
        chunk.__pydantic_fields_set__,
        _CHOICE(choice.__dict__),
        choice.__pydantic_fields_set__,
        _DELTA(delta.__dict__),
        delta.__pydantic_fields_set__,
    )


def _texts(chunk: ChatCompletionChunk, index: int) -> list[str]:
    return [choice.delta.content or "" for choice in chunk.choices if choice.index == index]


def _text(completion: ChatCompletion, index: int) -> str | None:
    return next((choice.message.content for choice in completion.choices if choice.index == index), None)


def _whole(chunk: ChatCompletionChunk) -> bytes:
    data = chunk.as_json()
    if not chunk.__pydantic_extra__ or PADDING.isdisjoint(chunk.__pydantic_extra__):
        return data
    kept = {name: value for name, value in json.loads(data).items() if name not in PADDING}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()
