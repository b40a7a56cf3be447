"""Hugging Face's errors, both directions: `{"error", "error_type"}`, plain text, or nothing, by status and type.

TGI's types are documented at https://huggingface.github.io/text-generation-inference/ (ErrorResponse); the Inference
API adds `estimated_time` (seconds) while a model is loaded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import from_json

from edgeagent.errors import APIStatusError, ContextWindowExceededError, RateLimitError, status_error_class
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.json import dump_json
from edgeagent.wire.retry_after import retry_after

__all__ = ["decode_error", "encode_error", "error_in_answer"]

_STATUS_OF: Final[Mapping[str, int]] = {
    "validation": 422,
    "overloaded": 429,
    "generation": 424,
    "incomplete_generation": 500,
    "unhealthy": 503,
}
"""TGI's types, with the statuses that it documents for them."""

_CONTEXT: Final = re.compile(
    r"`?inputs`? (tokens \+ `?max_new_tokens`? )?must (be|have) (<=|less than)"
    r"|`?inputs`? must have less than \d+ tokens",
    re.IGNORECASE,
)
"""TGI's words for what does not fit the window: their type is that of any bad parameter."""

_TITLE: Final = re.compile(r"<title[^>]*>([^<]{1,200})</title", re.IGNORECASE)
MAX_READ: Final = 2000
"""How many characters of a message are looked through for a text."""
MAX_QUOTED: Final = 500
"""How many characters of a body that is no error object stand in the message."""


def decode_error(response: HTTPResponse) -> APIStatusError:
    """An answer of 4xx or 5xx → the typed error. Never raises; any body will do."""
    try:
        data = from_json(response.content)
    except ValueError:
        data = None
    return _error(response, data)


def error_in_answer(document: Mapping[str, Any], response: HTTPResponse) -> APIStatusError:
    """The error that a document of a successful answer tells; its `.response` has the status it stands for."""
    kind = document.get("error_type")
    status = _STATUS_OF.get(kind, 500) if isinstance(kind, str) else 500
    content = response.content or dump_json(document)
    return _error(HTTPResponse(status, response.headers, content, response.request), document)


def encode_error(error: APIStatusError) -> HTTPResponse:
    """Our error → `{"error", "error_type"}` with its status."""
    kind = next((kind for kind, status in _STATUS_OF.items() if status == error.status_code), None)
    body = {"error": error.message, **({"error_type": kind} if kind is not None else {})}
    headers = [("content-type", "application/json")]
    if error.request_id:
        headers.append(("x-request-id", error.request_id))
    if isinstance(error, RateLimitError) and error.retry_after is not None:
        headers.append(("retry-after", str(math.ceil(error.retry_after))))
    return HTTPResponse(error.status_code, headers, dump_json(body), error.response.request)


def _error(response: HTTPResponse, data: object) -> APIStatusError:
    message = _message(data) or _quoted(response)
    cls = status_error_class(response.status_code)
    if response.status_code in {400, 413, 422} and _CONTEXT.search(message[:MAX_READ]):
        cls = ContextWindowExceededError
    error = cls(message, response=response, body=data if data is not None else response.text.strip() or None)
    if isinstance(data, dict) and isinstance(data.get("error_type"), str):
        error.type = data["error_type"]
    if isinstance(error, RateLimitError):
        error.retry_after = retry_after(response.headers)
    return error


def _message(data: object) -> str:
    told: Any = data.get("error", data.get("message")) if isinstance(data, Mapping) else data
    if isinstance(told, Mapping):
        told = told.get("message")
    if isinstance(told, list):
        told = "; ".join(text for text in told if isinstance(text, str))
    return told if isinstance(told, str) and told.strip() else ""


def _quoted(response: HTTPResponse) -> str:
    text = response.text.strip()
    where = f"HTTP {response.status_code}"
    if not text:
        return f"{where} without a body"
    if text.startswith("<"):
        title = _TITLE.search(text)
        return f"{where} with an HTML page" + (f": {title[1].strip()}" if title else "")
    return f"{where}: {text[:MAX_QUOTED]}"
