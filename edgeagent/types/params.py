"""The keyword arguments of `chat.completions.create` and the other calls, as a type checker sees them.

They are openai's, one for one, plus `edge`. Message, tool and format objects may be plain dicts, openai's own typed
dicts, or message objects of either library.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel
from typing_extensions import Required, TypedDict

from edgeagent.types.left_out import LeftOut
from edgeagent.types.options import EdgeOptions

__all__ = [
    "ChatParams",
    "EmbeddingParams",
    "JSONObject",
    "Message",
    "ModerationParams",
    "ParseParams",
    "QueryOptions",
    "RerankParams",
]

Message: TypeAlias = Mapping[str, object] | BaseModel
JSONObject: TypeAlias = Mapping[str, object]


class ParseParams(TypedDict, total=False):
    """The arguments of `parse` and `stream` but `response_format`, which decides the type of the result."""

    messages: Required[Iterable[Message]]
    model: Required[str]
    audio: JSONObject | LeftOut | None
    frequency_penalty: float | LeftOut | None
    function_call: str | JSONObject | LeftOut
    functions: Iterable[JSONObject] | LeftOut
    logit_bias: Mapping[str, int] | Mapping[int, int] | LeftOut | None
    logprobs: bool | LeftOut | None
    max_completion_tokens: int | LeftOut | None
    max_tokens: int | LeftOut | None
    metadata: Mapping[str, str] | LeftOut | None
    modalities: Sequence[Literal["text", "audio"]] | LeftOut | None
    moderation: JSONObject | LeftOut | None
    n: int | LeftOut | None
    parallel_tool_calls: bool | LeftOut
    prediction: JSONObject | LeftOut | None
    presence_penalty: float | LeftOut | None
    prompt_cache_key: str | LeftOut
    prompt_cache_options: JSONObject | LeftOut
    prompt_cache_retention: str | LeftOut | None
    reasoning_effort: str | LeftOut | None
    safety_identifier: str | LeftOut
    seed: int | LeftOut | None
    service_tier: str | LeftOut | None
    stop: str | Sequence[str] | LeftOut | None
    store: bool | LeftOut | None
    stream_options: JSONObject | LeftOut | None
    temperature: float | LeftOut | None
    tool_choice: str | JSONObject | LeftOut
    tools: Iterable[JSONObject] | LeftOut
    top_logprobs: int | LeftOut | None
    top_p: float | LeftOut | None
    user: str | LeftOut
    verbosity: str | LeftOut | None
    web_search_options: JSONObject | LeftOut
    extra_headers: Mapping[str, Any] | None
    extra_query: Mapping[str, Any] | None
    extra_body: Mapping[str, Any] | None
    timeout: Any
    edge: EdgeOptions


class ChatParams(ParseParams, total=False):
    """The arguments of `create` but `stream`, which decides the type of the result."""

    response_format: JSONObject | LeftOut


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
