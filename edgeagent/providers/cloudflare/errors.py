"""Cloudflare's errors, both directions: `{"success": false, "errors": [{"code", "message"}]}`, by status and code.

The codes of Workers AI are documented at https://developers.cloudflare.com/workers-ai/platform/errors/, those of the
API before it (7000, 9109, 10000) at https://developers.cloudflare.com/fundamentals/api/troubleshooting/.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic_core import from_json

from edgeagent.errors import APIStatusError, ContextWindowExceededError, RateLimitError, status_error_class
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.json import dump_json
from edgeagent.wire.retry_after import retry_after

__all__ = ["decode_error", "encode_error", "error_in_answer", "is_failure"]

_STATUS_OF: Final[Mapping[int, int]] = {
    **dict.fromkeys((3003, 3039, 5004), 400),
    **dict.fromkeys((9106, 9107, 10000, 10001), 401),
    **dict.fromkeys((3023, 3041, 5016, 5018, 9109), 403),
    **dict.fromkeys((3042, 5007, 7000, 7003), 404),  # no such model, no such route: 400 by status
    **dict.fromkeys((5005, 5019), 405),
    **dict.fromkeys((3007, 3008), 408),
    3006: 413,
    5025: 400,  # this model has no JSON Schema: 403 by status
    **dict.fromkeys((971, 3036, 3040, 10429), 429),
}
"""What a code means where the status says another thing, or nothing (an error inside a 200)."""

_SPENT: Final = 3036
"""The day's allocation is used up: waiting seconds is of no use, so `.code` is OpenAI's word for it."""

_CONTEXT: Final = re.compile(
    r"maximum context length|exceed[^.]{0,60}context (window|length)|too large for model with \d+ maximum context",
    re.IGNORECASE,
)
"""A context overflow has no code of its own; the words are those of the servers behind (vLLM's, Cloudflare's)."""

_CODE_OF: Final[Mapping[int, int]] = {400: 3003, 401: 10000, 403: 5018, 404: 3042, 408: 3007, 413: 3006, 429: 3040}
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


def is_failure(document: Mapping[str, Any]) -> bool:
    """Whether a document of a successful answer tells an error."""
    return document.get("success") is False or bool(document.get("error")) or bool(document.get("errors"))


def error_in_answer(document: Mapping[str, Any], response: HTTPResponse) -> APIStatusError:
    """The error that a document of a successful answer tells; its `.response` has the status it stands for."""
    status = _STATUS_OF.get(_code(_first(document)) or 0, 500)
    if status == 500 and _CONTEXT.search(_text(_first(document))[:MAX_READ]):
        status = 400
    content = response.content or dump_json(document)
    return _error(HTTPResponse(status, response.headers, content, response.request), document)


def encode_error(error: APIStatusError) -> HTTPResponse:
    """Our error → Cloudflare's envelope with its status; the code is its own, where the error is Cloudflare's."""
    body = error.body if isinstance(error.body, dict) else {}
    told = body.get("code")
    code = told if isinstance(told, int) else _CODE_OF.get(error.status_code, 5000)
    headers = [("content-type", "application/json")]
    if isinstance(error, RateLimitError) and error.retry_after is not None:
        headers.append(("retry-after", str(math.ceil(error.retry_after))))
    envelope = {
        "result": None,
        "success": False,
        "errors": [{"code": code, "message": error.message}],
        "messages": [],
    }
    return HTTPResponse(error.status_code, headers, dump_json(envelope), error.response.request)


def _error(response: HTTPResponse, data: object) -> APIStatusError:
    told = _first(data)
    message = _text(told) or _quoted(response)
    code, status = _code(told), response.status_code
    meant = _STATUS_OF.get(code or 0, status) if status < 500 else status
    cls = status_error_class(meant)
    if meant in {400, 413} and _CONTEXT.search(message[:MAX_READ]):
        cls = ContextWindowExceededError
    body = told if told is not None else data if data is not None else response.text.strip() or None
    error = cls(message, response=response, body=body)
    if error.request_id is None:
        error.request_id = response.headers.get("cf-ray")
    error.code = "insufficient_quota" if code == _SPENT else cls.code or error.code  # OpenAI's, where it has one
    if isinstance(error, RateLimitError):
        error.retry_after = retry_after(response.headers)
    return error


def _first(data: object) -> object:
    """The error that is told first: an object, or a text; None if there is none."""
    if isinstance(data, Mapping):
        errors: Any = data.get("errors")
        if isinstance(errors, Sequence) and not isinstance(errors, str) and errors:
            return errors[0]
        return data.get("error") or errors
    return data if isinstance(data, str) else None


def _code(told: object) -> int | None:
    code = told.get("code", told.get("internalCode")) if isinstance(told, Mapping) else None
    if isinstance(code, str) and re.fullmatch(r"[0-9]{1,9}", code):
        return int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _text(told: object) -> str:
    text = told.get("message") if isinstance(told, Mapping) else told
    return text if isinstance(text, str) and text.strip() else ""


def _quoted(response: HTTPResponse) -> str:
    text = response.text.strip()
    where = f"HTTP {response.status_code}"
    if not text:
        return f"{where} without a body"
    if text.startswith("<"):
        title = _TITLE.search(text)
        return f"{where} with an HTML page" + (f": {title[1].strip()}" if title else "")
    return f"{where}: {text[:MAX_QUOTED]}"
