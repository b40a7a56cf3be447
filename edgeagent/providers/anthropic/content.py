"""Content parts → Anthropic's content blocks.

Parts in OpenAI's form are translated; parts that already have the form of one of Anthropic's blocks (`NATIVE_BLOCKS`)
are passed on as they are. Of a part's fields beyond OpenAI's, those that Anthropic documents for the block are kept
(`cache_control`, `citations`, …), the rest is dropped and named.

Sources: https://platform.claude.com/docs/en/build-with-claude/vision (image types, URL and base64 sources),
/pdf-support and /citations (documents), /files (`file_id`; no beta header is needed).
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from edgeagent.errors import RequestValidationError
from edgeagent.providers.notes import Notes

__all__ = [
    "BLOCK_FIELDS",
    "IMAGE_TYPES",
    "NATIVE_BLOCKS",
    "blocks_of",
    "is_native",
]

Block = dict[str, Any]

IMAGE_TYPES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})

NATIVE_BLOCKS: Final = frozenset(
    {
        "advisor_tool_result",
        "browser_state",
        "compaction",
        "connector_text",
        "container_upload",
        "document",
        "fallback",
        "image",
        "mcp_tool_listing",
        "mcp_tool_use",
        "redacted_thinking",
        "search_result",
        "server_tool_use",
        "thinking",
        "tool_addition",
        "tool_reference",
        "tool_removal",
        "tool_use",
    }
)
"""Types of Anthropic's blocks that are no types of OpenAI's parts; besides them every `…_tool_result`."""

BLOCK_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "text": frozenset({"cache_control", "citations"}),
    "image": frozenset({"cache_control", "transformations"}),
    "document": frozenset({"cache_control", "citations", "context"}),
}
"""Fields of a block beyond those that are translated, which a part in OpenAI's form may carry."""

_TEXTUAL: Final = frozenset({"application/json", "application/xml", "application/yaml", "application/x-yaml"})
_EXTENSIONS: Final[Mapping[str, str]] = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "txt": "text/plain",
    "md": "text/plain",
    "csv": "text/plain",
    "html": "text/plain",
    "json": "text/plain",
    "xml": "text/plain",
}


def is_native(part: Mapping[str, Any]) -> bool:
    """Whether this part is one of Anthropic's own blocks."""
    kind = part.get("type")
    return isinstance(kind, str) and (kind in NATIVE_BLOCKS or kind.endswith("_tool_result"))


def blocks_of(content: Any, notes: Notes, where: str) -> list[Block]:
    """The blocks of a message's `content`: text, a list of parts, or None. Empty texts are left out.

    `where` is the message's place, as in `messages[2]`. Raises `RequestValidationError` for what Claude cannot read.
    """
    if content is None or content == "":
        return []
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list):
        raise _refused("The content of a message is text or a list of parts.", f"{where}.content")
    blocks = (_block(part, notes, f"{where}.content[{i}]") for i, part in enumerate(content))
    return [block for block in blocks if block.get("type") != "text" or _has_text(block, notes)]


def _has_text(block: Block, notes: Notes) -> bool:
    if block["text"] == "":
        notes.edit("Empty text parts are left out: the vendor refuses them.")
        return False
    return True


def _block(part: Any, notes: Notes, where: str) -> Block:
    if not isinstance(part, Mapping):
        raise _refused("A content part is an object.", where)
    match part.get("type"):
        case "text":
            return _kept(part, {"type": "text", "text": _text(part, "text", where)}, {"text"}, notes, where)
        case "refusal":
            return _kept(part, {"type": "text", "text": _text(part, "refusal", where)}, {"refusal"}, notes, where)
        case "image_url":
            return _kept(part, _image(part, notes, where), {"image_url"}, notes, where)
        case "file":
            return _kept(part, _file(part, where), {"file"}, notes, where)
        case _ if is_native(part):
            return dict(part)
        case kind:
            raise _refused(f"Anthropic's models do not read content parts of type {kind!r}.", f"{where}.type")


def _text(part: Mapping[str, Any], name: str, where: str) -> str:
    value = part.get(name)
    if not isinstance(value, str):
        raise _refused(f"A {part.get('type')} part needs {name!r}, a string.", f"{where}.{name}")
    return value


