"""The conversation: chat's messages → `instructions` and `input`.

- A system message of text at the beginning becomes `instructions`, if something follows it; every other system or
  developer message stays in place, as an input message of its role.
- A tool message becomes the output of its call: of a function, or of a custom tool if it was one that called.
- An assistant message with `native_content` of this wire is sent back as those items, exactly, as long as the message
  still says what they say; otherwise it is built from its text, refusal and calls.
- A part of a user message whose type is an input item's (`items.CLIENT_ITEMS`) is sent as that item.

Reasoning that is neither encrypted nor open text is known to the vendor by its id alone. It is left out where nothing
was stored, and with it the ids of what followed it, since "item was provided without its required reasoning item" is
an error. Source: https://platform.openai.com/docs/guides/reasoning (encrypted reasoning items).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

from edgeagent.providers.notes import Notes
from edgeagent.providers.responses.items import CALLS, CLIENT_ITEMS, native_items
from edgeagent.providers.responses.parts import encode_part, encode_parts, refused

__all__ = ["encode_messages"]

Item = dict[str, Any]

_KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "system": frozenset({"role", "content", "phase"}),
    "developer": frozenset({"role", "content", "phase"}),
    "user": frozenset({"role", "content", "phase"}),
    "tool": frozenset({"role", "content", "tool_call_id"}),
    "assistant": frozenset(
        {
            *("role", "content", "phase", "refusal", "tool_calls", "audio"),
            *("annotations", "native_content", "parsed", "reasoning_content"),
        }
    ),
}
"""Fields of a message that are read, or that only an answer has; others are dropped and named."""

_LONGEST_ID: Final = 64
"""Of a call, by the OpenAPI document (`FunctionCallOutputItemParam.call_id`)."""
_ID_OF: Final[Mapping[str, tuple[str, ...]]] = {"reasoning": (), "message": ("id",), **dict.fromkeys(CALLS, ("id",))}


def encode_messages(
    messages: list[dict[str, Any]], notes: Notes, *, stored: bool, instructions: bool
) -> tuple[str | None, list[Item]]:
    """The conversation as `instructions` (None if there are none) and `input`. Raises `RequestValidationError`.

    Args:
        messages: of the request.
        notes: what is left out and changed.
        stored: whether the vendor may know items by their ids.
        instructions: whether a leading system message may become `instructions`.
    """
    start, text = 0, None
    if instructions and len(messages) > 1 and messages[0].get("role") == "system":
        content = messages[0].get("content")
        if isinstance(content, str) and content:
            _drop_unknown(messages[0], "system", notes, "messages[0]")
            start, text = 1, content
    conversation = _Conversation(notes, stored=stored)
    return text, [
        item
        for index in range(start, len(messages))
        for item in conversation.items(messages[index], f"messages[{index}]")
    ]


def _drop_unknown(message: Mapping[str, Any], role: str, notes: Notes, where: str) -> None:
    for name, value in message.items():
        if name not in _KNOWN[role] and value is not None:
            notes.drop(f"{where}.{name}")


class _Conversation:
    """Knows the calls that came so far: their kind, and by which id they are called."""

    def __init__(self, notes: Notes, *, stored: bool) -> None:
        self._notes = notes
        self._stored = stored
        self._custom: set[str] = set()
        self._ids: dict[str, str] = {}

    def items(self, message: Mapping[str, Any], where: str) -> Iterator[Item]:
        role = message.get("role")
        if not isinstance(role, str) or role not in _KNOWN:
            raise refused(f"Unknown role {role!r}.", f"{where}.role")
        _drop_unknown(message, str(role), self._notes, where)
        if role == "assistant":
            return self._assistant(message, where)
        if role == "tool":
            return iter([self._result(message, where)])
        return self._client(message, str(role), where)

    # what the client says

    def _client(self, message: Mapping[str, Any], role: str, where: str) -> Iterator[Item]:
        content = message.get("content")
        if not isinstance(content, list):
            yield _message(role, encode_parts(content, self._notes, f"{where}.content"), message)
            return
        parts: list[Item] = []
        for place, part in enumerate(content):
            if isinstance(part, Mapping) and str(part.get("type")) in CLIENT_ITEMS:
                if parts:
                    yield _message(role, parts, message)
                    parts = []
                yield dict(part)
            else:
                parts.append(encode_part(part, self._notes, f"{where}.content[{place}]"))
        if parts or not content:
            yield _message(role, parts, message)

    def _result(self, message: Mapping[str, Any], where: str) -> Item:
        given = message.get("tool_call_id")
        if not isinstance(given, str) or not given:
            raise refused("A tool message needs its tool_call_id.", f"{where}.tool_call_id")
        kind = "custom_tool_call_output" if given in self._custom else "function_call_output"
        output = encode_parts(message.get("content"), self._notes, f"{where}.content")
        return {"type": kind, "call_id": self._ids.get(given) or _call_id(given), "output": output}

    # what the model said

    def _assistant(self, message: Mapping[str, Any], where: str) -> Iterator[Item]:
        native = native_items(message)
        if native is not None:
            yield from self._replayed(native)
            return
        if message.get("native_content"):
            self._notes.edit(f"{where} is built from its text and calls, not from its native_content.")
        if message.get("audio") is not None and not message.get("content"):
            raise refused("The Responses API reads no audio.", f"{where}.audio")
        text = "".join(_texts(message, where))
        calls = message.get("tool_calls") or []
        if not isinstance(calls, list):
            raise refused("tool_calls is a list.", f"{where}.tool_calls")
        if text or not calls:
            yield _message("assistant", text, message)
        for place, call in enumerate(calls):
            yield self._call(call, f"{where}.tool_calls[{place}]")

    def _replayed(self, items: list[Item]) -> Iterator[Item]:
        lost = False
        for item in items:
            kind = item["type"]
            if kind in CALLS:
                if kind == "custom_tool_call":
                    self._custom.add(item["call_id"])
                for name in (item.get("id"), item["call_id"]):
                    if isinstance(name, str):
                        self._ids[name] = item["call_id"]
            if kind == "reasoning" and not (self._stored or item.get("encrypted_content") or item.get("content")):
                lost = True
                self._notes.edit("Reasoning that only its id names is left out: nothing was stored.")
            elif lost and kind in _ID_OF:
                yield {name: value for name, value in item.items() if name not in _ID_OF[kind]}
            else:
                yield dict(item)

    def _call(self, call: Any, where: str) -> Item:
        if not isinstance(call, Mapping) or not isinstance(call.get("id"), str):
            raise refused("A tool call needs an id.", f"{where}.id")
        for kind, (ours, given) in CALLS.items():
            body = call.get(ours)
            if not isinstance(body, Mapping):
                continue
            if not isinstance(body.get("name"), str):
                raise refused("A tool call needs a name.", f"{where}.{ours}.name")
            if kind == "custom_tool_call":
                self._custom.add(call["id"])
            value = body.get(given)
            item = {"type": kind, "call_id": _call_id(call["id"]), "name": body["name"]}
            return {**item, given: "" if value is None else str(value)}
        raise refused("A tool call needs a function.", f"{where}.function")


def _message(role: str, content: str | list[Item], message: Mapping[str, Any]) -> Item:
    item: Item = {"type": "message", "role": role, "content": content}
    if message.get("phase") is not None:
        item["phase"] = message["phase"]
    return item


def _texts(message: Mapping[str, Any], where: str) -> Iterator[str]:
    """The assistant's words, a refusal's too."""
    content = message.get("content")
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for place, part in enumerate(content):
            kind = part.get("type") if isinstance(part, Mapping) else None
            if kind not in ("text", "refusal"):
                raise refused("An assistant's message is text and refusals.", f"{where}.content[{place}].type")
            yield str(part.get(kind) or "")
    elif content is not None:
        raise refused("The content of a message is text or a list of parts.", f"{where}.content")
    if isinstance(message.get("refusal"), str):
        yield message["refusal"]


def _call_id(given: str) -> str:
    """The id of a call, shortened if another vendor's is too long; equal ids stay equal."""
    if 0 < len(given) <= _LONGEST_ID:
        return given
    return f"call_{sha256(given.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
