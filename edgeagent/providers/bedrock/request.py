"""One request → the body of `POST /model/{modelId}/converse`.

Every parameter is translated, or dropped and named where it is advisory, or a `RequestValidationError` where it asks
for something that the vendor has not. Extra parameters that Converse has (`guardrailConfig`, `performanceConfig`, …) go
into the body as they are; all others are the model's own and go into `additionalModelRequestFields`.

Sources: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html,
https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from edgeagent.errors import RequestValidationError
from edgeagent.providers.anthropic.thinking import BUDGETS, encode_thinking, is_thinking, is_unthought
from edgeagent.providers.base import Encoded
from edgeagent.providers.bedrock.content import Context
from edgeagent.providers.bedrock.messages import encode_messages, has_tool_blocks
from edgeagent.providers.bedrock.models import BedrockFacts, bedrock_facts
from edgeagent.providers.bedrock.tools import asked_form
from edgeagent.providers.claude import ModelFacts
from edgeagent.providers.notes import Notes
from edgeagent.types import ChatRequest

__all__ = ["CONVERSE_FIELDS", "EVENT_STREAM", "encode_request"]

Body = dict[str, Any]

EVENT_STREAM: Final = "application/vnd.amazon.eventstream"

CONVERSE_FIELDS: Final = frozenset(
    {
        *("additionalModelRequestFields", "additionalModelResponseFieldPaths", "guardrailConfig", "inferenceConfig"),
        *("outputConfig", "performanceConfig", "projectIdentifier", "promptVariables", "requestMetadata"),
        *("serviceTier", "toolConfig"),
    }
)
"""Fields of a Converse body that an extra parameter may give."""

_MERGED: Final = ("additionalModelRequestFields", "inferenceConfig", "outputConfig", "requestMetadata", "toolConfig")
_ADVISORY: Final = (
    *("prediction", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "safety_identifier", "seed"),
    *("store", "user", "verbosity"),
)
_METADATA: Final = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}")
_TIERS: Final = frozenset({"priority", "default", "flex", "reserved"})
_OWN_REASONING: Final = frozenset({"thinking", "reasoningConfig", "reasoning_config", "reasoning_effort"})


def encode_request(request: ChatRequest, *, model: str, stream: bool) -> Encoded:
    """The body, what was dropped and what was edited. Raises `RequestValidationError`."""
    context = Context(bedrock_facts(model), Notes())
    _refuse(request)
    extra = dict(request.model_extra or {})
    betas = extra.pop("betas", None)
    given = {name: extra.pop(name) for name in tuple(extra) if name in CONVERSE_FIELDS and extra[name] is not None}
    fields: Body = {"anthropic_beta": betas, **extra} if betas else extra
    body = _translated(request, context, {**_object(given.get("additionalModelRequestFields")), **fields}, given)
    if fields:
        body["additionalModelRequestFields"] = {**body.get("additionalModelRequestFields", {}), **fields}
    for name, value in given.items():
        merged = name in _MERGED and isinstance(value, Mapping) and name in body
        body[name] = {**body[name], **value} if merged else value
    headers = {"accept": EVENT_STREAM} if stream else {}
    return Encoded(body, headers, context.notes.dropped, context.notes.edits, context.notes.promises)


def _translated(request: ChatRequest, context: Context, own: Mapping[str, Any], given: Mapping[str, Any]) -> Body:
    notes = context.notes
    system, messages = encode_messages(request.messages, context)
    asked = asked_form(request, context, tool_blocks=has_tool_blocks(messages) and "toolConfig" not in given)
    if asked.instruction is not None:
        system = [*system, {"text": asked.instruction}]
    turns = (
        (message["role"], [next(iter(block), "") for block in message["content"]]) for message in reversed(messages)
    )
    unthought = context.facts.claude is not None and is_unthought(turns)
    fields = _reasoning(request, context.facts, own, notes, forced=asked.is_forced, unthought=unthought)
    if request.parallel_tool_calls is False and asked.tools:
        fields.update(_one_call(asked.choice, context.facts, notes))
    body = {
        "messages": messages,
        "system": system or None,
        "inferenceConfig": _inference(request, context.facts, {**fields, **own}, notes) or None,
        "toolConfig": asked.tool_config,
        "outputConfig": {"textFormat": asked.text_format} if asked.text_format is not None else None,
        "additionalModelRequestFields": fields or None,
        **_rest(request, notes),
    }
    return {name: value for name, value in body.items() if value is not None}


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _refuse(request: ChatRequest) -> None:
    """What the vendor has not, and what would be another answer without it."""
    asked = {
        "n": (request.n not in {None, 1}, "gives one answer to a request"),
        "logprobs": (request.logprobs, "tells no log probabilities"),
        "top_logprobs": (request.top_logprobs, "tells no log probabilities"),
        "logit_bias": (request.logit_bias, "takes no bias of single tokens"),
        "audio": (request.audio is not None, "does not speak"),
        "modalities": (request.modalities not in (None, ["text"]), "answers with text only"),
        "moderation": (request.moderation is not None, "moderates by guardrails: see guardrailConfig"),
    }
    for name, (is_asked, reason) in asked.items():
        if is_asked:
            raise RequestValidationError(f"{name}: Converse {reason}.", param=name)
    if request.temperature is not None and not 0 <= request.temperature <= 1:
        raise RequestValidationError("Converse's temperature is from 0 to 1.", param="temperature")
    if request.top_p is not None and not 0 <= request.top_p <= 1:
        raise RequestValidationError("Converse's top_p is from 0 to 1.", param="top_p")


def _inference(request: ChatRequest, facts: BedrockFacts, fields: Mapping[str, Any], notes: Notes) -> Body:
    if request.max_completion_tokens is not None and request.max_tokens is not None:
        notes.drop("max_tokens")
    temperature, top_p = request.temperature, request.top_p
    if facts.claude is not None:
        temperature, top_p = _claude_sampling(temperature, top_p, facts.claude, fields.get("thinking"), notes)
    stop = [request.stop] if isinstance(request.stop, str) else request.stop
    if facts.claude is not None and any(not sequence.strip() for sequence in stop or ()):
        raise RequestValidationError("Claude refuses stop sequences of white space only.", param="stop")
    values = {"maxTokens": request.output_limit, "temperature": temperature, "topP": top_p, "stopSequences": stop}
    return {name: value for name, value in values.items() if value is not None and value != []}


def _claude_sampling(
    temperature: float | None, top_p: float | None, facts: ModelFacts, thinking: Any, notes: Notes
) -> tuple[float | None, float | None]:
    """`temperature` and `top_p`, as far as the model takes them; a value that is the default asks for nothing."""
    if facts.sampling == "none":
        for name, value in (("temperature", temperature), ("top_p", top_p)):
            if value not in {None, 1}:
                notes.drop(name)
        return None, None
    if is_thinking(thinking):
        if temperature not in {None, 1}:
            notes.drop("temperature")
            notes.edit("temperature is left out: the model refuses it beside thinking.")
            temperature = None
        if top_p is not None and top_p < 0.95:
            notes.drop("top_p")
            notes.edit("top_p is left out: the model refuses values below 0.95 beside thinking.")
            top_p = None
    if facts.sampling == "one" and temperature is not None and top_p is not None:
        if top_p != 1:
            notes.drop("top_p")
            notes.edit("top_p is left out: this model takes temperature or top_p, not both.")
        top_p = None
    return temperature, top_p


def _reasoning(
    request: ChatRequest, facts: BedrockFacts, own: Mapping[str, Any], notes: Notes, *, forced: bool, unthought: bool
) -> Body:
    """`reasoning_effort` in the model's own fields."""
    effort = request.reasoning_effort
    if effort is None:
        return {}
    if effort != "none" and effort not in BUDGETS:
        raise RequestValidationError("reasoning_effort is none of the documented values.", param="reasoning_effort")
    if not _OWN_REASONING.isdisjoint(own) or "effort" in _object(own.get("output_config")):
        notes.edit("reasoning_effort gives way to the caller's own parameters of the model.")
        return {}
    if facts.claude is not None:
        thinking, level = encode_thinking(request, facts.claude, notes, forced=forced, unthought=unthought)
        config = {"output_config": {"effort": level}} if level is not None else {}
        return {**({"thinking": thinking} if thinking is not None else {}), **config}
    if facts.name.startswith("amazon.nova-2"):
        return {"reasoningConfig": _nova(effort, request, notes)}
    if facts.name.startswith(("openai.gpt-oss", "qwen.qwen3")) and effort != "none":
        level = _nearest(effort, notes)
        return {"reasoning_effort" if facts.name.startswith("openai.") else "reasoning_config": level}
    if effort != "none":
        notes.drop("reasoning_effort")
    return {}


