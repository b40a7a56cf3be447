"""Images, sounds and files of a message count by content: one spelling for each sequence of bytes.

The same bytes can be written in many ways: base64 with line breaks, without its padding or with stray bits in its last
character, a data URL that is percent-encoded, a media type in capitals. A vendor decodes them all to the same bytes, so
for the key they are one. What is rewritten, in the parts of a message's content alone, never in a text:

- a data URL (RFC 2397) under `url`, `image_url`, `file_data` or `data`: the media type in lower case, its parameters as
  they are, the bytes in base64;
- plain base64 under `file_data`, under `data` of an `input_audio`, and under `data` beside `"type": "base64"`.

Base64 is read as browsers read it (the forgiving decoder of https://infra.spec.whatwg.org/#forgiving-base64). What it
cannot read, an address on the web, and a part whose type is `text` count as they are written.
"""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import unquote_to_bytes

__all__ = ["canonical_content", "has_parts"]

_URL_NAMES: Final = frozenset({"url", "image_url", "file_data", "data"})
_SPACE: Final = b"\t\n\f\r "
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_DEEPEST: Final = 16
"""Levels of nesting beyond which nothing is rewritten; no vendor's parts have five."""


def has_parts(messages: list[Any]) -> bool:
    """Whether any message has more than a text; most have not, and cost no more than this look."""
    for message in messages:  # noqa: SIM110  # `any` over a generator would cost more than the look
        if isinstance(message.get("content"), list | tuple):
            return True
    return False


def canonical_content(messages: list[Any]) -> list[Any]:
    """The messages with their media in one spelling. What is given is left as it is."""
    return [
        {**message, "content": _canonical(content, "content", 0)}
        if isinstance(content := message.get("content"), list | tuple)
        else message
        for message in messages
    ]


def _canonical(value: Any, name: str, depth: int) -> Any:
    if isinstance(value, str):
        return _data_url(value) if name in _URL_NAMES and value[:5].lower() == "data:" else value
    if depth >= _DEEPEST:
        return value
    if isinstance(value, Mapping):
        kind = value.get("type")
        if kind == "text":
            return value
        part = {key: _canonical(item, key, depth + 1) for key, item in value.items()}
        base64_names = ("data", "file_data") if name == "input_audio" or kind == "base64" else ("file_data",)
        for key in base64_names:
            written = part.get(key)
            if isinstance(written, str) and (usual := _base64(written.encode("utf-8", "surrogatepass"))) is not None:
                part[key] = usual
        return part
    if isinstance(value, list | tuple):
        return [_canonical(item, name, depth + 1) for item in value]
    return value


def _data_url(url: str) -> str:
    head, comma, body = url[5:].partition(",")
    media_type, *parameters = (piece.strip() for piece in head.split(";"))
    try:
        written = body.encode()
    except UnicodeEncodeError:  # it cannot be sent, and has no key
        return url
    if not comma:
        return url
    content = unquote_to_bytes(written) if b"%" in written else written
    encoded: str | None
    if parameters and parameters[-1].lower() == "base64":
        parameters.pop()
        encoded = _base64(content)
    else:
        encoded = b2a_base64(content, newline=False).decode()
    if encoded is None:
        return url
    return f"data:{';'.join((media_type.lower(), *parameters))};base64,{encoded}"


def _base64(written: bytes) -> str | None:
    """The one spelling of what a base64 text stands for; None if it is none."""
    if _is_usual(written):
        return written.decode()
    packed = written.translate(None, _SPACE)
    bare = packed.rstrip(b"=")
    if bare.translate(None, _ALPHABET) or (packed != bare and (len(packed) % 4 or len(packed) - len(bare) > 2)):
        return None
    try:
        return b2a_base64(a2b_base64(bare + b"=" * (-len(bare) % 4)), newline=False).decode()
    except Error:  # one character too many
        return None


def _is_usual(written: bytes) -> bool:
    """Whether this is the one spelling already, as it nearly always is: found out without decoding all of it."""
    if len(written) % 4 or written.rstrip(b"=").translate(None, _ALPHABET):
        return False
    end = written[-4:]
    with suppress(Error):
        return b2a_base64(a2b_base64(end), newline=False) == end
    return False
