"""The texts of a request: which parts of it are read, and in which form each must stay.

Everything is text that may hold anything, but for a few places: words of the format (roles, types), ids that vendors
gave, opaque blobs of theirs (signatures), and media, which go by a policy of their own. Names of tools and of people in
a conversation cannot have brackets, and are `bare`. The caller's own objects (a tool's input and output, metadata)
know none of these exceptions; they are also read as JSON, since a key may say what its value is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol, TypeAlias, TypeGuard

from edgeagent.shield.files import DataURL, is_textual, may_be_textual, text_file

__all__ = ["LEAST_NUMBER", "MediaKind", "Visitor", "walked"]

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
_OPAQUE: Final = frozenset({"thought_signature", "thoughtSignature", "encrypted_content", "encrypted_index"})
_BLOB: Final = re.compile(r"(?=[\d+/_=-]*[A-Za-z])[A-Za-z0-9+/_=-]+")
_IDS: Final = frozenset({"id", "tool_call_id", "call_id", "tool_use_id", "item_id", "file_id", "previous_response_id"})
_ID: Final = re.compile(r"(?!sk[-_])[A-Za-z]{2,12}[-_][A-Za-z0-9_-]{1,120}|(?=\w*[A-Za-z])[A-Za-z0-9]{9}")
_NAMED: Final = frozenset(
    {
        *("role", "description", "strict", "schema", "parameters", "parametersJsonSchema", "parameters_json_schema"),
        *("input_schema", "inputSchema", "inputSchemaJson", "arguments", "args", "input", "response", "toolUseId"),
    }
)
"""What stands beside the name of a tool, a format or a person in a conversation."""
_NAMED_TYPES: Final = re.compile(
    r"function|custom|tool|tool_use|function_call|custom_tool_call|json_schema|mcp\w*|\w+_20\d{6}"
)
_NAMES: Final = frozenset(
    {"allowed_tools", "allowedFunctionNames", "allowed_function_names", "server_label", "tool_names"}
)
"""Keys whose texts are names of tools and of their servers."""
_CREDENTIALS: Final = frozenset({"authorization", "authorization_token", "headers"})
"""What the vendor shows a server of tools (MCP) in the caller's name: a placeholder would be a wrong key there."""
_DATA: Final = frozenset({"args", "arguments", "attributes", "env", "input", "json", "metadata", "response"})
"""Where objects stand that the caller or a model made up."""
LEAST_NUMBER: Final = 10_000_000
"""Smaller numbers are settings, outside of the caller's own objects."""
_KEY: Final = re.compile(r"[A-Za-z_$][A-Za-z_$-]{0,31}")
"""Keys of objects that cannot hold anything."""
_MEDIA: Final[Mapping[str, MediaKind]] = {
    "audio": "audio",
    "audio_url": "audio",
    "computer_screenshot": "images",
    "container_upload": "files",
    "document": "files",
    "document_url": "files",
    "file": "files",
    "file_url": "files",
    "image": "images",
    "image_file": "images",
    "image_generation_call": "images",
    "image_url": "images",
    "input_audio": "audio",
    "input_file": "files",
    "input_image": "images",
    "input_video": "images",
    "video": "images",
    "video_url": "images",
}
"""Types of parts, in the formats of all vendors and of servers that add to them (vLLM, Mistral's)."""
_LINKED: Final = ("image_url", "audio_url", "video_url", "document_url", "file_url")
"""Members of parts that some of these servers take without a type."""
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_=\s-]*")
_INLINE: Final = ("inlineData", "inline_data", "fileData", "file_data")
"""Members of Gemini's parts, which have no type."""
_BLOCKS: Final = ("image", "video", "audio", "document")
"""Members of Bedrock's parts, which have none either."""
_PAYLOADS: Final = frozenset({"data", "file_data", "bytes", "fileData"})
_DESCRIBED: Final = frozenset({"media_type", "mimeType", "mime_type", "format", "filename"})
"""What stands beside bytes and says what they are."""
_LEAST_FILE: Final = 64
"""Shorter bytes of no known type are looked at as they are written, too."""


def walked(value: Any, visitor: Visitor, where: str) -> Any:
    """A copy of a JSON value, with everything in it visited in its order; `where` ends with its name."""
    if isinstance(value, Mapping) and where in _DATA:
        return _data(value, visitor, where)
    return _walk(value, visitor, where, key="", parent={})


