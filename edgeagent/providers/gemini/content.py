"""Content parts → Google's parts.

Data URLs and base64 become `inlineData`, other URLs `fileData`: an uploaded file's URI, `gs://…`, a public https
address. A part of type `gemini_part` is the vendor's own part (`{"type": "gemini_part", "part": {…}}`), and passed on.

Sources: https://ai.google.dev/gemini-api/docs/image-understanding, /document-processing, /audio, /file-input-methods.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes, urlsplit

from edgeagent.errors import RequestValidationError
from edgeagent.providers.notes import Notes

__all__ = ["AUDIO_FORMATS", "MEDIA_TYPES", "NATIVE_PART", "PART_FIELDS", "parts_of_content"]

Part = dict[str, Any]

NATIVE_PART: Final = "gemini_part"

AUDIO_FORMATS: Final[Mapping[str, str]] = {
    "wav": "audio/wav",
    "mp3": "audio/mp3",
    "aac": "audio/aac",
    "aiff": "audio/aiff",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
}

MEDIA_TYPES: Final = {"audio/mpeg": "audio/mp3", "image/jpg": "image/jpeg"}
"""Other names of media types: as Google documents them."""

PART_FIELDS: Final = ("mediaResolution", "partMetadata")
"""What Google's part says beside what it holds; a part in OpenAI's form may say it, too."""
_NAME: Final = "displayName"
"""The same inside of `inlineData` and `fileData`."""

_EXTENSIONS: Final[Mapping[str, str]] = {
    **AUDIO_FORMATS,
    "avi": "video/avi",
    "css": "text/css",
    "csv": "text/csv",
    "gif": "image/gif",
    "heic": "image/heic",
    "heif": "image/heif",
    "htm": "text/html",
    "html": "text/html",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "md": "text/md",
    "mov": "video/mov",
    "mp4": "video/mp4",
    "mpeg": "video/mpeg",
    "pdf": "application/pdf",
    "png": "image/png",
    "py": "text/x-python",
    "rtf": "text/rtf",
    "txt": "text/plain",
    "webm": "video/webm",
    "webp": "image/webp",
    "xml": "text/xml",
}
_KNOWN: Final = frozenset(
    {"type", "text", "refusal", "image_url", "video_url", "input_audio", "file", "part", _NAME, *PART_FIELDS}
)


def parts_of_content(content: Any, notes: Notes, where: str) -> list[Part]:
    """The parts of a message's `content`: text, a list of parts, or None.

    `where` is the message's place, as in `messages[2]`. Raises `RequestValidationError` for what Gemini cannot read.
    """
    if content is None or content == "":
        return []
    if isinstance(content, str):
        return [{"text": content}]
    if not isinstance(content, list):
        raise _refused("The content of a message is text or a list of parts.", f"{where}.content")
    return [_part(part, notes, f"{where}.content[{i}]") for i, part in enumerate(content)]


def _part(part: Any, notes: Notes, where: str) -> Part:
    if not isinstance(part, Mapping):
        raise _refused("A content part is an object.", where)
    for name, value in part.items():
        if name not in _KNOWN and value is not None:
            notes.drop(f"{where}.{name}")
    made = _made(part, notes, where)
    for held in ("inlineData", "fileData"):
        if held in made and part.get(_NAME) is not None:
            made[held] = {**made[held], _NAME: part[_NAME]}
    return {**made, **{name: part[name] for name in PART_FIELDS if part.get(name) is not None}}


def _made(part: Mapping[str, Any], notes: Notes, where: str) -> Part:
    match part.get("type"):
        case "text" | "refusal" as name:
            text = part.get(name)
            if not isinstance(text, str):
                raise _refused(f"A {name} part needs {name!r}, a string.", f"{where}.{name}")
            return {"text": text}
        case "image_url" | "video_url" as name:
            return _linked(part.get(name), notes, f"{where}.{name}")
        case "input_audio":
            return _audio(part.get("input_audio"), f"{where}.input_audio")
        case "file":
            return _file(part.get("file"), f"{where}.file")
        case kind if kind == NATIVE_PART and isinstance(part.get("part"), Mapping):
            return dict(part["part"])
        case kind:
            raise _refused(f"Gemini does not read content parts of type {kind!r}.", f"{where}.type")


def _linked(link: Any, notes: Notes, where: str) -> Part:
    url = link.get("url") if isinstance(link, Mapping) else link  # some callers give the URL itself
    if not isinstance(url, str):
        raise _refused("This part needs a URL, a string.", f"{where}.url")
    if isinstance(link, Mapping) and link.get("detail") not in (None, "auto"):
        notes.drop("image_url.detail")
    if url.startswith("data:"):
        return _inline(*_data_url(url, f"{where}.url"))
    return _by_uri(url, link.get("format") if isinstance(link, Mapping) else None, f"{where}.url")


def _by_uri(uri: str, media_type: Any, where: str) -> Part:
    if not uri.startswith(("https://", "http://", "gs://")):
        raise _refused("Gemini reads data, https and gs URLs.", where)
    try:
        extension = urlsplit(uri).path.rpartition(".")[2].lower()
    except ValueError:
        raise _refused("This is no URL.", where) from None
    media_type = media_type if isinstance(media_type, str) and media_type else _EXTENSIONS.get(extension)
    return {"fileData": {**({"mimeType": media_type} if media_type else {}), "fileUri": uri}}


def _inline(media_type: str, data: str) -> Part:
    return {"inlineData": {"mimeType": MEDIA_TYPES.get(media_type, media_type), "data": data}}


def _audio(audio: Any, where: str) -> Part:
    if not isinstance(audio, Mapping) or not isinstance(audio.get("data"), str):
        raise _refused("An input_audio part needs 'input_audio.data', base64.", f"{where}.data")
    form = audio.get("format")
    if not isinstance(form, str) or form not in AUDIO_FORMATS:
        raise _refused(f"Gemini reads {', '.join(AUDIO_FORMATS)} audio, not {form!r}.", f"{where}.format")
    return _inline(AUDIO_FORMATS[form], audio["data"])


def _file(file: Any, where: str) -> Part:
    if not isinstance(file, Mapping):
        raise _refused("A file part needs 'file', an object.", where)
    data, uri, name = file.get("file_data"), file.get("file_id"), file.get("filename")
    if isinstance(data, str):
        if data.startswith("data:"):
            return _inline(*_data_url(data, f"{where}.file_data"))
        extension = name.rpartition(".")[2].lower() if isinstance(name, str) else ""
        media_type = _EXTENSIONS.get(extension, "application/pdf" if data.startswith("JVBER") else "")
        if not media_type:
            raise _refused("This file's kind is not known: give a data URL or a filename.", f"{where}.file_data")
        return _inline(media_type, data)
    if isinstance(file.get("file_url"), str):
        return _by_uri(file["file_url"], file.get("format"), f"{where}.file_url")
    if not isinstance(uri, str):
        raise _refused("A file part needs 'file.file_data' or 'file.file_id'.", where)
    if uri.startswith("files/"):
        uri = f"https://generativelanguage.googleapis.com/v1beta/{uri}"
    if "://" not in uri:
        raise _refused("This file was uploaded to another vendor; Gemini cannot read it.", f"{where}.file_id")
    return _by_uri(uri, file.get("format"), f"{where}.file_id")


def _data_url(url: str, where: str) -> tuple[str, str]:
    """Media type and base64 of a data URL (RFC 2397)."""
    head, comma, data = url[5:].partition(",")
    if not comma:
        raise _refused("This data URL has no data.", where)
    fields = head.split(";")
    if fields[-1].strip().lower() != "base64":
        data = b64encode(unquote_to_bytes(data)).decode()
    return fields[0].strip().lower() or "text/plain", data


def _refused(message: str, param: str) -> RequestValidationError:
    return RequestValidationError(message, param=param)
