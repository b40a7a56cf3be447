"""What another vendor's answer holds beyond a response's items, in the place that this API has for such things.

Reasoning signed by its vendor has to be sent back in the next turn, or the vendor refuses the turn. A response carries
it as OpenAI carries its own: in the `encrypted_content` of a reasoning item, at the end of the answer's items. Its
content is that of `native_content`, encoded, not encrypted; who sends the items back sends it too.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import from_json

from edgeagent.wire.json import dump_json

__all__ = ["is_sealed", "sealed_item", "unsealed"]

_MARK: Final = "edgeagent-native-1:"


def sealed_item(native: Mapping[str, Any], id: str) -> dict[str, Any]:
    """A reasoning item without words that carries `native`."""
    content = _MARK + b64encode(dump_json(native)).decode()
    return {"id": id, "type": "reasoning", "summary": [], "encrypted_content": content}


def is_sealed(item: Mapping[str, Any]) -> bool:
    """Whether this is an item of our making."""
    content = item.get("encrypted_content")
    return item.get("type") == "reasoning" and isinstance(content, str) and content.startswith(_MARK)


def unsealed(item: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a sealed item carries; None if it is damaged."""
    try:
        native = from_json(b64decode(item["encrypted_content"][len(_MARK) :], validate=True))
    except (binascii.Error, ValueError):
        return None
    whole = isinstance(native, dict) and isinstance(native.get("wire"), str) and isinstance(native.get("content"), list)
    return native if whole else None
