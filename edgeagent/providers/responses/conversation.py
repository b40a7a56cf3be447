"""`input` → chat's messages: the inverse of `messages`.

What the model said in one run (reasoning, messages, calls) is one assistant message, with `native_content` where its
fields cannot hold everything; a message behind another begins the next. A sealed item (see `sealed`) ends the run and
is its `native_content`. The output of a call that the input has is a tool message. Every other item of the client's
(an answer to a built-in tool, an output of a call that the vendor remembers) is a part of a user message, in its own
form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.errors import RequestValidationError
from edgeagent.providers.responses.items import (
    CALLS,
    CLIENT_ITEMS,
    InvalidItemError,
    check_item,
    native_content,
    read_items,
)
from edgeagent.providers.responses.parts import decode_part
from edgeagent.providers.responses.sealed import is_sealed, unsealed

__all__ = ["decode_input"]

Message = dict[str, Any]

_OUTPUTS: Final[Mapping[str, str]] = {
    "function_call_output": "function_call",
    "custom_tool_call_output": "custom_tool_call",
}
_PLAIN_OUTPUT: Final = frozenset({"call_id", "id", "output", "status", "type"})


def decode_input(value: Any) -> list[Message]:
    """`input`: text, a list of items, or nothing. Raises `RequestValidationError`, `.param` naming the item."""
    if value is None:
        return []
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    if not isinstance(value, list):
        raise RequestValidationError("input: is neither text nor a list.", param="input")
    conversation = _Conversation()
    for place, item in enumerate(value):
        try:
            conversation.add(item)
        except InvalidItemError as error:
            where = f"input[{place}]"
            raise RequestValidationError(f"{where}: {error}.", param=where) from None
    return conversation.messages()


class _Conversation:
    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._run: list[dict[str, Any]] = []  # what the model said and no message holds yet
        self._kinds: set[str] = set()  # of its items
        self._calls: dict[str, str] = {}  # by id, the type of its item

    def add(self, item: Any) -> None:
        if not isinstance(item, Mapping):
            raise InvalidItemError("it is no object")
        kind = item.get("type", "message")
        role = item.get("role")
        if not isinstance(kind, str):
            raise InvalidItemError("its type is no text")
        if kind == "message" and role != "assistant":
            self._end_run()
            self._messages.append(_client_message(item))
        elif kind in CLIENT_ITEMS and not (kind == "tool_search_output" and item.get("execution") == "server"):
            self._end_run()
            self._messages.append(self._result(item))
        else:
            self._said({**item, "type": kind})

    def messages(self) -> list[Message]:
        self._end_run()
        return self._messages

    def _said(self, item: dict[str, Any]) -> None:
        check_item(item)
        kind = item["type"]
        if is_sealed(item):  # the end of one answer
            self._run.append(item)
            self._end_run()
            return
        if kind in ("message", "reasoning") and "message" in self._kinds and not self._kinds & CALLS.keys():
            self._end_run()
        self._run.append(item)
        self._kinds.add(kind)
        if kind in CALLS:
            self._calls[item["call_id"]] = kind

    def _end_run(self) -> None:
        if self._run:
            message = _assistant_message(self._run)
            if len(message) > 2 or message["content"] is not None:  # else it was a damaged seal alone
                self._messages.append(message)
            self._run, self._kinds = [], set()

    def _result(self, item: Mapping[str, Any]) -> Message:
        kind, call, output = item["type"], item.get("call_id"), item.get("output")
        known = isinstance(call, str) and self._calls.get(call) == _OUTPUTS.get(kind, "")
        given = {name for name, value in item.items() if value is not None}
        if not known or not given <= _PLAIN_OUTPUT or not isinstance(output, str | list):
            return {"role": "user", "content": [dict(item)]}
        content: Any = output if isinstance(output, str) else [decode_part(part) for part in output]
        return {"role": "tool", "tool_call_id": call, "content": content}


def _client_message(item: Mapping[str, Any]) -> Message:
    role, content = item.get("role"), item.get("content")
    if role not in ("user", "system", "developer"):
        raise InvalidItemError("it has no role that is known")
    if isinstance(content, list):
        content = [decode_part(part) for part in content]
    elif not isinstance(content, str):
        raise InvalidItemError("its content is neither text nor a list")
    phase = {"phase": item["phase"]} if item.get("phase") is not None else {}
    return {"role": role, "content": content, **phase}


def _assistant_message(items: list[dict[str, Any]]) -> Message:
    sealed = unsealed(items[-1]) if is_sealed(items[-1]) else None
    items = [item for item in items if not is_sealed(item)]
    reading = read_items(items)
    message: Message = {"role": "assistant", "content": reading.text or None}
    if reading.refusal:
        message["refusal"] = reading.refusal
    if reading.reasoning:
        message["reasoning_content"] = reading.reasoning
    if reading.calls:
        message["tool_calls"] = reading.calls
    if sealed is not None:
        message["native_content"] = sealed
    elif items and (not reading.plain or reading.refusal):
        message["native_content"] = native_content(items)
    return message
