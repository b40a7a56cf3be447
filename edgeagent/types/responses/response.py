"""The response object of the Responses API."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from edgeagent.types.parameters import Answered
from edgeagent.types.responses._open import Anything, Open, told
from edgeagent.types.responses.items import ResponseOutputMessage
from edgeagent.types.responses.parts import ResponseOutputText
from edgeagent.types.responses.tool_items import ResponseOutputItem

__all__ = [
    "IncompleteDetails",
    "InputTokensDetails",
    "OutputTokensDetails",
    "Reasoning",
    "Response",
    "ResponseError",
    "ResponseTextConfig",
    "ResponseUsage",
    "TextFormat",
]


class InputTokensDetails(Open):
    """What of the input was read from the vendor's cache, and written to it."""

    cached_tokens: int = told()
    cache_write_tokens: int | None = None


class OutputTokensDetails(Open):
    """What of the output was reasoning."""

    reasoning_tokens: int = told()


class ResponseUsage(Open):
    """Token counts: input includes what was cached, output includes reasoning."""

    input_tokens: int = told()
    input_tokens_details: InputTokensDetails = told()
    output_tokens: int = told()
    output_tokens_details: OutputTokensDetails = told()
    total_tokens: int = told()


class ResponseError(Open):
    """Why a response failed."""

    code: str = told()
    message: str = told()


class IncompleteDetails(Open):
    """Why a response is incomplete: `max_output_tokens` or `content_filter`."""

    reason: str | None = None


class Reasoning(Open):
    """How the model was asked to think, and to tell of it."""

    effort: str | None = None
    generate_summary: str | None = None
    summary: str | None = None


class TextFormat(Open):
    """The form of the text: `text`, `json_object`, or `json_schema` with its schema."""

    type: str = told()
    name: str | None = None
    description: str | None = None
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    strict: bool | None = None


class ResponseTextConfig(Open):
    """How the text was asked for."""

    format: TextFormat | None = None
    verbosity: str | None = None


class Response(Open, Answered):
    """An answer of the Responses API: openai's field names, unknown fields kept.

    What it repeats of the request is there as the vendor sent it (as asked, where the answer is translated from another
    API). `created_at` and `completed_at` are in epoch seconds.
    """

    id: str = told()
    created_at: float = told()
    error: ResponseError | None = None
    incomplete_details: IncompleteDetails | None = None
    instructions: Anything = None
    metadata: dict[str, str] | None = None
    model: str = told()
    object: Literal["response"] = "response"
    output: list[ResponseOutputItem] = told()
    parallel_tool_calls: bool = told()
    temperature: float | None = None
    tool_choice: Anything = None
    tools: Anything = None
    top_p: float | None = None
    background: bool | None = None
    completed_at: float | None = None
    conversation: Anything = None
    image: Anything = None
    input_transformations: Anything = None
    access_programs: Anything = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    moderation: Anything = None
    previous_response_id: str | None = None
    prompt: Anything = None
    prompt_cache_diagnostics: Anything = None
    prompt_cache_key: str | None = None
    prompt_cache_options: Anything = None
    prompt_cache_retention: str | None = None
    reasoning: Reasoning | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    status: str | None = None
    text: ResponseTextConfig | None = None
    tool_usage: Anything = None
    top_logprobs: int | None = None
    truncation: str | None = None
    usage: ResponseUsage | None = None
    user: str | None = None

    @property
    def output_text(self) -> str:
        """Every text of the output's messages, joined."""
        messages = [item for item in self.output or () if isinstance(item, ResponseOutputMessage)]
        parts = [part for message in messages for part in message.content or ()]
        return "".join(part.text or "" for part in parts if isinstance(part, ResponseOutputText))
