"""Ollama's errors, both directions: `{"error": "…"}` with a status, and no code anywhere.

What only its words tell is known by the texts of `_TEXTS`, from Ollama's own server (server/prompt.go, routes.go,
llm/server.go); an error line inside a stream has no status either.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic_core import from_json

from edgeagent.errors import (
    APIStatusError,
    BadRequestError,
    ContextWindowExceededError,
    NotFoundError,
    OverloadedError,
    RateLimitError,
    status_error_class,
)
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.json import dump_json
from edgeagent.wire.retry_after import retry_after

__all__ = ["decode_error", "encode_error", "error_in_answer"]

_TEXTS: Final[Sequence[tuple[re.Pattern[str], type[APIStatusError]]]] = (
    (
        re.compile(
            r"(input|prompt)[^.]{0,40} (exceed|too long|longer)[^.]{0,60}context|exceeds the (available )?context"
            r"|maximum context length|prompt too long",
            re.IGNORECASE,
        ),
        ContextWindowExceededError,
    ),
    # 500 for an image that no decoder knows
    (re.compile(r"failed to process inputs: image: unknown format|invalid image input"), BadRequestError),
    (re.compile(r"^\S+ does not support (chat|completion|generate|thinking|tools|vision)"), BadRequestError),
    (re.compile(r"^model .{1,200} not found"), NotFoundError),
    (re.compile(r"^server busy, please try again"), OverloadedError),
)
_BY_TEXT: Final = frozenset({200, 400, 413, 500})
"""Statuses that say less than the text."""
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
    told = document.get("error")
    status = document.get("status_code", document.get("StatusCode"))
    if isinstance(status, bool) or not isinstance(status, int) or not 400 <= status < 600:
        meant = _by_text(str(told))
        status = meant.default_status if meant is not None else 500
    content = response.content or dump_json(document)
    return _error(HTTPResponse(status, response.headers, content, response.request), document)


def encode_error(error: APIStatusError) -> HTTPResponse:
    """Our error → `{"error": "…"}` with its status."""
    headers = [("content-type", "application/json; charset=utf-8")]
    if isinstance(error, RateLimitError) and error.retry_after is not None:
        headers.append(("retry-after", str(math.ceil(error.retry_after))))
    return HTTPResponse(error.status_code, headers, dump_json({"error": error.message}), error.response.request)


def _error(response: HTTPResponse, data: object) -> APIStatusError:
    told = data.get("error", data) if isinstance(data, dict) else data
    message = _message(told, response)
    status = response.status_code
    cls = (_by_text(message) if status in _BY_TEXT else None) or status_error_class(status)
    body = told if told is not None else response.text.strip() or None
    error = cls(message, response=response, body=body)
    if isinstance(error, RateLimitError):
        error.retry_after = retry_after(response.headers)
    return error


def _by_text(message: str) -> type[APIStatusError] | None:
    return next((meant for pattern, meant in _TEXTS if pattern.search(message[:MAX_READ])), None)


def _message(told: object, response: HTTPResponse) -> str:
    candidates = [told, told.get("message"), told.get("error")] if isinstance(told, dict) else [told]
    for text in candidates:
        if isinstance(text, str) and text.strip():
            return text
    return _quoted(response)


def _quoted(response: HTTPResponse) -> str:
    text = response.text.strip()
    where = f"HTTP {response.status_code}"
    if not text:
        return f"{where} without a body"
    if text.startswith("<"):
        title = _TITLE.search(text)
        return f"{where} with an HTML page" + (f": {title[1].strip()}" if title else "")
    return f"{where}: {text[:MAX_QUOTED]}"
