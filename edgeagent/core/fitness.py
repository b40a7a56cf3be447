"""Which targets can do what a request asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.core.validate import PARTS
from edgeagent.providers.base import Capabilities
from edgeagent.types import ChatRequest

__all__ = ["lacking", "needed", "too_long"]

_FEW: Final = 4
"""Tokens that a character never has more of, whatever the script."""


def needed(request: ChatRequest, *, stream: bool) -> frozenset[str]:
    """The features that a target must have to serve this request, and the part types of a vendor's own."""
    features: set[str] = set()
    if stream:
        features.add("streaming")
    if request.tools or request.functions:
        features.add("tools")
    if (request.response_format or {}).get("type") == "json_schema":
        features.add("json_schema")
    if (request.n or 1) > 1:
        features.add("n")
    if request.logprobs or request.top_logprobs:
        features.add("logprobs")
    if request.stop:
        features.add("stop")
    if request.audio or "audio" in (request.modalities or ()):
        features.add("audio")
    for message in request.messages:
        _parts(message, features)
    return frozenset(features)


def _parts(message: Mapping[str, Any], features: set[str]) -> None:
    content = message.get("content")
    if not isinstance(content, list):
        return
    for part in content:
        kind = part.get("type")
        if kind == "image_url":
            features.add("vision")
        elif kind == "file":
            features.add("documents")
            file = part.get("file")
            if isinstance(file, Mapping) and file.get("file_url") is not None:
                features.add("file_urls")
        elif kind == "input_audio":
            features.add("audio")
        elif kind == "video_url":
            features.add("video")
        elif kind not in PARTS:
            features.add(_own_part(kind))


def _own_part(kind: str) -> str:
    return f"{kind!r} parts"


def lacking(features: frozenset[str], capabilities: Capabilities) -> frozenset[str]:
    """What of `features` a target does not have."""
    lacks = features - capabilities.features
    return lacks - set(map(_own_part, capabilities.parts)) if lacks else lacks


def too_long(request: ChatRequest, window: int) -> bool:
    """Whether a chat may be too long for a context window in tokens: a quick look that spares most an estimate."""
    left = window // _FEW
    for message in request.messages:
        content = message.get("content")
        left -= len(content) if isinstance(content, str) else _length(content)
        if left < 0:
            return True
    return False


def _length(content: Any) -> int:
    parts = content if isinstance(content, list) else ()
    return sum(len(part["text"]) if isinstance(part.get("text"), str) else 4000 for part in parts)
