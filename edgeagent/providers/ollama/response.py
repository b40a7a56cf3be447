"""Ollama's whole answers → completions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from pydantic import ValidationError
from pydantic_core import from_json

from edgeagent.errors import APIConnectionError, ResponseValidationError
from edgeagent.providers.ollama.answer import (
    InvalidAnswerError,
    answer_id,
    epoch,
    extra_fields,
    finish_of,
    logprobs_of,
    message_of,
    text,
    usage_of,
)
from edgeagent.providers.ollama.errors import error_in_answer
from edgeagent.providers.ollama.stream import AnswerStreamDecoder
from edgeagent.types import ChatCompletion
from edgeagent.types.assembly import assemble
from edgeagent.types.faults import first_fault
from edgeagent.wire.http import HTTPResponse

__all__ = ["Normal", "decode_response"]

Normal: TypeAlias = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""What gives a document the form of `/api/chat`."""


def decode_response(response: HTTPResponse, normal: Normal = dict) -> ChatCompletion:
    """A 200 answer → the completion. Lines of a stream in its place are read as such.

    Raises:
        ResponseValidationError: it is no JSON, or not what Ollama documents.
        APIStatusError: it is an error all the same (`{"error": …}`).
    """
    try:
        document = from_json(response.content, allow_inf_nan=False)
    except ValueError as error:
        if b"\n" in response.content.strip():
            return _joined(response, normal)
        raise _invalid("it is not JSON, or only the beginning of it", response) from error
    if not isinstance(document, dict):
        raise _invalid("it is not a JSON object", response)
    if document.get("error"):
        raise error_in_answer(document, response)
    try:
        return ChatCompletion.model_validate(_completion(normal(document)))
    except InvalidAnswerError as error:
        raise _invalid(str(error), response, document) from None
    except ValidationError as error:
        raise _invalid(" ".join(first_fault(error)), response, document) from None
    except (ValueError, RecursionError) as error:
        raise _invalid("it holds what is not JSON", response, document) from error


def _completion(document: Mapping[str, Any]) -> dict[str, Any]:
    if document.get("done") is not True:
        raise InvalidAnswerError("it is not done")
    name = answer_id(document)
    message = message_of(document, name)
    if "tool_calls" not in message:
        message.setdefault("content", "")
    finish, native = finish_of(document, calls="tool_calls" in message)
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    if native is not None:
        choice["native_finish_reason"] = native
    if (logprobs := logprobs_of(document)) is not None:
        choice["logprobs"] = logprobs
    top = {"id": name, "created": epoch(document), "model": text(document, "model"), "choices": [choice]}
    usage = usage_of(document)
    return {**extra_fields(document), **top, **({"usage": usage} if usage is not None else {})}


def _joined(response: HTTPResponse, normal: Normal) -> ChatCompletion:
    decoder = AnswerStreamDecoder(normal)
    try:
        return assemble([*decoder.feed(response.content), *decoder.end()])
    except APIConnectionError as error:
        raise _invalid("it is only the beginning of a stream", response) from error


def _invalid(reason: str, response: HTTPResponse, body: object = None) -> ResponseValidationError:
    return ResponseValidationError(response, body, message=f"The answer is not one of Ollama's: {reason}.")
