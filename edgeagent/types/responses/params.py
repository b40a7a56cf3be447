"""The keyword arguments of `responses.create`, as a type checker sees them: openai's, one for one, and `edge`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel
from typing_extensions import TypedDict

from edgeagent.types.options import EdgeOptions

__all__ = ["InputItem", "ItemsParams", "ResponseParams", "RetrieveParams", "StoredParams", "StreamedParams"]

InputItem: TypeAlias = Mapping[str, object] | BaseModel
"""One item of `input`: a dict, openai's own typed dict, or an item of a response of either library."""
JSONObject: TypeAlias = Mapping[str, object]


class ResponseParams(TypedDict, total=False):
    """Everything but `stream`, which decides the type of the result."""

    access_programs: JSONObject
    background: bool | None
    background_options: JSONObject
    context_management: Iterable[JSONObject] | None
    conversation: str | JSONObject | None
    image: JSONObject
    include: Sequence[str] | None
    input: str | Iterable[InputItem]
    instructions: str | None
    max_output_tokens: int | None
    max_tool_calls: int | None
    metadata: Mapping[str, str] | None
    model: str
    moderation: JSONObject | None
    parallel_tool_calls: bool | None
    previous_response_id: str | None
    prompt: JSONObject | None
    prompt_cache_key: str | None
    prompt_cache_options: JSONObject
    prompt_cache_retention: str | None
    reasoning: JSONObject | None
    safety_identifier: str | None
    service_tier: str | None
    store: bool | None
    stream_options: JSONObject | None
    temperature: float | None
    text: JSONObject
    tool_choice: str | JSONObject
    tools: Iterable[JSONObject]
    top_logprobs: int | None
    top_p: float | None
    truncation: str | None
    user: str
    extra_headers: Mapping[str, Any] | None
    extra_query: Mapping[str, Any] | None
    extra_body: Mapping[str, Any] | None
    timeout: Any
    edge: EdgeOptions


class StoredParams(TypedDict, total=False):
    """Of what is asked about a stored response. `edge` may name a `provider` besides its usual options."""

    extra_headers: Mapping[str, Any] | None
    extra_query: Mapping[str, Any] | None
    timeout: Any
    edge: Mapping[str, Any]


class RetrieveParams(StoredParams, total=False):
    """Of `responses.retrieve`."""

    include: Sequence[str]
    include_obfuscation: bool
    starting_after: int


class StreamedParams(StoredParams, total=False):
    """Of `responses.stream` with a `response_id`."""

    include: Sequence[str]
    starting_after: int
    tools: Iterable[JSONObject]


class ItemsParams(StoredParams, total=False):
    """Of `responses.input_items.list`."""

    after: str
    include: Sequence[str]
    limit: int
    order: Literal["asc", "desc"]
