"""The conversation: OpenAI's messages → `system` and `messages`.

System and developer messages, by position:

- Those at the beginning become the top-level `system`.
- A later one stays where it is, as a `role: "system"` message, on models that have these. The vendor accepts one behind
  a user turn only, so one that stands before the user's words of its turn is put behind them (an edit).
- On other models, and where no user turn precedes, it becomes a text block of the user turn in place, between
  `<system>` tags (an edit).
- A conversation of nothing else is sent as the user's turn, since the vendor needs one (an edit).

Everything between two assistant messages is one user message: first the tool results, as the vendor demands, then the
rest in order. Assistant messages that follow each other are joined. Messages without content are left out.

An assistant message with `native_content` of this wire is sent back as those blocks, exactly, as long as the message
still says what they say (`blocks.native_blocks`); if it was changed, it is built from what it now says.

Sources: https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages, /working-with-messages,
/agents-and-tools/tool-use/handle-tool-calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.errors import RequestValidationError
from edgeagent.providers.anthropic.blocks import native_blocks
from edgeagent.providers.anthropic.content import blocks_of
from edgeagent.providers.calls import CUSTOM_INPUT, RAW_ARGUMENTS, input_of, wire_id
from edgeagent.providers.claude import ModelFacts
from edgeagent.providers.notes import Notes
from edgeagent.providers.texts import text_of
from edgeagent.providers.turns import refuse_silence

__all__ = ["RESULT_FIELDS", "SYSTEM_FIELDS", "encode_messages"]

Block = dict[str, Any]
Message = dict[str, Any]
Content = str | list[Block]

SYSTEM_FIELDS: Final = frozenset({"clear_at", "output_config"})
"""Fields that a system message inside the conversation may carry."""

RESULT_FIELDS: Final = frozenset({"cache_control", "is_error", "toolset_name"})
"""Fields that a tool message may carry for its `tool_result` block."""

_KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "system": frozenset({"role", "content", "cache_control"}) | SYSTEM_FIELDS,
    "user": frozenset({"role", "content", "cache_control"}),
    "tool": frozenset({"role", "content", "tool_call_id"}) | RESULT_FIELDS,
    "assistant": frozenset(
        {
            *("role", "content", "cache_control", "refusal", "audio", "tool_calls", "function_call"),
            *("annotations", "native_content", "parsed", "reasoning_content"),
        }
    ),
}
"""Fields of a message that are read, or that only an answer has; others are dropped and named."""

_SYSTEM_ROLES: Final = ("system", "developer")


def encode_messages(
    messages: list[dict[str, Any]], facts: ModelFacts, notes: Notes
) -> tuple[Content | None, list[Message]]:
    """The conversation as `system` (None if there is none) and `messages`. Raises `RequestValidationError`."""
    start = 0
    leading: list[Content] = []
    while start < len(messages) and _is_leading(messages[start]):
        leading.append(_system_content(messages[start], notes, f"messages[{start}]"))
        start += 1
    conversation = _Conversation(facts, notes)
    for index in range(start, len(messages)):
        conversation.add(messages[index], f"messages[{index}]")
    system, turns = _joined(leading), conversation.messages()
    if turns:
        refuse_silence(messages, turns[-1]["role"])
        if turns[-1]["role"] == "assistant":
            _strip_end(turns, notes)
        return system, turns
    if system is None:
        raise RequestValidationError("There is no message with content.", param="messages")
    notes.edit("The system prompt is sent as the user's turn: the vendor needs one.")
    return None, [{"role": "user", "content": system}]


def _is_leading(message: Mapping[str, Any]) -> bool:
    return message.get("role") in _SYSTEM_ROLES and not any(message.get(name) is not None for name in SYSTEM_FIELDS)


def _system_content(message: Mapping[str, Any], notes: Notes, where: str) -> Content:
    _drop_unknown(message, "system", notes, where)
    content = _content(message, notes, where)
    if isinstance(content, list) and any(block["type"] != "text" for block in content):
        raise RequestValidationError("A system prompt is text.", param=f"{where}.content")
    return content


def _content(message: Mapping[str, Any], notes: Notes, where: str) -> Content:
    """A message's content, as the text it was if it was text; `cache_control` of the message is its last block's."""
    content = message.get("content")
    control = message.get("cache_control")
    if isinstance(content, str) and control is None:
        return content
    blocks = blocks_of(content, notes, where)
    if control is not None and blocks:
        blocks[-1] = {**blocks[-1], "cache_control": control}
    return blocks


def _joined(contents: list[Content]) -> Content | None:
    """Several contents as one; one text stays a text. Empty ones are left out."""
    contents = [content for content in contents if content]
    if not contents:
        return None
    return contents[0] if len(contents) == 1 else [block for content in contents for block in _as_blocks(content)]


def _as_blocks(content: Content) -> list[Block]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _drop_unknown(message: Mapping[str, Any], role: str, notes: Notes, where: str) -> None:
    for name, value in message.items():
        if name not in _KNOWN[role] and value is not None:
            notes.drop(f"{where}.{name}")


def _strip_end(turns: list[Message], notes: Notes) -> None:
    """The beginning of an answer, to be continued, must not end with white space."""
    blocks = _as_blocks(turns[-1]["content"])
    text = blocks[-1].get("text") if blocks[-1]["type"] == "text" else None
    if not isinstance(text, str) or text == text.rstrip():
        return
    notes.edit("White space at the end of the last assistant message is cut: the vendor refuses it.")
    rest = text.rstrip()
    kept = [*blocks[:-1], *([{**blocks[-1], "text": rest}] if rest else [])]
    if isinstance(turns[-1]["content"], str) and rest:
        turns[-1]["content"] = rest
    elif kept:
        turns[-1]["content"] = kept
    else:
        turns.pop()


class _Conversation:
    """Collects what follows the leading system messages; a turn is what stands between two assistant messages."""

    def __init__(self, facts: ModelFacts, notes: Notes) -> None:
        self._inline_system = facts.inline_system
        self._notes = notes
        self._messages: list[Message] = []
        self._results: list[Block] = []
        self._user: list[Content] = []
        self._system: list[Message] = []
        self._function_ids: dict[str, str] = {}
        self._function_calls = 0

    def add(self, message: Mapping[str, Any], where: str) -> None:
        role = message.get("role")
        if role == "user":
            self._add_user(message, where)
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

    # the user's side

    def _add_user(self, message: Mapping[str, Any], where: str) -> None:
        _drop_unknown(message, "user", self._notes, where)
        content = _content(message, self._notes, where)
        if not content:
            self._notes.edit(f"{where} is left out: it is empty.")
            return
        if self._system:
            self._notes.edit(
                "A later system message is put behind the user's words of its turn, as the vendor demands."
            )
        self._user.append(content)

    def _add_result(self, message: Mapping[str, Any], where: str) -> None:
        if message.get("role") == "function":
            name = str(message.get("name"))
            call_id = self._function_ids.get(name, wire_id(name))
        else:
            _drop_unknown(message, "tool", self._notes, where)
            if not isinstance(message.get("tool_call_id"), str):
                raise RequestValidationError("A tool message needs its tool_call_id.", param=f"{where}.tool_call_id")
            call_id = wire_id(message["tool_call_id"])
        content = message.get("content")
        if self._user:
            self._notes.edit("Tool results are put before the other content of their turn, as the vendor demands.")
        block: Block = {"type": "tool_result", "tool_use_id": call_id}
        if result := content if isinstance(content, str) else blocks_of(content, self._notes, where):
            block["content"] = result
        block.update({name: message[name] for name in RESULT_FIELDS if message.get(name) is not None})
        self._results.append(block)

    def _add_system(self, message: Mapping[str, Any], where: str) -> None:
        _drop_unknown(message, "system", self._notes, where)
        content = _content(message, self._notes, where)
        fields = {name: message[name] for name in sorted(SYSTEM_FIELDS) if message.get(name) is not None}
        if not content and not fields:
            return
        if self._inline_system and not content:  # it only sets the effort, and may stand anywhere
            self._end_turn()
            self._messages.append({"role": "system", "content": [], **fields})
        elif self._inline_system:
            self._system.append({"role": "system", "content": content, **fields})
        else:
            for name in fields:
                self._notes.drop(f"{where}.{name}")
            if content:
                self._user.append(self._told(content, where))

    def _told(self, content: Content, where: str) -> list[Block]:
        """A system message as the user's text, for models and places that have no other way."""
        blocks = _as_blocks(content)
        if any(block["type"] != "text" for block in blocks):
            raise RequestValidationError("This model takes no tool changes here.", param=f"{where}.content")
        self._notes.edit("A later system message is sent as text between <system> tags, in the user's turn.")
        told: Block = {"type": "text", "text": f"<system>\n{text_of(blocks)}\n</system>"}
        control = next((block["cache_control"] for block in reversed(blocks) if "cache_control" in block), None)
        return [{**told, "cache_control": control} if control is not None else told]

    def _end_turn(self) -> None:
        if self._system and not self._may_hold_system():
            self._user += [self._told(message["content"], "messages") for message in self._system]
            self._system = []
        content = _joined([self._results, *self._user])
        if content:
            self._append("user", content)
        self._messages += self._system
        self._results, self._user, self._system = [], [], []

    def _may_hold_system(self) -> bool:
        """Whether the vendor accepts system messages at the end of this turn."""
        if self._results or self._user:
            return True
        before = self._messages[-1]["content"] if self._messages else None
        return isinstance(before, list) and bool(before) and str(before[-1].get("type")).endswith("_tool_result")

    def _append(self, role: str, content: Content) -> None:
        last = self._messages[-1] if self._messages else None
        if last is not None and last["role"] == role:
            last["content"] = [*_as_blocks(last["content"]), *_as_blocks(content)]
        else:
            self._messages.append({"role": role, "content": content})

    # the assistant's side

    def _add_assistant(self, message: Mapping[str, Any], where: str) -> None:
        _drop_unknown(message, "assistant", self._notes, where)
        content = self._native(message, where) or self._built(message, where)
        if content:
            self._append("assistant", content)
        else:
            self._notes.edit(f"{where} is left out: it is empty.")

    def _native(self, message: Mapping[str, Any], where: str) -> list[Block] | None:
        """The vendor's own blocks, less what it refuses: empty texts, thinking that it did not sign."""
        blocks = native_blocks(message)
        if blocks is None:
            if message.get("native_content"):
                self._notes.edit(f"{where} is built from its text and calls, not from its native_content.")
            return None
        kept = [dict(block) for block in blocks if _is_sendable(block)]
        control = message.get("cache_control")
        if control is not None and kept and kept[-1]["type"] not in {"thinking", "redacted_thinking"}:
            kept[-1]["cache_control"] = control
        return kept

    def _built(self, message: Mapping[str, Any], where: str) -> Content:
        if message.get("audio") is not None:
            raise RequestValidationError("Anthropic's models do not read audio.", param=f"{where}.audio")
        refusal = message.get("refusal")
        tool_calls = message.get("tool_calls") or []
        if not isinstance(tool_calls, list):
            raise RequestValidationError("tool_calls is a list.", param=f"{where}.tool_calls")
        calls = [self._call(call, f"{where}.tool_calls[{i}]") for i, call in enumerate(tool_calls)]
        if message.get("function_call") is not None:
            calls.append(self._function_call(message["function_call"], where))
        if not calls and not refusal:
            return _content(message, self._notes, where)
        blocks = blocks_of(message.get("content"), self._notes, where)
        if isinstance(refusal, str) and refusal:
            blocks.append({"type": "text", "text": refusal})
        blocks += calls
        if message.get("cache_control") is not None:
            blocks[-1]["cache_control"] = message["cache_control"]
        return blocks

    def _call(self, call: Any, where: str) -> Block:
        if not isinstance(call, Mapping) or not isinstance(call.get("id"), str):
            raise RequestValidationError("A tool call needs an id.", param=f"{where}.id")
        custom, function = call.get("custom"), call.get("function")
        if isinstance(custom, Mapping):
            name, value = custom.get("name"), {CUSTOM_INPUT: str(custom.get("input") or "")}
        elif isinstance(function, Mapping):
            name, value = function.get("name"), self._input(function.get("arguments"), where)
        else:
            raise RequestValidationError("A tool call needs a function.", param=f"{where}.function")
        if not isinstance(name, str):
            raise RequestValidationError("A tool call needs a name.", param=f"{where}.function.name")
        block: Block = {"type": "tool_use", "id": wire_id(call["id"]), "name": name, "input": value}
        if call.get("cache_control") is not None:
            block["cache_control"] = call["cache_control"]
        return block

    def _function_call(self, call: Any, where: str) -> Block:
        """OpenAI's older form: a call without an id, answered by a function message of the same name."""
        if not isinstance(call, Mapping) or not isinstance(call.get("name"), str):
            raise RequestValidationError("A function call needs a name.", param=f"{where}.function_call.name")
        self._function_calls += 1
        call_id = self._function_ids[call["name"]] = f"function_{self._function_calls}"
        value = self._input(call.get("arguments"), f"{where}.function_call")
        return {"type": "tool_use", "id": call_id, "name": call["name"], "input": value}

    def _input(self, arguments: Any, where: str) -> dict[str, Any]:
        value = input_of(arguments if arguments is not None else "")
        if value is not None:
            return value
        self._notes.edit(f"{where}: arguments that are no JSON object are sent inside one.")
        return {RAW_ARGUMENTS: arguments if isinstance(arguments, str) else str(arguments)}


def _is_sendable(block: Mapping[str, Any]) -> bool:
    if block["type"] == "thinking":
        return bool(block.get("signature"))
    return not (block["type"] == "text" and block["text"] == "")
