"""Cohere's whole answers → completions.

https://docs.cohere.com/v2/reference/chat: `finish_reason` is COMPLETE, STOP_SEQUENCE, MAX_TOKENS, TOOL_CALL, ERROR or
TIMEOUT; older models also said ERROR_TOXIC and ERROR_LIMIT. An answer that ended with an error is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json

from edgeagent.errors import ResponseValidationError
from edgeagent.providers.cohere.blocks import message_of
from edgeagent.providers.cohere.errors import failed_answer
from edgeagent.providers.cohere.usage import decode_usage
from edgeagent.providers.events import UnexpectedFormError
from edgeagent.types import ChatCompletion
from edgeagent.types.completion import FinishReason
from edgeagent.types.faults import first_fault
from edgeagent.wire.http import HTTPResponse

__all__ = ["decode_response", "extra_fields", "finish_of", "has_failed", "invalid_answer", "logprobs_of"]

_FINISH: Final[Mapping[str, FinishReason]] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "USER_CANCEL": "stop",
    "MAX_TOKENS": "length",
    "ERROR_LIMIT": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR_TOXIC": "content_filter",
}
_FAILED: Final = ("ERROR", "TIMEOUT")

_READ: Final = frozenset({"id", "message", "finish_reason", "usage", "logprobs", "model"})


def decode_response(response: HTTPResponse, *, model: str = "") -> ChatCompletion:
    """A 200 answer of `model` → the completion (answers do not name their model).

    Raises:
        ResponseValidationError: it is not what the vendor documents.
        APIStatusError: it is an error all the same.
    """
    try:
        value = from_json(response.content, allow_inf_nan=False)
    except ValueError:
        raise invalid_answer("it is not JSON, or only the beginning of it", response) from None
    if not isinstance(value, dict):
        raise invalid_answer("it is not a JSON object", response)
    if has_failed(value.get("finish_reason")) or isinstance(value.get("message"), str):
        told = value.get("error", value.get("message"))
        raise failed_answer({**value, "error": told if isinstance(told, str) else None}, response)
    try:
        return _completion(value, model)
    except UnexpectedFormError as error:
        raise invalid_answer(str(error), response) from None
    except ValidationError as error:
        raise invalid_answer(" ".join(first_fault(error)), response) from None
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise invalid_answer("a field has not the documented type", response) from error


def invalid_answer(reason: str, response: HTTPResponse) -> ResponseValidationError:
    """The error for an answer that is not what the vendor documents; `reason` quotes nothing of it."""
    return ResponseValidationError(response, None, message=f"The answer is not one of Cohere's: {reason}.")


def has_failed(reason: Any) -> bool:
    """Whether this finish reason means that there is no answer."""
    return reason in _FAILED


def finish_of(reason: Any, *, calls: bool) -> FinishReason | None:
    """OpenAI's word for a finish reason; an unknown one is an ordinary end. Without calls it is never "tool_calls"."""
    if reason is None:
        return None
    found = _FINISH.get(reason, "stop") if isinstance(reason, str) else "stop"
    return "stop" if found == "tool_calls" and not calls else found


def extra_fields(value: Mapping[str, Any], read: frozenset[str]) -> dict[str, Any]:
    """The fields that have no place of their own, say something, and mean nothing else with us."""
    known = ChatCompletion.model_fields
    return {k: v for k, v in value.items() if k not in read and k not in known and v is not None}


def logprobs_of(items: Any) -> dict[str, Any]:
    """The vendor's log probabilities as OpenAI's: one entry for each piece of text, of all its tokens together.

    The vendor does not say which token is which part of the text; the single values are kept beside the sum.
    """
    if not isinstance(items, list):
        raise UnexpectedFormError("logprobs is not a list")
    content = []
    for item in items:
        text, single = item.get("text") or "", item.get("logprobs") or []
        own = {"token": text, "logprob": sum(single), "bytes": list(text.encode("utf-8", "replace"))}
        content.append({**own, "top_logprobs": [], "token_ids": item.get("token_ids"), "logprobs": single})
    return {"content": content}


def _completion(value: Mapping[str, Any], model: str) -> ChatCompletion:
    message = value.get("message")
    if not isinstance(message, Mapping):
        raise UnexpectedFormError("message is missing")
    told = message_of(message)
    reason = value.get("finish_reason")
    choice: dict[str, Any] = {
        "index": 0,
        "message": told,
        "finish_reason": finish_of(reason, calls="tool_calls" in told),
        "native_finish_reason": reason,
    }
    if value.get("logprobs"):
        choice["logprobs"] = logprobs_of(value["logprobs"])
    model = value.get("model") or model
    values = {**extra_fields(value, _READ), "id": value.get("id"), "model": model, "created": 0, "choices": [choice]}
    usage = decode_usage(value.get("usage"))
    if usage is not None:
        values["usage"] = usage
    return ChatCompletion.model_validate(values)
