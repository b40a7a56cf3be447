"""The unified model: requests, completions, chunks, usage and what the gateway did."""

from __future__ import annotations

from edgeagent.types.chunk import (
    ChatCompletionChunk,
    ChoiceDelta,
    ChoiceDeltaAudio,
    ChoiceDeltaFunctionCall,
    ChoiceDeltaToolCall,
    ChoiceDeltaToolCallCustom,
    ChoiceDeltaToolCallFunction,
    ChunkChoice,
)
from edgeagent.types.completion import (
    Annotation,
    AnnotationURLCitation,
    ChatCompletion,
    ChatCompletionAudio,
    ChatCompletionMessage,
    ChatCompletionMessageToolCall,
    ChatCompletionTokenLogprob,
    Choice,
    ChoiceLogprobs,
    CustomToolCall,
    FinishReason,
    Function,
    FunctionCall,
    TopLogprob,
)
from edgeagent.types.embedding import (
    CreateEmbeddingResponse,
    Embedding,
    EmbeddingRequest,
    EmbeddingUsage,
    RerankRequest,
    RerankResponse,
    RerankResult,
)
from edgeagent.types.listing import AsyncModelPage, Model, ModelPage, ModelQuery
from edgeagent.types.metadata import Attempt, CacheTierName, ResponseMetadata, Target
from edgeagent.types.moderation import (
    Categories,
    CategoryScores,
    Moderation,
    ModerationCreateResponse,
    ModerationRequest,
)
from edgeagent.types.operations import AnyAnswer, AnyRequest
from edgeagent.types.request import ChatRequest
from edgeagent.types.usage import CompletionTokensDetails, CompletionUsage, PromptTokensDetails

__all__ = [
    "Annotation",
    "AnnotationURLCitation",
    "AnyAnswer",
    "AnyRequest",
    "AsyncModelPage",
    "Attempt",
    "CacheTierName",
    "Categories",
    "CategoryScores",
    "ChatCompletion",
    "ChatCompletionAudio",
    "ChatCompletionChunk",
    "ChatCompletionMessage",
    "ChatCompletionMessageToolCall",
    "ChatCompletionTokenLogprob",
    "ChatRequest",
    "Choice",
    "ChoiceDelta",
    "ChoiceDeltaAudio",
    "ChoiceDeltaFunctionCall",
    "ChoiceDeltaToolCall",
    "ChoiceDeltaToolCallCustom",
    "ChoiceDeltaToolCallFunction",
    "ChoiceLogprobs",
    "ChunkChoice",
    "CompletionTokensDetails",
    "CompletionUsage",
    "CreateEmbeddingResponse",
    "CustomToolCall",
    "Embedding",
    "EmbeddingRequest",
    "EmbeddingUsage",
    "FinishReason",
    "Function",
    "FunctionCall",
    "Model",
    "ModelPage",
    "ModelQuery",
    "Moderation",
    "ModerationCreateResponse",
    "ModerationRequest",
    "PromptTokensDetails",
    "RerankRequest",
    "RerankResponse",
    "RerankResult",
    "ResponseMetadata",
    "Target",
    "TopLogprob",
]
from edgeagent.types.metadata import ResponseMetadata as _ResponseMetadata

ChatCompletion.model_rebuild(_types_namespace={"ResponseMetadata": _ResponseMetadata})
