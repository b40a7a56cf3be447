"""Pages that another vendor's answer cites, as citations of Anthropic's.

They stand at the end of the text that cites them, which stays one block: where in it a page is cited is told too late
in a stream to cut the text there. What only Anthropic knows of a page (the words that are cited, and the index by which
it finds them again) is empty. By that they are known when they come back with the conversation: the vendor, which wants
its own index, is not sent them.

Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool#citations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from edgeagent.types.completion import Annotation

__all__ = ["citations_of", "is_cited_here", "without_citations"]

_KIND: Final = "web_search_result_location"


def citations_of(annotations: Iterable[Annotation]) -> list[dict[str, Any]]:
    """The pages of an answer's annotations, each once."""
    pages = (one.url_citation for one in annotations)
    cited = dict.fromkeys((page.url, page.title) for page in pages if page is not None and page.url)
    unknown = {"cited_text": "", "encrypted_index": ""}
    return [{"type": _KIND, "url": url, "title": title or None, **unknown} for url, title in cited]


def is_cited_here(block: Any) -> bool:
    """Whether a block of text has citations of our making."""
    citations = block.get("citations") if isinstance(block, Mapping) else None
    return isinstance(citations, list) and any(map(_is_made, citations))


def without_citations(block: Mapping[str, Any]) -> dict[str, Any]:
    """The block without those."""
    kept = [citation for citation in block["citations"] if not _is_made(citation)]
    rest = {name: value for name, value in block.items() if name != "citations"}
    return {**rest, "citations": kept} if kept else rest


def _is_made(citation: Any) -> bool:
    return isinstance(citation, Mapping) and citation.get("type") == _KIND and citation.get("encrypted_index") == ""
