"""Which vendor embeds and reranks how: codec and path, by the vendor's id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from edgeagent.providers.base import Route
from edgeagent.providers.embeddings import openai
from edgeagent.providers.embeddings.base import EmbeddingCodec
from edgeagent.providers.embeddings.cohere import CohereEmbeddingCodec
from edgeagent.providers.embeddings.google import GoogleEmbeddingCodec, vertex_form
from edgeagent.providers.embeddings.ollama import OllamaEmbeddingCodec
from edgeagent.providers.embeddings.openai import OpenAIEmbeddingCodec, Shape
from edgeagent.providers.embeddings.rerank import RerankCodec

__all__ = ["rerank_route", "route"]


C = TypeVar("C")

_SHAPES: Final[Mapping[str, Shape]] = {
    "openai": openai.OPENAI,
    "azure.ai.openai": openai.OPENAI,
    "mistral_ai": openai.MISTRAL,
    "perplexity": openai.PERPLEXITY,
    "voyageai": openai.VOYAGEAI,
}
_NONE: Final = frozenset({"anthropic", "deepseek", "groq", "cerebras", "x_ai", "moonshotai"})
"""Vendors whose API has no embeddings."""
_NO_RERANK: Final = _NONE | _SHAPES.keys()
"""Vendors of OpenAI's shape without reranking of Cohere's; a server of another name may have it, as llama.cpp's."""
_CHAT: Final = "/chat/completions"


def route(vendor: str, model: str, chat_path: str) -> Route[EmbeddingCodec] | None:
    """How `vendor` embeds with `model`; None if it does not.

    Args:
        vendor: the provider's `vendor`: its id in telemetry.
        model: as the vendor calls it.
        chat_path: the provider's path of chat requests, `provider.path(model)`. Embeddings are beside it: in the same
            version of the API, the same deployment, the same project.
    """
    if chat_path.endswith(_CHAT):
        return _shaped(vendor, chat_path)
    if vendor == "gcp.gemini":
        return _beside(chat_path, ":generateContent", ":batchEmbedContents", GoogleEmbeddingCodec("batch"))
    if vendor == "gcp.vertex_ai":
        form = vertex_form(model)
        verb = ":predict" if form == "predict" else ":embedContent"
        return _beside(chat_path, ":generateContent", verb, GoogleEmbeddingCodec(form))
    if vendor == "cohere":
        return _beside(chat_path, "/chat", "/embed", CohereEmbeddingCodec())
    if vendor == "ollama":
        return _beside(chat_path, "/chat", "/embed", OllamaEmbeddingCodec())
    return None


def _shaped(vendor: str, chat_path: str) -> Route[EmbeddingCodec] | None:
    """Of servers of OpenAI's shape, also of a vendor that has an API of its own besides."""
    if vendor in _NONE:
        return None
    codec = OpenAIEmbeddingCodec(_SHAPES.get(vendor, openai.COMPATIBLE))
    version = "/v1" if vendor == "perplexity" else ""  # which has a version for embeddings, none for chat
    return _beside(chat_path, _CHAT, f"{version}/embeddings", codec)


def rerank_route(vendor: str, chat_path: str) -> Route[RerankCodec] | None:
    """How `vendor` orders documents; None if it does not, or in a form of its own."""
    if vendor == "cohere":
        return _beside(chat_path, "/chat", "/rerank", RerankCodec())
    return None if vendor in _NO_RERANK else _beside(chat_path, _CHAT, "/rerank", RerankCodec())


def _beside(chat_path: str, chat: str, other: str, codec: C) -> Route[C] | None:
    """None where chat is elsewhere than the vendor's own API has it."""
    return Route(codec, chat_path.removesuffix(chat) + other) if chat_path.endswith(chat) else None
