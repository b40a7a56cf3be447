"""The body of `POST /api/chat` → one request; and between that body and the one of `/api/generate`."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

from pydantic import ValidationError

from edgeagent.errors import RequestValidationError
from edgeagent.providers.ollama.answer import MADE_ID
from edgeagent.providers.ollama.options import decode_options
from edgeagent.types import ChatRequest
from edgeagent.types.faults import first_fault
from edgeagent.wire.json import dump_json

__all__ = ["decode_request"]

Fields = dict[str, Any]

_TAKEN: Final = frozenset({"messages", "format", "options", "think", "stream", "tools"})
_KINDS: Final = (("/9j/", "jpeg"), ("iVBOR", "png"), ("R0lGOD", "gif"), ("UklGR", "webp"), ("Qk", "bmp"))
"""How the base64 of an image begins, by its kind."""


def decode_request(body: Mapping[str, Any]) -> ChatRequest:
    """A body → our request. Raises `RequestValidationError`."""
    messages = body.get("messages")
    if not isinstance(messages, list):
        raise _refusal("messages is a list", "messages")
    params: Fields = {name: value for name, value in body.items() if name not in _TAKEN and value is not None}
    for name in ("extra_headers", "extra_query"):  # would become header fields or a query
        if name in params:
            raise _refusal("it is no field of the body", name)
    options = body.get("options")
    if options is not None and not isinstance(options, Mapping):
        raise _refusal("options is an object", "options")
    params |= decode_options(options or {})
    params |= {**_format(body.get("format")), **_think(body.get("think"))}
    params["messages"] = _Messages().decode(messages)
    params["stream"] = body.get("stream") is not False
    if body.get("tools"):
        params["tools"] = body["tools"]
    try:
        return ChatRequest.model_validate(params)
    except ValidationError as error:
        param, reason = first_fault(error)
        raise RequestValidationError(f"{param}: {reason}.", param=param) from None


def _refusal(reason: str, param: str) -> RequestValidationError:
    return RequestValidationError(f"{param}: {reason}.", param=param)


def _format(value: Any) -> Fields:
    if value in (None, ""):
        return {}
    if value == "json":
        return {"response_format": {"type": "json_object"}}
    if not isinstance(value, Mapping):
        raise _refusal("it is 'json' or a JSON Schema", "format")
    schema = {"name": "answer", "schema": dict(value)}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def _think(value: Any) -> Fields:
    if value is False:
        return {"reasoning_effort": "none"}
    if value in ("low", "medium", "high"):
        return {"reasoning_effort": value}
    return {} if value is None else {"think": value}


class _Messages:
    """Reads messages in order: calls without an id get one, results without one belong to the next call of the tool."""

    def __init__(self) -> None:
        self._open: list[tuple[str, str]] = []  # ids and names of calls without a result
        self._calls = 0

    def decode(self, messages: list[Any]) -> list[Fields]:
        return [self._message(message, f"messages[{i}]") for i, message in enumerate(messages)]

    def _message(self, message: Any, where: str) -> Fields:
        if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
            raise _refusal("a message has a role", f"{where}.role")
        content = message.get("content")
        if content is not None and not isinstance(content, str):
            raise _refusal("it is text", f"{where}.content")
        fields: Fields = {"role": message["role"], "content": content}
        if images := message.get("images"):
            fields["content"] = [*_texts(content), *_images(images, f"{where}.images")]
        if message["role"] == "assistant":
            if message.get("thinking"):
                fields["reasoning_content"] = message["thinking"]
            if calls := message.get("tool_calls"):
                fields["tool_calls"] = self._tool_calls(calls, f"{where}.tool_calls")
        elif message["role"] == "tool":
            fields["tool_call_id"] = self._answered(message)
        return fields

    def _tool_calls(self, calls: Any, where: str) -> list[Fields]:
        if not isinstance(calls, list):
            raise _refusal("it is a list", where)
        return [self._call(call, f"{where}[{i}]") for i, call in enumerate(calls)]

    def _call(self, call: Any, where: str) -> Fields:
        function = call.get("function") if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise _refusal("a tool call names a function", f"{where}.function.name")
        call_id = call.get("id")
        if not isinstance(call_id, str) or not call_id:
            call_id = MADE_ID + blake2b(str(self._calls).encode(), digest_size=9).hexdigest()
        self._calls += 1
        self._open.append((call_id, function["name"]))
        arguments = function.get("arguments")
        try:
            text = arguments if isinstance(arguments, str) else dump_json(arguments or {}).decode()
        except ValueError:
            raise _refusal("it is a JSON object", f"{where}.function.arguments") from None
        return {"id": call_id, "type": "function", "function": {"name": function["name"], "arguments": text}}

    def _answered(self, message: Mapping[str, Any]) -> str:
        """The id of the call that this result answers."""
        call_id, name = message.get("tool_call_id"), message.get("tool_name")
        for place, (open_id, open_name) in enumerate(self._open):
            if call_id == open_id or (not call_id and (name is None or name == open_name)):
                del self._open[place]
                return open_id
        return call_id if isinstance(call_id, str) and call_id else MADE_ID + str(name or "unknown")


def _texts(content: str | None) -> list[Fields]:
    return [] if content is None else [{"type": "text", "text": content}]


def _images(images: Any, where: str) -> list[Fields]:
    if not isinstance(images, list) or not all(isinstance(image, str) for image in images):
        raise _refusal("images are texts of base64", where)
    urls = (f"data:image/{_kind(image)};base64,{image}" for image in images)
    return [{"type": "image_url", "image_url": {"url": url}} for url in urls]


def _kind(image: str) -> str:
    return next((kind for begin, kind in _KINDS if image.startswith(begin)), "png")
