"""Everything that a client can be asked in one call, and every whole answer: what routers and observers see."""

from __future__ import annotations

from typing import TypeAlias

from edgeagent.types.completion import ChatCompletion
from edgeagent.types.embedding import CreateEmbeddingResponse, EmbeddingRequest, RerankRequest, RerankResponse
from edgeagent.types.moderation import ModerationCreateResponse, ModerationRequest
from edgeagent.types.request import ChatRequest

__all__ = ["AnyAnswer", "AnyRequest"]

AnyRequest: TypeAlias = ChatRequest | EmbeddingRequest | RerankRequest | ModerationRequest
AnyAnswer: TypeAlias = ChatCompletion | CreateEmbeddingResponse | RerankResponse | ModerationCreateResponse
