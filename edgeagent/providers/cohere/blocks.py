"""An assistant's message, read: what of it has an OpenAI-shaped place, and what it keeps as the vendor's own.

Text blocks are the content; thinking blocks, and the `tool_plan` that older models write in their place, the reasoning.
A citation of a document with an address becomes an annotation, with positions in the joined text. Everything that
this does not tell (thinking, the plan, citations) is kept in `native_content`: the blocks as its `content`, `tool_plan`
and `citations` beside them.

https://docs.cohere.com/v2/reference/chat, /v2/docs/rag-citations
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from edgeagent.providers.events import UnexpectedFormError
from edgeagent.wire.json import dump_json

__all__ = ["WIRE", "annotations_of", "arguments_of", "check_block", "message_of", "native_message", "text_of"]

WIRE: Final = "cohere.chat_v2"

_TRANSLATED: Final = frozenset({"role", "content", "tool_calls", "tool_plan", "citations"})


def check_block(block: Any) -> dict[str, Any]:
    """The block, if it can be read. Raises `UnexpectedFormError`."""
    if not isinstance(block, dict) or not isinstance(block.get("type"), str):
        raise UnexpectedFormError("a block of the content has no type")
    if block["type"] in ("text", "thinking") and not isinstance(block.get(block["type"]), str):
        raise UnexpectedFormError(f"a {block['type']} block has no {block['type']}")
    return block


def message_of(message: Mapping[str, Any]) -> dict[str, Any]:
    """The vendor's message as OpenAI's. Raises `UnexpectedFormError`."""
    content = message.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    elif content is not None and not isinstance(content, list):
        raise UnexpectedFormError("content is neither text nor a list")
    blocks = [check_block(block) for block in content or ()]
    plan, citations = message.get("tool_plan"), message.get("citations") or []
    if plan is not None and not isinstance(plan, str):
        raise UnexpectedFormError("tool_plan is no text")
    if not isinstance(citations, list):
        raise UnexpectedFormError("citations is not a list")
    calls = [_call(call) for call in _list(message, "tool_calls")]
    text = "".join(block["text"] for block in blocks if block["type"] == "text")
    reasoning = "".join(block["thinking"] for block in blocks if block["type"] == "thinking") + (plan or "")
    values: dict[str, Any] = {k: v for k, v in message.items() if k not in _TRANSLATED and v is not None}
    values.update(role="assistant", content=text if text or not (calls or plan) else None)
    if calls:
        values["tool_calls"] = calls
    if reasoning:
        values["reasoning_content"] = reasoning
    if found := annotations_of(citations, blocks):
        values["annotations"] = found
    if (native := native_of(blocks, plan, citations)) is not None:
        values["native_content"] = native
    return values


def native_of(blocks: Sequence[Mapping[str, Any]], plan: str | None, citations: list[Any]) -> dict[str, Any] | None:
    """What `native_content` is for these; None if the text says it all."""
    is_plain = len(blocks) < 2 and all(block.keys() == {"type", "text"} for block in blocks)
    if is_plain and not plan and not citations:
        return None
    native: dict[str, Any] = {"wire": WIRE, "content": list(blocks)}
    if plan:
        native["tool_plan"] = plan
    if citations:
        native["citations"] = citations
    return native


def annotations_of(citations: Sequence[Any], blocks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The citations of pages as OpenAI's annotations: one for each source that has an address."""
    found = []
    for citation in citations:
        if not isinstance(citation, Mapping) or citation.get("type", "TEXT_CONTENT") != "TEXT_CONTENT":
            continue
        start, end = citation.get("start"), citation.get("end")
        if not isinstance(start, int) or not isinstance(end, int):
            continue
        offset = _offset(citation.get("content_index"), blocks)
        sources = citation.get("sources")
        for source in sources if isinstance(sources, list) else ():
            page = _page(source)
            if page is not None:
                place = {"start_index": offset + start, "end_index": offset + end}
                found.append({"type": "url_citation", "url_citation": {**place, **page}})
    return found


def _offset(index: Any, blocks: Sequence[Mapping[str, Any]]) -> int:
    """Where the cited block begins in the joined text; without an index, the first text is meant."""
    if not isinstance(index, int) or isinstance(index, bool):
        return 0
    return sum(len(block["text"]) for block in blocks[: max(0, index)] if block["type"] == "text")


def _page(source: Any) -> dict[str, Any] | None:
    document = source.get("document") if isinstance(source, Mapping) else None
    if not isinstance(document, Mapping) or not isinstance(document.get("url"), str):
        return None
    title = document.get("title")
    return {"url": document["url"], "title": title if isinstance(title, str) else ""}


def _list(message: Mapping[str, Any], name: str) -> list[Any]:
    value = message.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise UnexpectedFormError(f"{name} is not a list")
    return value


def _call(call: Any) -> dict[str, Any]:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(call, Mapping) or not isinstance(function, Mapping) or not isinstance(call.get("id"), str):
        raise UnexpectedFormError("a tool call has no id or no function")
    told = {**function, "arguments": arguments_of(function.get("arguments"))}
    return {**call, "type": "function", "function": told}


def arguments_of(value: Any) -> str:
    """The arguments as text; none are an empty object."""
    if isinstance(value, str):
        return value or "{}"
    return "{}" if value is None else dump_json(value).decode()


def text_of(content: Any) -> str:
    """The text of a message's `content` in OpenAI's form, refusals included."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    spoken = (part for part in content if isinstance(part, Mapping) and part.get("type") in ("text", "refusal"))
    pieces = (part.get(part["type"]) for part in spoken)
    return "".join(piece for piece in pieces if isinstance(piece, str))


def native_message(message: Mapping[str, Any]) -> dict[str, Any] | None:
    """`content`, `tool_plan` and `citations` as the vendor gave them, if they still say what the message's text says.

    A caller who changed the text (or a shield that masked it) meant the change: then they no longer count.
    """
    native = message.get("native_content")
    if not isinstance(native, Mapping) or native.get("wire") != WIRE or not isinstance(native.get("content"), list):
        return None
    given = {name: native.get(name) for name in ("content", "tool_plan", "citations")}
    try:
        read = message_of(given)
        dump_json(given)
    except (UnexpectedFormError, ValueError):  # a caller's own, not in the documented form
        return None
    return given if (read["content"] or "") == text_of(message.get("content")) else None
