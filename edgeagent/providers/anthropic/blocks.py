"""The content blocks of an assistant message, read: what of them has an OpenAI-shaped place, and whether that is all.

Text of several blocks is joined in order without separators, so are thinking texts. A call of a server tool is no tool
call of the client's. Web citations become `url_citation` annotations with positions in the joined text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from edgeagent.providers.calls import JSON_TOOL, arguments_of, custom_input, input_of
from edgeagent.providers.texts import text_of

__all__ = ["WIRE", "Reading", "annotations_of", "call_of", "is_plain", "native_blocks", "native_content", "read_blocks"]

Block = Mapping[str, Any]

WIRE: Final = "anthropic.messages"

_PLAIN_TEXT: Final = frozenset({"type", "text", "citations"})
_PLAIN_CALL: Final = frozenset({"type", "id", "name", "input"})


@dataclass(slots=True)
class Reading:
    """What a list of blocks says in OpenAI's terms.

    The input of the reserved JSON tool is text, in its place; `json_tool` says that it was called. `plain` says that
    the blocks hold nothing that the other attributes do not.
    """

    text: str = ""
    reasoning: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    json_tool: bool = False
    plain: bool = True

    @property
    def content(self) -> str | None:
        """The message's content: None if the model only called tools."""
        return self.text if self.text or not self.calls else None


def read_blocks(blocks: Sequence[Block]) -> Reading:
    """Read the blocks of one message. They are checked (see `response`): objects with the documented fields."""
    reading = Reading(plain=all(is_plain(block, index) for index, block in enumerate(blocks)))
    texts: list[str] = []
    thoughts: list[str] = []
    length = 0
    for block in blocks:
        kind = block["type"]
        if kind == "thinking":
            thoughts.append(block["thinking"])
        elif kind == "tool_use" and block["name"] == JSON_TOOL:
            reading.json_tool = True
            texts.append(arguments_of(block["input"]))
            length += len(texts[-1])
        elif kind == "tool_use":
            reading.calls.append(call_of(block))
        elif kind == "text":
            texts.append(block["text"])
            reading.annotations += annotations_of(block, length)
            length += len(block["text"])
    reading.text = "".join(texts)
    reading.reasoning = "".join(thoughts)
    return reading


def is_plain(block: Block, index: int) -> bool:
    """Whether text and tool calls say all that this block does: one text block, the first, and tool calls behind it."""
    if block["type"] == "text":
        return index == 0 and block.keys() <= _PLAIN_TEXT and not block.get("citations")
    return block["type"] == "tool_use" and block.keys() <= _PLAIN_CALL


def call_of(block: Block) -> dict[str, Any]:
    """A tool_use block as OpenAI's tool call."""
    free_form = custom_input(block["input"])
    if free_form is not None:
        return {"id": block["id"], "type": "custom", "custom": {"name": block["name"], "input": free_form}}
    function = {"name": block["name"], "arguments": arguments_of(block["input"])}
    return {"id": block["id"], "type": "function", "function": function}


def annotations_of(block: Block, start: int) -> list[dict[str, Any]]:
    """The web citations of a text block that begins at `start` of the joined text, as OpenAI's annotations."""
    found = []
    citations = block.get("citations")
    for citation in citations if isinstance(citations, list) else ():
        if isinstance(citation, Mapping) and citation.get("type") == "web_search_result_location":
            place = {"start_index": start, "end_index": start + len(block["text"])}
            page = {"url": str(citation.get("url") or ""), "title": str(citation.get("title") or "")}
            found.append({"type": "url_citation", "url_citation": {**place, **page}})
    return found


def native_content(blocks: Sequence[Block]) -> dict[str, Any]:
    """The value of `native_content` for these blocks."""
    return {"wire": WIRE, "content": list(blocks)}


def native_blocks(message: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The vendor's own blocks of an assistant message, if it has them and they still say what the message says.

    A caller who changed the text or the calls of a message (or a shield that masked them) meant the change, so the
    blocks no longer count: None. So do they not when they hold a call of the reserved JSON tool, which no result
    answers.
    """
    native = message.get("native_content")
    if not isinstance(native, Mapping) or native.get("wire") != WIRE or not isinstance(native.get("content"), list):
        return None
    blocks: list[dict[str, Any]] = native["content"]
    try:
        reading = read_blocks(blocks)
        same_calls = _calls(reading.calls) == _calls(message.get("tool_calls") or ())
    except (KeyError, TypeError, AttributeError):  # a caller's own, not in the documented form
        return None
    same_text = reading.text == text_of(message.get("content"))
    return blocks if same_text and same_calls and not reading.json_tool else None


def _calls(calls: Any) -> list[tuple[Any, ...]]:
    """Tool calls, comparable: arguments as values, since their spelling may differ."""
    result: list[tuple[Any, ...]] = []
    for call in calls:
        function = call.get("function") or {}
        arguments = function.get("arguments")
        value = input_of(arguments)
        result.append((call.get("id"), function.get("name"), arguments if value is None else value, call.get("custom")))
    return result
