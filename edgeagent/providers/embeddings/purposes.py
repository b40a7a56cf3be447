"""What a text is embedded for, in each vendor's words.

Cohere: https://docs.cohere.com/reference/embed; Google: https://ai.google.dev/gemini-api/docs/embeddings#task-types;
Voyage: https://docs.voyageai.com/reference/embeddings-api. Ours are Cohere's, where Cohere has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["COHERE", "GOOGLE", "VOYAGE", "word"]

_SAME: Final[Mapping[str, str]] = {
    "query": "search_query",
    "document": "search_document",
    "retrieval_query": "search_query",
    "retrieval_document": "search_document",
}
"""Other vendors' words in lower case → ours."""

COHERE: Final[Mapping[str, str]] = {
    name: name for name in ("search_query", "search_document", "classification", "clustering", "image")
}
GOOGLE: Final[Mapping[str, str]] = {
    "search_query": "RETRIEVAL_QUERY",
    "search_document": "RETRIEVAL_DOCUMENT",
    **{
        name: name.upper()
        for name in (
            *("classification", "clustering", "semantic_similarity"),
            *("question_answering", "fact_verification", "code_retrieval_query"),
        )
    },
}
VOYAGE: Final[Mapping[str, str]] = {"search_query": "query", "search_document": "document"}


def word(purpose: str, words: Mapping[str, str]) -> str | None:
    """The vendor's word for `purpose`, in whoever's words that is; None if it has no such."""
    lowered = purpose.lower()
    return words.get(_SAME.get(lowered, lowered))
