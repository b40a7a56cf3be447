"""The content blocks of an assistant message, read: what of them has an OpenAI-shaped place, and whether that is all.

A block is an object with one key, its kind. Text of several blocks, that of cited blocks included, is joined in order
without separators, so are reasoning texts. A call of a tool that runs on the vendor's side is no call of the client's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from edgeagent.providers.calls import JSON_TOOL, arguments_of, custom_input, input_of
from edgeagent.providers.texts import text_of

__all__ = [
    "WIRE",
    "InvalidBlockError",
    "Reading",
    "annotations_of",
    "call_of",
    "check_block",
    "cited_text",
    "is_client_call",
    "is_plain",
    "native_blocks",
    "native_content",
    "read_blocks",
]

Block = Mapping[str, Any]

WIRE: Final = "bedrock.converse"

_PLAIN_CALL: Final = frozenset({"toolUseId", "name", "input", "type"})


class InvalidBlockError(ValueError):
    """A content block is not what the vendor documents; the text says where, and quotes no value."""


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


def check_block(block: Any, where: str) -> None:
    """Raise `InvalidBlockError` unless this is a content block that can be read."""
    if not isinstance(block, dict) or len(block) != 1:
        raise InvalidBlockError(f"{where} is not a block")
    kind, value = next(iter(block.items()))
    if kind == "text":
        fine = isinstance(value, str)
    elif kind == "toolUse":
        fine = isinstance(value, dict) and all(isinstance(value.get(name), str) for name in ("toolUseId", "name"))
        fine = fine and "input" in value
    elif kind == "reasoningContent":
        fine = isinstance(value, dict) and _is_reasoning(value)
    elif kind == "citationsContent":
        fine = isinstance(value, dict) and _is_cited(value)
    else:
        fine = True
    if not fine:
        raise InvalidBlockError(f"{where}.{kind} has not the documented form")


def _is_reasoning(value: Mapping[str, Any]) -> bool:
    text = value.get("reasoningText")
    return text is None or (isinstance(text, dict) and isinstance(text.get("text"), str))


def _is_cited(value: Mapping[str, Any]) -> bool:
    pieces = value.get("content") or []
    return isinstance(pieces, list) and all(
        isinstance(piece, dict) and isinstance(piece.get("text", ""), str) for piece in pieces
    )


def read_blocks(blocks: Sequence[Block]) -> Reading:
    """Read the blocks of one message. They are checked (`check_block`)."""
    reading = Reading(plain=all(is_plain(block, index) for index, block in enumerate(blocks)))
    texts: list[str] = []
    thoughts: list[str] = []
    length = 0
    for block in blocks:
        text = ""
        if "text" in block:
            text = block["text"]
        elif "citationsContent" in block:
            text = cited_text(block["citationsContent"])
            reading.annotations += annotations_of(block["citationsContent"], length, text)
        elif "reasoningContent" in block:
            thoughts.append((block["reasoningContent"].get("reasoningText") or {}).get("text", ""))
        elif is_client_call(block):
            call = block["toolUse"]
            if call["name"] == JSON_TOOL:
                reading.json_tool = True
                text = arguments_of(call["input"])
            else:
                reading.calls.append(call_of(call))
        texts.append(text)
        length += len(text)
    reading.text = "".join(texts)
    reading.reasoning = "".join(thoughts)
    return reading


def cited_text(cited: Block) -> str:
    """The text of a block with citations."""
    return "".join(piece.get("text", "") for piece in cited.get("content") or ())


def is_client_call(block: Block) -> bool:
    """Whether the block is a tool call that the client is to run."""
    call = block.get("toolUse")
    return isinstance(call, Mapping) and call.get("type") != "server_tool_use"


def is_plain(block: Block, index: int) -> bool:
    """Whether text and tool calls say all that this block does: one text block, the first, and tool calls behind it."""
    if "text" in block:
        return index == 0
    if not is_client_call(block):
        return False
    return block["toolUse"].keys() <= _PLAIN_CALL and isinstance(block["toolUse"]["input"], dict)


def call_of(call: Block) -> dict[str, Any]:
    """A `toolUse` as OpenAI's tool call."""
    free_form = custom_input(call["input"])
    if free_form is not None:
        return {"id": call["toolUseId"], "type": "custom", "custom": {"name": call["name"], "input": free_form}}
    function = {"name": call["name"], "arguments": arguments_of(call["input"])}
    return {"id": call["toolUseId"], "type": "function", "function": function}


def annotations_of(cited: Block, start: int, text: str) -> list[dict[str, Any]]:
    """The web citations of a text that begins at `start` of the joined text, as OpenAI's annotations."""
    found = []
    citations = cited.get("citations")
    for citation in citations if isinstance(citations, list) else ():
        location = citation.get("location") if isinstance(citation, Mapping) else None
        web = location.get("web") if isinstance(location, Mapping) else None
        if isinstance(web, Mapping):
            page = {"url": str(web.get("url") or ""), "title": str(citation.get("title") or web.get("domain") or "")}
            place = {"start_index": start, "end_index": start + len(text)}
            found.append({"type": "url_citation", "url_citation": {**place, **page}})
    return found


def native_content(blocks: Sequence[Block]) -> dict[str, Any]:
    """The value of `native_content` for these blocks."""
    return {"wire": WIRE, "content": list(blocks)}


def native_blocks(message: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The vendor's own blocks of an assistant message, if it has them and they still say what the message says.

    A caller who changed the text or the calls meant the change, so the blocks no longer count: None. So do they not
    when they hold a call of the reserved JSON tool, which no result answers.
    """
    native = message.get("native_content")
    if not isinstance(native, Mapping) or native.get("wire") != WIRE or not isinstance(native.get("content"), list):
        return None
    blocks: list[dict[str, Any]] = native["content"]
    try:
        for block in blocks:
            check_block(block, "native_content")
        reading = read_blocks(blocks)
        same_calls = _calls(reading.calls) == _calls(message.get("tool_calls") or ())
    except (InvalidBlockError, KeyError, TypeError, AttributeError):  # a caller's own, not in the documented form
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
