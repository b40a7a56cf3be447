"""Which targets can do what a request asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeagent.core.validate import PARTS
from edgeagent.providers.base import Capabilities
from edgeagent.types import ChatRequest

__all__ = ["lacking", "needed"]


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
        elif kind == "input_audio":
            features.add("audio")
        elif kind not in PARTS:
            features.add(_own_part(kind))


def _own_part(kind: str) -> str:
    return f"{kind!r} parts"


def lacking(features: frozenset[str], capabilities: Capabilities) -> frozenset[str]:
    """What of `features` a target does not have."""
    lacks = features - capabilities.features
    return lacks - set(map(_own_part, capabilities.parts)) if lacks else lacks
