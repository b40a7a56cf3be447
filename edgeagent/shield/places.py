"""Where citations say that something stands: places in a masked text → the same places in the text of the caller.

OpenAI's annotations and Cohere's citations count characters of the answer, Google's grounding and citation metadata
bytes of its UTF-8, Anthropic's `char_location` characters of a document of the request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

__all__ = ["GROUNDS", "Document", "Moving", "ground", "move_citations", "move_note", "within"]

GROUNDS: Final = ("groundingMetadata", "citationMetadata")
"""Members of Google's candidates that speak of places in their text."""
_NOTED: Final = ("start_index", "end_index", "index")
_IN_BYTES: Final = ("startIndex", "endIndex")


class Moving(Protocol):
    """A restored text that knows where places of the masked one are."""

    def place(self, offset: int, *, in_bytes: bool = False) -> int:
        """A place in the text as it was written → the same place in what was made of it."""


def move_note(note: Any, text: Moving) -> None:
    """Give one of OpenAI's annotations its places in the restored text."""
    if isinstance(note, dict):
        for name, value in note.items():
            if name in _NOTED and isinstance(value, int):
                note[name] = text.place(value)
            elif name == "url_citation":
                move_note(value, text)


def move_citations(citations: Iterable[Any], blocks: Sequence[Moving]) -> None:
    """Give Cohere's citations their places in the restored blocks of text."""
    for citation in citations:
        if isinstance(citation, dict) and citation.get("type", "TEXT_CONTENT") == "TEXT_CONTENT":
            number = citation.get("content_index", 0)
            if isinstance(number, int) and 0 <= number < len(blocks):
                citation.update(_moved(citation, blocks[number], ("start", "end"), in_bytes=False))


def ground(candidate: Mapping[str, Any], text: Moving, parts: Sequence[tuple[Moving, str]] = ()) -> None:
    """Give the metadata of one of Google's candidates its places.

    Args:
        candidate: the restored candidate, or what an answer keeps of it; it is changed.
        text: its whole text.
        parts: its parts by number, each with its restored text, which a segment may speak of by itself.
    """
    for segment in _segments(candidate):
        moved = _moved(segment, text, _IN_BYTES, in_bytes=True)
        number = segment.get("partIndex")
        if isinstance(number, int) and 0 < number < len(parts):
            of_part, said = parts[number]
            told = _moved(segment, of_part, _IN_BYTES, in_bytes=True)
            raw, words = said.encode("utf-8", "surrogatepass"), segment.get("text")
            named = raw[told.get("startIndex", 0) : told.get("endIndex", 0)]
            if isinstance(words, str) and named == words.encode("utf-8", "surrogatepass"):
                moved = told
        segment.update(moved)


def _moved(told: Mapping[str, Any], text: Moving, names: Iterable[str], *, in_bytes: bool) -> dict[str, int]:
    return {name: text.place(told[name], in_bytes=in_bytes) for name in names if isinstance(told.get(name), int)}


def _segments(candidate: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    grounding, citation = (candidate.get(name) for name in GROUNDS)
    for support in _objects(grounding, "groundingSupports"):
        if isinstance(support.get("segment"), dict):
            yield support["segment"]
    for name in ("citations", "citationSources"):
        yield from _objects(citation, name)


def _objects(metadata: Any, name: str) -> Iterator[dict[str, Any]]:
    found = metadata.get(name) if isinstance(metadata, dict) else None
    for item in found if isinstance(found, list) else ():
        if isinstance(item, dict):
            yield item


class Document(NamedTuple):
    """A text of the request."""

    masked: str
    steps: Sequence[tuple[int, int]]
    """Where in the caller's text values stand that were replaced, and how much longer they are than what was sent."""


def within(cited: Mapping[str, Any], documents: Sequence[Document]) -> dict[str, int] | None:
    """Where what Anthropic cites stands in the document as the caller wrote it; None: it is not known.

    The document is the one that it names by number, if that has these words in this place, else the first that has.
    """
    first, last, words = (cited.get(name) for name in ("start_char_index", "end_char_index", "cited_text"))
    if not (isinstance(first, int) and isinstance(last, int) and isinstance(words, str)):
        return None
    number = cited.get("document_index")
    named = documents[number : number + 1] if isinstance(number, int) and number >= 0 else ()
    for document in (*named, *documents):
        if document.masked[first:last] == words:
            return {"start_char_index": _before(document, first), "end_char_index": _before(document, last)}
    return None


def _before(document: Document, place: int) -> int:
    """The place in the caller's text that is this one in the masked one."""
    for start, grown in document.steps:
        if start >= place:
            break
        place += grown
    return place
