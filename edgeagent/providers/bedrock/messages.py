"""The conversation: OpenAI's messages → `system` and `messages`.

- System and developer messages at the beginning become `system`. A later one becomes a text block of the user turn in
  place, between `<system>` tags (an edit).
- Everything between two assistant messages is one user message: first the tool results, then the rest in order.
  Assistant messages that follow each other are joined. Messages without content are left out.
- A conversation of nothing else than a system prompt is sent as the user's turn, since the vendor needs one (an edit).
- An assistant message with `native_content` of this wire is sent back as those blocks, as long as the message still
  says what they say; if it was changed, it is built from what it now says.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

from edgeagent.errors import RequestValidationError
from edgeagent.providers.bedrock.blocks import native_blocks
from edgeagent.providers.bedrock.content import Context
from edgeagent.providers.calls import CUSTOM_INPUT, RAW_ARGUMENTS, input_of
from edgeagent.providers.texts import text_of
from edgeagent.providers.turns import refuse_silence

__all__ = ["encode_messages", "has_tool_blocks"]

Block = dict[str, Any]
Message = dict[str, Any]

_SYSTEM_ROLES: Final = ("system", "developer")
_SYSTEM_BLOCKS: Final = frozenset({"text", "guardContent", "cachePoint"})
_KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "system": frozenset({"role", "content", "cache_control"}),
    "user": frozenset({"role", "content", "cache_control"}),
    "tool": frozenset({"role", "content", "tool_call_id", "cache_control", "is_error"}),
    "assistant": frozenset(
        {
            *("role", "content", "cache_control", "refusal", "audio", "tool_calls", "function_call"),
            *("annotations", "native_content", "parsed", "reasoning_content"),
        }
    ),
}
"""Fields of a message that are read, or that only an answer has; others are dropped and named."""

_TOOL_ID: Final = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")


def encode_messages(messages: list[dict[str, Any]], context: Context) -> tuple[list[Block], list[Message]]:
    """The conversation as `system` (possibly empty) and `messages`. Raises `RequestValidationError`."""
    start = 0
    system: list[Block] = []
    while start < len(messages) and messages[start].get("role") in _SYSTEM_ROLES:
        system += _system_blocks(messages[start], context, f"messages[{start}]")
        start += 1
    conversation = _Conversation(context)
    for index in range(start, len(messages)):
        conversation.add(messages[index], f"messages[{index}]")
    turns = conversation.messages()
    if turns:
        refuse_silence(messages, turns[-1]["role"])
        return system, turns
    if not system:
        raise RequestValidationError("There is no message with content.", param="messages")
    context.notes.edit("The system prompt is sent as the user's turn: the vendor needs one.")
    return [], [{"role": "user", "content": system}]


def has_tool_blocks(messages: list[Message]) -> bool:
    """Whether tool calls or results stand in the encoded conversation."""
    return any("toolUse" in block or "toolResult" in block for turn in messages for block in turn["content"])


def _system_blocks(message: Mapping[str, Any], context: Context, where: str) -> list[Block]:
    _drop_unknown(message, "system", context, where)
    blocks = context.cached(context.blocks(message.get("content"), where), message.get("cache_control"), where)
    if any(not block.keys() <= _SYSTEM_BLOCKS for block in blocks):
        raise RequestValidationError("A system prompt is text.", param=f"{where}.content")
    return blocks


def _drop_unknown(message: Mapping[str, Any], role: str, context: Context, where: str) -> None:
    for name, value in message.items():
        if name not in _KNOWN[role] and value is not None:
            context.notes.drop(f"{where}.{name}")


class _Conversation:
    """Collects what follows the leading system messages; a turn is what stands between two assistant messages."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._notes = context.notes
        self._messages: list[Message] = []
        self._results: list[Block] = []
        self._user: list[Block] = []
        self._functions: dict[str, str] = {}

    def add(self, message: Mapping[str, Any], where: str) -> None:
        role = message.get("role")
        if role == "user":
            _drop_unknown(message, "user", self._context, where)
            blocks = self._content(message, where)
            if not blocks:
                self._notes.edit(f"{where} is left out: it is empty.")
            self._user += blocks
        elif role == "assistant":
            self._end_turn()
            self._add_assistant(message, where)
        elif role in ("tool", "function"):
            self._add_result(message, where)
        elif role in _SYSTEM_ROLES:
            self._add_system(message, where)
        else:
            raise RequestValidationError(f"Unknown role {role!r}.", param=f"{where}.role")

    def messages(self) -> list[Message]:
        self._end_turn()
        return self._messages

    def _content(self, message: Mapping[str, Any], where: str) -> list[Block]:
        blocks = self._context.blocks(message.get("content"), where)
        return self._context.cached(blocks, message.get("cache_control"), where)

    def _end_turn(self) -> None:
        content = [*self._results, *self._user]
        if content:
            self._append("user", content)
        self._results, self._user = [], []

    def _append(self, role: str, content: list[Block]) -> None:
        if self._messages and self._messages[-1]["role"] == role:
            self._messages[-1]["content"] += content
        else:
            self._messages.append({"role": role, "content": list(content)})

    # the user's side

    def _add_system(self, message: Mapping[str, Any], where: str) -> None:
        text = text_of(_system_blocks_as_parts(_system_blocks(message, self._context, where)))
        if text:
            self._notes.edit("A later system message is sent as text between <system> tags, in the user's turn.")
            self._user.append({"text": f"<system>\n{text}\n</system>"})

    def _add_result(self, message: Mapping[str, Any], where: str) -> None:
        if message.get("role") == "function":
            name = str(message.get("name"))
            call_id = self._functions.get(name, _wire_id(name))
        else:
            _drop_unknown(message, "tool", self._context, where)
            if not isinstance(message.get("tool_call_id"), str):
                raise RequestValidationError("A tool message needs its tool_call_id.", param=f"{where}.tool_call_id")
            call_id = _wire_id(message["tool_call_id"])
        if self._user:
            self._notes.edit("Tool results are put before the other content of their turn, as the vendor demands.")
        blocks = self._context.blocks(message.get("content"), where)
        points = [block for block in blocks if "cachePoint" in block]  # they stand behind a result, not in it
        content = [block for block in blocks if "cachePoint" not in block]
        result: Block = {"toolUseId": call_id, "content": content or [{"text": ""}]}
        if message.get("is_error"):
            result["status"] = "error"
        control = message.get("cache_control")
        self._results += self._context.cached([{"toolResult": result}], control, where)
        if points and control is None:
            self._results.append(points[-1])

    # the assistant's side

    def _add_assistant(self, message: Mapping[str, Any], where: str) -> None:
        _drop_unknown(message, "assistant", self._context, where)
        blocks = self._native(message, where) or self._built(message, where)
        if blocks:
            self._append("assistant", self._context.cached(blocks, message.get("cache_control"), where))
        else:
            self._notes.edit(f"{where} is left out: it is empty.")

    def _native(self, message: Mapping[str, Any], where: str) -> list[Block] | None:
        """The vendor's own blocks, less what it refuses: empty texts, and what of Claude's thinking is not signed."""
        blocks = native_blocks(message)
        if blocks is None:
            if message.get("native_content"):
                self._notes.edit(f"{where} is built from its text and calls, not from its native_content.")
            return None
        return [dict(block) for block in blocks if self._is_sendable(block)]

    def _is_sendable(self, block: Block) -> bool:
        if block.get("text") == "":
            return False
        thought = block.get("reasoningContent")
        if self._context.facts.claude is None or not isinstance(thought, Mapping) or "redactedContent" in thought:
            return True
        return bool((thought.get("reasoningText") or {}).get("signature"))

    def _built(self, message: Mapping[str, Any], where: str) -> list[Block]:
        if message.get("audio") is not None:
            raise RequestValidationError("Converse takes no audio of the assistant's.", param=f"{where}.audio")
        calls = message.get("tool_calls") or []
        if not isinstance(calls, list):
            raise RequestValidationError("tool_calls is a list.", param=f"{where}.tool_calls")
        blocks = self._context.blocks(message.get("content"), where)
        if isinstance(message.get("refusal"), str) and message["refusal"]:
            blocks.append({"text": message["refusal"]})
        for index, call in enumerate(calls):
            blocks += self._call(call, f"{where}.tool_calls[{index}]")
        if message.get("function_call") is not None:
            blocks += self._function_call(message["function_call"], where)
        return blocks

    def _call(self, call: Any, where: str) -> list[Block]:
        if not isinstance(call, Mapping) or not isinstance(call.get("id"), str):
            raise RequestValidationError("A tool call needs an id.", param=f"{where}.id")
        custom, function = call.get("custom"), call.get("function")
        if isinstance(custom, Mapping):
            name, value = custom.get("name"), {CUSTOM_INPUT: str(custom.get("input") or "")}
        elif isinstance(function, Mapping):
            name, value = function.get("name"), self._input(function.get("arguments"))
        else:
            raise RequestValidationError("A tool call needs a function.", param=f"{where}.function")
        if not isinstance(name, str):
            raise RequestValidationError("A tool call needs a name.", param=f"{where}.function.name")
        block = {"toolUse": {"toolUseId": _wire_id(call["id"]), "name": name, "input": value}}
        return self._context.cached([block], call.get("cache_control"), where)

    def _function_call(self, function: Any, where: str) -> list[Block]:
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise RequestValidationError("A function_call needs a name.", param=f"{where}.function_call.name")
        name = function["name"]
        self._functions[name] = f"function_{len(self._functions) + 1}"
        value = self._input(function.get("arguments"))
        return [{"toolUse": {"toolUseId": self._functions[name], "name": name, "input": value}}]

    def _input(self, arguments: Any) -> dict[str, Any]:
        value = input_of(arguments)
        if value is None:
            self._notes.edit(f"Arguments that are no JSON object are sent as the text of {RAW_ARGUMENTS}.")
            return {RAW_ARGUMENTS: arguments if isinstance(arguments, str) else ""}
        return value


def _system_blocks_as_parts(blocks: list[Block]) -> list[dict[str, Any]]:
    return [{"type": "text", "text": block["text"]} for block in blocks if "text" in block]


def _wire_id(id: str) -> str:
    """A tool call's id as the vendor takes it: itself, or a hash of it."""
    if _TOOL_ID.fullmatch(id):
        return id
    return "call_" + blake2b(id.encode("utf-8", "replace"), digest_size=16).hexdigest()
