"""Answers of `POST /v1/generate`, which Cohere has shut down: read only, for what is still recorded of it.

One JSON document with `generations`, or newline-delimited JSON whose last line (`stream-end`) holds that document.

https://docs.cohere.com/v1/reference/generate
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from edgeagent.errors import APIConnectionError
from edgeagent.providers.cohere.errors import failed_answer
from edgeagent.providers.cohere.response import finish_of, has_failed, invalid_answer
from edgeagent.providers.cohere.usage import decode_usage
from edgeagent.providers.events import UnexpectedFormError
from edgeagent.types import ChatCompletion
from edgeagent.types.faults import first_fault
from edgeagent.wire.http import HTTPResponse

__all__ = ["decode_generation"]


def decode_generation(response: HTTPResponse, *, model: str = "") -> ChatCompletion:
    """A 200 answer, streamed or not, read as a whole → the completion: each generation is a choice.

    Raises:
        ResponseValidationError: it is not what the vendor documented.
        APIConnectionError: a stream without its last line.
        InternalServerError: the generation ended with an error.
    """
    try:
        return _completion(_document(response), model)
    except UnexpectedFormError as error:
        raise invalid_answer(str(error), response) from None
    except ValidationError as error:
        raise invalid_answer(" ".join(first_fault(error)), response) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise invalid_answer("it has not the documented form", response) from error


def _document(response: HTTPResponse) -> Mapping[str, Any]:
    lines = [line for line in response.content.split(b"\n") if line.strip()]
    if not lines:
        raise UnexpectedFormError("it is empty")
    if b"event_type" not in lines[0]:
        return _object(from_json(response.content))
    last = _object(from_json(lines[-1]))
    if not last.get("is_finished"):
        raise APIConnectionError(message="The stream ended before the answer did.")
    if has_failed(last.get("finish_reason")) or last.get("event_type") == "stream-error":
        raise failed_answer({"error": last.get("err"), **last})
    return _object(last.get("response"))


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UnexpectedFormError("it is not an object")
    return value


def _completion(value: Mapping[str, Any], model: str) -> ChatCompletion:
    generations = value.get("generations")
    if not isinstance(generations, list) or not generations:
        raise UnexpectedFormError("generations is missing or empty")
    choices = []
    for number, one in enumerate(generations):
        reason = _object(one).get("finish_reason")
        if has_failed(reason):
            raise failed_answer(one)
        extra = {k: v for k, v in one.items() if k not in ("text", "index", "finish_reason") and v is not None}
        message = {"role": "assistant", "content": one["text"]}
        finish = finish_of(reason, calls=False)
        ends = {"finish_reason": finish, "native_finish_reason": reason}
        choices.append({**extra, "index": one.get("index", number), "message": message, **ends})
    values: dict[str, Any] = {"id": value.get("id"), "created": 0, "model": model, "choices": choices}
    meta = value.get("meta")
    if isinstance(meta, Mapping):
        values["meta"] = meta
        billed = {name: meta[name] for name in ("tokens", "billed_units") if name in meta}
        if (usage := decode_usage(billed)) is not None:
            values["usage"] = usage
    return ChatCompletion.model_validate(values)