def _walk(value: Any, visitor: Visitor, where: str, *, key: str, parent: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        return _text(value, visitor, where, key, parent)
    if isinstance(value, Mapping):
        kind = _media_kind(value)
        if kind is not None and not _is_text_file(value):
            value = _in_format_of(value, visitor.media(dict(value), kind, where))
        members = value.items()
        return _apart(
            (_key(name, visitor, where), _member(name, part, value, visitor, where)) for name, part in members
        )
    if isinstance(value, list | tuple):
        return [_walk(part, visitor, f"{where}[{at}]", key=key, parent=parent) for at, part in enumerate(value)]
    if _is_number(value) and abs(value) >= LEAST_NUMBER:
        return visitor.number(value, where)
    return value


def _member(name: Any, value: Any, parent: Mapping[str, Any], visitor: Visitor, where: str) -> Any:
    place = _join(where, name)
    if name in _CREDENTIALS and parent.get("type") in ("mcp", "url"):
        return value
    if name in _DATA and isinstance(value, Mapping):
        return _data(value, visitor, place)
    if name == "images" and isinstance(value, list) and "role" in parent:
        return _images(value, visitor, place)
    return _walk(value, visitor, place, key=name, parent=parent)


def _data(value: Mapping[str, Any], visitor: Visitor, where: str) -> Any:
    """An object of the caller's own: everything in it is read."""
    result = _datum(value, visitor, where)
    visitor.data(value, where)
    return result


def _datum(value: Any, visitor: Visitor, where: str) -> Any:
    if isinstance(value, str):
        return _data_url(value, visitor, where) if value[:5].lower() == "data:" else visitor.text(value, where, False)
    if isinstance(value, Mapping):
        return _apart(
            (
                visitor.text(name, where, False) if isinstance(name, str) else name,
                _datum(part, visitor, _join(where, name)),
            )
            for name, part in value.items()
        )
    if isinstance(value, list | tuple):
        return [_datum(part, visitor, f"{where}[{at}]") for at, part in enumerate(value)]
    return visitor.number(value, where) if _is_number(value) else value


def _apart(members: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    """An object with all its members, also where one thing stands for the names of several."""
    made: dict[Any, Any] = {}
    numbers: dict[Any, int] = {}  # the last one given; from 1 each time, many redacted names would take ever longer
    for name, value in members:
        own = name
        while own in made:
            numbers[name] = numbers.get(name, 1) + 1
            own = f"{name} ({numbers[name]})"
        made[own] = value
    return made


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
    if _is_opaque(key, parent, structural) and _BLOB.fullmatch(value):
        return value
    if key in _IDS and structural:
        return value if _ID.fullmatch(value) else visitor.text(value, where, True)
    if value[:5].lower() == "data:":
        return _data_url(value, visitor, where)
    is_payload = key in _PAYLOADS and (key == "bytes" or not _DESCRIBED.isdisjoint(parent))
    if is_payload and parent.get("type") != "text" and _BASE64.fullmatch(value):
        return _payload(value, visitor, where, _media_type(parent))
    return visitor.text(value, where, key in _NAMES or (key == "name" and _is_named(parent)))


def _is_opaque(key: str, parent: Mapping[str, Any], structural: bool) -> bool:
    """Whether a vendor wrote it, which takes it back only as it was."""
    if key == "data":
        return parent.get("type") in ("redacted_thinking", "reasoning.encrypted")
    return key in _OPAQUE or (key == "signature" and structural)


def _is_named(parent: Mapping[str, Any]) -> bool:
    if set(parent) == {"name"} or not _NAMED.isdisjoint(parent):
        return True
    return _NAMED_TYPES.fullmatch(str(parent.get("type"))) is not None


# Files


def _media_kind(part: Mapping[str, Any]) -> MediaKind | None:
    """What kind of media a part is, in any vendor's format; None: none."""
    if "type" in part:
        return _MEDIA.get(str(part["type"]))
    for name in _INLINE:
        held = part.get(name)
        if isinstance(held, Mapping):
            family = _media_type(held).partition("/")[0].lower()
            return {"image": "images", "video": "images", "audio": "audio"}.get(family, "files")
    for name in _BLOCKS:
        held = part.get(name)
        if isinstance(held, Mapping) and "source" in held:
            return _MEDIA[name]
    for name in _LINKED:
        held = part.get(name)
        if isinstance(held.get("url") if isinstance(held, Mapping) else held, str):
            return _MEDIA[name]
    return None


def _in_format_of(part: Mapping[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """What a function made of a part; a text is written as its format has it."""
    if set(made) != {"type", "text"} or made["type"] != "text":
        return made
    if "type" not in part:
        return {"text": made["text"]}
    return {**made, "type": "input_text"} if part["type"] in ("input_image", "input_file") else made


def _images(images: Iterable[Any], visitor: Visitor, where: str) -> list[Any]:
    """Ollama's list of pictures in base64; one for which there is no other picture is left out."""
    parts = [visitor.media({"type": "image", "data": data}, "images", where) for data in images]
    return [part["data"] for part in parts if "data" in part]


def _is_text_file(part: Mapping[str, Any]) -> bool:
    """Whether the content of a part can be read as text."""
    for value in (*map(part.get, ("file", "source", *_INLINE)), part):
        if isinstance(value, Mapping):
            url = DataURL.of(str(value.get("file_data") or ""))
            if url is not None and (is_textual(url.media_type) or _turns_out(url.payload, url.media_type)):
                return True
            if value.get("type") == "text" or is_textual(_media_type(value)):
                return True
            if url is None and _turns_out(value.get("file_data"), _media_type(value)):
                return True
    return False


def _turns_out(data: Any, media_type: str) -> bool:
    """Whether bytes whose type says nothing are text."""
    return isinstance(data, str) and bool(data) and may_be_textual(media_type) and bool(text_file(data, media_type))


def _media_type(value: Mapping[str, Any]) -> str:
    return str(value.get("media_type") or value.get("mimeType") or value.get("mime_type") or value.get("format") or "")


def _data_url(value: str, visitor: Visitor, where: str) -> str:
    url = DataURL.of(value)
    if url is None or not url.is_proper:
        return visitor.text(value, where, False)
    if url.is_base64:
        return url.head + _payload(url.payload, visitor, where, url.media_type)
    is_opaque = not is_textual(url.media_type) and _BASE64.fullmatch(url.payload)
    return value if is_opaque else visitor.text(value, where, False)


def _payload(value: str, visitor: Visitor, where: str, media_type: str) -> str:
    """Base64 of a file: with its text visited, if it is text; what is no base64 is looked at as it is."""
    if _BASE64.fullmatch(value) and not is_textual(media_type) and not may_be_textual(media_type):
        return value
    file = text_file(value, media_type)
    if file is None:
        is_opaque = may_be_textual(media_type) and len(value) >= _LEAST_FILE and _BASE64.fullmatch(value)
        return value if is_opaque else visitor.text(value, where, False)
    new = visitor.text(file.text, where, False)
    return value if new == file.text else file.holding(new)
