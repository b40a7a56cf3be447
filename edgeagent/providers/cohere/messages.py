"""The conversation: OpenAI's messages → Cohere's.

- System and developer messages at the beginning are one system message; a later one is sent as the user's text between
  `<system>` tags (an edit): `system turn must be the first in the list`.
- User messages hold text and images, tool results text and documents, an assistant's text and thinking.
- Messages that say nothing are left out (an edit): `message must not be empty in a turn`.
- The vendor's own blocks, plan and citations are sent back while they say what the message says; another vendor's
  reasoning is left out.

https://docs.cohere.com/v2/reference/chat, /v2/docs/tool-use-overview, /v2/reference/errors
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from edgeagent.errors import RequestValidationError
from edgeagent.providers.cohere.blocks import arguments_of, native_message
from edgeagent.providers.notes import Notes
from edgeagent.wire.json import dump_json

__all__ = ["NATIVE_PARTS", "encode_messages"]

Message = dict[str, Any]
Content = str | list[dict[str, Any]]

NATIVE_PARTS: Final = frozenset({"document"})
"""Types of Cohere's parts that are no types of OpenAI's: documents in a tool's result."""

_KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "system": frozenset({"role", "content"}),
    "user": frozenset({"role", "content"}),
    "tool": frozenset({"role", "content", "tool_call_id"}),
    "assistant": frozenset(
        {
            *("role", "content", "refusal", "audio", "tool_calls", "function_call"),
            *("annotations", "native_content", "parsed", "reasoning_content"),
        }
    ),
}
"""Fields of a message that are read, or that only an answer has; others are dropped and named."""

_ROLES: Final[Mapping[str, str]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}


def encode_messages(messages: list[dict[str, Any]], notes: Notes) -> list[Message]:
    """The conversation in the vendor's form. Raises `RequestValidationError`."""
    result: list[Message] = []
    for number, message in enumerate(messages):
        where = f"messages[{number}]"
        given = message.get("role")
        role = _ROLES.get(given) if isinstance(given, str) else None
        if role is None:
            raise RequestValidationError(f"Unknown role {given!r}.", param=f"{where}.role")
        sent = _encode(message, role, notes, where)
        if sent is None:
            notes.edit(f"{where} is left out: it is empty.")
        elif role == "system" and result and result[-1]["role"] == "system":
            result[-1]["content"] = [*_blocks(result[-1]["content"]), *_blocks(sent["content"])]
        elif role == "system" and result:
            notes.edit("A later system message is sent as text between <system> tags, in the user's turn.")
            told = "".join(block["text"] for block in _blocks(sent["content"]))
            result.append({"role": "user", "content": f"<system>\n{told}\n</system>"})
        else:
            result.append(sent)
    if not result:
        raise RequestValidationError("There is no message with content.", param="messages")
    return result


def _blocks(content: Content) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _encode(message: Mapping[str, Any], role: str, notes: Notes, where: str) -> Message | None:
    for name, value in message.items():
        if name not in _KNOWN[role] and value is not None and not (name == "name" and role == "tool"):
            notes.drop(f"{where}.{name}")
    if role == "assistant":
        return _assistant(message, notes, where)
    content = _content(message.get("content"), role, notes, f"{where}.content")
    if role == "tool":
        call_id = message.get("tool_call_id", message.get("name") if message.get("role") == "function" else None)
        if not isinstance(call_id, str):
            raise RequestValidationError("A tool message needs its tool_call_id.", param=f"{where}.tool_call_id")
        return {"role": "tool", "tool_call_id": call_id, "content": content}
    return {"role": role, "content": content} if content else None


def _content(content: Any, role: str, notes: Notes, where: str) -> Content:
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        raise RequestValidationError("The content of a message is text or a list of parts.", param=where)
    blocks = [_part(part, role, notes, f"{where}[{i}]") for i, part in enumerate(content)]
    return [block for block in blocks if block != {"type": "text", "text": ""}]


