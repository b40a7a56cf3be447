"""What is known of a call → OpenTelemetry attributes, by the GenAI conventions. Pure; no text of prompts or answers.

Source: https://github.com/open-telemetry/semantic-conventions-genai (docs/gen-ai/gen-ai-spans.md, openai.md). Where the
conventions have no name, ours begin with `edgeagent.`:

- `edgeagent.cached`, `edgeagent.cache_tier`, `edgeagent.coalesced`: whether and how the answer came without a call.
- `edgeagent.cached_inputs`: how many inputs of an embedding call the cache answered.
- `edgeagent.target`: the provider's name and the model that answered, `openai/gpt-4o-mini`.
- `edgeagent.attempts`: how many attempts were made. `edgeagent.request_id`: the provider's id of the last one.
- `edgeagent.cost_usd`, `edgeagent.saved_usd`: US dollars. `edgeagent.tags`: the call's tags.
- `edgeagent.closed_early`: the caller closed the stream, or was cancelled, before the end.

`gen_ai.request.model` is the name as the caller wrote it, also where it is an alias; `gen_ai.response.model` is the
vendor's own. Usage is given for calls that used something: a cached answer has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from edgeagent.telemetry.base import CallEnded, CallStarted
from edgeagent.types import (
    AnyAnswer,
    AnyRequest,
    Attempt,
    ChatCompletion,
    ChatRequest,
    CompletionUsage,
    CreateEmbeddingResponse,
    EmbeddingRequest,
    EmbeddingUsage,
    ModerationCreateResponse,
    ResponseMetadata,
)

__all__ = [
    "Attributes",
    "attempt_attributes",
    "end_attributes",
    "error_description",
    "provider_name",
    "request_attributes",
    "tokens_of",
    "used_nothing",
]

Attributes: TypeAlias = dict[str, Any]

NOBODY: Final = "edgeagent"
"""`gen_ai.provider.name` (which the conventions require) of a call that reached no provider."""

_REQUEST_PARAMETERS: Final = {
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "seed": "gen_ai.request.seed",
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
}

_PROMPT_DETAILS: Final = {
    "audio_tokens": "gen_ai.usage.audio.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_creation.input_tokens",
    "cached_tokens": "gen_ai.usage.cache_read.input_tokens",
    "image_tokens": "gen_ai.usage.image.input_tokens",
    "text_tokens": "gen_ai.usage.text.input_tokens",
}

_COMPLETION_DETAILS: Final = {
    "audio_tokens": "gen_ai.usage.audio.output_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "text_tokens": "gen_ai.usage.text.output_tokens",
}


def request_attributes(event: CallStarted) -> Attributes:
    """What was asked for, beyond operation and model."""
    request = event.request
    found = _chat_attributes(request, stream=event.stream) if isinstance(request, ChatRequest) else {}
    if isinstance(request, EmbeddingRequest):
        if request.encoding_format is not None:
            found["gen_ai.request.encoding_formats"] = [request.encoding_format]
        if request.dimensions is not None:
            found["gen_ai.embeddings.dimension.count"] = request.dimensions
    if event.tags:
        found["edgeagent.tags"] = event.tags
    return found


def _chat_attributes(request: ChatRequest, *, stream: bool) -> Attributes:
    found = _named(request, _REQUEST_PARAMETERS)
    if stream:
        found["gen_ai.request.stream"] = True
    if request.n is not None and request.n != 1:
        found["gen_ai.request.choice.count"] = request.n
    if request.output_limit is not None:
        found["gen_ai.request.max_tokens"] = request.output_limit
    if request.stop is not None:
        found["gen_ai.request.stop_sequences"] = [request.stop] if isinstance(request.stop, str) else request.stop
    top_k = (request.model_extra or {}).get("top_k")
    if isinstance(top_k, int | float):
        found["gen_ai.request.top_k"] = float(top_k)
    output = _output_type(request)
    if output is not None:
        found["gen_ai.output.type"] = output
    return found


def end_attributes(request: AnyRequest, event: CallEnded) -> Attributes:
    """How the call ended."""
    found: Attributes = {"gen_ai.provider.name": provider_name(event), **_edge_attributes(event.edge)}
    if event.time_to_first_chunk is not None:
        found["gen_ai.response.time_to_first_chunk"] = event.time_to_first_chunk
    if event.completion is not None:
        found.update(_answer_attributes(event.completion))
        usage = getattr(event.completion, "usage", None)
        if usage is not None and not used_nothing(event.edge):
            found.update(_usage_attributes(usage))
    if event.vendor == "openai" and isinstance(request, ChatRequest):
        completion = event.completion
        found.update(_openai_attributes(request, completion if isinstance(completion, ChatCompletion) else None))
    if event.error is not None:
        found["error.type"] = type(event.error).__qualname__
    elif event.completion is None:
        found["edgeagent.closed_early"] = True
    return found


def attempt_attributes(attempt: Attempt) -> Attributes:
    """One attempt, for a span's event."""
    found: Attributes = {
        "edgeagent.target": str(attempt.target),
        "edgeagent.outcome": attempt.outcome,
        "edgeagent.duration_ms": attempt.duration_ms,
    }
    if attempt.status is not None:
        found["http.response.status_code"] = attempt.status
    return found