def _nova(effort: str, request: ChatRequest, notes: Notes) -> Body:
    """At the highest effort the model refuses to be told temperature, top_p or a limit."""
    if effort == "none":
        return {"type": "disabled"}
    level = _nearest(effort, notes)
    if level == "high" and any(v is not None for v in (request.temperature, request.top_p, request.output_limit)):
        level = "medium"
        notes.edit("reasoning_effort high is asked for as medium: the model refuses it beside sampling and limits.")
    return {"type": "enabled", "maxReasoningEffort": level}


def _nearest(effort: str, notes: Notes) -> str:
    level = {"minimal": "low", "xhigh": "high", "max": "high"}.get(effort, effort)
    if level != effort:
        notes.edit(f"reasoning_effort {effort} is asked for as {level}.")
    return level


def _one_call(choice: Mapping[str, Any] | None, facts: BedrockFacts, notes: Notes) -> Body:
    """`parallel_tool_calls: false`: Converse has no place for it, Claude's own `tool_choice` has."""
    if facts.claude is None or not facts.claude.native_schema:
        notes.drop("parallel_tool_calls")
        return {}
    if choice is None or "auto" in choice:
        kind: Body = {"type": "auto"}
    else:
        kind = {"type": "any"} if "any" in choice else {"type": "tool", **choice["tool"]}
    return {"tool_choice": {**kind, "disable_parallel_tool_use": True}}


def _rest(request: ChatRequest, notes: Notes) -> Body:
    for name in (*_ADVISORY, "frequency_penalty", "presence_penalty"):
        if getattr(request, name) not in (None, 0, False):
            notes.drop(name)
    tier = request.service_tier
    if tier is not None and tier not in _TIERS | {"auto"}:
        notes.drop("service_tier")
    return {
        "requestMetadata": _metadata(request.metadata, notes),
        "serviceTier": {"type": tier} if tier in _TIERS else None,
    }


def _metadata(metadata: Mapping[str, Any] | None, notes: Notes) -> dict[str, str] | None:
    """What is kept with AWS's log of the request, as far as its letters are allowed there."""
    kept = {
        name: value
        for name, value in (metadata or {}).items()
        if isinstance(value, str) and name and _METADATA.fullmatch(name) and _METADATA.fullmatch(value)
    }
    if len(kept) < len(metadata or {}):
        notes.drop("metadata")
    return kept or None