def _part(part: Any, role: str, notes: Notes, where: str) -> dict[str, Any]:
    if not isinstance(part, Mapping):
        raise RequestValidationError("A content part is an object.", param=where)
    kind = part.get("type")
    if kind in ("text", "refusal"):
        if not isinstance(part.get(kind), str):
            raise RequestValidationError(f"A {kind} part needs {kind!r}, a string.", param=f"{where}.{kind}")
        result = {"type": "text", "text": part[kind]}
    elif kind == "image_url" and role == "user":
        result = {"type": "image_url", "image_url": _image(part.get("image_url"), notes, f"{where}.image_url")}
    elif kind == "file" and role in ("user", "tool"):
        result = {"type": "text", "text": _file(part.get("file"), f"{where}.file")}
    elif kind == "document" and role == "tool" and isinstance(part.get("document"), Mapping):
        return dict(part)
    else:
        message = f"Cohere's models do not read content parts of type {kind!r} in a {role} message."
        raise RequestValidationError(message, param=f"{where}.type")
    for name, value in part.items():
        if name not in ("type", kind) and value is not None:
            notes.drop(f"{where}.{name}")
    return result


def _image(image: Any, notes: Notes, where: str) -> dict[str, Any]:
    url = image.get("url") if isinstance(image, Mapping) else image
    if not isinstance(url, str):
        raise RequestValidationError("An image_url part needs 'image_url.url', a string.", param=f"{where}.url")
    detail = image.get("detail") if isinstance(image, Mapping) else None
    if detail in ("auto", "low", "high"):
        return {"url": url, "detail": detail}
    if detail is not None:
        notes.drop("image_url.detail")
    return {"url": url}


def _file(file: Any, where: str) -> str:
    """A file of text as text; there is no other place for files in a conversation."""
    data = file.get("file_data") if isinstance(file, Mapping) else None
    if isinstance(data, str) and data.startswith("data:"):
        head, _, rest = data[5:].partition(",")
        kind = head.partition(";")[0].strip().lower() or "text/plain"
        if kind.startswith("text/") or kind == "application/json":
            try:
                encoded = head.rpartition(";")[2].strip().lower() == "base64"
                return (b64decode(rest, validate=True) if encoded else unquote_to_bytes(rest)).decode()
            except (binascii.Error, ValueError):
                raise RequestValidationError("This file is not UTF-8.", param=f"{where}.file_data") from None
    raise RequestValidationError("Cohere reads files of text only, as data URLs.", param=where)


# the assistant's side


def _assistant(message: Mapping[str, Any], notes: Notes, where: str) -> Message | None:
    if message.get("audio") is not None:
        raise RequestValidationError("Cohere's models do not hear audio.", param=f"{where}.audio")
    sent: Message = {"role": "assistant"}
    native = native_message(message)
    if native is not None:
        sent.update({name: value for name, value in native.items() if value})
    else:
        if message.get("native_content") or message.get("reasoning_content"):
            notes.edit("Reasoning and blocks of other answers are not sent back: the vendor has no place for them.")
        content: Any = _content(message.get("content"), "assistant", notes, f"{where}.content")
        if isinstance(message.get("refusal"), str) and not content:
            content = message["refusal"]
        if content:
            sent["content"] = content
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list):
        raise RequestValidationError("tool_calls is a list.", param=f"{where}.tool_calls")
    sent_calls = [_call(call, f"{where}.tool_calls[{i}]") for i, call in enumerate(calls)]
    if isinstance(message.get("function_call"), Mapping):
        function = message["function_call"]
        sent_calls.append(_call({"id": str(function.get("name")), "function": function}, f"{where}.function_call"))
    if sent_calls:
        sent["tool_calls"] = sent_calls
    return sent if len(sent) > 1 else None


def _call(call: Any, where: str) -> dict[str, Any]:
    if not isinstance(call, Mapping) or not isinstance(call.get("id"), str):
        raise RequestValidationError("A tool call needs an id.", param=f"{where}.id")
    custom, function = call.get("custom"), call.get("function")
    if isinstance(custom, Mapping):
        name, arguments = custom.get("name"), dump_json({"input": str(custom.get("input") or "")}).decode()
    elif isinstance(function, Mapping):
        name = function.get("name")
        try:
            arguments = arguments_of(function.get("arguments"))
        except ValueError:
            raise RequestValidationError("Arguments are JSON.", param=f"{where}.function.arguments") from None
    else:
        raise RequestValidationError("A tool call needs a function.", param=f"{where}.function")
    if not isinstance(name, str):
        raise RequestValidationError("A tool call needs a name.", param=f"{where}.function.name")
    return {"id": call["id"], "type": "function", "function": {"name": name, "arguments": arguments}}
