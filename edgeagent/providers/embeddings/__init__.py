"""Embeddings and reranking: one codec for each vendor API, both directions, and what a request may hold.

`table.route` says which vendor speaks which.
"""

from __future__ import annotations

from edgeagent.providers.embeddings.base import EmbeddingCodec, EmbeddingProvider, Limits
from edgeagent.providers.embeddings.batching import join, split

__all__ = ["EmbeddingCodec", "EmbeddingProvider", "Limits", "join", "split"]
