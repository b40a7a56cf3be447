"""Content parts: OpenAI's → Mistral's.

Parts that already have the form of one of Mistral's own (`NATIVE_PARTS`) are passed on as they are.

https://docs.mistral.ai/capabilities/vision/ (`image_url`), /capabilities/document_ai/document_qna/ (`document_url`, a
data URL too), /capabilities/audio/ (`input_audio`: base64 or an address).
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from edgeagent.errors import RequestValidationError
from edgeagent.providers.notes import Notes

__all__ = ["NATIVE_PARTS", "parts_of"]

Part = dict[str, Any]

NATIVE_PARTS: Final = frozenset({"document_url", "reference", "resource", "resource_link", "thinking"})
"""Types of Mistral's parts that are no types of OpenAI's."""

_EXTENSIONS: Final[Mapping[str, str]] = {
    "csv": "text/csv",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "gif": "image/gif",
    "html": "text/html",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "md": "text/markdown",
    "mp3": "audio/mpeg",
    "pdf": "application/pdf",
    "png": "image/png",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "txt": "text/plain",
    "wav": "audio/wav",
    "webp": "image/webp",
}
_TEXTUAL: Final = frozenset({"application/json", "application/xml", "application/yaml"})


def parts_of(content: list[Any], notes: Notes, where: str) -> list[Part]:
    """The vendor's parts; empty texts are left out. Raises `RequestValidationError`."""
    parts = (_part(part, notes, f"{where}[{i}]") for i, part in enumerate(content))
    return [part for part in parts if part != {"type": "text", "text": ""}]


def _part(part: Any, notes: Notes, where: str) -> Part:
    if not isinstance(part, Mapping):
        raise _refused("A content part is an object.", where)
    kind = part.get("type")
    if kind in ("text", "refusal"):
        if not isinstance(part.get(kind), str):
            raise _refused(f"A {kind} part needs {kind!r}, a string.", f"{where}.{kind}")
        result: Part = {"type": "text", "text": part[kind]}
    elif kind == "image_url":
        result = {"type": "image_url", "image_url": _image(part.get("image_url"), notes, f"{where}.image_url")}
    elif kind == "input_audio":
        result = {"type": "input_audio", "input_audio": _audio(part.get("input_audio"), f"{where}.input_audio")}
    elif kind == "file":
        result = _file(part, f"{where}.file")
    elif isinstance(kind, str) and kind in NATIVE_PARTS:
        return dict(part)
    else:
        raise _refused(f"Mistral's models do not read content parts of type {kind!r}.", f"{where}.type")
    for name, value in part.items():
        if name not in ("type", kind, "file_id") and value is not None:
            notes.drop(f"{where}.{name}")
    return result


def _image(image: Any, notes: Notes, where: str) -> Any:
    if isinstance(image, str):
        return image
    if not isinstance(image, Mapping) or not isinstance(image.get("url"), str):
        raise _refused("An image_url part needs 'image_url.url', a string.", f"{where}.url")
    result = {"url": image["url"]}
    detail = image.get("detail")
    if detail in ("auto", "low", "high"):
        result["detail"] = detail
    elif detail is not None:
        notes.drop("image_url.detail")
    return result


def _audio(audio: Any, where: str) -> str:
    data = audio.get("data") if isinstance(audio, Mapping) else audio
    if not isinstance(data, str):
        raise _refused("An input_audio part needs 'input_audio.data', a string.", f"{where}.data")
    return data


def _file(part: Mapping[str, Any], where: str) -> Part:
    if isinstance(part.get("file_id"), str):
        return {"type": "file", "file_id": part["file_id"]}  # the vendor's own form
    file = part.get("file")
    if not isinstance(file, Mapping):
        raise _refused("A file part needs 'file', an object.", where)
    if isinstance(file.get("file_data"), str):
        return _document(file["file_data"], file.get("filename"), f"{where}.file_data")
    if isinstance(file.get("file_url"), str):
        return _named(file["file_url"], file.get("filename"))
    if not isinstance(file.get("file_id"), str):
        raise _refused("A file part needs 'file.file_data' or 'file.file_id'.", where)
    if file["file_id"].startswith("file-"):
        raise _refused("This file was uploaded to OpenAI; Mistral cannot read it.", f"{where}.file_id")
    return {"type": "file", "file_id": file["file_id"]}


def _document(data: str, name: Any, where: str) -> Part:
    """A data URL, or (as OpenAI documents it too) bare base64 whose kind the file's name tells."""
    if not data.startswith("data:"):
        extension = name.rpartition(".")[2].lower() if isinstance(name, str) else ""
        kind = _EXTENSIONS.get(extension, "application/pdf" if data.startswith("JVBER") else None)
        if kind is None:
            raise _refused("What kind of file this is cannot be told.", where)
        data = f"data:{kind};base64,{data}"
    kind = data[5:].partition(",")[0].partition(";")[0].strip().lower()
    if kind.startswith("image/"):
        return {"type": "image_url", "image_url": {"url": data}}
    if kind.startswith("audio/"):
        return {"type": "input_audio", "input_audio": data.partition(",")[2]}
    if kind.startswith("text/") or kind in _TEXTUAL:
        return {"type": "text", "text": _text(data, where)}
    return _named(data, name)


def _named(url: str, name: Any) -> Part:
    result: Part = {"type": "document_url", "document_url": url}
    return {**result, "document_name": name} if isinstance(name, str) and name else result


def _text(url: str, where: str) -> str:
    head, _, data = url.partition(",")
    try:
        is_base64 = head.rpartition(";")[2].strip().lower() == "base64"
        return (b64decode(data, validate=True) if is_base64 else unquote_to_bytes(data)).decode()
    except (binascii.Error, ValueError):
        raise _refused("This text document is not UTF-8.", where) from None


def _refused(message: str, param: str) -> RequestValidationError:
    return RequestValidationError(message, param=param)
