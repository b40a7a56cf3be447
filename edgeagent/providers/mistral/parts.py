"""An assistant's content in parts: what of them has an OpenAI-shaped place, and when they are needed as they are.

Text is the content, thinking the reasoning; a `tool_reference` with an address is a citation of it. A list of parts
other than one text is kept in `native_content`, since the order, signatures and references have no other place.

https://docs.mistral.ai/capabilities/reasoning/, https://docs.mistral.ai/capabilities/citations/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from edgeagent.providers.events import UnexpectedFormError
from edgeagent.wire.json import dump_json

__all__ = [
    "WIRE",
    "Part",
    "Reading",
    "annotation_of",
    "check_part",
    "is_plain",
    "native_parts",
    "read_parts",
    "text_of",
    "thinking_of",
]

Part = dict[str, Any]

WIRE: Final = "mistral.chat"


@dataclass(slots=True)
class Reading:
    """What a list of parts says in OpenAI's terms."""

    text: str = ""
    reasoning: str = ""
    annotations: list[dict[str, Any]] = field(default_factory=list)
    plain: bool = True
    """Whether the text says all that the parts do."""


def check_part(part: Any) -> Part:
    """The part, if it can be read. Raises `UnexpectedFormError`."""
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if not isinstance(part, dict):
        raise UnexpectedFormError("a part of the content is not an object")
    kind = part.get("type", "text")
    if not isinstance(kind, str):
        raise UnexpectedFormError("a part of the content has no type")
    if kind == "text" and not isinstance(part.get("text"), str):
        raise UnexpectedFormError("a text part has no text")
    if kind == "thinking" and not isinstance(part.get("thinking"), list):
        raise UnexpectedFormError("a thinking part has no list of parts")
    return part if "type" in part else {"type": "text", **part}


def is_plain(part: Mapping[str, Any]) -> bool:
    """Whether the part is text and nothing else."""
    return part["type"] == "text" and part.keys() <= {"type", "text"}


def thinking_of(part: Mapping[str, Any]) -> str:
    """The text of a thinking part."""
    texts = (item.get("text") for item in part["thinking"] if isinstance(item, Mapping) and item.get("type") == "text")
    return "".join(text for text in texts if isinstance(text, str))


def annotation_of(part: Mapping[str, Any], position: int) -> dict[str, Any] | None:
    """A reference to a page as OpenAI's annotation at this position of the text, if this is one."""
    if part["type"] != "tool_reference" or not isinstance(part.get("url"), str):
        return None
    title = part.get("title")
    page = {"url": part["url"], "title": title if isinstance(title, str) else ""}
    return {"type": "url_citation", "url_citation": {"start_index": position, "end_index": position, **page}}


def read_parts(parts: Sequence[Any]) -> Reading:
    """Read a list of parts. Raises `UnexpectedFormError`."""
    reading = Reading()
    texts: list[str] = []
    thoughts: list[str] = []
    position = 0
    for number, value in enumerate(parts):
        part = check_part(value)
        reading.plain = reading.plain and number == 0 and is_plain(part)
        if part["type"] == "text":
            texts.append(part["text"])
            position += len(part["text"])
        elif part["type"] == "thinking":
            thoughts.append(thinking_of(part))
        elif found := annotation_of(part, position):
            reading.annotations.append(found)
    reading.text, reading.reasoning = "".join(texts), "".join(thoughts)
    return reading


def text_of(content: Any) -> str:
    """The text of a message's `content` in OpenAI's form, refusals included."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    spoken = (part for part in content if isinstance(part, Mapping) and part.get("type") in ("text", "refusal"))
    pieces = (part.get(part["type"]) for part in spoken)
    return "".join(piece for piece in pieces if isinstance(piece, str))


def native_parts(message: Mapping[str, Any]) -> list[Part] | None:
    """The vendor's own parts of an assistant message, if it has them and they still say what its text says.

    A caller who changed the text (or a shield that masked it) meant the change: then they no longer count.
    """
    native = message.get("native_content")
    if not isinstance(native, Mapping) or native.get("wire") != WIRE or not isinstance(native.get("content"), list):
        return None
    parts: list[Part] = native["content"]
    try:
        reading = read_parts(parts)
        dump_json(parts)
    except (UnexpectedFormError, ValueError):  # a caller's own, not in the documented form
        return None
    return parts if reading.text == text_of(message.get("content")) else None
