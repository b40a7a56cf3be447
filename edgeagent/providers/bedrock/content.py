"""Content parts → Converse's content blocks.

Parts in OpenAI's form are translated. A part whose type is the name of one of Converse's blocks is passed on:
`{"type": "guardContent", "guardContent": {…}}` is the block `{"guardContent": {…}}`. A part's `cache_control` becomes a
`cachePoint` block behind it.

Sources: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html and the pages of its
members (formats, names of documents).
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from edgeagent.errors import RequestValidationError
from edgeagent.providers.bedrock.models import BedrockFacts
from edgeagent.providers.notes import Notes
from edgeagent.wire.json import dump_json

__all__ = ["DOCUMENT_TYPES", "IMAGE_TYPES", "NATIVE_PARTS", "VIDEO_TYPES", "Context", "cache_point", "nameable"]

Block = dict[str, Any]

NATIVE_PARTS: Final = frozenset(
    {
        *("audio", "cachePoint", "citationsContent", "document", "guardContent", "image", "reasoningContent"),
        *("searchResult", "toolAddition", "toolRemoval", "video"),
    }
)
"""Types of parts that are Converse's own blocks; besides them `video_url` is read."""

IMAGE_TYPES: Final[Mapping[str, str]] = {
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/jpg": "jpeg",
    "image/gif": "gif",
    "image/webp": "webp",
}
DOCUMENT_TYPES: Final[Mapping[str, str]] = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
VIDEO_TYPES: Final[Mapping[str, str]] = {
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/x-matroska": "mkv",
    "video/webm": "webm",
    "video/x-flv": "flv",
    "video/mpeg": "mpeg",
    "video/x-ms-wmv": "wmv",
    "video/3gpp": "three_gp",
}
_AUDIO: Final = frozenset(
    {
        *("mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "mka", "x-aac", "m4a", "mpeg", "mpga", "pcm"),
        "webm",
    }
)
_EXTENSIONS: Final = {"jpg": "jpeg", "htm": "html", "3gp": "three_gp", "text": "txt", "markdown": "md"}
_UNNAMEABLE: Final = re.compile(r"[^A-Za-z0-9\s()\[\]-]+")
_FIELDS: Final[Mapping[str, frozenset[str]]] = {"document": frozenset({"citations", "context"})}
"""Fields of a block beyond those that are translated, which a part in OpenAI's form may carry."""


class Context:
    """What translating the parts of one request shares: the model's facts, the notes, the nameless documents."""

    __slots__ = ("_unnamed", "facts", "notes")

    def __init__(self, facts: BedrockFacts, notes: Notes) -> None:
        self.facts = facts
        self.notes = notes
        self._unnamed = 0

    def blocks(self, content: Any, where: str) -> list[Block]:
        """The blocks of a message's content: text, a list of parts, or None. Empty texts are left out.

        `where` is the message's place, as in `messages[2]`. Raises `RequestValidationError`.
        """
        if content is None or content == "":
            return []
        if isinstance(content, str):
            return [{"text": content}]
        if not isinstance(content, list):
            raise _refused("The content of a message is text or a list of parts.", f"{where}.content")
        blocks: list[Block] = []
        for index, part in enumerate(content):
            blocks += self._part(part, f"{where}.content[{index}]")
        return blocks

    def cached(self, blocks: list[Block], control: Any, where: str) -> list[Block]:
        """The blocks with a cache point behind them, where `control` (a `cache_control`) asks for one."""
        if control is None or not blocks:
            return blocks
        if not self.facts.caches:
            self.notes.drop(f"{where}.cache_control")
            return blocks
        return [*blocks, cache_point(control)]

    def _part(self, part: Any, where: str) -> list[Block]:
        if not isinstance(part, Mapping):
            raise _refused("A content part is an object.", where)
        kind = part.get("type")
        block = self._block(part, kind, where)
        if block.get("text") == "":
            self.notes.edit("Empty text parts are left out: the vendor refuses them.")
            return []
        for name, value in part.items():
            if name in _READ or name == kind or value is None:
                continue
            for member in block.keys() & _FIELDS.keys():
                if name in _FIELDS[member]:
                    block[member][name] = value
                    break
            else:
                self.notes.drop(f"{where}.{name}")
        return self.cached([block], part.get("cache_control"), where)

    def _block(self, part: Mapping[str, Any], kind: Any, where: str) -> Block:
        match kind:
            case "text" | "refusal":
                if not isinstance(part.get(kind), str):
                    raise _refused(f"A {kind} part needs {kind!r}, a string.", f"{where}.{kind}")
                if "json" in part and dump_json(part["json"]).decode() == part["text"]:
                    return {"json": part["json"]}
                return {"text": part[kind]}
            case "image_url":
                return {"image": self._media(part, kind, IMAGE_TYPES, where)}
            case "video_url":
                return {"video": self._media(part, kind, VIDEO_TYPES, where)}
            case "input_audio":
                return {"audio": _audio(part, where)}
            case "file":
                return self._file(part.get("file"), f"{where}.file")
            case str() if kind in NATIVE_PARTS:
                if not isinstance(part.get(kind), Mapping):
                    raise _refused(f"A {kind} part needs {kind!r}, an object.", f"{where}.{kind}")
                return {kind: dict(part[kind])}
        raise _refused(f"Bedrock's models do not read content parts of type {kind!r}.", f"{where}.type")

    def _media(self, part: Mapping[str, Any], kind: str, types: Mapping[str, str], where: str) -> Block:
        value = part.get(kind)
        url = value.get("url") if isinstance(value, Mapping) else value
        if not isinstance(url, str):
            raise _refused(f"A {kind} part needs '{kind}.url', a string.", f"{where}.{kind}.url")
        if isinstance(value, Mapping) and value.get("detail") not in (None, "auto"):
            self.notes.drop(f"{kind}.detail")
        where = f"{where}.{kind}.url"
        if url.startswith("s3://"):
            form = _extension(url)
            if form not in types.values():
                raise _refused("The end of an S3 URI must name the format.", where)
            return {"format": form, "source": {"s3Location": {"uri": url}}}
        if not url.startswith("data:"):
            raise _refused("Bedrock reads data URLs and S3 URIs only.", where)
        media_type, data = _data_url(url, where)
        if media_type not in types:
            raise _refused(f"Bedrock does not read {media_type!r} here.", where)
        return {"format": types[media_type], "source": {"bytes": data}}

    def _file(self, file: Any, where: str) -> Block:
        if not isinstance(file, Mapping):
            raise _refused("A file part needs 'file', an object.", where)
        name, data, file_id = file.get("filename"), file.get("file_data"), file.get("file_id")
        if isinstance(data, str):
            if data.startswith("data:"):
                media_type, data = _data_url(data, f"{where}.file_data")
                if media_type in IMAGE_TYPES:
                    return {"image": {"format": IMAGE_TYPES[media_type], "source": {"bytes": data}}}
                form = DOCUMENT_TYPES.get(media_type) or ("txt" if media_type.startswith("text/") else "")
            else:
                form = "pdf" if data.startswith("JVBER") else ""
            form = form or _extension(name if isinstance(name, str) else "")
            source: Block = {"bytes": data}
        elif isinstance(file_id, str) and file_id.startswith("s3://"):
            form, source = _extension(file_id), {"s3Location": {"uri": file_id}}
        elif isinstance(file_id, str):
            raise _refused("This file was uploaded elsewhere; Bedrock reads S3 URIs.", f"{where}.file_id")
        else:
            raise _refused("A file part needs 'file.file_data' or 'file.file_id'.", where)
        if form not in DOCUMENT_TYPES.values():
            raise _refused("Bedrock does not read documents of this type.", where)
        return {"document": {"format": form, "name": self._name(name, form), "source": source}}

    def _name(self, filename: Any, form: str) -> str:
        """A name as the vendor takes it: of some characters only."""
        given = filename if isinstance(filename, str) and filename else "document"
        stem, dot, _ = given.rpartition(".")
        wanted = nameable(stem if dot and stem and _extension(given) == form else given)
        if not isinstance(filename, str) or not filename:
            self._unnamed += 1
            return wanted if self._unnamed == 1 else f"{wanted} {self._unnamed}"
        if wanted not in (filename, stem):
            self.notes.edit(f"A document's name is changed to {wanted!r}: the vendor takes no other characters.")
        return wanted


_READ: Final = frozenset({"type", "cache_control", "json", "text", "refusal"})


def nameable(name: str) -> str:
    """A document's name, of the characters that the vendor takes."""
    return " ".join(_UNNAMEABLE.sub("-", name).split())[:200] or "document"


def cache_point(control: Any) -> Block:
    """A `cache_control` hint as the block that ends the cached part."""
    ttl = control.get("ttl") if isinstance(control, Mapping) else None
    return {"cachePoint": {"type": "default", **({"ttl": ttl} if isinstance(ttl, str) else {})}}


def _audio(part: Mapping[str, Any], where: str) -> Block:
    audio = part.get("input_audio")
    if not isinstance(audio, Mapping) or not isinstance(audio.get("data"), str) or audio.get("format") not in _AUDIO:
        raise _refused("An input_audio part needs data and a known format.", f"{where}.input_audio")
    return {"format": audio["format"], "source": {"bytes": audio["data"]}}


def _extension(name: str) -> str:
    ending = name.rpartition(".")[2].lower()
    return _EXTENSIONS.get(ending, ending)


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
