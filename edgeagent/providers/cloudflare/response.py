"""Cloudflare's whole answers → completions, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from edgeagent.errors import ResponseValidationError
from edgeagent.providers.cloudflare.answer import (
    MADE_ID,
    InvalidAnswerError,
    answer_id,
    calls_of,
    content_of,
    extra_fields,
    finish_reason,
    made_id,
    model_of,
    usage_of,
)
from edgeagent.providers.cloudflare.errors import error_in_answer, is_failure
from edgeagent.providers.openai.response import decode_response as decode_chat
from edgeagent.providers.openai.response import encode_response as encode_chat
from edgeagent.types import ChatCompletion, ChatRequest
from edgeagent.types.faults import first_fault
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.json import dump_json

__all__ = ["concluded", "decode_response", "encode_response", "invalid"]


def decode_response(response: HTTPResponse) -> ChatCompletion:
    """A 200 answer → the completion.

    Raises:
        ResponseValidationError: it is no JSON, or its result is no text generation's.
        APIStatusError: it is an error all the same (`"success": false`).
    """
    try:
        envelope = from_json(response.content, allow_inf_nan=False)
    except ValueError as error:
        raise invalid("it is not JSON, or only the beginning of it", response) from error
    if not isinstance(envelope, dict):
        raise invalid("it is not a JSON object", response)
    if is_failure(envelope):
        raise error_in_answer(envelope, response)
    result = envelope.get("result") if "result" in envelope else envelope
    try:
        if not isinstance(result, dict) or not result.keys() & {"response", "tool_calls", "choices"}:
            raise InvalidAnswerError("its result is no text generation's")
        if "choices" in result:  # newer models answer in OpenAI's shape
            chat = HTTPResponse(200, response.headers, dump_json(result), response.request)
            return decode_chat(chat, lenient=True)
        return ChatCompletion.model_validate(_completion(result, envelope, response))
    except InvalidAnswerError as error:
        raise invalid(str(error), response, envelope) from None
    except ValidationError as error:
        raise invalid(" ".join(first_fault(error)), response, envelope) from None
    except (ValueError, RecursionError) as error:
        raise invalid("it holds what is not JSON", response, envelope) from error


def _completion(result: Mapping[str, Any], envelope: Mapping[str, Any], response: HTTPResponse) -> dict[str, Any]:
    name = answer_id(response)
    message: dict[str, Any] = {"role": "assistant", "content": content_of(result)}
    if calls := calls_of(result, name):
        calls = [call if call.get("id") else {**call, "id": made_id(name, place)} for place, call in enumerate(calls)]
        message["tool_calls"] = calls
        message["content"] = message["content"] or None
    elif message["content"] is None:
        message["content"] = ""
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}
    extra = extra_fields(result)
    if envelope is not result and envelope.get("messages"):
        extra["messages"] = envelope["messages"]  # Cloudflare's notes on the call
    top = {"id": name, "created": 0, "model": model_of(response), "choices": [choice]}
    usage = usage_of(result)
    return {**extra, **top, **({"usage": usage} if usage is not None else {})}


def concluded(completion: ChatCompletion, request: ChatRequest) -> ChatCompletion:
    """The completion with the reason of its end, in place: Cloudflare tells none, the tokens do.

    An answer in OpenAI's shape has a time, and tells the reason.
    """
    usage = completion.usage.to_dict() if completion.usage is not None else None
    for choice in () if completion.created else completion.choices:
        choice.finish_reason = finish_reason(request, usage, called=bool(choice.message.tool_calls))
    return completion


def invalid(reason: str, response: HTTPResponse, body: object = None) -> ResponseValidationError:
    """The error for an answer that is not what Cloudflare documents; `reason` quotes nothing of it."""
    return ResponseValidationError(response, body, message=f"The answer is not one of Workers AI's: {reason}.")


def encode_response(completion: ChatCompletion) -> dict[str, Any]:
    """The body of Cloudflare's 200 answer; in OpenAI's shape what `response` and tool calls cannot say."""
    extra = dict(completion.model_extra or {})
    messages = extra.pop("messages", [])
    return {"result": _result(completion, extra), "success": True, "errors": [], "messages": messages}


def _result(completion: ChatCompletion, extra: dict[str, Any]) -> dict[str, Any]:
    choice = completion.choices[0] if len(completion.choices) == 1 else None
    said = choice.message.to_dict(mode="json", exclude_none=True) if choice else {}
    plain = choice is not None and choice.logprobs is None and choice.finish_reason in {"stop", "tool_calls"}
    if not plain or said.keys() - {"role", "content", "tool_calls"}:
        return encode_chat(completion)
    result: dict[str, Any] = {"response": said.get("content"), **extra}
    calls = said.get("tool_calls") or []
    if calls and all(str(call.get("id", "")).startswith(MADE_ID) for call in calls):
        functions = [call["function"] for call in calls]
        result["tool_calls"] = [{"name": f["name"], "arguments": _value(f["arguments"])} for f in functions]
    elif calls:
        result["tool_calls"] = calls
    if completion.usage is not None:
        result["usage"] = completion.usage.to_dict(mode="json")
    return result


def _value(arguments: str) -> Any:
    """The value that the text is; the text where it is none (cut off)."""
    try:
        return from_json(arguments, allow_inf_nan=False)
    except (ValueError, TypeError):  # TypeError: a lone surrogate
        return arguments
