"""Gemini's whole answers, both directions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from edgeagent.providers.gemini.errors import error_in_answer
from edgeagent.providers.gemini.reader import ResponseReader, invalid
from edgeagent.providers.gemini.usage import RAW, metadata_of
from edgeagent.providers.gemini.words import NATIVE_FINISH, WIRE
from edgeagent.types import ChatCompletion, Choice
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse

__all__ = ["candidate_parts", "decode_response", "encode_response"]


def decode_response(response: HTTPResponse) -> ChatCompletion:
    """A 200 answer, one document or a whole array of them → the completion.

    Raises:
        ResponseValidationError: it is no JSON, has no candidates, or has wrong types.
        APIStatusError: it is an error all the same.
    """
    try:
        body = from_json(response.content)
    except ValueError:
        invalid("it is not JSON, or only the beginning of it", response.content)
    reader = ResponseReader()
    chunks = []
    for document in body if isinstance(body, list) else [body]:
        if not isinstance(document, Mapping):
            invalid("it is no JSON object", response.content)
        if document.get("error"):
            raise error_in_answer(document, response)
        chunks += reader.feed(document)
    completion = assemble(chunks + reader.end())
    if not completion.choices:
        invalid("it has no candidates", response.content)
    return completion


def encode_response(completion: ChatCompletion) -> dict[str, Any]:
    """The completion → `GenerateContentResponse`."""
    extra = {name: value for name, value in (completion.model_extra or {}).items() if name != RAW}
    body: dict[str, Any] = {"candidates": [_candidate(choice) for choice in completion.choices], **extra}
    if completion.usage is not None:
        body["usageMetadata"] = metadata_of(completion.usage)
    if completion.model:
        body["modelVersion"] = completion.model
    if completion.id:
        body["responseId"] = completion.id
    if isinstance(extra.get("promptFeedback"), Mapping) and not any(map(candidate_parts, completion.choices)):
        del body["candidates"]  # the prompt was refused: there is none
    return body


def _candidate(choice: Choice) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model"}, "index": choice.index, **(choice.model_extra or {})}
    parts = candidate_parts(choice)
    if parts:
        candidate["content"]["parts"] = parts
    reason = choice.native_finish_reason
    if reason is None and choice.finish_reason is not None:
        reason = NATIVE_FINISH[choice.finish_reason]
    if reason is not None:
        candidate["finishReason"] = reason
    return candidate


def candidate_parts(choice: Choice) -> list[dict[str, Any]]:
    """The parts of an answer: the vendor's own, or made of the plain fields."""
    message = choice.message
    native = message.native_content
    if native is not None and native.get("wire") == WIRE and isinstance(native.get("content"), list):
        return list(native["content"])
    parts: list[dict[str, Any]] = []
    if message.reasoning_content:
        parts.append({"text": message.reasoning_content, "thought": True})
    text = (message.content or "") + (message.refusal or "")
    if text:
        parts.append({"text": text})
    parts += [
        {"functionCall": {"id": call.id, "name": call.function.name, "args": _args(call.function)}}
        for call in message.tool_calls or ()
        if call.function is not None
    ]
    return parts


def _args(function: Any) -> dict[str, Any]:
    try:
        value = from_json(function.arguments)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
