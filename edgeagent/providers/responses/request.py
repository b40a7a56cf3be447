"""Our request → the body of `POST /responses`.

- What the API lacks and what changes the answer (`n`, `stop`, `logit_bias`, spoken output) makes the target unfit; what
  is advisory (`seed`, penalties, `prediction`) is dropped and named.
- Answers are not stored unless the caller says so, as in chat; this API's own default is to store them. So that the
  conversation can go on without the vendor's memory, models that reason are asked for their reasoning in encrypted
  form, and it is sent back (https://platform.openai.com/docs/guides/reasoning#encrypted-reasoning-items). A request
  that builds on what is stored (`previous_response_id`, `conversation`, `background`) is left to the vendor's default.
- The vendor's own parameters (`reasoning`, `text`, `include`, `truncation`, `previous_response_id`, …) come in
  `extra_body` and win.

Source: https://platform.openai.com/docs/api-reference/responses/create.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from edgeagent.errors import RequestValidationError
from edgeagent.providers.base import Encoded
from edgeagent.providers.notes import Notes
from edgeagent.providers.openai.models import capabilities
from edgeagent.providers.responses.messages import encode_messages
from edgeagent.providers.responses.tools import encode_choice, encode_format, encode_tools
from edgeagent.types import ChatRequest

__all__ = ["ENCRYPTED", "LOGPROBS", "MIN_OUTPUT", "SAME", "STATEFUL", "encode_request"]

Body = dict[str, Any]

ENCRYPTED: Final = "reasoning.encrypted_content"
LOGPROBS: Final = "message.output_text.logprobs"

SAME: Final = (
    *("metadata", "moderation", "parallel_tool_calls", "prompt_cache_key", "prompt_cache_options"),
    *("prompt_cache_retention", "safety_identifier", "service_tier", "temperature", "top_logprobs", "top_p", "user"),
)
"""Parameters that both APIs have under one name and with one meaning."""

STATEFUL: Final = ("background", "conversation", "previous_response_id", "prompt")
"""Parameters that refer to what the vendor stores, or need that it stores."""

_ADVISORY: Final = ("prediction", "seed")
_RANGES: Final = (("temperature", 0, 2), ("top_p", 0, 1), ("top_logprobs", 0, 20))
MIN_OUTPUT: Final = 16
"""The least `max_output_tokens`, as are the ranges by OpenAI's OpenAPI document."""


def encode_request(request: ChatRequest, *, model: str, stream: bool, own: bool) -> Encoded:
    """Our request → the JSON body for `model`; `own`: for OpenAI itself, whose ranges are known.

    Raises:
        RequestValidationError: a number outside its range, or what this API cannot be asked.
    """
    notes = Notes()
    _refuse_unfit(request)
    if own:
        _check(request)
    extra = {name: value for name, value in (request.model_extra or {}).items() if value is not None}
    stateful = any(extra.get(name) for name in STATEFUL)
    store = request.store if request.store is not None or stateful else False
    instructions, items = encode_messages(
        request.messages, notes, stored=store is not False, instructions="instructions" not in extra
    )
    body: Body = {"model": model}
    if items or "prompt" not in extra:
        body["input"] = items
    values = {"instructions": instructions, **{name: getattr(request, name) for name in SAME}}
    values.update(max_output_tokens=request.output_limit, store=store, tool_choice=encode_choice(request))
    if tools := encode_tools(request, notes):
        values["tools"] = tools
    if stream:
        values["stream"] = True
        obfuscation = (request.stream_options or {}).get("include_obfuscation")
        values["stream_options"] = None if obfuscation is None else {"include_obfuscation": obfuscation}
    body.update({name: value for name, value in values.items() if value is not None})
    _merge(body, extra, "text", _text(request))
    _merge(body, extra, "reasoning", {"effort": request.reasoning_effort} if request.reasoning_effort else {})
    body.update(extra)
    _include(request, body, notes, encrypted=store is False and "reasoning" in capabilities(model).features)
    if store is False and request.store is None:
        notes.edit("store: false is sent, as chat has it: this API stores answers unless told otherwise.")
    _drop_advisory(request, notes)
    return Encoded(body, dropped=notes.dropped, edits=notes.edits)


def _refuse_unfit(request: ChatRequest) -> None:
    if (request.n or 1) > 1:
        _refuse("the Responses API gives one answer", "n")
    if request.stop:
        _refuse("the Responses API has no stop sequences", "stop")
    if request.logit_bias:
        _refuse("the Responses API takes no bias of single tokens", "logit_bias")
    if request.audio is not None or "audio" in (request.modalities or ()):
        _refuse("the Responses API does not speak", "audio" if request.audio is not None else "modalities")


def _check(request: ChatRequest) -> None:
    for name, low, high in _RANGES:
        value = getattr(request, name)
        if value is not None and not low <= value <= high:
            _refuse(f"must be between {low} and {high}; got {value}", name)
    limit = request.output_limit
    if limit is not None and limit < MIN_OUTPUT:
        name = "max_tokens" if request.max_completion_tokens is None else "max_completion_tokens"
        _refuse(f"must be at least {MIN_OUTPUT} in the Responses API; got {limit}", name)


def _refuse(reason: str, param: str) -> NoReturn:
    raise RequestValidationError(f"{param}: {reason}.", param=param)


def _text(request: ChatRequest) -> Body:
    text: Body = {}
    if request.response_format is not None:
        text["format"] = encode_format(request.response_format)
    if request.verbosity is not None:
        text["verbosity"] = request.verbosity
    return text


def _merge(body: Body, extra: dict[str, Any], name: str, made: Body) -> None:
    """What chat's parameters say and what the caller's own object of that name says, field by field; its wins."""
    given = extra.get(name)
    if isinstance(given, Mapping):
        extra[name] = {**made, **given}
    elif made:
        body[name] = made


def _include(request: ChatRequest, body: Body, notes: Notes, *, encrypted: bool) -> None:
    include = list(body.get("include") or ())
    if request.logprobs and LOGPROBS not in include:
        include.append(LOGPROBS)
    if encrypted and ENCRYPTED not in include:
        include.append(ENCRYPTED)
        notes.edit("include: reasoning.encrypted_content is added, so that reasoning can be sent back.")
    if include:
        body["include"] = include


def _drop_advisory(request: ChatRequest, notes: Notes) -> None:
    for name in ("frequency_penalty", "presence_penalty"):
        if getattr(request, name):
            notes.drop(name)
    for name in _ADVISORY:
        if getattr(request, name) is not None:
            notes.drop(name)
