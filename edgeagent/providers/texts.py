"""The text of a message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["text_of"]


def text_of(content: Any) -> str:
    """The text that a message's `content` says, parts that are no text left out."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "".join(
        str(part.get("text" if part.get("type") == "text" else "refusal") or "")
        for part in content
        if isinstance(part, Mapping) and part.get("type") in ("text", "refusal")
    )
