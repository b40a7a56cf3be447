"""Files that are text: what they say, and the same file with something else in it."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from typing import Final, NamedTuple

__all__ = ["DataURL", "TextFile", "is_textual", "may_be_textual", "text_file"]

_TEXTUAL: Final = re.compile(
    r"(?:text|message)/.+|application/(?:[\w.-]+\+)?(?:json|xml|yaml|x-yaml|csv|x-ndjson|toml|javascript|sql|rtf|x-sh)",
    re.IGNORECASE,
)
_UNKNOWN: Final = frozenset({"", "application/octet-stream", "application/vnd.ms-excel", "binary/octet-stream"})
"""Types that say nothing: what some systems call a file of text, too."""
_DATA_URL: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+)?([^,]*),(.*)", re.DOTALL | re.IGNORECASE)
_PARAMETERS: Final = re.compile(r"(?:;[\w.+-]+=[^\s;,]*)*(?:;base64)?", re.IGNORECASE)
_CHARSET: Final = re.compile(
    r";\s*charset=\"?((?:utf-?8|utf-(?:16|32)[lb]e|ascii|big5|cp|euc|gb|iso|koi8|latin|mac|shift|us-|windows)[\w-]*)",
    re.IGNORECASE,
)
"""Without Python's codecs that are none of texts (`idna`); UTF-16 without an order of bytes has a mark that says it."""
_URL_SAFE: Final = str.maketrans("-_", "+/")
_BLANKS: Final = re.compile(r"\s+")
_NOT_IN_TEXT: Final = re.compile(r"%PDF-|[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class DataURL(NamedTuple):
    """The parts of a `data:` URL (RFC 2397)."""

    head: str
    """All that stands before the payload, the comma too."""
    media_type: str
    """With its parameters; text, if it says nothing."""
    is_base64: bool
    is_proper: bool
    """Whether the head has the form of one, and so is no prose."""
    payload: str

    @classmethod
    def of(cls, value: str) -> DataURL | None:
        """None if it is none."""
        found = _DATA_URL.fullmatch(value)
        if found is None:
            return None
        media_type, parameters, payload = (part or "" for part in found.groups())
        return cls(
            value[: found.start(3)],
            (media_type or "text/plain") + parameters,
            parameters.lower().endswith(";base64"),
            _PARAMETERS.fullmatch(parameters) is not None,
            payload,
        )


def is_textual(media_type: str) -> bool:
    """Whether files of a type are text; the type may have parameters."""
    return _TEXTUAL.fullmatch(media_type.partition(";")[0].strip()) is not None


def may_be_textual(media_type: str) -> bool:
    """Whether only the bytes can tell."""
    return media_type.partition(";")[0].strip().lower() in _UNKNOWN


class TextFile(NamedTuple):
    """A file in base64 that holds text."""

    text: str
    encoding: str
    url_safe: bool

    def holding(self, text: str) -> str:
        """The file with another text in it, in base64."""
        data = text.encode(self.encoding, "replace")
        return (base64.urlsafe_b64encode(data) if self.url_safe else base64.b64encode(data)).decode()


def text_file(value: str, media_type: str) -> TextFile | None:
    """What base64 of a file holds; None if it is no base64, or no text as far as its type leaves that open."""
    plain = _BLANKS.sub("", value).rstrip("=")
    try:
        data = base64.b64decode(plain.translate(_URL_SAFE) + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    read = _read(data, media_type)
    return None if read is None else TextFile(*read, url_safe="-" in plain or "_" in plain)


def _read(data: bytes, media_type: str) -> tuple[str, str] | None:
    """The text, and in which encoding it is written."""
    sure = is_textual(media_type)
    for encoding in _encodings(data, media_type):
        try:
            text = data.decode(encoding)
        except (UnicodeError, LookupError):
            continue
        if sure or _NOT_IN_TEXT.search(text) is None:
            return text, encoding
    return (data.decode("latin-1"), "latin-1") if sure else None  # which has a character for every byte


def _encodings(data: bytes, media_type: str) -> list[str]:
    """Those that it may be written in, the likeliest first."""
    said = _CHARSET.search(media_type)
    found = [encoding for mark, encoding in _MARKS if data.startswith(mark)][:1]
    if said is not None:
        found.append(said[1])
    size = len(data) // 4
    if data[1::2].count(0) > size:
        found.append("utf-16-le")
    if data[::2].count(0) > size:
        found.append("utf-16-be")
    return [*found, "utf-8"]
