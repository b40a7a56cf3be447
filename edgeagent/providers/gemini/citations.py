"""Grounding metadata → annotations: which web page supports which part of the text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeagent.types import Annotation, AnnotationURLCitation

__all__ = ["annotations_of"]


def annotations_of(metadata: object, text: str) -> list[Annotation]:
    """The web pages by the segments that they support; without segments, the pages alone.

    Gemini counts bytes of UTF-8 (https://ai.google.dev/api/generate-content#Segment), OpenAI counts characters.
    """
    if not isinstance(metadata, Mapping):
        return []
    chunks = metadata.get("groundingChunks")
    pages = [_page(chunk) for chunk in chunks] if isinstance(chunks, list) else []
    found = [
        _citation(page, _place(support.get("segment"), text))
        for support in _objects(metadata.get("groundingSupports"))
        for index in _numbers(support.get("groundingChunkIndices"))
        if index < len(pages) and (page := pages[index]) is not None
    ]
    return found or [_citation(page, (None, None)) for page in pages if page is not None]


def _page(chunk: Any) -> Mapping[str, Any] | None:
    web = chunk.get("web") if isinstance(chunk, Mapping) else None
    return web if isinstance(web, Mapping) and isinstance(web.get("uri"), str) else None


def _citation(page: Mapping[str, Any], place: tuple[int | None, int | None]) -> Annotation:
    title = page.get("title")
    cited = AnnotationURLCitation(
        url=page["uri"], title=title if isinstance(title, str) else None, start_index=place[0], end_index=place[1]
    )
    return Annotation(type="url_citation", url_citation=cited)


def _place(segment: Any, text: str) -> tuple[int | None, int | None]:
    if not isinstance(segment, Mapping) or not isinstance(segment.get("endIndex"), int):
        return None, None
    start = segment.get("startIndex")
    raw = text.encode("utf-8", "replace")
    begin = max(0, start) if isinstance(start, int) else 0
    end = max(begin, segment["endIndex"])
    return len(raw[:begin].decode("utf-8", "replace")), len(raw[:end].decode("utf-8", "replace"))


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _numbers(value: Any) -> list[int]:
    return [item for item in value if isinstance(item, int) and item >= 0] if isinstance(value, list) else []
