"""The conversation: OpenAI's messages → Mistral's.

- A system (or developer) message stands at the beginning, after another one or after the user's words; behind the
  assistant's or a tool's it is sent as the user's text between `<system>` tags (an edit), since the vendor refuses it
  there (`Unexpected role 'system' after role 'assistant'`). The user's words behind a tool's result are accepted, as
  recorded of every current model.
- A conversation that ends with the assistant's words is one to be continued: `prefix: true` (an edit).
- Messages that say nothing are left out (an edit): `Assistant message must have either content or tool_calls`.
- Thinking is sent back in the vendor's own parts while they say what the message says; another vendor's is left out.

https://docs.mistral.ai/capabilities/completion/, /capabilities/reasoning/, /capabilities/function_calling/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.errors import RequestValidationError
from edgeagent.providers.mistral.calls import arguments_of, wire_id
from edgeagent.providers.mistral.content import parts_of
from edgeagent.providers.mistral.parts import native_parts
from edgeagent.providers.notes import Notes
from edgeagent.wire.json import dump_json

__all__ = ["encode_messages"]

Message = dict[str, Any]

_KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "system": frozenset({"role", "content"}),
    "user": frozenset({"role", "content"}),
    "tool": frozenset({"role", "content", "tool_call_id", "name"}),
    "assistant": frozenset(
        {
            *("role", "content", "refusal", "audio", "tool_calls", "function_call", "prefix"),
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
        elif role == "system" and result and result[-1]["role"] in ("assistant", "tool"):
            notes.edit("A later system message is sent as text between <system> tags, in the user's turn.")
            result.append({"role": "user", "content": _told(sent["content"])})
        else:
            result.append(sent)
    if not result:
        raise RequestValidationError("There is no message with content.", param="messages")
    last = result[-1]
    if last["role"] == "assistant" and not last.get("tool_calls") and not last.get("prefix"):
        notes.edit("The last message is sent with prefix: true, as the beginning of the answer.")
        last["prefix"] = True
    return result


def _encode(message: Mapping[str, Any], role: str, notes: Notes, where: str) -> Message | None:
    for name, value in message.items():
        if name not in _KNOWN[role] and value is not None:
            notes.drop(f"{where}.{name}")
    if role == "assistant":
        return _assistant(message, notes, where)
    content = _content(message.get("content"), notes, f"{where}.content")
    if role == "tool":
        return _result(message, content, where)
    if not content:
        return None
    if role == "system" and isinstance(content, list) and any(part["type"] != "text" for part in content):
        raise RequestValidationError("A system message is text.", param=f"{where}.content")
    return {"role": role, "content": content}


def _content(content: Any, notes: Notes, where: str) -> str | list[dict[str, Any]]:
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        raise RequestValidationError("The content of a message is text or a list of parts.", param=where)
    return parts_of(content, notes, where)


def _told(content: str | list[dict[str, Any]]) -> str:
    text = content if isinstance(content, str) else "".join(part["text"] for part in content)
    return f"<system>\n{text}\n</system>"


def _result(message: Mapping[str, Any], content: Any, where: str) -> Message:
    call_id = message.get("tool_call_id", message.get("name") if message.get("role") == "function" else None)
    if not isinstance(call_id, str):
        raise RequestValidationError("A tool message needs its tool_call_id.", param=f"{where}.tool_call_id")
    sent: Message = {"role": "tool", "tool_call_id": wire_id(call_id), "content": content}
    if isinstance(message.get("name"), str):
        sent["name"] = message["name"]
    return sent


# the assistant's side


def _assistant(message: Mapping[str, Any], notes: Notes, where: str) -> Message | None:
    if message.get("audio") is not None:
        raise RequestValidationError("Mistral's models do not hear their own audio.", param=f"{where}.audio")
    sent: Message = {"role": "assistant"}
    content = native_parts(message)
    if content is None:
        if message.get("native_content") or message.get("reasoning_content"):
            notes.edit("Reasoning and blocks of other answers are not sent back: the vendor has no place for them.")
        built = _content(message.get("content"), notes, f"{where}.content")
        if isinstance(message.get("refusal"), str) and not built:
            built = message["refusal"]
        content_sent: Any = built
    else:
        content_sent = content
    if content_sent:
        sent["content"] = content_sent
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list):
        raise RequestValidationError("tool_calls is a list.", param=f"{where}.tool_calls")
    sent_calls = [_call(call, notes, f"{where}.tool_calls[{i}]") for i, call in enumerate(calls)]
    if isinstance(message.get("function_call"), Mapping):
        function = message["function_call"]
        call = {"id": str(function.get("name")), "function": function}
        sent_calls.append(_call(call, notes, f"{where}.function_call"))
    if sent_calls:
        sent["tool_calls"] = sent_calls
        sent.setdefault("content", "")
    if "content" not in sent:
        return None
    if isinstance(message.get("prefix"), bool):
        sent["prefix"] = message["prefix"]
    return sent


def _call(call: Any, notes: Notes, where: str) -> dict[str, Any]:
    if not isinstance(call, Mapping) or not isinstance(call.get("id"), str):
        raise RequestValidationError("A tool call needs an id.", param=f"{where}.id")
    custom, function = call.get("custom"), call.get("function")
    if isinstance(custom, Mapping):
        name, arguments = custom.get("name"), dump_json({"input": str(custom.get("input") or "")}).decode()
    elif isinstance(function, Mapping):
        name, arguments = function.get("name"), _arguments(function.get("arguments"), where)
    else:
        raise RequestValidationError("A tool call needs a function.", param=f"{where}.function")
    if not isinstance(name, str):
        raise RequestValidationError("A tool call needs a name.", param=f"{where}.function.name")
    call_id = wire_id(call["id"])
    if call_id != call["id"]:
        notes.edit("Ids of tool calls are replaced by ids of nine characters.")
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def _arguments(value: Any, where: str) -> str:
    try:
        return arguments_of(value) or "{}"
    except ValueError:
        raise RequestValidationError("Arguments are JSON.", param=f"{where}.function.arguments") from None
