"""What another vendor's answer holds beyond its words, in the place that a format has for what its vendor has signed.

Thinking that its vendor signed has to be sent back in the next turn, or it is lost, and some refuse the turn. A program
on another vendor's SDK sends back what it was given, and that is where it goes: a value that only the vendor reads.
Its content is that of `native_content`, encoded, not encrypted; codecs take it out of what is sent to any vendor.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from pydantic_core import from_json

from edgeagent.wire.json import dump_json

__all__ = ["Sealed", "has_seal", "is_seal", "seal", "unseal"]

_MARK: Final = b"edgeagent-native-02:\n"  # of a length that makes its base64 the beginning of the whole's
_BEGINNING: Final = b64encode(_MARK).decode()
_FROM_URLS: Final = str.maketrans("-_", "+/")


class Sealed(NamedTuple):
    """The `native_content` of a message, and the text that it had."""

    native: dict[str, Any]
    text: str


def seal(native: Mapping[str, Any], text: str | None) -> str:
    """The value that carries both: base64, as Google has its signatures."""
    return b64encode(_MARK + dump_json({**native, "text": text or ""})).decode()


def is_seal(value: object) -> bool:
    """Whether a signature is of our making."""
    return isinstance(value, str) and value.startswith(_BEGINNING)


def has_seal(body: bytes) -> bool:
    """Whether there is one anywhere in a body of JSON."""
    return _BEGINNING.encode() in body


def unseal(value: str) -> Sealed | None:
    """What a seal carries, whichever alphabet of base64 it came back in; None if it is damaged."""
    plain = value.translate(_FROM_URLS).rstrip("=")
    try:
        told = from_json(b64decode(plain + "=" * (-len(plain) % 4), validate=True)[len(_MARK) :])
    except (binascii.Error, ValueError):
        return None
    if not isinstance(told, dict) or not isinstance(text := told.pop("text", None), str):
        return None
    whole = isinstance(told.get("wire"), str) and isinstance(told.get("content"), list)
    return Sealed(told, text) if whole else None
