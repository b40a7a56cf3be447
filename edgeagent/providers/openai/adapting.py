"""The last step of encoding for servers that are not OpenAI's: what their quirks say, as changes of the body."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from edgeagent.providers.openai.quirks import Quirks

__all__ = ["adapt"]

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def adapt(body: dict[str, Any], quirks: Quirks, dropped: set[str]) -> list[str]:
    """Change the body in place, add to `dropped`, and say in words what was changed beyond names."""
    edits: list[str] = []
    for ours, theirs in quirks.renamed:
        if ours in body:
            body.setdefault(theirs, body[ours])
            del body[ours]
    for name in quirks.dropped:
        if body.pop(name, None) is not None:
            dropped.add(name)
    if not quirks.developer_role:
        body["messages"] = [_system(message) for message in body["messages"]]
    if body.get("tool_choice") == "required":
        body["tool_choice"] = quirks.required_choice
    if quirks.call_id_length is not None:
        messages = [_with_ids(message, quirks.call_id_length) for message in body["messages"]]
        if messages != body["messages"]:
            edits.append(f"ids of tool calls replaced by ids of {quirks.call_id_length} characters")
        body["messages"] = messages
    return edits


def _system(message: dict[str, Any]) -> dict[str, Any]:
    return {**message, "role": "system"} if message.get("role") == "developer" else message


def _with_ids(message: dict[str, Any], length: int) -> dict[str, Any]:
    """The same call has the same id in its message and in its result, and in every later request."""
    calls = message.get("tool_calls")
    changed = dict(message)
    if isinstance(calls, list):
        changed["tool_calls"] = [
            {**call, "id": _id(call["id"], length)}
            if isinstance(call, dict) and isinstance(call.get("id"), str)
            else call
            for call in calls
        ]
    if isinstance(message.get("tool_call_id"), str):
        changed["tool_call_id"] = _id(message["tool_call_id"], length)
    return changed


def _id(id: str, length: int) -> str:
    if len(id) == length and id.isascii() and id.isalnum():
        return id
    number = int.from_bytes(blake2b(id.encode("utf-8", "replace"), digest_size=16).digest(), "big")
    letters = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        letters.append(_DIGITS[digit])
    return "".join(letters)
