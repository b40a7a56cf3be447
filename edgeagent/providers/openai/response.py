"""OpenAI's whole answers, both directions.

An answer that is what OpenAI documents is parsed once, straight from its bytes. Only what that refuses is looked at a
second time: an error inside a 200, fields that compatible servers leave out, finish reasons of their own.
"""

from __future__ import annotations

from typing import Any, NoReturn

from pydantic import ValidationError
from pydantic_core import from_json

from edgeagent.errors import APIStatusError, ResponseValidationError
from edgeagent.providers.openai.errors import hidden_error, tells_error
from edgeagent.providers.openai.repair import broken_off, repaired
from edgeagent.providers.openai.tidy import Tidy
from edgeagent.types import ChatCompletion
from edgeagent.types.faults import first_fault
from edgeagent.wire.http import HTTPResponse

__all__ = ["broken", "decode_response", "encode_response", "invalid", "invalid_answer", "with_essentials"]


def decode_response(response: HTTPResponse, *, lenient: bool = False, think: bool = False) -> ChatCompletion:
    """A 200 answer → the completion, every field kept; `lenient` and `think` as in `Quirks`.

    Raises:
        ResponseValidationError: it is no JSON, has no choices, or has wrong types.
        APIStatusError: it is an error all the same (`{"error": …}`).
    """
    try:
        completion = ChatCompletion.from_json(response.content)
    except ValidationError as error:
        completion = _second_look(response, error, lenient=lenient)
    if completion.model_extra and completion.model_extra.get("error"):
        raise hidden_error(completion.model_extra, response, lenient=lenient)
    if not completion.choices:
        invalid("choices is empty", response)
    for choice in completion.choices:
        if choice.model_extra and choice.model_extra.get("error"):
            raise hidden_error(choice.model_extra, response, lenient=lenient)
    return Tidy(think=think).completion(completion) if lenient else completion


def _second_look(response: HTTPResponse, error: ValidationError, *, lenient: bool) -> ChatCompletion:
    try:
        data = from_json(response.content)
    except ValueError:
        invalid("it is not JSON, or only the beginning of it", response, cause=error)
    if not isinstance(data, dict):
        invalid("it is not a JSON object", response, cause=error)
    if tells_error(data):
        raise hidden_error(data, response, lenient=lenient)
    if reason := broken_off(data):
        raise broken(reason, response)
    try:
        return ChatCompletion.model_validate(repaired(data, "chat.completion"))
    except ValidationError as still:
        invalid(" ".join(first_fault(still)), response, body=data, cause=still)


def broken(reason: str, response: HTTPResponse) -> APIStatusError:
    """The error for an answer that the server says it could not finish."""
    told = {"message": f"The server broke the answer off: {reason}.", "type": "server_error", "code": reason}
    return hidden_error(told, response)


def invalid(
    reason: str, response: HTTPResponse, *, body: object = None, cause: BaseException | None = None
) -> NoReturn:
    """Raise the error for an answer that is not what OpenAI documents; `reason` quotes nothing of it."""
    raise invalid_answer(reason, response, body) from cause


def invalid_answer(reason: str, response: HTTPResponse, body: object = None) -> ResponseValidationError:
    """That error."""
    return ResponseValidationError(response, body, message=f"The answer is not a chat completion: {reason}.")


def encode_response(completion: ChatCompletion) -> dict[str, Any]:
    """The completion → OpenAI's JSON: what was set, and the fields that OpenAI's answers always have."""
    body = with_essentials(completion.model_dump(mode="json", exclude_unset=True), "chat.completion")
    for choice in body["choices"]:
        choice.setdefault("finish_reason", None)
        message = choice["message"]
        message.setdefault("role", "assistant")
        message.setdefault("content", None)
        for call in message.get("tool_calls") or ():
            call.setdefault("type", "function")
    return body


def with_essentials(body: dict[str, Any], kind: str) -> dict[str, Any]:
    """`body` with its `object`, which a completion of another vendor was built without."""
    body.setdefault("object", kind)
    return body
