"""The texts of a request: which parts of it are read, and in which form each must stay.

Everything is text that may hold anything, but for a few places: words of the format (roles, types), ids that vendors
gave, opaque blobs of theirs (signatures), and media, which go by a policy of their own. Names of tools and of people in
a conversation cannot have brackets, and are `bare`. The caller's own objects (a tool's input and output, metadata)
know none of these exceptions; they are also read as JSON, since a key may say what its value is.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Final, Protocol, TypeAlias, TypeGuard

__all__ = ["MediaKind", "Visitor", "walked"]

MediaKind: TypeAlias = str
"""`images`, `audio` or `files`."""


class Visitor(Protocol):
    """What is done at each place."""

    def text(self, text: str, where: str, bare: bool, /) -> str:
        """A text → what stands in its place."""
        ...

    def number(self, number: float, where: str, /) -> Any:
        """A number that may hold something → what stands in its place."""
        ...

    def data(self, value: Mapping[str, Any], where: str, /) -> None:
        """An object of the caller's own, after what is in it."""
        ...

    def media(self, part: dict[str, Any], kind: MediaKind, where: str, /) -> dict[str, Any]:
        """A content part that no detector reads → what stands in its place."""
        ...


_WORDS: Final = frozenset(
    {"role", "type", "format", "detail", "status", "object", "media_type", "mime_type", "mimeType"}
)
_WORD: Final = re.compile(r"[a-z][a-z0-9_./+-]{0,60}")
_OPAQUE: Final = frozenset(
    {"signature", "thought_signature", "thoughtSignature", "encrypted_content", "encrypted_index"}
)
_IDS: Final = frozenset({"id", "tool_call_id", "call_id", "tool_use_id", "item_id", "file_id", "previous_response_id"})
_ID: Final = re.compile(r"(?!sk[-_])[A-Za-z]{2,12}[-_][A-Za-z0-9_-]{1,120}|(?=\w*[A-Za-z])[A-Za-z0-9]{9}")
_NAMED: Final = frozenset({"role", "arguments", "parameters", "input_schema", "inputSchema", "inputSchemaJson"})
_NAMED_TYPES: Final = frozenset({"function", "custom", "tool", "tool_use", "function_call", "custom_tool_call"})
_DATA: Final = frozenset({"args", "arguments", "attributes", "env", "input", "json", "metadata", "response"})
"""Where objects stand that the caller or a model made up."""
_LEAST_NUMBER: Final = 10_000_000
"""Smaller numbers are settings, outside of the caller's own objects."""
_KEY: Final = re.compile(r"[A-Za-z_$][A-Za-z_$-]{0,31}")
"""Keys of objects that cannot hold anything."""
_MEDIA: Final[Mapping[str, MediaKind]] = {
    "audio": "audio",
    "document": "files",
    "file": "files",
    "image": "images",
    "image_url": "images",
    "input_audio": "audio",
    "input_file": "files",
    "input_image": "images",
    "video": "images",
    "video_url": "images",
}
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_=\s-]*")
_DATA_URL: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+)?([^,]*),(.*)", re.DOTALL)
_TEXTUAL: Final = re.compile(
    r"text/.+|application/(?:[\w.-]+\+)?(?:json|xml|yaml|x-yaml|csv|x-ndjson|toml|javascript|sql)"
)
_PAYLOADS: Final = frozenset({"data", "file_data", "bytes", "fileData"})
_DESCRIBED: Final = frozenset({"media_type", "mimeType", "mime_type", "format", "filename"})
"""What stands beside bytes and says what they are."""


def walked(value: Any, visitor: Visitor, where: str) -> Any:
    """A copy of a JSON value, with everything in it visited in its order; `where` ends with its name."""
    if isinstance(value, Mapping) and where in _DATA:
        return _data(value, visitor, where)
    return _walk(value, visitor, where, key="", parent={})


