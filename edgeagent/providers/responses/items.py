"""The items of a response, read: what of them has a place in a chat message, and whether that is all.

A response's `output` is a list of items: messages, reasoning, calls of the client's tools, and what OpenAI's own tools
did. Text of several messages and parts is joined in order without separators, so are reasoning texts. Calls of
built-in tools are no tool calls of the client's: they are kept in `native_content`.

Source: https://platform.openai.com/docs/api-reference/responses/object (the schema `OutputItem`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic_core import from_json

__all__ = [
    "CALLS",
    "CLIENT_ITEMS",
    "WIRE",
    "InvalidItemError",
    "Reading",
    "annotations_of",
    "call_of",
    "check_item",
    "is_plain",
    "native_content",
    "native_items",
    "parts_of",
    "read_items",
    "reasoning_texts",
    "status_of_last",
    "text_of",
]

Item = Mapping[str, Any]

WIRE: Final = "openai.responses"

CALLS: Final[Mapping[str, tuple[str, str]]] = {
    "function_call": ("function", "arguments"),
    "custom_tool_call": ("custom", "input"),
}
"""Items that are calls of the client's tools: the type of our tool call, and the field that has the arguments."""

CLIENT_ITEMS: Final = frozenset(
    {
        "additional_tools",
        "apply_patch_call_output",
        "compaction_trigger",
        "computer_call_output",
        "custom_tool_call_output",
        "function_call_output",
        "item_reference",
        "local_shell_call_output",
        "mcp_approval_response",
        "shell_call_output",
        "tool_search_output",
    }
)
"""Items that a client sends and that no chat message expresses: they travel as content parts of a user message."""

_PLAIN_MESSAGE: Final = frozenset({"content", "id", "role", "status", "type"})
_PLAIN_CALL: Final = frozenset({"call_id", "id", "name", "status", "type"})
_PLAIN_TEXT: Final = frozenset({"annotations", "logprobs", "text", "type"})
_TEXT_FIELDS: Final[Mapping[str, str]] = {"output_text": "text", "refusal": "refusal"}


class InvalidItemError(ValueError):
    """An item has not the documented form; the message quotes nothing of it."""


@dataclass(slots=True)
class Reading:
    """What a list of items says in the terms of a chat message. `plain`: they hold nothing that this does not."""

    text: str = ""
    refusal: str = ""
    reasoning: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    logprobs: list[dict[str, Any]] = field(default_factory=list)
    plain: bool = True


def read_items(items: Sequence[Item]) -> Reading:
    """Read the items of one answer; they are checked (`check_item`)."""
    reading = Reading(plain=all(is_plain(item, place) for place, item in enumerate(items)))
    texts: list[str] = []
    refusals: list[str] = []
    thoughts: list[str] = []
    length = 0
    for item in items:
        kind = item["type"]
        if kind in CALLS:
            reading.calls.append(call_of(item))
        elif kind == "reasoning":
            thoughts += reasoning_texts(item)
        elif kind == "message":
            for part in parts_of(item):
                if part["type"] == "output_text":
                    reading.annotations += annotations_of(part, length)
                    reading.logprobs += part.get("logprobs") or ()
                    texts.append(part["text"])
                    length += len(part["text"])
                elif part["type"] == "refusal":
                    refusals.append(part["refusal"])
    reading.text = "".join(texts)
    reading.refusal = "".join(refusals)
    reading.reasoning = "".join(thoughts)
    return reading


def parts_of(item: Item) -> list[dict[str, Any]]:
    """The parts of a message; a client may give its text alone."""
    content = item.get("content")
    if isinstance(content, str):
        return [{"type": "output_text", "text": content}]
    return content or []


def reasoning_texts(item: Item) -> Iterator[str]:
    """The texts of a reasoning item in order: its summary, then (open models) the reasoning itself."""
    for name in ("summary", "content"):
        for part in item.get(name) or ():
            if part.get("text") is not None:
                yield part["text"]


def call_of(item: Item) -> dict[str, Any]:
    """A call of a client's tool as OpenAI's chat has it."""
    kind, given = CALLS[item["type"]]
    return {"id": item["call_id"], "type": kind, kind: {"name": item["name"], given: item[given]}}


def annotations_of(part: Item, start: int) -> list[dict[str, Any]]:
    """The annotations of a text part that begins at `start` of the joined text, in the form that chat gives them.

    Chat documents `url_citation` alone; the others (files) are nested under their own type in the same way.
    """
    found = []
    for note in part.get("annotations") or ():
        kind = note["type"]
        fields = {name: value for name, value in note.items() if name != "type"}
        for name in ("start_index", "end_index"):
            if isinstance(fields.get(name), int):
                fields[name] += start
        found.append({"type": kind, kind: fields})
    return found


