"""Messages, from OpenAI's form to Ollama's.

- A message's text parts become messages of their own where there are several (as Ollama's own OpenAI endpoint does it);
  images stand in the message of the text before them, or of the first.
- Images are base64; one that is only named by its URL cannot be sent.
- Tool results name the tool (`tool_name`), which OpenAI's do by the call's id. Ids that this codec made are left out.

Source: https://docs.ollama.com/api/chat, https://docs.ollama.com/capabilities/tool-calling.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from pydantic_core import from_json

from edgeagent.errors import RequestValidationError
from edgeagent.providers.notes import Notes
from edgeagent.providers.ollama.answer import MADE_ID, WIRE

__all__ = ["RAW_ARGUMENTS", "encode_messages"]

Message = dict[str, Any]

RAW_ARGUMENTS: Final = "edgeagent_raw_arguments"
"""The one property of the arguments that stand for text which is no JSON object (a model's mistake, or cut off)."""

_ROLES: Final[Mapping[str, str]] = {"system": "system", "developer": "system", "user": "user"}
_UNSUPPORTED: Final[Mapping[str, str]] = {
    "input_audio": "Ollama's chat reads no audio.",
    "file": "Ollama's chat reads no files.",
}


def encode_messages(messages: Sequence[Mapping[str, Any]], notes: Notes) -> list[Message]:
    """The messages in Ollama's form. Raises `RequestValidationError`."""
    result: list[Message] = []
    names: dict[str, str] = {}  # of the tools, by the ids of their calls
    for number, message in enumerate(messages):
        where, role = f"messages[{number}]", message.get("role")
        if message.get("name") is not None:
            notes.drop("messages.name")
        if role == "assistant":
            result.append(_assistant(message, names, notes, where))
        elif role == "tool":
            result.append(_tool(message, names, notes, where))
        elif isinstance(role, str) and role in _ROLES:
            if role == "developer":
                notes.edit("Messages of the developer are sent as the system's.")
            parts = _parts(message.get("content"), notes, f"{where}.content")
            result += [{"role": _ROLES[role], **part} for part in parts]
        else:
            raise RequestValidationError(f"Ollama has no role {role!r}.", param=f"{where}.role")
    return result


def _parts(content: Any, notes: Notes, where: str) -> list[Message]:
    """Content as the fields of one or more messages."""
    if content is None or isinstance(content, str):
        return [{"content": content or ""}]
    parts: list[Message] = [{}]
    for i, part in enumerate(_list(content, where)):
        kind = _kind(part, notes, f"{where}[{i}]")
        if kind == "text":
            if "content" in parts[-1]:
                parts.append({})
            parts[-1]["content"] = _text(part, "text", f"{where}[{i}]")
        elif kind == "image_url":
            parts[-1].setdefault("images", []).append(_image(part, notes, f"{where}[{i}].image_url"))
        else:
            message = _UNSUPPORTED.get(kind, f"Ollama has no parts of type {kind!r}.")
            raise RequestValidationError(message, param=f"{where}[{i}].type")
    return parts if parts[0] else [{"content": ""}]


def _image(part: Mapping[str, Any], notes: Notes, where: str) -> str:
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, Mapping) else image
    if isinstance(image, Mapping) and image.get("detail") not in (None, "auto"):
        notes.drop("messages.content.image_url.detail")
    if not isinstance(url, str):
        raise RequestValidationError("An image needs a url.", param=f"{where}.url")
    head, comma, data = url.partition(",")
    if head[:5].lower() != "data:" or not comma:
        message = "Ollama takes images as data (a data: URL), not by the address where they are."
        raise RequestValidationError(message, param=f"{where}.url")
    try:
        if not head.lower().endswith(";base64"):
            return base64.b64encode(unquote_to_bytes(data)).decode()
        base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise RequestValidationError("The image's data is not base64.", param=f"{where}.url") from None
    return data


def _assistant(message: Mapping[str, Any], names: dict[str, str], notes: Notes, where: str) -> Message:
    result: Message = {"role": "assistant"}
    content = _said(message, where)
    calls = message.get("tool_calls") or []
    if content is not None or not calls:
        result["content"] = content or ""
    thinking = message.get("reasoning_content")
    if isinstance(thinking, str) and thinking:
        result["thinking"] = thinking
    made = [
        _call(call, place, names, notes, f"{where}.tool_calls[{place}]")
        for place, call in enumerate(_list(calls, f"{where}.tool_calls"))
    ]
    if made:
        result["tool_calls"] = made
    return _with_native(result, message.get("native_content"))


