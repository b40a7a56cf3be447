"""How a streamed answer came: its chunks and their times, recorded beside the completion that they say.

The texts of the pieces that are alike but for them (see `edgeagent.types.chunk_log`) are together the completion's. So
such a piece is recorded as the number of its characters, any other chunk whole; padding (`obfuscation`) is not.

The format is JSON: `{"like": pattern, "chunks": [number or chunk, …], "ms": [milliseconds since the first, …]}`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from edgeagent.types.assembly import PADDING
from edgeagent.types.chunk import ChatCompletionChunk
from edgeagent.types.chunk_log import ChunkLog
from edgeagent.types.completion import ChatCompletion

__all__ = ["Recorded", "recording", "replayed"]

MAX_BYTES: Final = 2**20
"""The largest recording; a stream with a larger one is replayed in few chunks."""
LONGEST_MS: Final = 86_400_000
"""A chunk that came later than a day after the first is none of a stream."""


class Recorded(NamedTuple):
    """One chunk, and how many seconds after the first ones it came."""

    after: float
    chunk: ChatCompletionChunk


def recording(log: ChunkLog, completion: ChatCompletion) -> bytes:
    """A stream's recording, to be replayed beside `completion`; empty if there is none, or it is too large."""
    like = log.like
    items: list[bytes] = []
    said: list[str] = []
    for item in log.items:
        if isinstance(item, str):
            said.append(item)
            items.append(b"%d" % len(item))
        else:
            if like is not None:
                said += _texts(item, like.choices[0].index)
            items.append(_whole(item))
    if like is not None and "".join(said) != _text(completion, like.choices[0].index):
        return b""
    first = log.times[0][0] if log.times else 0.0
    times = (b"%d" % round((time - first) * 1e3) for time, count in log.times for _ in range(count))
    shape = b"null" if like is None else like.as_json()
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
