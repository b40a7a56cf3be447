"""One input ↔ Google's `Content`: text, and data that stands in the request itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from edgeagent.providers.embeddings.reading import refuse

__all__ = ["content_of", "input_of"]

_DATA_URL: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,", re.ASCII)


def content_of(item: str | list[int] | Mapping[str, Any], where: str) -> dict[str, Any]:
    """An input → `{"parts": […]}`. Raises `RequestValidationError` for token ids and parts of unknown types."""
    if isinstance(item, str):
        return {"parts": [{"text": item}]}
    if isinstance(item, list):
        refuse("Google takes no token ids", "input")
    return {"parts": [_part(part, f"{where}.content[{k}]") for k, part in enumerate(item.get("content") or ())]}


def _part(part: object, where: str) -> dict[str, Any]:
    if not isinstance(part, Mapping):
        refuse("must be an object with a type", where)
    kind, value = part.get("type"), part.get(str(part.get("type")))
    if kind == "text" and isinstance(value, str):
        return {"text": value}
    if kind == "image_url" and isinstance(value, Mapping) and isinstance(value.get("url"), str):
        head = _DATA_URL.match(value["url"])
        if head is None:
            refuse("Google embeds pictures in data URLs only", f"{where}.image_url.url")
        return {"inlineData": {"mimeType": head[1], "data": value["url"][head.end() :]}}
    if kind != "google" or not isinstance(value, Mapping):
        refuse("must be text or a picture", where)
    return dict(value)


def input_of(content: object, where: str) -> str | dict[str, Any]:
    """`Content` (or Vertex AI's plain text) → an input; parts of other kinds are kept as they are.

    Raises:
        RequestValidationError: it is neither.
    """
    if isinstance(content, str):
        return content
    parts = content.get("parts") if isinstance(content, Mapping) else None
    if not isinstance(parts, list) or not all(isinstance(part, Mapping) for part in parts):
        refuse("must be an object with parts", where)
    if len(parts) == 1 and parts[0].keys() == {"text"} and isinstance(parts[0]["text"], str):
        return str(parts[0]["text"])
    return {"content": [_ours(part) for part in parts]}


def _ours(part: Mapping[str, Any]) -> dict[str, Any]:
    if part.keys() == {"text"}:
        return {"type": "text", "text": part["text"]}
    inline = part.get("inlineData", part.get("inline_data"))
    if isinstance(inline, Mapping):
        kind = inline.get("mimeType", inline.get("mime_type"))
        if isinstance(kind, str) and kind.startswith("image/") and isinstance(inline.get("data"), str):
            return {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{inline['data']}"}}
    return {"type": "google", "google": dict(part)}
