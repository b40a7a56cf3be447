"""Content parts, both directions: chat's parts ↔ those of input messages and of tool outputs.

Parts that already have the form of the Responses API (`input_text`, `input_image`, `input_file`) are passed on as they
are. Source: https://platform.openai.com/docs/api-reference/responses/create (the schema `InputContent`, which has no
audio).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.errors import RequestValidationError
from edgeagent.providers.files import missing_name
from edgeagent.providers.notes import Notes
from edgeagent.providers.responses.items import CLIENT_ITEMS

__all__ = ["NATIVE_PARTS", "OWN_PARTS", "decode_part", "encode_part", "encode_parts", "refused"]

Part = dict[str, Any]

NATIVE_PARTS: Final = frozenset({"input_file", "input_image", "input_text"})

OWN_PARTS: Final = NATIVE_PARTS | CLIENT_ITEMS
"""Types of content parts that this API alone knows: parts of its messages, and whole items."""

_KEPT: Final = frozenset({"prompt_cache_breakpoint"})
"""Fields of a part that both APIs have."""
_FILE: Final = ("file_id", "file_data", "filename", "file_url", "detail")


def encode_parts(content: Any, notes: Notes, where: str) -> str | list[Part]:
    """A message's content for `input`: text stays text. Raises `RequestValidationError` for what cannot be read."""
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if not isinstance(content, list):
        raise refused("The content of a message is text or a list of parts.", where)
    return [encode_part(part, notes, f"{where}[{i}]") for i, part in enumerate(content)]


def encode_part(part: Any, notes: Notes, where: str) -> Part:
    """One part. Raises `RequestValidationError`."""
    if not isinstance(part, Mapping):
        raise refused("A content part is an object.", where)
    kind = part.get("type")
    if isinstance(kind, str) and kind in NATIVE_PARTS:
        return dict(part)
    if kind in ("text", "refusal"):
        made = {"type": "input_text", "text": _text(part, str(kind), where)}
    elif kind == "image_url":
        made = _image(part, where)
    elif kind == "file":
        made = _file(part, notes, where)
    else:
        raise refused(f"The Responses API reads no content parts of type {kind!r}.", f"{where}.type")
    for name, value in part.items():
        if name in _KEPT:
            made[name] = value
        elif name not in ("type", kind) and value is not None:
            notes.drop(f"{where}.{name}")
    return made


def _text(part: Mapping[str, Any], name: str, where: str) -> str:
    value = part.get(name)
    if not isinstance(value, str):
        raise refused(f"A {name} part needs {name!r}, a string.", f"{where}.{name}")
    return value


def _image(part: Mapping[str, Any], where: str) -> Part:
    image = part.get("image_url")
    fields: Mapping[str, Any] = image if isinstance(image, Mapping) else {"url": image}
    if not isinstance(fields.get("url"), str):
        raise refused("An image_url part needs 'image_url.url', a string.", f"{where}.image_url.url")
    return {"type": "input_image", "image_url": fields["url"], "detail": fields.get("detail") or "auto"}


def _file(part: Mapping[str, Any], notes: Notes, where: str) -> Part:
    file = part.get("file")
    given = {name: file[name] for name in _FILE if file.get(name) is not None} if isinstance(file, Mapping) else {}
    if not given.keys() & {"file_id", "file_data", "file_url"}:
        raise refused("A file part needs 'file.file_data' or 'file.file_id'.", f"{where}.file")
    if (name := missing_name(given)) is not None:
        given["filename"] = name
        notes.edit("files without a name sent with one")
    return {"type": "input_file", **given}


def decode_part(part: Any) -> Part:
    """One part of an input message as chat's; what chat has no part for stays as it is."""
    if not isinstance(part, Mapping):
        raise refused("A content part is an object.", "input")
    fields = dict(part)
    kind = fields.get("type")
    if kind in ("input_text", "output_text") and isinstance(fields.get("text"), str):
        return {"type": "text", "text": fields["text"], **_kept(fields)}
    if kind == "input_image" and isinstance(fields.get("image_url"), str) and fields.get("file_id") is None:
        image = {"url": fields["image_url"]}
        if fields.get("detail") is not None:
            image["detail"] = fields["detail"]
        return {"type": "image_url", "image_url": image, **_kept(fields)}
    if kind == "input_file" and any(fields.get(name) is not None for name in ("file_id", "file_data", "file_url")):
        file = {name: fields[name] for name in _FILE if fields.get(name) is not None}
        return {"type": "file", "file": file, **_kept(fields)}
    return fields


def _kept(part: Mapping[str, Any]) -> Part:
    return {name: part[name] for name in _KEPT if part.get(name) is not None}


def refused(message: str, param: str) -> RequestValidationError:
    """The error for a request that cannot be said in this API."""
    return RequestValidationError(message, param=param)
