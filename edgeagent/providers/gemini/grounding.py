"""What an answer stands on: grounding and citation metadata as OpenAI's `url_citation` annotations, and the reverse.

The vendor counts positions in bytes of UTF-8, OpenAI in characters. A position is told where the bytes between the two
are the text that the vendor names; else the page is cited without one.

Source: https://ai.google.dev/api/generate-content#GroundingMetadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from edgeagent.types.completion import Annotation

__all__ = ["annotations_of", "grounding_of"]


def annotations_of(candidate: Mapping[str, Any], text: str) -> list[dict[str, Any]]:
    """The web pages that a candidate's metadata cites for its joined text; whatever the metadata is."""
    found = [*_grounded(candidate.get("groundingMetadata")), *_cited(candidate.get("citationMetadata"))]
    if not found:
        return []
    raw = text.encode("utf-8", "surrogatepass")
    places = _characters(raw, (place for _, start, end, _ in found for place in (start, end)))
    result = []
    for page, start, end, words in found:
        citation = dict(page)
        is_right = words is None or raw[start:end] == words.encode("utf-8", "surrogatepass")
        if 0 <= start < end <= len(raw) and is_right:
            citation.update(start_index=places[start], end_index=places[end])
        result.append({"type": "url_citation", "url_citation": citation})
    return result


def grounding_of(annotations: Iterable[Annotation], text: str, own: Mapping[str, Any]) -> dict[str, Any]:
    """The field of a candidate that tells the annotations of its text; none if its `own` fields do."""
    if not own.keys().isdisjoint({"groundingMetadata", "citationMetadata"}):
        return {}
    pages: dict[tuple[str, str], int] = {}
    supports: dict[tuple[int, int], list[int]] = {}
    for citation in (one.url_citation for one in annotations):
        if citation is None or not citation.url:
            continue
        number = pages.setdefault((citation.url, citation.title or ""), len(pages))
        start, end = citation.start_index or 0, citation.end_index or 0
        if 0 <= start < end <= len(text) and number not in (cited := supports.setdefault((start, end), [])):
            cited.append(number)
    if not pages:
        return {}
    metadata: dict[str, Any] = {"groundingChunks": [{"web": {"uri": url, "title": title}} for url, title in pages]}
    if supports:
        metadata["groundingSupports"] = [_support(text, *place, cited) for place, cited in supports.items()]
    return {"groundingMetadata": metadata}


def _support(text: str, start: int, end: int, pages: list[int]) -> dict[str, Any]:
    before, words = (len(part.encode("utf-8", "surrogatepass")) for part in (text[:start], text[start:end]))
    segment = {"startIndex": before, "endIndex": before + words, "text": text[start:end]}
    return {"segment": segment, "groundingChunkIndices": pages}


def _grounded(metadata: Any) -> Iterator[tuple[dict[str, Any], int, int, str | None]]:
    chunks = _list(_object(metadata).get("groundingChunks"))
    for support in map(_object, _list(_object(metadata).get("groundingSupports"))):
        segment = _object(support.get("segment"))
        words = segment.get("text")
        for number in _list(support.get("groundingChunkIndices")):
            if isinstance(number, int) and 0 <= number < len(chunks) and (page := _page(_object(chunks[number]))):
                start, end = _place(segment)
                yield page, start, end, words if isinstance(words, str) else None


def _cited(metadata: Any) -> Iterator[tuple[dict[str, Any], int, int, str | None]]:
    for citation in map(_object, _list(_object(metadata).get("citations"))):
        if page := _page({"web": citation}):
            yield page, *_place(citation), None


def _page(chunk: Mapping[str, Any]) -> dict[str, Any] | None:
    for kind in ("web", "maps", "retrievedContext"):
        source = _object(chunk.get(kind))
        if isinstance(source.get("uri"), str) and source["uri"]:
            title = source.get("title")
            return {"url": source["uri"], "title": title if isinstance(title, str) else ""}
    return None


def _place(segment: Mapping[str, Any]) -> tuple[int, int]:
    start, end = segment.get("startIndex", 0), segment.get("endIndex", 0)
    return (start if isinstance(start, int) else 0, end if isinstance(end, int) else 0)


def _characters(raw: bytes, places: Iterable[int]) -> dict[int, int]:
    """For positions in bytes those in characters, in one pass over the text."""
    result: dict[int, int] = {}
    characters, before = 0, 0
    for place in sorted({place for place in places if 0 <= place <= len(raw)}):
        # bytes that continue a character are none of their own
        characters += sum(1 for byte in raw[before:place] if byte & 0xC0 != 0x80)
        result[place], before = characters, place
    return result


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
