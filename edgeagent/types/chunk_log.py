"""The chunks of one stream as they came, kept apart from those that readers are given.

A reader may change his chunks (many add up the fragments of a tool call in the first of them); what is stored, checked
and told of at the end must not change with them. A copy of each would cost more than making it from its JSON did. But
most chunks of most streams are alike but for their text: of such a chunk the text alone is kept, the first of them
stands as the pattern of all. Any other chunk (a tool call's fragment, reasoning, an end, usage) is kept as a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final

from edgeagent.types._model import own
from edgeagent.types.assembly import PADDING, assemble
from edgeagent.types.chunk import ChatCompletionChunk, ChoiceDelta, ChunkChoice
from edgeagent.types.completion import ChatCompletion

__all__ = ["ChunkLog"]


class ChunkLog:
    """Grows with its stream; can be read at any time, and by several threads while one adds to it.

    Args:
        clock: seconds, monotonic, for `times`; None where nobody asks when they came.

    Attributes:
        items: of each chunk its text, where it is like `like` but for that; else a copy of it.
        like: the first piece of one choice's text that adds to nothing else; None before there is one.
        times: of each addition when it was, and how many chunks it brought.
    """

    __slots__ = ("_clock", "_shape", "items", "like", "times")

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock
        self._shape: tuple[Any, ...] | None = None
        self.items: list[str | ChatCompletionChunk] = []
        self.like: ChatCompletionChunk | None = None
        self.times: list[tuple[float, int]] = []

    def took(self, chunks: Sequence[ChatCompletionChunk]) -> None:
        """These came now. They may be changed afterwards."""
        if not chunks:
            return
        for chunk in chunks:
            self.items.append(self._item(chunk))
        if self._clock is not None:
            self.times.append((self._clock(), len(chunks)))

    def _item(self, chunk: ChatCompletionChunk) -> str | ChatCompletionChunk:
        if not _is_text(chunk):
            return own(chunk)
        if self.like is None:
            if _adds_more(chunk):
                return own(chunk)
            self._shape = _shape(own(chunk))
            self.like = _without_padding(own(chunk))
        elif _shape(chunk) != self._shape:
            return own(chunk)
        return chunk.choices[0].delta.content or ""

    def since(self, place: int, end: int) -> list[ChatCompletionChunk]:
        """Those from `place` up to `end` for one more reader: copies; pieces of text lack their padding."""
        return [self._like(item) if isinstance(item, str) else own(item) for item in self.items[place:end]]

    def _like(self, text: str) -> ChatCompletionChunk:
        assert self.like is not None
        chunk = own(self.like)
        chunk.choices[0].delta.content = text
        return chunk

    def completion(self, end: int | None = None) -> ChatCompletion:
        """The completion that they say, or that those before `end` do; without chunks an empty one."""
        chunks: list[ChatCompletionChunk] = []
        texts: list[str] = []
        for item in self.items[:end]:
            if isinstance(item, str):
                texts.append(item)
            else:
                self._join(texts, chunks)
                chunks.append(item)
        self._join(texts, chunks)
        return assemble(chunks)

    def _join(self, texts: list[str], chunks: list[ChatCompletionChunk]) -> None:
        """Pieces that follow each other say what one of them with all their text would."""
        if texts:
            chunks.append(self._like("".join(texts)))
            texts.clear()


def _without_padding(chunk: ChatCompletionChunk) -> ChatCompletionChunk:
    """In place."""
    for name in PADDING & (chunk.__pydantic_extra__ or {}).keys():
        delattr(chunk, name)
    return chunk


def _is_text(chunk: ChatCompletionChunk) -> bool:
    """Whether it is a piece of one choice's text, and brings nothing that no model knows."""
    if len(chunk.choices) != 1 or (chunk.__pydantic_extra__ and not PADDING.issuperset(chunk.__pydantic_extra__)):
        return False
    choice = chunk.choices[0]
    delta = choice.delta
    return bool(delta.content) and not choice.__pydantic_extra__ and not delta.__pydantic_extra__


_ADDED: Final = itemgetter(*(name for name in ChoiceDelta.model_fields if name not in ("role", "content")))


def _adds_more(chunk: ChatCompletionChunk) -> bool:
    """Whether it adds to more than the text: said twice, this is not what it is when said once."""
    choice = chunk.choices[0]
    return choice.logprobs is not None or any(_ADDED(choice.delta.__dict__))


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