def _kept(part: Mapping[str, Any], block: Block, translated: set[str], notes: Notes, where: str) -> Block:
    """The block with those of the part's other fields that the vendor knows."""
    allowed = BLOCK_FIELDS.get(block["type"], frozenset())
    for name, value in part.items():
        if name == "type" or name in translated or value is None:
            continue
        if name in allowed:
            block[name] = value
        else:
            notes.drop(f"{where}.{name}")
    return block


def _image(part: Mapping[str, Any], notes: Notes, where: str) -> Block:
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, Mapping) else image  # some callers give the URL itself
    where = f"{where}.image_url.url"
    if not isinstance(url, str):
        raise _refused("An image_url part needs 'image_url.url', a string.", where)
    if isinstance(image, Mapping) and image.get("detail") not in (None, "auto"):
        notes.drop("image_url.detail")
    if url.startswith("https://"):
        return {"type": "image", "source": {"type": "url", "url": url}}
    if not url.startswith("data:"):
        raise _refused("Anthropic reads images from https and data URLs only.", where)
    media_type, data = _data_url(url, where)
    return _base64_image(media_type, data, where)


def _base64_image(media_type: str, data: str, where: str) -> Block:
    media_type = {"image/jpg": "image/jpeg"}.get(media_type, media_type)
    if media_type not in IMAGE_TYPES:
        raise _refused(f"Anthropic reads {', '.join(sorted(IMAGE_TYPES))} images, not {media_type!r}.", where)
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}


def _file(part: Mapping[str, Any], where: str) -> Block:
    file = part.get("file")
    if not isinstance(file, Mapping):
        raise _refused("A file part needs 'file', an object.", f"{where}.file")
    where = f"{where}.file"
    name = file.get("filename")
    if isinstance(file.get("file_data"), str):
        block = _file_data(file["file_data"], name, f"{where}.file_data")
    elif isinstance(file.get("file_id"), str):
        if file["file_id"].startswith("file-") or "://" in file["file_id"]:
            raise _refused("This file was uploaded to another vendor; Anthropic cannot read it.", f"{where}.file_id")
        block = {"type": "document", "source": {"type": "file", "file_id": file["file_id"]}}
    elif isinstance(file.get("file_url"), str):
        if file.get("format") not in (None, "application/pdf"):
            raise _refused("Anthropic reads PDF by its URL, and nothing else.", f"{where}.format")
        block = {"type": "document", "source": {"type": "url", "url": file["file_url"]}}
    else:
        raise _refused("A file part needs 'file.file_data' or 'file.file_id'.", where)
    if isinstance(name, str) and name and block["type"] == "document":
        block["title"] = name
    return block


def _file_data(data: str, name: Any, where: str) -> Block:
    """A data URL, or (as OpenAI documents it too) bare base64 whose kind the file's name tells."""
    if data.startswith("data:"):
        media_type, encoded = _data_url(data, where)
    else:
        extension = name.rpartition(".")[2].lower() if isinstance(name, str) else ""
        media_type = _EXTENSIONS.get(extension, "application/pdf" if data.startswith("JVBER") else "")
        encoded = data
    if media_type == "application/pdf":
        return {"type": "document", "source": {"type": "base64", "media_type": media_type, "data": encoded}}
    if media_type.startswith("image/"):
        return _base64_image(media_type, encoded, where)
    if media_type.startswith("text/") or media_type in _TEXTUAL:
        return {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": _decoded(encoded, where)},
        }
    raise _refused(f"Anthropic reads PDF, text and images, not {media_type or 'a file of unknown type'!r}.", where)


def _data_url(url: str, where: str) -> tuple[str, str]:
    """Media type and base64 of a data URL (RFC 2397)."""
    head, comma, data = url[5:].partition(",")
    if not comma:
        raise _refused("This data URL has no data.", where)
    fields = head.split(";")
    if fields[-1].strip().lower() != "base64":
        data = b64encode(unquote_to_bytes(data)).decode()
    return fields[0].strip().lower() or "text/plain", data


def _decoded(encoded: str, where: str) -> str:
    try:
        return b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        raise _refused("This text document is not base64 of UTF-8.", where) from None


def _refused(message: str, param: str) -> RequestValidationError:
    return RequestValidationError(message, param=param)
