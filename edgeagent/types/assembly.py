"""Chunks → the completion they say, and a completion → chunks that say it.

What a delta holds is added to what came before: strings are joined, lists extended (or merged, where their items have
an `index`), objects merged field by field. What stands beside a delta (the fields of a chunk and of a chunk's choice)
describes the whole: there the last value counts, of an object the last of each field. None never replaces a value.

The completion shares parts (annotations, usage, log probabilities) with the chunks, and the reverse.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from edgeagent.types._model import Model
from edgeagent.types.chunk import (
    ChatCompletionChunk,
    ChoiceDelta,
    ChoiceDeltaAudio,
    ChoiceDeltaFunctionCall,
    ChoiceDeltaToolCall,
    ChoiceDeltaToolCallCustom,
    ChoiceDeltaToolCallFunction,
    ChunkChoice,
)
from edgeagent.types.completion import (
    ChatCompletion,
    ChatCompletionAudio,
    ChatCompletionMessage,
    ChatCompletionMessageToolCall,
    Choice,
    ChoiceLogprobs,
    CustomToolCall,
    Function,
    FunctionCall,
)

__all__ = ["PADDING", "Assembly", "assemble", "extended", "extended_call", "latest", "to_chunks"]

M = TypeVar("M", bound=Model)

PADDING: Final = frozenset({"obfuscation"})
"""Chunk fields that are no part of the answer: OpenAI pads its chunks to hide their length from eavesdroppers."""

_FIRST: Final = ("id", "created", "model")
"""Of a chunk: the first value that says anything counts (Azure's first chunk has an empty id and model)."""
_LAST: Final = ("service_tier", "system_fingerprint", "usage")
_CHOICE: Final = ("finish_reason", "native_finish_reason", "logprobs")

LABELS: Final = frozenset({"format", "id", "index", "role", "type"})
"""Strings of unknown objects that name something, and are repeated rather than continued."""


class Assembly:
    """Collects the chunks of one stream; `completion()` can be asked for at any time."""

    __slots__ = ("_chunks",)

    def __init__(self) -> None:
        self._chunks: list[ChatCompletionChunk] = []

    def add(self, chunk: ChatCompletionChunk) -> None:
        """Add the next chunk."""
        self._chunks.append(chunk)

    def completion(self) -> ChatCompletion:
        """The completion as far as it has come; without chunks an empty one."""
        return assemble(self._chunks)


def assemble(chunks: Iterable[ChatCompletionChunk]) -> ChatCompletion:
    """The completion that the chunks say."""
    chunks = list(chunks)
    top: dict[str, Any] = {name: _first(chunks, name) for name in _FIRST}
    top["created"] = top["created"] or 0
    extra: dict[str, Any] = {}
    parts: defaultdict[int, list[ChunkChoice]] = defaultdict(list)
    for chunk in chunks:
        for choice in chunk.choices:
            parts[choice.index].append(choice)
        if chunk.__pydantic_extra__:
            _put_extra(extra, chunk)
    top.update(_last(chunks, _LAST))
    for name in ("metadata", "moderation"):  # of a completion, and no fields of a chunk
        if isinstance(extra.get(name), dict):
            top[name] = extra.pop(name)
    choices = [_choice(index, parts[index]) for index in sorted(parts)]
    return ChatCompletion(choices=choices, **top, **_unknown(extra, ChatCompletion, PADDING))


def _put(into: dict[str, Any], name: str, value: Any) -> None:
    """The last value counts; None only where nothing stands yet."""
    into[name] = latest(into.get(name), value)


def latest(before: Any, value: Any) -> Any:
    """What two chunks say beside their deltas: the last that is not None, of an object the last of each field."""
    if isinstance(before, dict) and isinstance(value, dict):
        return {**before, **value}
    return before if value is None else value


def _last(models: Sequence[Model], names: Iterable[str]) -> dict[str, Any]:
    """The last values that are not None of these fields; None for those that were never set to anything else."""
    return {name: found[-1] if found else None for name, found in _given(models, names)}


def _given(models: Sequence[Model], names: Iterable[str]) -> Iterator[tuple[str, list[Any]]]:
    """Of each field that was ever set the values that are not None. By field: there are many models and few fields."""
    fields = [model.__dict__ for model in models]
    ever = set[str]().union(*[model.__pydantic_fields_set__ for model in models])
    for name in names:
        if name in ever:
            yield name, [value for values in fields if (value := values[name]) is not None]


def _put_extra(into: dict[str, Any], model: Model) -> None:
    extra = model.__pydantic_extra__
    if extra:
        for name, value in extra.items():
            _put(into, name, value)


def _unknown(extra: Mapping[str, Any], model: type[Model], without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Extra fields that do not clash with the fields of `model`."""
    return {k: v for k, v in extra.items() if k not in model.model_fields and k not in without}


# One choice


def _choice(index: int, parts: list[ChunkChoice]) -> Choice:
    values = _last(parts, _CHOICE)
    extra: dict[str, Any] = {}
    for part in parts:
        if part.__pydantic_extra__:
            _put_extra(extra, part)
    values.setdefault("finish_reason", None)
    if values.get("logprobs") is not None:
        values["logprobs"] = _logprobs([part.logprobs for part in parts if part.logprobs is not None])
    message = _message([part.delta for part in parts])
    return Choice(index=index, message=message, **values, **_unknown(extra, Choice))


def _logprobs(parts: list[ChoiceLogprobs]) -> ChoiceLogprobs:
    values: dict[str, Any] = {}
    for name in ("content", "refusal"):
        lists = [tokens for part in parts if (tokens := getattr(part, name)) is not None]
        values[name] = [token for tokens in lists for token in tokens] if lists else None
    return ChoiceLogprobs(**values, **_merged_extra(parts, ChoiceLogprobs))


def _message(deltas: list[ChoiceDelta]) -> ChatCompletionMessage:
    message: dict[str, Any] = {"role": "assistant", "content": None}
    for name, pieces in _given(deltas, _READINGS):
        if pieces:
            message[name] = _READINGS[name](pieces)
        elif name == "refusal":
            message[name] = None  # as OpenAI's message says it
    return ChatCompletionMessage(**message, **_merged_extra(deltas, ChatCompletionMessage))


def _joined(parts: Iterable[Model], name: str) -> str | None:
    texts = [text for part in parts if (text := getattr(part, name)) is not None]
    return "".join(texts) if texts else None


def _first(parts: Iterable[Model], name: str) -> str:
    """The first that says anything: vendors repeat ids, also as empty strings."""
    return next((value for part in parts if (value := getattr(part, name))), "")


def _name(parts: Iterable[Model]) -> str:
    """A tool's name: whole in one fragment, in several, or (some vendors) whole in each."""
    name = ""
    for part in parts:
        piece: str | None = getattr(part, "name", None)
        if piece and piece != name:
            name += piece
    return name


def _function(parts: list[ChoiceDeltaToolCallFunction]) -> Function:
    extra = _merged_extra(parts, Function)
    return Function(name=_name(parts), arguments=_joined(parts, "arguments") or "", **extra)


def _function_call(parts: list[ChoiceDeltaFunctionCall]) -> FunctionCall:
    extra = _merged_extra(parts, FunctionCall)
    return FunctionCall(name=_name(parts), arguments=_joined(parts, "arguments") or "", **extra)


def _custom(parts: list[ChoiceDeltaToolCallCustom]) -> CustomToolCall:
    return CustomToolCall(
        name=_name(parts), input=_joined(parts, "input") or "", **_merged_extra(parts, CustomToolCall)
    )


def _tool_calls(lists: list[list[ChoiceDeltaToolCall]]) -> list[ChatCompletionMessageToolCall]:
    fragments: dict[int, list[ChoiceDeltaToolCall]] = {}
    for calls in lists:
        for call in calls:
            fragments.setdefault(call.index, []).append(call)
    return [_tool_call(fragments[index]) for index in sorted(fragments)]


def _tool_call(parts: list[ChoiceDeltaToolCall]) -> ChatCompletionMessageToolCall:
    functions = [part.function for part in parts if part.function is not None]
    customs = [part.custom for part in parts if part.custom is not None]
    values: dict[str, Any] = {"id": _first(parts, "id")}
    values["type"] = _first(parts, "type") or ("custom" if customs and not functions else "function")
    if functions:
        values["function"] = _function(functions)
    if customs:
        values["custom"] = _custom(customs)
    return ChatCompletionMessageToolCall(**values, **_merged_extra(parts, ChatCompletionMessageToolCall))


def _audio(parts: list[ChoiceDeltaAudio]) -> ChatCompletionAudio:
    values: dict[str, Any] = {name: _joined(parts, name) for name in ("data", "transcript")}
    for part in parts:
        _put(values, "expires_at", part.expires_at)
    return ChatCompletionAudio(id=_first(parts, "id"), **values, **_merged_extra(parts, ChatCompletionAudio))


def joined_native(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """The vendor's blocks in order; the rest (the wire's name) is the same in every part."""
    if len(parts) == 1:
        return parts[0]
    blocks = [block for part in parts for block in part.get("content") or ()]
    return {**{k: v for part in parts for k, v in part.items()}, "content": blocks}


_READINGS: Final[Mapping[str, Callable[[list[Any]], Any]]] = {
    "role": lambda roles: next(filter(None, roles), "assistant"),
    "content": "".join,
    "refusal": "".join,
    "reasoning_content": "".join,
    "annotations": lambda lists: [item for items in lists for item in items],
    "tool_calls": _tool_calls,
    "function_call": _function_call,
    "audio": _audio,
    "native_content": joined_native,
}
# Unknown fields of deltas


def _merged_extra(parts: Iterable[Model], model: type[Model]) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    for part in parts:
        if part.__pydantic_extra__:
            extra = _merged(extra, part.__pydantic_extra__)
    return _unknown(extra, model)


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Both, field by field; neither is changed."""
    result = dict(old)
    for name, value in new.items():
        before = result.get(name)
        if before is None:
            result[name] = value
        elif value is not None:
            result[name] = _added(name, before, value)
    return result


def _added(name: str, old: Any, new: Any) -> Any:
    if isinstance(old, str) and isinstance(new, str):
        return (new or old) if name in LABELS else old + new
    if isinstance(old, list) and isinstance(new, list):
        return _added_items(old, new)
    if isinstance(old, dict) and isinstance(new, dict):
        return _merged(old, new)
    return new


def _added_items(old: list[Any], new: list[Any]) -> list[Any]:
    result = list(old)
    places = {item["index"]: place for place, item in enumerate(result) if is_indexed(item)}
    for item in new:
        if is_indexed(item) and item["index"] in places:
            place = places[item["index"]]
            result[place] = _merged(result[place], item)
        else:
            if is_indexed(item):
                places[item["index"]] = len(result)
            result.append(item)
    return result


def is_indexed(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("index"), int)


# One more piece of what has been assembled


def extended(message: ChatCompletionMessage, delta: ChoiceDelta) -> ChatCompletionMessage:
    """The message with what one more delta adds to it. (Its tool calls count as numbered from 0.)"""
    said = [part.delta for part in _parts(Choice(index=0, message=message))[:-1]]
    return _message([*said, delta])


def extended_call(
    call: ChatCompletionMessageToolCall | None, fragment: ChoiceDeltaToolCall
) -> ChatCompletionMessageToolCall:
    """The call with one more fragment; None where the fragment is the first."""
    return _tool_call([fragment] if call is None else [_call_delta(fragment.index, call), fragment])


# A completion → chunks


def to_chunks(completion: ChatCompletion) -> list[ChatCompletionChunk]:
    """The completion as a stream: each choice's text, tool calls and end, then the usage with `choices: []`.

    `assemble` makes the same completion of them, if its choices stand in the order of their indices. (An `index` that a
    vendor gives its tool calls becomes the one that every fragment has.)
    """
    names = completion.model_fields_set & {"service_tier", "system_fingerprint"}
    top: dict[str, Any] = {name: getattr(completion, name) for name in ("id", "created", "model", *sorted(names))}
    chunks = [ChatCompletionChunk(choices=[part], **top) for choice in completion.choices for part in _parts(choice)]
    if completion.usage is not None or not chunks:
        chunks.append(ChatCompletionChunk(choices=[], usage=completion.usage, **top))
    beside = {name: value for name in ("metadata", "moderation") if (value := getattr(completion, name)) is not None}
    extra = chunks[-1].model_extra
    assert extra is not None
    extra.update({**beside, **(completion.model_extra or {})})
    return chunks


def _parts(choice: Choice) -> list[ChunkChoice]:
    message = choice.message
    first = _taken(ChoiceDelta, message, without=frozenset({"tool_calls", "audio", "function_call"}))
    if message.audio is not None:
        first.audio = _taken(ChoiceDeltaAudio, message.audio)
    if message.function_call is not None:
        first.function_call = _taken(ChoiceDeltaFunctionCall, message.function_call)
    deltas = [first]
    if message.tool_calls is not None:
        calls = [_call_delta(index, call) for index, call in enumerate(message.tool_calls)]
        if calls:
            deltas += [ChoiceDelta(tool_calls=[call]) for call in calls]
        else:
            first.tool_calls = []
    parts = [ChunkChoice(index=choice.index, delta=delta) for delta in deltas]
    parts[0].logprobs = choice.logprobs
    last = _taken(ChunkChoice, choice, without=frozenset({"logprobs"}), delta=ChoiceDelta())
    return [*parts, last]


def _call_delta(index: int, call: ChatCompletionMessageToolCall) -> ChoiceDeltaToolCall:
    delta = _taken(ChoiceDeltaToolCall, call, without=frozenset({"function", "custom", "index"}), index=index)
    if call.function is not None:
        delta.function = _taken(ChoiceDeltaToolCallFunction, call.function)
    if call.custom is not None:
        delta.custom = _taken(ChoiceDeltaToolCallCustom, call.custom)
    return delta


def _taken(model: type[M], source: Model, without: frozenset[str] = frozenset(), **values: Any) -> M:
    """A `model` with the fields that it shares with `source`, and the unknown ones."""
    shared = {
        name: value
        for name in model.model_fields
        if name not in without and name not in values and (value := getattr(source, name, None)) is not None
    }
    extra = {k: v for k, v in (source.model_extra or {}).items() if k not in model.model_fields and k not in without}
    return model(**shared, **values, **extra)
