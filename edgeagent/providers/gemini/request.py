"""One request → the body of generateContent.

Every parameter is translated, or dropped and named where it is advisory (`user`, `store`, `metadata`, …: they ask for
no other answer), or a `RequestValidationError` where it asks for something that the vendor has not (`logit_bias`,
moderation). Extra parameters are the vendor's own, in either spelling: those of `generationConfig` may stand by
themselves (`top_k`), inside `generationConfig`, or inside `google`, as Google's OpenAI-compatible API has it; they win.

Sources: https://ai.google.dev/api/generate-content#generationconfig, https://ai.google.dev/gemini-api/docs/openai.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.errors import RequestValidationError
from edgeagent.providers.base import Encoded
from edgeagent.providers.gemini.messages import encode_messages
from edgeagent.providers.gemini.models import ModelFacts, model_facts
from edgeagent.providers.gemini.names import camel
from edgeagent.providers.gemini.schema import native_schema
from edgeagent.providers.gemini.thinking import encode_thinking
from edgeagent.providers.gemini.tools import encode_choice, encode_tools, notes_of
from edgeagent.providers.notes import Notes
from edgeagent.types import ChatRequest
from edgeagent.wire.json import dump_json

__all__ = ["CONFIG_FIELDS", "TIERS", "encode_request"]

Body = dict[str, Any]

CONFIG_FIELDS: Final = frozenset(
    {
        *("audioTimestamp", "candidateCount", "enableAffectiveDialog", "enableEnhancedCivicAnswers"),
        *("frequencyPenalty", "imageConfig", "logprobs", "maxOutputTokens", "mediaResolution", "presencePenalty"),
        *("responseFormat", "responseJsonSchema", "responseLogprobs", "responseMimeType", "responseModalities"),
        *("responseSchema", "routingConfig", "seed", "speechConfig", "stopSequences", "temperature"),
        *("thinkingConfig", "topK", "topP", "modelSelectionConfig"),
    }
)
"""The fields of `generationConfig`."""

TIERS: Final[Mapping[str, str]] = {"default": "standard", "flex": "flex", "priority": "priority"}

_ADVISORY: Final = (
    *("metadata", "prediction", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"),
    *("safety_identifier", "store", "user", "verbosity"),
)


def encode_request(request: ChatRequest, *, model: str, vertex: bool = False) -> Encoded:
    """The body, what was dropped and what was edited. Raises `RequestValidationError`."""
    facts, notes = model_facts(model), Notes()
    _refuse(request)
    extra, extra_config = _extra(request)
    system, contents = encode_messages(request.messages, facts, notes)
    tools = encode_tools(request, facts, notes)
    choice = encode_choice(request, tools, notes)
    if choice is not None and choice["mode"] == "NONE" and "toolConfig" in extra:
        notes.edit("tool_choice is joined with the caller's own toolConfig.")
    config = _config(request, facts, extra_config, notes)
    system += _output(request, facts, config, tools, notes)
    config.update(extra_config)
    body: Body = {"contents": contents}
    if system:
        body["systemInstruction"] = {"parts": system}
    if tools:
        body["tools"] = tools
    if choice is not None:
        body["toolConfig"] = {"functionCallingConfig": choice}
    if config:
        body["generationConfig"] = config
    _rest(request, body, notes, vertex=vertex)
    own = extra.pop("toolConfig", None)
    if isinstance(own, Mapping):
        body["toolConfig"] = {**body.get("toolConfig", {}), **own}
    body.update(extra)
    return Encoded(body, {}, notes.dropped, notes.edits, notes.promises)


def _refuse(request: ChatRequest) -> None:
    """What the vendor has not, and what would be another answer without it."""
    if request.logit_bias:
        raise RequestValidationError("logit_bias: Gemini takes no bias of single tokens.", param="logit_bias")
    if request.moderation is not None:
        raise RequestValidationError("moderation: Gemini moderates by safetySettings.", param="moderation")
    if request.temperature is not None and not 0 <= request.temperature <= 2:
        raise RequestValidationError("Gemini's temperature is from 0 to 2.", param="temperature")
    if request.top_p is not None and not 0 <= request.top_p <= 1:
        raise RequestValidationError("Gemini's top_p is from 0 to 1.", param="top_p")
    if request.top_logprobs is not None and not 0 <= request.top_logprobs <= 20:
        raise RequestValidationError("Gemini's top_logprobs are from 0 to 20.", param="top_logprobs")


def _extra(request: ChatRequest) -> tuple[Body, Body]:
    """The caller's own parameters: those of the body, and those of `generationConfig`."""
    given = dict(request.model_extra or {})
    nested = given.pop("google", None)
    body: Body = {}
    config: Body = {}
    try:
        for source in (given, nested if isinstance(nested, Mapping) else {}):
            for name, value in camel(source).items():
                if name == "generationConfig" and isinstance(value, Mapping):
                    config.update(value)
                else:
                    (config if name in CONFIG_FIELDS else body)[name] = value
    except RecursionError:
        raise RequestValidationError("An extra parameter is nested too deeply.", param="extra_body") from None
    return body, config


