"""OpenAI's chat requests, both directions.

Our request is OpenAI's, so encoding takes away rather than translates: what only answers have, hints of other vendors,
parts of their answers. Everything taken away is named in what `Encoded` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from pydantic import ValidationError

from edgeagent.errors import RequestValidationError
from edgeagent.providers.base import Encoded
from edgeagent.providers.openai.adapting import adapt, with_short_ids
from edgeagent.providers.openai.messages import CACHE_HINT, Taken, media_of_results
from edgeagent.providers.openai.quirks import Quirks
from edgeagent.types import ChatRequest
from edgeagent.types.faults import first_fault
from edgeagent.types.request import NOT_IN_BODY

__all__ = ["decode_request", "encode_request"]

_RANGES: Final = (
    ("temperature", 0, 2),
    ("top_p", 0, 1),
    ("frequency_penalty", -2, 2),
    ("presence_penalty", -2, 2),
    ("n", 1, 128),
    ("top_logprobs", 0, 20),
)
"""From OpenAI's OpenAPI document, as are the other numbers of `_check`."""


def encode_request(request: ChatRequest, quirks: Quirks, *, model: str, stream: bool) -> Encoded:
    """Our request → the JSON body for `model`.

    Raises:
        RequestValidationError: a number outside the range that OpenAI documents, or what the server has not.
    """
    if quirks.documented_ranges:
        _check(request)
    body = request.params()
    body["model"] = model
    taken = Taken(quirks)
    body["messages"] = [taken.from_message(message) for message in request.messages]
    if request.tools and not quirks.cache_hints:
        body["tools"] = [taken.from_tool(tool) for tool in request.tools]
    if not quirks.cache_hints and body.pop(CACHE_HINT, None) is not None:
        taken.dropped.add(CACHE_HINT)
    edits = taken.edits()
    if "max_tokens" in body and model.removeprefix("ft:").startswith(quirks.output_limit_renamed):
        limit = body.pop("max_tokens")
        body.setdefault("max_completion_tokens", limit)
        edits.append("max_tokens sent as max_completion_tokens")
    if quirks.call_id_max is not None:
        messages = with_short_ids(body["messages"], quirks.call_id_max)
        if messages is not None:
            body["messages"] = messages
            edits.append(f"ids of tool calls longer than {quirks.call_id_max} characters replaced")
    if not quirks.result_media and (moved := media_of_results(body["messages"])) is not None:
        body["messages"] = moved
        edits.append("images, audio and files of tools' results follow as a user message: it is read there only")
    _stream(body, edits, stream=stream, options=quirks.stream_options)
    if quirks.lenient:
        edits += adapt(body, quirks, taken.dropped)
    return Encoded(body, dropped=tuple(sorted(taken.dropped)), edits=tuple(edits))


def _stream(body: dict[str, Any], edits: list[str], *, stream: bool, options: bool) -> None:
    if not stream:
        if body.get("stream"):
            del body["stream"]
        body.pop("stream_options", None)  # OpenAI refuses it without `stream`
        return
    body["stream"] = True
    if not options:
        if body.pop("stream_options", None):
            edits.append("stream_options left out: the server has none")
        return
    asked = body.get("stream_options") or {}
    if not asked.get("include_usage"):
        edits.append("stream_options.include_usage added")
        asked = {**asked, "include_usage": True}
    body["stream_options"] = asked


# Ranges


def _check(request: ChatRequest) -> None:
    for name, low, high in _RANGES:
        value = getattr(request, name)
        if value is not None and not low <= value <= high:
            _refuse(f"must be between {low} and {high}; got {value}", name)
    if isinstance(request.stop, list) and len(request.stop) > 4:
        _refuse(f"must hold at most 4 sequences; got {len(request.stop)}", "stop")
    for token, bias in (request.logit_bias or {}).items():
        if not -100 <= bias <= 100:
            _refuse(f"must be between -100 and 100; got {bias}", f"logit_bias.{token}")
    if request.metadata:
        _check_metadata(request.metadata)


def _check_metadata(metadata: Mapping[str, Any]) -> None:
    if len(metadata) > 16:
        _refuse(f"must hold at most 16 pairs; got {len(metadata)}", "metadata")
    for name, value in metadata.items():
        if len(name) > 64:
            _refuse("must have keys of at most 64 characters", "metadata")
        if not isinstance(value, str) or len(value) > 512:
            _refuse("must be text of at most 512 characters", f"metadata.{name}")


def _refuse(reason: str, param: str) -> NoReturn:
    raise RequestValidationError(f"{param}: {reason}.", param=param)


# The inverse


def decode_request(body: Mapping[str, Any]) -> ChatRequest:
    """OpenAI's body → our request, unknown fields kept.

    Raises:
        RequestValidationError: a missing or ill-typed field; `.param` names it.
    """
    for name in NOT_IN_BODY & body.keys():  # would become header fields or a query: not for a body to say
        _refuse("is no field of the body", name)
    try:
        return ChatRequest.model_validate(dict(body))
    except ValidationError as error:
        param, reason = first_fault(error)
        raise RequestValidationError(f"{param}: {reason}.", param=param) from None
