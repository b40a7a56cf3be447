"""Chat requests ↔ the body of a text generation: `{"inputs", "parameters", "stream"}`.

The endpoint continues a text and knows no conversation, tools or images (Hugging Face's chat is OpenAI's, another
API), so a request is one user's text; anything else is a `RequestValidationError`. `details` are asked for, since they
tell why an answer ended, and the prompt is not to be repeated (`return_full_text`). Extra parameters that are no field
of the body go into `parameters`.

Source: https://huggingface.co/docs/inference-providers/tasks/text-generation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from edgeagent.errors import RequestValidationError
from edgeagent.providers.base import Encoded
from edgeagent.providers.notes import Notes
from edgeagent.types import ChatRequest
from edgeagent.types.faults import first_fault

__all__ = ["decode_request", "encode_request"]

_SAME: Final = ("temperature", "top_p", "seed", "frequency_penalty")
_ADVISORY: Final = (
    "metadata",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "safety_identifier",
    "service_tier",
    "store",
    "user",
    "verbosity",
)
_BODY: Final = frozenset({"options"})
"""Extra parameters that stand beside `parameters`."""
_DEFAULTS: Final[Mapping[str, Any]] = {"details": True, "return_full_text": False}


def encode_request(request: ChatRequest, *, stream: bool) -> Encoded:
    """The body, what was dropped and what was edited. Raises `RequestValidationError`."""
    notes = Notes()
    _refuse(request)
    for name in _ADVISORY:
        if getattr(request, name) is not None:
            notes.drop(name)
    extra = dict(request.model_extra or {})
    if extra.pop("cache_control", None) is not None:
        notes.drop("cache_control")
    beside = {name: extra.pop(name) for name in sorted(_BODY & extra.keys())}
    given = extra.pop("parameters", None)
    parameters: dict[str, Any] = {
        **_DEFAULTS,
        "max_new_tokens": request.output_limit,
        **{name: getattr(request, name) for name in _SAME},
        "stop": [request.stop] if isinstance(request.stop, str) else request.stop,
        "top_n_tokens": request.top_logprobs,
        "grammar": _grammar(request, notes),
        **extra,
        **(given if isinstance(given, Mapping) else {}),
    }
    body = {"inputs": _prompt(request), "parameters": {k: v for k, v in parameters.items() if v is not None}, **beside}
    if stream:
        body["stream"] = True
    return Encoded(body, dropped=notes.dropped, edits=notes.edits, promises=notes.promises)


def _refuse(request: ChatRequest) -> None:
    asked = {
        "n": (request.n not in {None, 1}, "gives one answer to a request"),
        "tools": (bool(request.tools), "knows no tools"),
        "logit_bias": (bool(request.logit_bias), "has no token biases"),
        "audio": (request.audio is not None, "does not speak"),
        "modalities": (bool({*(request.modalities or ())} - {"text"}), "answers with text"),
        "moderation": (request.moderation is not None, "has no moderation"),
        "web_search_options": (request.web_search_options is not None, "does not search the web"),
    }
    for name, (is_asked, reason) in asked.items():
        if is_asked:
            raise RequestValidationError(f"Hugging Face's text generation {reason}.", param=name)


def _prompt(request: ChatRequest) -> str:
    message = request.messages[0] if len(request.messages) == 1 else {}
    if message.get("role") != "user":
        told = "Hugging Face's text generation continues one user's text; it holds no conversation."
        raise RequestValidationError(told, param="messages")
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    texts: list[str] = []
    for i, part in enumerate(parts):
        if not isinstance(part, Mapping) or part.get("type") != "text" or not isinstance(part.get("text"), str):
            where = f"messages[0].content[{i}].type"
            raise RequestValidationError("Hugging Face's text generation reads text.", param=where)
        texts.append(part["text"])
    return "\n".join(texts)


def _grammar(request: ChatRequest, notes: Notes) -> dict[str, Any] | None:
    wanted = request.response_format or {}
    kind = wanted.get("type")
    if kind in {None, "text"}:
        return None
    if kind == "json_object":
        return {"type": "json", "value": {"type": "object"}}
    spec = wanted.get("json_schema")
    schema = spec.get("schema") if isinstance(spec, Mapping) else None
    if kind != "json_schema" or spec is None or not isinstance(schema, Mapping):
        raise RequestValidationError("A json_schema format needs a schema.", param="response_format")
    if spec.get("strict"):
        notes.promise(schema)
    return {"type": "json", "value": dict(schema)}


# The inverse


def decode_request(body: Mapping[str, Any]) -> ChatRequest:
    """A body → our request; the model, which only the address names, is empty. Raises `RequestValidationError`."""
    prompt, parameters = body.get("inputs"), body.get("parameters") or {}
    if not isinstance(prompt, str):
        raise RequestValidationError("inputs: a prompt is text.", param="inputs")
    if not isinstance(parameters, Mapping):
        raise RequestValidationError("parameters: it is an object.", param="parameters")
    own = {k: v for k, v in parameters.items() if v is not None and (k, v) not in _DEFAULTS.items()}
    params: dict[str, Any] = {name: own.pop(name) for name in (*_SAME, "stop") if name in own}
    for ours, theirs in (("max_completion_tokens", "max_new_tokens"), ("top_logprobs", "top_n_tokens")):
        if theirs in own:
            params[ours] = own.pop(theirs)
    grammar = own.get("grammar")
    if isinstance(grammar, Mapping) and grammar.get("type") == "json" and isinstance(grammar.get("value"), Mapping):
        schema = {"name": "answer", "schema": dict(own.pop("grammar")["value"])}
        params["response_format"] = {"type": "json_schema", "json_schema": schema}
    if own:
        params["parameters"] = own
    if body.get("options") is not None:
        params["options"] = body["options"]
    if body.get("stream"):
        params["stream"] = True
    try:
        return ChatRequest.model_validate({"model": "", "messages": [{"role": "user", "content": prompt}], **params})
    except ValidationError as error:
        param, reason = first_fault(error)
        raise RequestValidationError(f"{param}: {reason}.", param=param) from None
