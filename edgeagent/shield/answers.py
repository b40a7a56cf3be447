"""Restoring in answers: every text of a completion, and the same of its chunks as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeVar

from edgeagent.shield.places import ground
from edgeagent.shield.restore import Restorer, Restoring
from edgeagent.types import ChatCompletion, ChatCompletionChunk
from edgeagent.types._model import Model
from edgeagent.types.assembly import LABELS, is_indexed
from edgeagent.types.chunk import (
    ChoiceDelta,
    ChoiceDeltaAudio,
    ChoiceDeltaFunctionCall,
    ChoiceDeltaToolCall,
    ChoiceDeltaToolCallCustom,
    ChoiceDeltaToolCallFunction,
    ChunkChoice,
)
from edgeagent.types.completion import Annotation, Choice

__all__ = ["ChunkRestorer", "restored_completion"]

M = TypeVar("M", bound=Model)

_TEXTS: Final = ("content", "refusal", "reasoning_content")
_FREE: Final = frozenset({*_TEXTS, "custom"})
"""Texts that may end anywhere."""


def restored_completion(completion: ChatCompletion, restorer: Restorer, *, structured: bool) -> ChatCompletion:
    """A copy with everything restored.

    Args:
        completion: as the model wrote it; it is not changed.
        restorer: knows the values.
        structured: whether the content is JSON text.
    """
    choices = [_choice(choice, restorer, structured=structured) for choice in completion.choices]
    copy = completion.model_copy(update={"choices": choices})
    _extra(copy, restorer)
    return copy


def _choice(choice: Choice, restorer: Restorer, *, structured: bool) -> Choice:
    message = choice.message
    changes: dict[str, Any] = {}
    content = restorer.stream(json=structured)
    if message.content is not None:
        changes["content"] = content.feed(message.content) + content.end()
    for name in _TEXTS[1:]:
        if getattr(message, name) is not None:
            changes[name] = restorer.text(getattr(message, name))
    if message.annotations is not None:
        changes["annotations"] = [_annotation(note, restorer, content) for note in message.annotations]
    if message.audio is not None and message.audio.transcript is not None:
        transcript = restorer.text(message.audio.transcript)
        changes["audio"] = message.audio.model_copy(update={"transcript": transcript})
    if message.function_call is not None:
        changes["function_call"] = _called(message.function_call, restorer, "arguments")
    if message.tool_calls is not None:
        changes["tool_calls"] = [_tool_call(call, restorer) for call in message.tool_calls]
    if message.native_content is not None:
        changes["native_content"] = restorer.tree(message.native_content, structured=structured)
    copy = message.model_copy(update=changes)
    _extra(copy, restorer)
    result = choice.model_copy(update={"message": copy})
    _extra(result, restorer)
    ground(result.__pydantic_extra__ or {}, content)
    return result


def _tool_call(call: Any, restorer: Restorer) -> Any:
    changes: dict[str, Any] = {}
    if call.function is not None:
        changes["function"] = _called(call.function, restorer, "arguments")
    if call.custom is not None:
        changes["custom"] = _called(call.custom, restorer, "input")
    return call.model_copy(update=changes)


def _called(called: M, restorer: Restorer, field: str) -> M:
    text = restorer.text(getattr(called, field), json=field == "arguments")
    return called.model_copy(update={"name": restorer.name(getattr(called, "name", "")), field: text})


def _annotation(note: Annotation, restorer: Restorer, content: Restoring) -> Annotation:
    """A note, whose places are those of the restored text."""
    cited = note.url_citation
    if cited is not None:
        told = {name: getattr(cited, name) for name in ("title", "url")}
        changes: dict[str, Any] = {name: restorer.text(text) for name, text in told.items() if text is not None}
        for name in ("start_index", "end_index"):
            place = getattr(cited, name)
            if place is not None:
                changes[name] = content.place(place)
        note = note.model_copy(update={"url_citation": cited.model_copy(update=changes)})
    else:
        note = note.model_copy()
    _extra(note, restorer)
    return note


def _extra(model: Model, restorer: Restorer) -> None:
    """Restore in what the model does not know; a copy of pydantic's has its own mapping for that."""
    extra = model.__pydantic_extra__
    if extra:
        for name, value in extra.items():
            extra[name] = restorer.tree(value, parent=name)


