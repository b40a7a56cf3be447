"""Embeddings and reranking: one codec for each vendor API, both directions, and what a request may hold."""

from __future__ import annotations

from edgeagent.providers.embeddings.base import EmbeddingCodec, EmbeddingProvider, Limits
from edgeagent.providers.embeddings.batching import join, split
from edgeagent.providers.embeddings.table import Route, route

__all__ = ["EmbeddingCodec", "EmbeddingProvider", "Limits", "Route", "join", "route", "split"]
