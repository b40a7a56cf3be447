"""The last step of encoding for servers that are not OpenAI's: what their quirks say, as changes of the body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

from edgeagent.errors import RequestValidationError
from edgeagent.providers.openai.quirks import Quirks

__all__ = ["adapt", "modern_logprobs", "with_short_ids"]

_ASKED_BY_NAME = frozenset({"web_search_options"})
"""Without options it still asks for something."""
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def adapt(body: dict[str, Any], quirks: Quirks, dropped: set[str]) -> list[str]:
    """Change the body in place, add to `dropped`, and say in words what was changed beyond names.

    Raises:
        RequestValidationError: a parameter that changes what is asked for, and that the server has not.
    """
    edits: list[str] = []
    for ours, theirs in quirks.renamed:
        if ours in body:
            body.setdefault(theirs, body[ours])
            del body[ours]
    for name in quirks.refused:
        if body.get(name) not in (None, False, {}, []) or (name in _ASKED_BY_NAME and body.get(name) == {}):
            raise RequestValidationError(f"{name}: this server has no such parameter.", param=name)
        body.pop(name, None)
    for name in quirks.dropped:
        if body.pop(name, None) is not None:
            dropped.add(name)
    for name, known in quirks.values:
        if name in body and body[name] not in known:
            del body[name]
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
    if quirks.logprobs_number and body.get("logprobs") is not None:
        asked = body.pop("top_logprobs", None)
        if body["logprobs"] is False:
            del body["logprobs"]
        elif body["logprobs"] is True:
            body["logprobs"] = asked or 1
    return edits


def with_short_ids(messages: list[Any], limit: int) -> list[Any] | None:
    """The messages with ids of calls that are not longer than `limit`; None if they are so already."""
    told = [message for message in messages if isinstance(message, dict)]
    tools = [message for message in told if "tool_calls" in message or "tool_call_id" in message]
    long = {each for message in tools for each in _ids(message) if len(each) > limit}
    if not long:
        return None
    return [_with_ids(message, min(limit, 24), long) if isinstance(message, dict) else message for message in messages]


def modern_logprobs(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The body with `logprobs` and `top_logprobs` in place of the older completions' one number."""
    number = body.get("logprobs")
    if isinstance(number, bool) or not isinstance(number, int):
        return body
    return {**body, "logprobs": True, "top_logprobs": number}


def _ids(message: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(message.get("tool_call_id"), str):
        yield message["tool_call_id"]
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict) and isinstance(call.get("id"), str):
            yield call["id"]


def _system(message: dict[str, Any]) -> dict[str, Any]:
    return {**message, "role": "system"} if message.get("role") == "developer" else message


def _with_ids(message: dict[str, Any], length: int, only: set[str] | None = None) -> dict[str, Any]:
    """The same call has the same id in its message and in its result, and in every later request."""
    if not any(only is None or each in only for each in _ids(message)):
        return message
    calls = message.get("tool_calls")
    changed = dict(message)
    if isinstance(calls, list):
        changed["tool_calls"] = [
            {**call, "id": _id(call["id"], length)}
            if isinstance(call, dict) and isinstance(call.get("id"), str) and (only is None or call["id"] in only)
            else call
            for call in calls
        ]
    if isinstance(message.get("tool_call_id"), str) and (only is None or message["tool_call_id"] in only):
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