class ChunkRestorer:
    """Restores in chunks as they come.

    What may still become a placeholder is held back, in each text of each choice by itself; it follows with the chunk
    that says why the choice ended, or at the end of the stream.
    """

    def __init__(self, restorer: Restorer, *, structured: bool) -> None:
        self._restorer = restorer
        self._structured = structured
        self._texts: dict[tuple[Any, ...], Restoring] = {}
        self._last: ChatCompletionChunk | None = None

    def feed(self, chunk: ChatCompletionChunk) -> Iterator[ChatCompletionChunk]:
        """The chunk with what can go out of it; it is not changed. Nothing if all that it says has to wait."""
        self._last = chunk
        choices: list[ChunkChoice] = []
        for choice in chunk.choices:
            if choice.delta.native_content is not None:  # a part of the answer that is over, with all its text
                for said in self._waiting(choice.index):
                    yield _saying(chunk, ChunkChoice(index=choice.index, delta=said))
            delta = self._delta(choice)
            content = self._texts.get((choice.index, "content"))
            if choice.finish_reason is not None:
                rest = self._rest(choice.index)
                if rest:
                    for said in (*([] if _is_empty(delta) else [delta]), *rest):
                        yield _saying(chunk, ChunkChoice(index=choice.index, delta=said))
                    delta = ChoiceDelta()
                choices.append(self._with(choice, delta, content))
            elif not _is_empty(delta) or _is_empty(choice.delta) or choice.logprobs is not None:
                choices.append(self._with(choice, delta, content))
        if choices or not chunk.choices or chunk.usage is not None:
            copy = chunk.model_copy(update={"choices": choices})
            _extra(copy, self._restorer)
            yield copy

    def _with(self, choice: ChunkChoice, delta: ChoiceDelta, content: Restoring | None) -> ChunkChoice:
        copy = choice.model_copy(update={"delta": delta})
        _extra(copy, self._restorer)
        if content is not None:
            ground(copy.__pydantic_extra__ or {}, content)
        return copy

    def end(self) -> Iterator[ChatCompletionChunk]:
        """What is still held back."""
        for index in dict.fromkeys(key[0] for key in self._texts):
            for said in self._rest(index):
                assert self._last is not None
                yield _saying(self._last, ChunkChoice(index=index, delta=said))

    def _rest(self, index: int) -> list[ChoiceDelta]:
        """All that is left to be said of a choice."""
        said = []
        for key in [key for key in self._texts if key[0] == index]:
            rest = self._texts.pop(key).end()
            if rest:
                said.append(_holding(key[1:], rest))
        return said

    def _waiting(self, index: int) -> list[ChoiceDelta]:
        """What is held back of a choice's texts; arguments are not, since JSON ends with a bracket of its own."""
        texts = [key for key, stream in self._texts.items() if key[0] == index and key[1] in _FREE and stream.waiting]
        return [_holding(key[1:], self._texts[key].end()) for key in texts]

    def _text(self, key: tuple[Any, ...], text: str, *, json: bool = False) -> str:
        stream = self._texts.get(key)
        if stream is None:
            stream = self._texts[key] = self._restorer.stream(json=json)
        return stream.feed(text)

    def _delta(self, choice: ChunkChoice) -> ChoiceDelta:
        delta, index, restorer = choice.delta, choice.index, self._restorer
        changes: dict[str, Any] = {}
        known = self._texts.get((index, "content"))
        begins = bool(delta.content) and (known is None or not known.begun)
        for name in _TEXTS:
            text = getattr(delta, name)
            if text is not None:
                json = self._structured and name == "content"
                changes[name] = self._text((index, name), text, json=json)
        if any(_begins(call) for call in delta.tool_calls or ()):
            self._flush(index, _TEXTS, changes)
        elif begins:
            self._flush(index, ("reasoning_content",), changes)
        if delta.audio is not None and delta.audio.transcript is not None:
            transcript = self._text((index, "audio"), delta.audio.transcript)
            changes["audio"] = delta.audio.model_copy(update={"transcript": transcript})
        if delta.function_call is not None:
            changes["function_call"] = self._fragment(delta.function_call, (index, "function_call"), "arguments")
        if delta.tool_calls is not None:
            changes["tool_calls"] = [self._call(call, index) for call in delta.tool_calls]
        if delta.annotations is not None:
            content = self._texts.get((index, "content")) or restorer.stream()
            changes["annotations"] = [_annotation(note, restorer, content) for note in delta.annotations]
        if delta.native_content is not None:
            changes["native_content"] = restorer.tree(delta.native_content, structured=self._structured)
        copy = delta.model_copy(update=changes)
        extra = copy.__pydantic_extra__ or {}
        for name, value in extra.items():
            if isinstance(value, str):
                extra[name] = self._text((index, "extra", name), value)
            elif isinstance(value, list):
                extra[name] = [self._item(item, (index, "item", name)) for item in value]
            else:
                extra[name] = restorer.tree(value)
        return copy

    def _item(self, item: Any, key: tuple[Any, ...]) -> Any:
        """A piece of something of the vendor's own that is told in pieces, as OpenRouter's `reasoning_details` are."""
        if not is_indexed(item):
            return self._restorer.tree(item)
        return {
            name: self._text((*key, item["index"], name), part)
            if isinstance(part, str) and name not in LABELS
            else self._restorer.tree(part, parent=name)
            for name, part in item.items()
        }

    def _flush(self, index: int, names: Iterable[str], changes: dict[str, Any]) -> None:
        """Say what waits in texts that something else follows: behind it, it would be another text."""
        for name in names:
            stream = self._texts.get((index, name))
            if stream is not None and stream.waiting:
                changes[name] = (changes.get(name) or "") + stream.end()

    def _call(self, call: ChoiceDeltaToolCall, index: int) -> ChoiceDeltaToolCall:
        changes: dict[str, Any] = {}
        if call.function is not None:
            changes["function"] = self._fragment(call.function, (index, "tool", call.index), "arguments")
        if call.custom is not None:
            changes["custom"] = self._fragment(call.custom, (index, "custom", call.index), "input")
        return call.model_copy(update=changes)

    def _fragment(self, called: M, key: tuple[Any, ...], field: str) -> M:
        changes: dict[str, Any] = {}
        name, text = getattr(called, "name", None), getattr(called, field)
        if name is not None:
            changes["name"] = self._restorer.name(name)
        if text is not None:
            changes[field] = self._text(key, text, json=field == "arguments")
        return called.model_copy(update=changes)