def _config(request: ChatRequest, facts: ModelFacts, extra: Mapping[str, Any], notes: Notes) -> Body:
    if request.max_completion_tokens is not None and request.max_tokens is not None:
        notes.drop("max_tokens")
    stop = [request.stop] if isinstance(request.stop, str) else request.stop
    thinking = None
    if "thinkingConfig" not in extra:
        thinking = encode_thinking(request.reasoning_effort, facts, notes)
    elif request.reasoning_effort is not None:
        notes.edit("reasoning_effort gives way to the caller's own thinkingConfig.")
    config = {
        "temperature": request.temperature,
        "topP": request.top_p,
        "candidateCount": request.n,
        "maxOutputTokens": request.output_limit,
        "stopSequences": list(stop) if stop else None,
        "seed": request.seed,
        **_penalties(request, facts, notes),
        "responseLogprobs": request.logprobs or None,
        "logprobs": request.top_logprobs,
        "thinkingConfig": thinking,
        **_speech(request, extra, notes),
    }
    return {name: value for name, value in config.items() if value is not None}


def _penalties(request: ChatRequest, facts: ModelFacts, notes: Notes) -> Body:
    if facts.penalties:
        return {"presencePenalty": request.presence_penalty, "frequencyPenalty": request.frequency_penalty}
    for name in ("presence_penalty", "frequency_penalty"):
        if getattr(request, name):
            notes.drop(name)
    return {}


def _speech(request: ChatRequest, extra: Mapping[str, Any], notes: Notes) -> Body:
    """OpenAI's spoken answers as Google's (/gemini-api/docs/speech-generation): 24 kHz PCM, as OpenAI's pcm16."""
    asked = request.modalities
    if asked is None or "responseModalities" in extra:
        return {}
    known = {"text": "TEXT", "audio": "AUDIO", "image": "IMAGE"}
    if not asked or any(modality not in known for modality in asked):
        raise RequestValidationError("Gemini answers with text, audio or images.", param="modalities")
    if asked == ["text"]:
        return {}
    if "audio" not in asked:
        return {"responseModalities": [known[modality] for modality in asked]}
    audio = request.audio or {}
    if audio.get("format", "pcm16") != "pcm16":
        raise RequestValidationError("Gemini speaks pcm16 only.", param="audio.format")
    if len(asked) > 1:
        notes.edit("Audio alone is asked for: the vendor gives no text beside it.")
    voice = audio.get("voice")
    result: Body = {"responseModalities": ["AUDIO"]}
    if isinstance(voice, str):
        result["speechConfig"] = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": voice}}}
    return result


def _output(
    request: ChatRequest, facts: ModelFacts, config: Body, tools: list[Body], notes: Notes
) -> list[dict[str, Any]]:
    """Put the wanted form of the answer into `config`, or return it as a part of the system instruction."""
    wanted = request.response_format
    if wanted is None or wanted.get("type") == "text":
        return []
    if wanted.get("type") not in ("json_object", "json_schema"):
        raise RequestValidationError("response_format is none of the documented values.", param="response_format.type")
    schema = None
    where = "response_format.json_schema"
    if wanted["type"] == "json_schema":
        inner = wanted.get("json_schema")
        if not isinstance(inner, Mapping) or not isinstance(inner.get("schema"), Mapping):
            raise RequestValidationError("A json_schema format needs a schema.", param=f"{where}.schema")
        schema = dict(inner["schema"])
        if isinstance(inner.get("description"), str):
            schema.setdefault("description", inner["description"])
    strict = bool(schema is not None and wanted["json_schema"].get("strict"))
    if any("functionDeclarations" in tool for tool in tools) and not facts.json_with_tools:
        notes.edit("response_format is asked for in words: this model takes no form of the answer beside tools.")
        if strict and schema is not None:
            notes.promise(schema)
        return [{"text": _told(schema)}]
    config["responseMimeType"] = "application/json"
    if schema is None:
        return []
    native = native_schema(schema, facts)
    notes_of(native.relaxed, notes, f"{where}.schema")
    if strict and native.relaxed:
        notes.promise(schema)
    config["responseJsonSchema" if native.is_json else "responseSchema"] = native.schema
    return []


def _told(schema: Mapping[str, Any] | None) -> str:
    told = "When you answer, answer with one JSON value and nothing else: no code fence, no words before or after it."
    return told if schema is None else f"{told} It follows this JSON Schema: {dump_json(schema).decode()}"


def _rest(request: ChatRequest, body: Body, notes: Notes, *, vertex: bool) -> None:
    tier = request.service_tier
    if tier is not None and tier != "auto":
        if vertex or tier not in {*TIERS, *TIERS.values()}:
            notes.drop("service_tier")
        else:
            body["serviceTier"] = TIERS.get(tier, tier)
    for name in _ADVISORY:
        if getattr(request, name) is not None:
            notes.drop(name)