def provider_name(event: CallEnded) -> str:
    """Who answered; if nobody did, the provider that was asked last."""
    if event.vendor is not None:
        return event.vendor
    return event.edge.attempts[-1].target.provider if event.edge.attempts else NOBODY


def used_nothing(edge: ResponseMetadata) -> bool:
    """Whether the answer came without a provider's call of its own, so that its usage was counted elsewhere."""
    return edge.cached or edge.coalesced


def error_description(error: BaseException) -> str:
    """The error's class and status. Not its message: providers quote prompts in theirs."""
    status = getattr(error, "status_code", None)
    name = type(error).__qualname__
    return name if status is None else f"{name} ({status})"


def _edge_attributes(edge: ResponseMetadata) -> Attributes:
    found: Attributes = {"edgeagent.cached": edge.cached, "edgeagent.attempts": len(edge.attempts)}
    if edge.cache_tier is not None:
        found["edgeagent.cache_tier"] = edge.cache_tier
    if edge.coalesced:
        found["edgeagent.coalesced"] = True
    if edge.cached_inputs:
        found["edgeagent.cached_inputs"] = edge.cached_inputs
    if edge.provider is not None:
        found["edgeagent.target"] = f"{edge.provider}/{edge.model}"
    if edge.cost_usd is not None:
        found["edgeagent.cost_usd"] = float(edge.cost_usd)
    if edge.saved_usd is not None:
        found["edgeagent.saved_usd"] = float(edge.saved_usd)
    if edge.request_id is not None:
        found["edgeagent.request_id"] = edge.request_id
    return found


def tokens_of(answer: AnyAnswer | None) -> tuple[int, int] | None:
    """Input and output tokens of an answer, as far as it tells them."""
    usage: CompletionUsage | EmbeddingUsage | None = getattr(answer, "usage", None)
    if usage is None:
        return None
    return usage.prompt_tokens, usage.completion_tokens if isinstance(usage, CompletionUsage) else 0


def _answer_attributes(answer: AnyAnswer) -> Attributes:
    found: Attributes = {}
    if isinstance(answer, ChatCompletion | ModerationCreateResponse) and answer.id:
        found["gen_ai.response.id"] = answer.id
    if answer.model:
        found["gen_ai.response.model"] = answer.model
    if isinstance(answer, ChatCompletion):
        found.update(_reasons(answer))
    elif isinstance(answer, CreateEmbeddingResponse) and answer.data and isinstance(answer.data[0].embedding, list):
        found["gen_ai.embeddings.dimension.count"] = len(answer.data[0].embedding)
    return found


def _reasons(completion: ChatCompletion) -> Attributes:
    reasons = [choice.finish_reason for choice in completion.choices if choice.finish_reason is not None]
    return {"gen_ai.response.finish_reasons": reasons} if reasons else {}


def _usage_attributes(usage: CompletionUsage | EmbeddingUsage) -> Attributes:
    if isinstance(usage, EmbeddingUsage):
        return {"gen_ai.usage.input_tokens": usage.prompt_tokens}
    return {
        "gen_ai.usage.input_tokens": usage.prompt_tokens,
        "gen_ai.usage.output_tokens": usage.completion_tokens,
        **_named(usage.prompt_tokens_details, _PROMPT_DETAILS),
        **_named(usage.completion_tokens_details, _COMPLETION_DETAILS),
    }


def _openai_attributes(request: ChatRequest, completion: ChatCompletion | None) -> Attributes:
    found: Attributes = {"openai.api.type": "chat_completions"}
    if request.service_tier is not None and request.service_tier != "auto":
        found["openai.request.service_tier"] = request.service_tier
    if completion is not None:
        names = ("service_tier", "system_fingerprint")
        found.update(_named(completion, {name: f"openai.response.{name}" for name in names}))
    return found


def _named(source: object, names: Mapping[str, str]) -> Attributes:
    """The fields of `source` that are set, under their attribute names; none of None."""
    return {key: value for field, key in names.items() if (value := getattr(source, field, None)) is not None}


def _output_type(request: ChatRequest) -> str | None:
    """The type of output that was asked for, if any was."""
    if "audio" in (request.modalities or ()):
        return "speech"
    format_ = (request.response_format or {}).get("type")
    if format_ in {"json_object", "json_schema"}:
        return "json"
    return "text" if format_ == "text" else None