def _begins(call: ChoiceDeltaToolCall) -> bool:
    """Whether a fragment is the first of a call."""
    return bool(call.id or (call.function and call.function.name) or (call.custom and call.custom.name))


def _is_empty(delta: ChoiceDelta) -> bool:
    """Whether a delta says nothing that a caller would miss."""
    if delta.__pydantic_extra__ and any(value not in (None, "") for value in delta.__pydantic_extra__.values()):
        return False
    calls = any(not _is_bare(call) for call in delta.tool_calls or ())
    others = (delta.role, delta.annotations, delta.audio, delta.function_call, delta.native_content)
    return not (any(getattr(delta, name) for name in _TEXTS) or calls or any(other is not None for other in others))


def _is_bare(call: ChoiceDeltaToolCall) -> bool:
    """Whether a fragment of a call holds no piece of it."""
    for called, field in ((call.function, "arguments"), (call.custom, "input")):
        if called is not None and (called.name or getattr(called, field)):
            return False
    return not call.id


def _saying(chunk: ChatCompletionChunk, choice: ChunkChoice) -> ChatCompletionChunk:
    """A chunk of the same stream that says this and nothing else."""
    top = {name: getattr(chunk, name) for name in ("id", "created", "model", "service_tier", "system_fingerprint")}
    return ChatCompletionChunk(choices=[choice], **{name: value for name, value in top.items() if value is not None})


_HOLDERS: Final[dict[str, Callable[[tuple[Any, ...], str], ChoiceDelta]]] = {
    "audio": lambda _, text: ChoiceDelta(audio=ChoiceDeltaAudio(transcript=text)),
    "function_call": lambda _, text: ChoiceDelta(function_call=ChoiceDeltaFunctionCall(arguments=text)),
    "tool": lambda key, text: ChoiceDelta(
        tool_calls=[ChoiceDeltaToolCall(index=key[1], function=ChoiceDeltaToolCallFunction(arguments=text))]
    ),
    "custom": lambda key, text: ChoiceDelta(
        tool_calls=[ChoiceDeltaToolCall(index=key[1], custom=ChoiceDeltaToolCallCustom(input=text))]
    ),
    "item": lambda key, text: ChoiceDelta.model_validate({key[1]: [{"index": key[2], key[3]: text}]}),
    "extra": lambda key, text: ChoiceDelta.model_validate({key[1]: text}),
}


def _holding(key: tuple[Any, ...], text: str) -> ChoiceDelta:
    """A delta with the rest of one text."""
    make = _HOLDERS.get(key[0])
    return ChoiceDelta.model_validate({key[0]: text}) if make is None else make(key, text)
