"""A body of `POST /v1/chat/completions` → our request: the inverse of `request`.

What has no OpenAI-shaped place is kept: parameters as extra ones under their own names, an assistant's parts in
`native_content`, a user's as parts of their own type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from pydantic import ValidationError

from edgeagent.errors import RequestValidationError
from edgeagent.providers.events import UnexpectedFormError
from edgeagent.providers.mistral.parts import WIRE, read_parts
from edgeagent.types import ChatRequest
from edgeagent.types.faults import first_fault
from edgeagent.types.request import NOT_IN_BODY

__all__ = ["decode_request"]

_CHOICES: Final[Mapping[str, str]] = {"any": "required"}
_TIERS: Final[Mapping[str, str]] = {"standard_only": "default"}
_AUDIO: Final = (("UklGR", "wav"), ("ZkxhQ", "flac"), ("T2dnU", "ogg"))
"""How the base64 of audio begins, by its kind; others are MP3, or its AAC relative."""


def decode_request(body: Mapping[str, Any]) -> ChatRequest:
    """The vendor's body → our request. Raises `RequestValidationError`, `.param` naming the vendor's field."""
    for name in NOT_IN_BODY & body.keys():
        _refuse("is no field of the body", name)
    values = {name: value for name, value in body.items() if value is not None}
    if "random_seed" in values:
        values["seed"] = values.pop("random_seed")
    messages = _list(body.get("messages"), "messages")
    values["messages"] = [_message(message, f"messages.{i}") for i, message in enumerate(messages)]
    choice = values.get("tool_choice")
    if isinstance(choice, str):
        values["tool_choice"] = _CHOICES.get(choice, choice)
    elif isinstance(choice, Mapping):
        values["tool_choice"] = {"type": "function", **choice}
    tier = values.get("service_tier")
    if isinstance(tier, str):
        values["service_tier"] = _TIERS.get(tier, tier)
    if "tools" in values:
        tools = _list(values["tools"], "tools")
        values["tools"] = [_tool(_object(tool, f"tools.{i}")) for i, tool in enumerate(tools)]
        if not tools:
            del values["tools"]
    try:
        return ChatRequest.model_validate(values)
    except ValidationError as error:
        where, reason = first_fault(error)
        where = "random_seed" if where == "seed" else where
        raise RequestValidationError(f"{where}: {reason}.", param=where) from None


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "function", **tool} if "function" in tool else dict(tool)


def _message(value: Any, where: str) -> dict[str, Any]:
    message = {name: item for name, item in _object(value, where).items() if item is not None}
    if message.get("role") not in ("system", "user", "assistant", "tool"):
        _refuse("is none of system, user, assistant, tool", f"{where}.role")
    content = message.get("content")
    if message["role"] == "assistant":
        return _assistant(message, where)
    if content is not None and not isinstance(content, str):
        parts = _list(content, f"{where}.content")
        message["content"] = [_part(part, f"{where}.content.{i}") for i, part in enumerate(parts)]
    return message


def _assistant(message: dict[str, Any], where: str) -> dict[str, Any]:
    if message.get("prefix") is False:
        del message["prefix"]
    calls = message.pop("tool_calls", None)
    if calls:
        items = _list(calls, f"{where}.tool_calls")
        message["tool_calls"] = [_call(call, f"{where}.tool_calls.{i}") for i, call in enumerate(items)]
    content = message.get("content")
    if content is None or isinstance(content, str):
        message["content"] = content or (None if calls else "")
        return message
    parts = _list(content, f"{where}.content")
    try:
        reading = read_parts(parts)
    except UnexpectedFormError as error:
        raise RequestValidationError(f"{error}.", param=f"{where}.content") from None
    message["content"] = reading.text if reading.text or not calls else None
    if all(isinstance(part, Mapping) and part.keys() == {"type", "text"} for part in parts):
        return message
    if reading.reasoning:
        message["reasoning_content"] = reading.reasoning
    message["native_content"] = {"wire": WIRE, "content": parts}
    return message


def _call(call: Any, where: str) -> dict[str, Any]:
    fields = {name: item for name, item in _object(call, where).items() if name != "index" and item is not None}
    return {"type": "function", **fields}


def _part(part: Any, where: str) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    fields = dict(_object(part, where))
    kind = fields.setdefault("type", "text")
    if kind == "image_url" and isinstance(fields.get("image_url"), str):
        return {**fields, "image_url": {"url": fields["image_url"]}}
    if kind == "input_audio" and isinstance(fields.get("input_audio"), str):
        data = fields["input_audio"]
        form = next((form for start, form in _AUDIO if data.startswith(start)), "mp3")
        return {**fields, "input_audio": {"data": data, "format": form}}
    if kind == "document_url" and str(fields.get("document_url")).startswith("data:"):
        file = {"file_data": fields["document_url"]}
        name = fields.get("document_name")
        return {"type": "file", "file": {**file, "filename": name} if isinstance(name, str) else file}
    if kind == "file" and isinstance(fields.get("file_id"), str):
        return {"type": "file", "file": {"file_id": fields["file_id"]}}
    return fields


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        _refuse("is not an object", where)
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        _refuse("is not a list", where)
    return value


def _refuse(reason: str, param: str) -> NoReturn:
    raise RequestValidationError(f"{param}: {reason}.", param=param)