def _with_native(result: Message, native: Any) -> Message:
    """The message with what only Ollama's own form holds, if that is of this wire and still fits."""
    if not isinstance(native, Mapping) or native.get("wire") != WIRE or not isinstance(native.get("content"), list):
        return result
    more: Message = {}
    for block in native["content"]:
        for name, value in block.items() if isinstance(block, Mapping) else ():
            both = isinstance(value, list) and isinstance(more.get(name), list)
            more[name] = [*more[name], *value] if both else value
    calls = more.pop("tool_calls", None)
    if isinstance(calls, list) and _same_calls(calls, result.get("tool_calls") or []):
        result["tool_calls"] = calls
    return {**more, **result}


def _same_calls(native: list[Any], built: list[Message]) -> bool:
    """Whether the calls still are those that Ollama made: the caller may have changed them."""
    told = [call.get("function") if isinstance(call, Mapping) else None for call in native]
    functions = [call["function"] for call in built]
    return len(told) == len(functions) and all(
        isinstance(a, Mapping) and a.get("name") == b["name"] and (a.get("arguments") or {}) == b["arguments"]
        for a, b in zip(told, functions, strict=True)
    )


def _said(message: Mapping[str, Any], where: str) -> str | None:
    """What the assistant said: text, refusals, the transcript of audio; None if nothing."""
    content, audio = message.get("content"), message.get("audio")
    pieces = [content] if isinstance(content, str) else []
    if content is not None and not pieces:
        for i, part in enumerate(_list(content, f"{where}.content")):
            kind = part.get("type") if isinstance(part, Mapping) else None
            if kind not in ("text", "refusal"):
                raise RequestValidationError(
                    f"An assistant's message has no parts of type {kind!r}.", param=f"{where}.content[{i}].type"
                )
            pieces.append(_text(part, kind, f"{where}.content[{i}]"))
    if isinstance(message.get("refusal"), str):
        pieces.append(message["refusal"])
    if isinstance(audio, Mapping):
        if not isinstance(audio.get("transcript"), str):
            raise RequestValidationError("Ollama's chat reads no audio.", param=f"{where}.audio")
        pieces.append(audio["transcript"])
    return "".join(pieces) if pieces else None


def _call(call: Any, place: int, names: dict[str, str], notes: Notes, where: str) -> Message:
    call = call if isinstance(call, Mapping) else {}
    function, custom, call_id = call.get("function"), call.get("custom"), call.get("id")
    if isinstance(function, Mapping):
        name, arguments = function.get("name"), _arguments(function.get("arguments"), notes, where)
    elif isinstance(custom, Mapping):
        name, arguments = custom.get("name"), {"input": str(custom.get("input") or "")}
        notes.edit("Calls of free-form tools are sent as calls with one argument, 'input'.")
    else:
        raise RequestValidationError("A tool call needs a function.", param=f"{where}.function")
    if not isinstance(name, str):
        raise RequestValidationError("A tool call needs a name.", param=f"{where}.function.name")
    result: Message = {"type": "function", "function": {"index": place, "name": name, "arguments": arguments}}
    if isinstance(call_id, str):
        names[call_id] = name
        if call_id and not call_id.startswith(MADE_ID):
            result["id"] = call_id
    return result


def _arguments(arguments: Any, notes: Notes, where: str) -> dict[str, Any]:
    if isinstance(arguments, Mapping):
        return dict(arguments)
    if arguments is None or (isinstance(arguments, str) and not arguments.strip()):
        return {}
    try:
        value = from_json(arguments, allow_inf_nan=False) if isinstance(arguments, str) else None
    except (ValueError, TypeError):  # TypeError: a lone surrogate
        value = None
    if isinstance(value, dict):
        return value
    notes.edit(f"{where}: arguments that are no JSON object are sent inside one.")
    return {RAW_ARGUMENTS: str(arguments)}


def _tool(message: Mapping[str, Any], names: Mapping[str, str], notes: Notes, where: str) -> Message:
    result: Message = {"role": "tool"}
    texts: list[str] = []
    for part in _parts(message.get("content"), notes, f"{where}.content"):
        texts += [part["content"]] if "content" in part else []
        if "images" in part:
            result["images"] = [*result.get("images", []), *part["images"]]
    result["content"] = "\n".join(texts)
    call_id = message.get("tool_call_id")
    if isinstance(call_id, str):
        if call_id in names:
            result["tool_name"] = names[call_id]
        if not call_id.startswith(MADE_ID):
            result["tool_call_id"] = call_id
    return result


def _kind(part: Any, notes: Notes, where: str) -> str:
    kind = part.get("type") if isinstance(part, Mapping) else None
    if not isinstance(kind, str):
        raise RequestValidationError("A content part needs a type.", param=f"{where}.type")
    if part.get("cache_control") is not None:
        notes.drop("messages.content.cache_control")
    return kind


def _text(part: Mapping[str, Any], name: str, where: str) -> str:
    value = part.get(name)
    if not isinstance(value, str):
        raise RequestValidationError(f"{name} is text.", param=f"{where}.{name}")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise RequestValidationError(f"{where} is a list.", param=where)
    return value
