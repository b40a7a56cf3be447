"""A request → how large it is, before anything is known of the model that will be asked.

Only what is sent as text or media counts. What the vendor adds around it (the frame of a message, the form of a tool,
a prompt of its own) differs between models and is the estimator's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from edgeagent.tokens.script import text_tokens
from edgeagent.types import AnyRequest, ChatRequest, EmbeddingRequest, RerankRequest

__all__ = ["Size", "size_of"]

IMAGE: Final = 1000
"""Tokens of one picture; vendors count between 85 and 1,600, by its size in pixels."""
SMALL_IMAGE: Final = 85
"""Of one that is asked for with `detail="low"`."""
BYTES_PER_DOCUMENT_TOKEN: Final = 40
BYTES_PER_AUDIO_TOKEN: Final = 2000
"""Between speech as MP3 and as WAV, of which ten tokens are a second."""


@dataclass(frozen=True, slots=True)
class Size:
    """What a request holds. `text`, `tools` and `media` are tokens as counted; no model's own."""

    text: float
    tools: float
    """Of the definitions of tools and functions, as JSON."""
    schema: float
    """Of the schema that the answer is to have, as JSON."""
    media: float
    messages: int
    tool_count: int
    characters: int
    """Of all texts: an upper bound of their tokens is four times as many, one for each byte of UTF-8."""


_TEXTS: Final = frozenset({"text", "refusal"})
_REFERENCES: Final = frozenset({"data", "bytes", "url", "uri", "file_id", "fileUri"})
"""Of a vendor's own part: what holds or names a medium."""


class _Sum:
    """Adds up the parts of one request."""

    def __init__(self, count: Callable[[str], float]) -> None:
        self._count = count
        self.text = self.media = 0.0
        self.characters = 0

    def add(self, text: object) -> None:
        if isinstance(text, str) and text:
            self.text += self._count(text)
            self.characters += len(text)

    def message(self, message: Mapping[str, Any]) -> None:
        self.content(message.get("content"))
        for call in _dicts(message.get("tool_calls")):
            self._call(call.get("function") or call.get("custom"))
        self._call(message.get("function_call"))
        self.add(message.get("name"))

    def _call(self, call: Any) -> None:
        if isinstance(call, Mapping):
            self.add(call.get("name"))
            self.add(call.get("arguments") or call.get("input"))

    def content(self, content: Any) -> None:
        """A text, or parts."""
        self.add(content)
        for part in _dicts(content):
            self.add(part.get("text"))
            self.add(part.get("refusal"))
            self._medium(part)

    def _medium(self, part: Mapping[str, Any]) -> None:
        kind = part.get("type")
        held = part.get(kind) if isinstance(kind, str) else None
        held = held if isinstance(held, Mapping) else {}
        if kind == "image_url":
            self.media += SMALL_IMAGE if held.get("detail") == "low" else IMAGE
        elif kind == "file":
            self.media += max(_bytes(held.get("file_data")) / BYTES_PER_DOCUMENT_TOKEN, IMAGE)
        elif kind == "input_audio":
            self.media += _bytes(held.get("data")) / BYTES_PER_AUDIO_TOKEN
        elif kind not in _TEXTS:
            self.leaves({name: value for name, value in part.items() if name not in ("type", "text")})

    def leaves(self, value: object, name: str = "") -> None:
        """Whatever a vendor's own part holds: texts, and data as base64."""
        if isinstance(value, Mapping):
            for key, inner in value.items():
                self.leaves(inner, str(key))
        elif isinstance(value, list):
            for inner in value:
                self.leaves(inner, name)
        elif name in _REFERENCES or (isinstance(value, str) and value.startswith("data:")):
            self.media += IMAGE
        else:
            self.add(value)


def size_of(request: AnyRequest, count: Callable[[str], float] = text_tokens) -> Size:
    """Measure a request of any kind. `count` gives the tokens of a text."""
    parts = _Sum(count)
    if isinstance(request, ChatRequest):
        return _chat(request, parts, count)
    if isinstance(request, EmbeddingRequest):
        for item in request.items:
            if isinstance(item, list):
                parts.text += len(item)
            else:
                parts.content(item if isinstance(item, str) else item.get("content"))
        return Size(parts.text, 0.0, 0.0, parts.media, 0, 0, parts.characters)
    texts: Iterable[Any] = [request.query, *request.documents] if isinstance(request, RerankRequest) else ()
    for text in texts or _inputs(getattr(request, "input", ())):
        parts.add(text if isinstance(text, str) else text.get("text"))
    return Size(parts.text, 0.0, 0.0, parts.media, 0, 0, parts.characters)


def _chat(request: ChatRequest, parts: _Sum, count: Callable[[str], float]) -> Size:
    for message in request.messages:
        parts.message(message)
    parts.leaves((request.model_extra or {}).get("documents"))
    tools = [*(request.tools or ()), *(request.functions or ())]
    schema = (request.response_format or {}).get("json_schema")
    written = [json.dumps(value, ensure_ascii=False, default=str) for value in (tools, schema) if value]
    defined = sum(map(count, written[:1])) if tools else 0.0
    wanted = sum(map(count, written[-1:])) if schema else 0.0
    characters = parts.characters + sum(map(len, written))
    return Size(parts.text, defined, wanted, parts.media, len(request.messages), len(tools), characters)


def _inputs(value: Any) -> Iterable[Any]:
    return (value,) if isinstance(value, str) else value


def _dicts(value: object) -> Iterable[Mapping[str, Any]]:
    return [part for part in value if isinstance(part, Mapping)] if isinstance(value, list) else ()


def _bytes(data: object) -> float:
    """Of what is written as base64."""
    return len(data) * 0.75 if isinstance(data, str) else 0.0
