"""Tool calls: ids of nine letters and digits, arguments as text.

Mistral refuses other ids (`Tool call id was … but must be a-z, A-Z, 0-9, with a length of 9.`, code 3280;
https://docs.mistral.ai/capabilities/function_calling/), so those of other vendors are replaced by a hash, the same in
the call and in its result, and the same in every later turn.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

from edgeagent.wire.json import dump_json

__all__ = ["arguments_of", "given_id", "wire_id"]

_ID: Final = re.compile(r"[a-zA-Z0-9]{9}", re.ASCII)
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def wire_id(id: str) -> str:
    """A tool call's id as Mistral takes it: itself, or nine characters that stand for it."""
    if _ID.fullmatch(id):
        return id
    number = int.from_bytes(blake2b(id.encode("utf-8", "replace"), digest_size=16).digest(), "big")
    letters = []
    for _ in range(9):
        number, digit = divmod(number, len(_DIGITS))
        letters.append(_DIGITS[digit])
    return "".join(letters)


def given_id(call: Mapping[str, Any]) -> str | None:
    """The id that the vendor gave a call; the older API's `"null"` is none."""
    given = call.get("id")
    return given if isinstance(given, str) and given not in ("", "null") else None


def arguments_of(value: Any) -> str:
    """The arguments as text: the vendor's types allow an object in their place."""
    if isinstance(value, str):
        return value
    return "" if value is None else dump_json(value).decode()
