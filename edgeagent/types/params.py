"""The keyword arguments of `chat.completions.create` and the other calls, as a type checker sees them.

They are openai's, one for one, plus `edge`. Message, tool and format objects may be plain dicts, openai's own typed
dicts, or message objects of either library.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel
from typing_extensions import Required, TypedDict

from edgeagent.types.options import EdgeOptions

__all__ = ["ChatParams", "EmbeddingParams", "Message", "ModerationParams", "QueryOptions", "RerankParams"]

Message: TypeAlias = Mapping[str, object] | BaseModel
JSONObject: TypeAlias = Mapping[str, object]


class ChatParams(TypedDict, total=False):
    """Everything but `stream`, which decides the type of the result."""

    messages: Required[Iterable[Message]]
    model: Required[str]
    audio: JSONObject | None
    frequency_penalty: float | None
    function_call: str | JSONObject
    functions: Iterable[JSONObject]
    logit_bias: Mapping[str, int] | None
    logprobs: bool | None
    max_completion_tokens: int | None
    max_tokens: int | None
    metadata: Mapping[str, str] | None
    modalities: Sequence[Literal["text", "audio"]] | None
    moderation: JSONObject | None
    n: int | None
    parallel_tool_calls: bool
    prediction: JSONObject | None
    presence_penalty: float | None
    prompt_cache_key: str
    prompt_cache_options: JSONObject
    prompt_cache_retention: str | None
    reasoning_effort: str | None
    response_format: JSONObject
    safety_identifier: str
    seed: int | None
    service_tier: str | None
    stop: str | Sequence[str] | None
    store: bool | None
    stream_options: JSONObject | None
    temperature: float | None
    tool_choice: str | JSONObject
    tools: Iterable[JSONObject]
    top_logprobs: int | None
    top_p: float | None
    user: str
    verbosity: str | None
    web_search_options: JSONObject
    extra_headers: Mapping[str, Any] | None
    extra_query: Mapping[str, Any] | None
    extra_body: Mapping[str, Any] | None
    timeout: Any
    edge: EdgeOptions


class _Options(TypedDict, total=False):
    extra_headers: Mapping[str, Any] | None
    extra_query: Mapping[str, Any] | None
    extra_body: Mapping[str, Any] | None
    timeout: Any
    edge: EdgeOptions


class QueryOptions(_Options, total=False):
    """What `models.list` and `models.retrieve` take besides the name."""


class EmbeddingParams(_Options, total=False):
    """Of `embeddings.create`: openai's, and `input_type`."""

    input: Required[str | Iterable[str] | Iterable[int] | Iterable[Iterable[int]] | Iterable[str | JSONObject]]
    model: Required[str]
    dimensions: int
    encoding_format: Literal["float", "base64"]
    user: str
    input_type: str


class RerankParams(_Options, total=False):
    """Of `rerank.create`: Cohere's."""

    model: Required[str]
    query: Required[str]
    documents: Required[Iterable[str | JSONObject]]
    top_n: int | None
    max_tokens_per_doc: int | None


class ModerationParams(_Options, total=False):
    """Of `moderations.create`: openai's."""

    input: Required[str | Iterable[str] | Iterable[JSONObject]]
    model: str
