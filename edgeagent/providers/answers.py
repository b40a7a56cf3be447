"""What a provider of the caller's own returns → the unified model.

Pure: `id` and `created` are the caller's to give, since making them takes randomness and a clock. What is not an answer
is a `ResponseValidationError` that names the field and quotes no value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import to_jsonable_python

from edgeagent.errors import ResponseValidationError
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatCompletionMessage, ChatRequest, ChoiceDelta
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.json import dump_json

__all__ = ["LOCAL_ID", "ItemDecoder", "chunk_from", "completion_from"]

LOCAL_ID: Final = "chatcmpl-local"
"""The `id` of an answer that came without one."""

_Model = TypeVar("_Model", ChatCompletion, ChatCompletionChunk)

_CHOICE_FIELDS: Final = frozenset({"finish_reason", "native_finish_reason", "logprobs"})
_TOP_FIELDS: Final = frozenset({"id", "created", "model", "usage", "service_tier", "system_fingerprint"})
_MESSAGE_FIELDS: Final = frozenset(ChatCompletionMessage.model_fields) - {"role"}
_DELTA_FIELDS: Final = frozenset(ChoiceDelta.model_fields)


def completion_from(value: object, *, request: ChatRequest, id: str = LOCAL_ID, created: int = 0) -> ChatCompletion:
    """An answer → a completion that shares nothing with it.

    Args:
        value: text; a `ChatCompletion`; a pydantic object with its fields (openai's own); a dict of them; or a dict of
            the message alone (`{"content": …}`, `{"tool_calls": […]}`), which may hold fields of the choice
            (`finish_reason`) and of the completion (`usage`, `model`) too. Tool calls may leave out `id` and `type`
            and may give `arguments` as an object.
        request: what was asked; its `model` is the completion's when the answer names none.
        id: the completion's id when the answer has none.
        created: the same for the creation time, in epoch seconds.

    Raises:
        ResponseValidationError: anything else, or fields of wrong types, or no choices.
    """
    if isinstance(value, ChatCompletion):
        _some_choice(value.choices)
        return value.model_copy(deep=True)
    if isinstance(value, str):
        body: dict[str, Any] = {"choices": [{"message": {"content": value}}]}
    else:
        fields = _fields(value)
        body = fields if "choices" in fields else _from_part(fields, "message", _MESSAGE_FIELDS)
    _some_choice(body["choices"])
    body["choices"] = [_whole_choice(index, choice) for index, choice in enumerate(body["choices"])]
    given = {"id": id, "object": "chat.completion", "created": created, "model": request.model}
    return _validated(ChatCompletion, {**given, **body})


def chunk_from(value: object, *, request: ChatRequest, id: str = LOCAL_ID, created: int = 0) -> ChatCompletionChunk:
    """One item of a streamed answer → a chunk that shares nothing with it.

    Args:
        value: a piece of text; a `ChatCompletionChunk`; a pydantic object with its fields; a dict of them; or a dict of
            the delta alone (`{"content": …}`), which may hold fields of the choice (`finish_reason`) and of the chunk
            (`usage`) too.
        request: what was asked; its `model` is the chunk's when the item names none.
        id: the chunk's id when the item has none; the same for all items of one stream.
        created: the same for the creation time, in epoch seconds.

    Raises:
        ResponseValidationError: anything else, or fields of wrong types.
    """
    if isinstance(value, ChatCompletionChunk):
        return value.model_copy(deep=True)
    if isinstance(value, str):
        body: dict[str, Any] = {"choices": [{"index": 0, "delta": {"content": value}}]}
    else:
        fields = _fields(value)
        body = fields if "choices" in fields else _from_part(fields, "delta", _DELTA_FIELDS)
    given = {"id": id, "object": "chat.completion.chunk", "created": created, "model": request.model}
    return _validated(ChatCompletionChunk, {**given, **body})


class ItemDecoder:
    """What a provider's own iterator yields → chunks. `id` is that of all of them."""

    finished = False

    def __init__(self, request: ChatRequest, *, id: str = LOCAL_ID) -> None:
        self._request = request
        self._finish_seen = False
        self._called = False
        self._id = id
        self._head: dict[str, Any] | None = None  # of the last chunk, which is the caller's

    def feed(self, item: Any) -> list[ChatCompletionChunk]:
        """The chunk that an item is. Raises `ResponseValidationError` like `chunk_from`."""
        chunk = chunk_from(item, request=self._request, id=self._id)
        self._head = {"id": chunk.id, "created": chunk.created, "model": chunk.model}
        for choice in chunk.choices:
            self._finish_seen = self._finish_seen or choice.finish_reason is not None
            self._called = self._called or bool(choice.delta.tool_calls)
        return [chunk]

    def end(self) -> list[ChatCompletionChunk]:
        """An iterator that ended has finished: pieces of plain text carry no finish reason of their own."""
        if self._finish_seen or self._head is None:
            return []
        finish = {"index": 0, "delta": {}, "finish_reason": "tool_calls" if self._called else "stop"}
        return [ChatCompletionChunk.model_validate({**self._head, "choices": [finish]})]


def _fields(value: object) -> dict[str, Any]:
    """The fields as plain JSON values, copied all the way down: extra fields are kept as they are by the models."""
    try:
        if isinstance(value, BaseModel):
            return value.model_dump(mode="json", exclude_unset=True, warnings=False)
        if isinstance(value, Mapping):
            return dict(to_jsonable_python(dict(value)))
    except ValueError as error:  # PydanticSerializationError is one
        raise _invalid("A provider's answer holds something that is not JSON.") from error
    raise _invalid(f"A provider answers with text, a dict or a completion object, not {type(value).__name__}.")


def _from_part(fields: dict[str, Any], part: str, known: frozenset[str]) -> dict[str, Any]:
    """The fields of a message (or delta), its choice and its completion, given in one flat dict, in their places."""
    top = {name: fields.pop(name) for name in _TOP_FIELDS & fields.keys()}
    choice = {name: fields.pop(name) for name in _CHOICE_FIELDS & fields.keys()}
    if part == "delta" and not fields and not choice and "usage" in top:
        return {**top, "choices": []}
    if not known & fields.keys() and not (part == "delta" and choice):
        names = ", ".join(sorted(map(repr, fields))) or "nothing"
        raise _invalid(f"A provider's answer has neither 'choices' nor a field of a {part}; it has {names}.")
    return {**top, "choices": [{"index": 0, **choice, part: fields}]}


def _some_choice(choices: object) -> None:
    if not isinstance(choices, list) or not choices:
        raise _invalid("A provider's answer has no choices.")


def _whole_choice(index: int, choice: object) -> object:
    """The choice with what a hand-written answer may leave out; anything of a wrong type is left to validation."""
    if not isinstance(choice, Mapping):
        return choice
    message = choice.get("message")
    reason = "stop"
    if isinstance(message, Mapping):
        message = {"role": "assistant", **message}
        calls = message.get("tool_calls")
        if isinstance(calls, list | tuple) and calls:
            message = {**message, "tool_calls": [_whole_call(i, call) for i, call in enumerate(calls)]}
            reason = "tool_calls"
        elif message.get("function_call"):
            reason = "function_call"
    return {"index": index, "finish_reason": reason, **choice, "message": message}


def _whole_call(index: int, call: object) -> object:
    if not isinstance(call, Mapping):
        return call
    whole = {"id": f"call_{index}", "type": "custom" if call.get("custom") else "function", **call}
    function = whole.get("function")
    if isinstance(function, Mapping) and isinstance(function.get("arguments"), Mapping):
        whole["function"] = {**function, "arguments": dump_json(function["arguments"]).decode()}
    return whole


def _validated(model: type[_Model], body: dict[str, Any]) -> _Model:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise _invalid(f"A provider's answer is not a chat completion: {where}: {first['msg']}.") from None


def _invalid(message: str) -> ResponseValidationError:
    return ResponseValidationError(HTTPResponse(200), None, message=message)
