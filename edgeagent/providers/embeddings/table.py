"""Which vendor embeds how: codec and path, by the vendor's id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edgeagent.providers.embeddings import openai
from edgeagent.providers.embeddings.base import EmbeddingCodec
from edgeagent.providers.embeddings.cohere import CohereEmbeddingCodec
from edgeagent.providers.embeddings.google import GoogleEmbeddingCodec, vertex_form
from edgeagent.providers.embeddings.ollama import OllamaEmbeddingCodec
from edgeagent.providers.embeddings.openai import OpenAIEmbeddingCodec, Shape

__all__ = ["Route", "route"]


@dataclass(frozen=True, slots=True)
class Route:
    """How one model's embeddings are asked for."""

    codec: EmbeddingCodec
    path: str
    """Below the provider's base URL."""


_SHAPES: Final[Mapping[str, Shape]] = {
    "openai": openai.OPENAI,
    "azure.ai.openai": openai.OPENAI,
    "mistral_ai": openai.MISTRAL,
    "perplexity": openai.PERPLEXITY,
    "voyageai": openai.VOYAGEAI,
}
_NONE: Final = frozenset({"anthropic", "deepseek", "groq", "cerebras", "x_ai", "moonshot"})
"""Vendors whose API has no embeddings."""
_CHAT: Final = "/chat/completions"


def route(vendor: str, model: str, chat_path: str) -> Route | None:
    """How `vendor` embeds with `model`; None if it does not.

    Args:
        vendor: the provider's `vendor`: its id in telemetry.
        model: as the vendor calls it.
        chat_path: the provider's path of chat requests, `provider.path(model)`. Embeddings are beside it: in the same
            version of the API, the same deployment, the same project.
    """
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
    if vendor in _NONE:
        return None
    codec = OpenAIEmbeddingCodec(_SHAPES.get(vendor, openai.COMPATIBLE))
    version = "/v1" if vendor == "perplexity" else ""  # which has a version for embeddings, none for chat
    return _beside(chat_path, _CHAT, f"{version}/embeddings", codec)


def _beside(chat_path: str, chat: str, embeddings: str, codec: EmbeddingCodec) -> Route | None:
    """None where chat is elsewhere than the vendor's own API has it."""
    return Route(codec, chat_path.removesuffix(chat) + embeddings) if chat_path.endswith(chat) else None