def _walk(value: Any, visitor: Visitor, where: str, *, key: str, parent: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        return _text(value, visitor, where, key, parent)
    if isinstance(value, Mapping):
        kind = _MEDIA.get(str(value.get("type")))
        if kind is not None and not _is_text_file(value):
            value = visitor.media(dict(value), kind, where)
        return {_key(name, visitor, where): _member(name, part, value, visitor, where) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_walk(part, visitor, f"{where}[{at}]", key=key, parent=parent) for at, part in enumerate(value)]
    if _is_number(value) and abs(value) >= _LEAST_NUMBER:
        return visitor.number(value, where)
    return value


def _member(name: Any, value: Any, parent: Mapping[str, Any], visitor: Visitor, where: str) -> Any:
    place = _join(where, name)
    if name in _DATA and isinstance(value, Mapping):
        return _data(value, visitor, place)
    return _walk(value, visitor, place, key=name, parent=parent)


def _data(value: Mapping[str, Any], visitor: Visitor, where: str) -> Any:
    """An object of the caller's own: everything in it is read."""
    result = _datum(value, visitor, where)
    visitor.data(value, where)
    return result


def _datum(value: Any, visitor: Visitor, where: str) -> Any:
    if isinstance(value, str):
        return _data_url(value, visitor, where) if value.startswith("data:") else visitor.text(value, where, False)
    if isinstance(value, Mapping):
        return {
            visitor.text(name, where, False) if isinstance(name, str) else name: _datum(
                part, visitor, _join(where, name)
            )
            for name, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [_datum(part, visitor, f"{where}[{at}]") for at, part in enumerate(value)]
    return visitor.number(value, where) if _is_number(value) else value


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _join(where: str, name: Any) -> str:
    return f"{where}.{name}" if isinstance(name, str) and _KEY.fullmatch(name) else f"{where}[…]"


def _key(name: Any, visitor: Visitor, where: str) -> Any:
    if not isinstance(name, str) or _KEY.fullmatch(name):
        return name
    return visitor.text(name, where, False)


def _text(value: str, visitor: Visitor, where: str, key: str, parent: Mapping[str, Any]) -> str:
    if key in _WORDS and _WORD.fullmatch(value):
        return value
    structural = "role" in parent or "type" in parent
    if key in _OPAQUE and structural:
        return value
    if key in _IDS and structural:
        return value if _ID.fullmatch(value) else visitor.text(value, where, True)
    if value.startswith("data:"):
        return _data_url(value, visitor, where)
    if key in _PAYLOADS and not _DESCRIBED.isdisjoint(parent) and _BASE64.fullmatch(value):
        return _payload(value, visitor, where, parent)
    return visitor.text(value, where, key == "name" and _is_named(parent))


def _is_named(parent: Mapping[str, Any]) -> bool:
    return not _NAMED.isdisjoint(parent) or parent.get("type") in _NAMED_TYPES or set(parent) == {"name"}


# Files


def _is_text_file(part: Mapping[str, Any]) -> bool:
    """Whether the content of a part can be read as text."""
    for value in (part.get("file"), part.get("source"), part):
        if isinstance(value, Mapping):
            found = _DATA_URL.match(str(value.get("file_data") or ""))
            if found is not None and _TEXTUAL.fullmatch(found[1] or "text/plain"):
                return True
            if value.get("type") == "text" or _TEXTUAL.fullmatch(_media_type(value)):
                return True
    return False


def _media_type(value: Mapping[str, Any]) -> str:
    return str(value.get("media_type") or value.get("mimeType") or value.get("mime_type") or "")


def _data_url(value: str, visitor: Visitor, where: str) -> str:
    found = _DATA_URL.match(value)
    if found is None or not _TEXTUAL.fullmatch(found[1] or "text/plain"):
        return value if found is not None else visitor.text(value, where, False)
    if not found[2].endswith(";base64"):
        return visitor.text(value, where, False)
    return value[: found.start(3)] + _recoded(found[3], visitor, where)


def _payload(value: str, visitor: Visitor, where: str, parent: Mapping[str, Any]) -> str:
    return _recoded(value, visitor, where) if _TEXTUAL.fullmatch(_media_type(parent)) else value


def _recoded(value: str, visitor: Visitor, where: str) -> str:
    """Base64 of text, with the text visited; what is none is looked at as it is."""
    try:
        text = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return visitor.text(value, where, False)
    new = visitor.text(text, where, False)
    return value if new == text else base64.b64encode(new.encode()).decode()