def status_of_last(call: Mapping[str, Any]) -> str:
    """The status of the last call of an answer that was cut off: whether the call was, as far as its input tells."""
    if call["type"] != "function_call":
        return "incomplete"  # free text has no end of its own
    try:
        from_json(call["arguments"])
    except ValueError:
        return "incomplete"
    return "completed"


def is_plain(item: Item, place: int) -> bool:
    """Whether a chat message says all that this item does: one message of one part, the first, and calls behind it."""
    kind = item["type"]
    if item.get("status") not in (None, "completed"):
        return False
    if kind in CALLS:
        return _fields(item) <= _PLAIN_CALL | {CALLS[kind][1]}
    if (
        kind != "message"
        or place
        or not _fields(item) <= _PLAIN_MESSAGE
        or item.get("role", "assistant") != "assistant"
    ):
        return False
    parts = parts_of(item)
    if len(parts) != 1 or parts[0].get("annotations"):
        return False
    part = parts[0]
    if part["type"] == "output_text":
        return bool(part["text"]) and _fields(part) <= _PLAIN_TEXT
    return part["type"] == "refusal" and bool(part["refusal"]) and _fields(part) <= {"type", "refusal"}


def _fields(item: Item) -> set[str]:
    return {name for name, value in item.items() if value is not None}


# What is sent back


def native_content(items: Sequence[Item]) -> dict[str, Any]:
    """The value of `native_content` for these items."""
    return {"wire": WIRE, "content": list(items)}


def native_items(message: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The items of an assistant message, if it has them and they still say what the message says; else None.

    A caller who changed the text or the calls of a message (or a shield that masked them) meant the change.
    """
    native = message.get("native_content")
    if not isinstance(native, Mapping) or native.get("wire") != WIRE or not isinstance(native.get("content"), list):
        return None
    items: list[dict[str, Any]] = native["content"]
    try:
        for item in items:
            check_item(item)
    except InvalidItemError:  # a caller's own
        return None
    reading = read_items(items)
    text, refusal = text_of(message.get("content")), message.get("refusal") or ""
    same_text = text == reading.text and refusal == reading.refusal
    return items if same_text and _same_calls(items, message.get("tool_calls") or ()) else None


def _same_calls(items: Sequence[Item], calls: Any) -> bool:
    """Whether these are the calls of the items. The older `functions` know a call by its item's id too."""
    theirs = [item for item in items if item["type"] in CALLS]
    if not isinstance(calls, Sequence) or len(theirs) != len(calls):
        return False
    for item, call in zip(theirs, calls, strict=True):
        kind, given = CALLS[item["type"]]
        body = call.get(kind) if isinstance(call, Mapping) else None
        if not isinstance(body, Mapping) or body.get("name") != item["name"]:
            return False
        if call.get("id") not in (item["call_id"], item.get("id")):
            return False
        if not _same_json(item[given], body.get(given)):
            return False
    return True


def _same_json(one: str, other: Any) -> bool:
    if one == other:
        return True
    try:
        return isinstance(other, str) and bool(from_json(one) == from_json(other))
    except ValueError:
        return False


def text_of(content: Any) -> str:
    """The text of a chat message's `content`, parts that are no text left out."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = (part for part in content if isinstance(part, Mapping) and part.get("type") == "text")
    return "".join(str(part.get("text") or "") for part in parts)


# The documented form


def check_item(item: Any) -> None:
    """Check what the functions of this module read. Raises `InvalidItemError`."""
    if not isinstance(item, Mapping) or not isinstance(item.get("type"), str):
        raise InvalidItemError("an item of the output has no type")
    kind = item["type"]
    if kind in CALLS:
        for name in ("call_id", "name", CALLS[kind][1]):
            _text(item, name, kind)
    elif kind == "reasoning":
        for name in ("summary", "content"):
            for part in _objects(item, name, kind):
                if part.get("text") is not None:
                    _text(part, "text", kind)
    elif kind == "message":
        if isinstance(item.get("content"), str):
            return
        for part in _objects(item, "content", kind):
            _check_part(part)


def _check_part(part: Item) -> None:
    kind = part.get("type")
    if not isinstance(kind, str):
        raise InvalidItemError("a part of a message has no type")
    if kind in _TEXT_FIELDS:
        _text(part, _TEXT_FIELDS[kind], kind)
    for note in _objects(part, "annotations", kind):
        _text(note, "type", "annotation")
    _objects(part, "logprobs", kind)


def _text(value: Item, name: str, kind: str) -> None:
    if not isinstance(value.get(name), str):
        raise InvalidItemError(f"a {kind} has no {name}, or one that is no text")


def _objects(value: Item, name: str, kind: str) -> Sequence[Item]:
    found = value.get(name)
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise InvalidItemError(f"the {name} of a {kind} is no list of objects")
    return found
