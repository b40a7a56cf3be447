"""OpenAI's errors, both directions: by status and vendor code, never by the text of a message.

Servers of OpenAI's shape that have no code for a context overflow, or call bad input a fault of their own, are known by
the texts of `_TEXTS`; these are read for such servers only.

Documented at https://platform.openai.com/docs/guides/error-codes and, for Azure's content filter, at
https://learn.microsoft.com/azure/ai-services/openai/concepts/content-filter.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from edgeagent.errors import (
    APIStatusError,
    BadRequestError,
    ContentFilterError,
    ContextWindowExceededError,
    OverloadedError,
    RateLimitError,
    status_error_class,
)
from edgeagent.providers.openai.overflow import OVERFLOW
from edgeagent.wire.http import Headers, HTTPResponse
from edgeagent.wire.json import dump_json, parsed_json
from edgeagent.wire.retry_after import retry_after

__all__ = ["decode_error", "encode_error", "hidden_error", "tells_error"]

_REFINED: Final[Mapping[str, type[APIStatusError]]] = {
    "context_length_exceeded": ContextWindowExceededError,
    "exceed_context_size_error": ContextWindowExceededError,  # llama.cpp's server, as a type
    "tokens_limit_reached": ContextWindowExceededError,  # GitHub Models
    "model_max_prompt_tokens_exceeded": ContextWindowExceededError,  # GitHub Copilot
    "content_filter": ContentFilterError,
    "content_policy_violation": ContentFilterError,
    "invalid_prompt": ContentFilterError,  # reasoning models: the prompt was flagged
    "ResponsibleAIPolicyViolation": ContentFilterError,  # Azure, as the inner error's code
    "data_inspection_failed": ContentFilterError,  # Alibaba
    "DataInspectionFailed": ContentFilterError,
    "1301": ContentFilterError,  # Z.ai: https://docs.z.ai/api-reference/api-code
    "capacity_exceeded": OverloadedError,  # Groq, with a status of its own (498): https://console.groq.com/docs/errors
}
"""Codes (or types) that say more than any status."""

_SPENT: Final = frozenset({"exceeded_current_quota_error", "1113", "Arrearage"})
"""What Moonshot, Z.ai and Alibaba call an account without credit; `insufficient_quota` is OpenAI's code for it."""

_STATUS_OF: Final[Mapping[str, int]] = {
    "invalid_api_key": 401,
    "insufficient_quota": 429,
    "rate_limit_exceeded": 429,
    "model_not_found": 404,
    "model_not_available": 404,  # Together
    "invalid_model": 404,  # Mistral, Perplexity: as a type
    "server_error": 500,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "rate_limit_error": 429,
    "overloaded_error": 529,
    "service_unavailable_error": 503,
    "invalid_request_error": 400,
}
"""Codes, then types, where the status says nothing (an error inside a 200) or little (400)."""

_TEXTS: Final[Sequence[tuple[re.Pattern[str], type[APIStatusError]]]] = (
    (OVERFLOW, ContextWindowExceededError),
    # llama.cpp answers 500 to what the loaded model cannot read
    (re.compile(r"^(image|audio|video) input is not supported"), BadRequestError),
    # Pollinations wraps another server's 4xx in its own 500
    (re.compile(r"^400 Bad Request$"), BadRequestError),
)
"""Documented nowhere but in the servers' own words."""

_BASE_RESP: Final[Mapping[int, int]] = {
    1000: 500,
    1001: 504,
    1002: 429,
    1004: 401,
    1008: 402,
    1013: 500,  # no longer on that page
    1024: 500,
    1033: 500,
    1039: 429,
    1041: 429,
    2049: 401,
}
"""MiniMax's codes, in an answer of 200: https://platform.minimax.io/docs/api-reference/errorcode; others are the
client's fault."""

_SENSITIVE: Final = (1026, 1027)
"""MiniMax: the input, or the output, was refused for its content."""

_TITLE: Final = re.compile(r"<title[^>]*>([^<]{1,200})</title", re.IGNORECASE)
MAX_READ: Final = 2000
"""How many characters of a message are looked through for a text."""
MAX_QUOTED: Final = 500
"""How many characters of a body that is no error object stand in the message."""


def decode_error(response: HTTPResponse, *, lenient: bool = False) -> APIStatusError:
    """An answer of 4xx or 5xx → the typed error. Never raises; any body will do. `lenient`: not OpenAI's own server."""
    data = parsed_json(response.content)
    if not lenient:
        return _error(response, data)
    error = _error(response, data, _by_text(response, data))
    error.code = type(error).code or error.code  # where OpenAI has one, its own
    return error


def _by_text(response: HTTPResponse, data: object) -> type[APIStatusError] | None:
    body = _error_object(data)
    if response.status_code not in (400, 413, 422, 500) or any(word in _REFINED for word in _words(body)):
        return None
    text = f"{_message(body, data, response)[:MAX_READ]}\n{_raw(body)[:MAX_READ]}"
    return next((meant for pattern, meant in _TEXTS if pattern.search(text)), None)


def _raw(body: Mapping[str, Any]) -> str:
    """The error of the server behind OpenRouter, which says "Provider returned error" in its own words."""
    metadata = body.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    return raw if isinstance(raw, str) else ""


def tells_error(value: Mapping[str, Any]) -> bool:
    """Whether a document that is no answer says why."""
    return bool(value.get("error")) or _base_status(value) is not None or _listed(value) is not None


def _base_status(value: object) -> int | None:
    """The status that MiniMax's `base_resp` stands for; None where it says that all is well."""
    told = value.get("base_resp") if isinstance(value, dict) else None
    code = told.get("status_code") if isinstance(told, dict) else None
    return _BASE_RESP.get(code, 400) if isinstance(code, int) and code else None


def hidden_error(value: object, response: HTTPResponse, *, lenient: bool = False) -> APIStatusError:
    """The error that `value` (a document with an `error`, or the error object) tells inside a successful answer.

    The error's `.response` has the status that the error stands for, since its own says that all is well.
    """
    body = _error_object(value)
    words = [*_words(body), str(body.get("status_code"))]
    status = _base_status(value) or next((status for word in words if (status := _status(word))), 500)
    content = response.content or dump_json(value)
    told = HTTPResponse(status, response.headers, content, response.request)
    return _error(told, value, _by_text(told, value) if lenient else None)


def encode_error(error: APIStatusError) -> HTTPResponse:
    """Our error → `{"error": {…}}`; fields of the provider's own error object are kept."""
    body = dict(error.body) if isinstance(error.body, dict) else {}
    body.pop("error", None)
    type_ = error.type or _type(error.status_code)
    own = {"message": error.message, "type": type_, "param": error.param, "code": error.code}
    headers = [("content-type", "application/json")]
    if error.request_id:
        headers.append(("x-request-id", error.request_id))
    if isinstance(error, RateLimitError) and error.retry_after is not None:
        headers.append(("retry-after", str(math.ceil(error.retry_after))))
        headers.append(("retry-after-ms", str(math.ceil(error.retry_after * 1000))))
    content = dump_json({"error": {**body, **own}})
    return HTTPResponse(error.status_code, headers, content, error.response.request)


def _type(status: int) -> str:
    if status == 429:
        return "rate_limit_error"
    return "server_error" if status >= 500 else "invalid_request_error"


def _error(response: HTTPResponse, data: object, meant: type[APIStatusError] | None = None) -> APIStatusError:
    body = _error_object(data)
    cls = meant or _class(response.status_code, body)
    error = cls(_message(body, data, response), response=response, body=_told(body, data, response))
    if any(word in _SPENT for word in _words(body)):
        error.code = "insufficient_quota"
    if error.request_id is None:
        error.request_id = response.headers.get("apim-request-id")  # Azure
    if isinstance(error, RateLimitError):
        error.retry_after = retry_after(response.headers)
        if error.retry_after is None:
            error.retry_after = _told_wait(body, response)
    return error


def _told_wait(body: Mapping[str, Any], response: HTTPResponse) -> float | None:
    """OpenRouter's header fields inside the body: the reset is a point in time, in milliseconds since the epoch.

    https://openrouter.ai/docs/api-reference/limits
    """
    metadata = body.get("metadata")
    fields = metadata.get("headers") if isinstance(metadata, dict) else None
    if not isinstance(fields, dict):
        return None
    date = [("date", value) for value in (response.headers.get("date"),) if value]
    headers = Headers([*((str(name), str(value)) for name, value in fields.items()), *date])
    wait = retry_after(headers)
    if wait is not None:
        return wait
    reset = headers.get("x-ratelimit-reset", "")
    if not re.fullmatch(r"[0-9]{13}", reset):
        return None
    from email.utils import formatdate  # loads `socket`

    at = formatdate(int(reset) / 1000, usegmt=True)
    return retry_after(Headers([("retry-after", at), *date]))


def _told(body: Mapping[str, Any], data: object, response: HTTPResponse) -> object:
    """`.body` as openai's client gives it: what is under `error`, else the document, else the text."""
    if _base_status(data) is not None or (isinstance(data, dict) and _listed(data) is not None):
        return body
    if isinstance(data, dict) and not isinstance(data.get("error"), dict):
        return data.get("error", data)
    if body or isinstance(data, dict):
        return body
    text = response.text.strip()
    return data if data is not None or text == "null" else text


def _error_object(data: object) -> dict[str, Any]:
    """The object that has message and code: under `error`, or the document itself; empty if there is none."""
    if isinstance(data, list) and data:
        data = data[0]
    if not isinstance(data, dict):
        return {}
    inner = data.get("error")
    if inner is None and _base_status(data) is not None:
        told = data["base_resp"]
        code = told["status_code"]
        kind = {"type": "content_filter"} if code in _SENSITIVE else {}
        return {**told, **kind, "code": code, "message": told.get("status_msg")}
    if inner is None and (listed := _listed(data)) is not None:
        return {**data, **listed}
    return inner if isinstance(inner, dict) else data


def _listed(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """The first of several errors: `{"errors": [{"code": …, "message": …}]}`, as Cloudflare and IBM have them."""
    errors = data.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    return first if isinstance(first, dict) and isinstance(first.get("message"), str) else None


def _words(body: Mapping[str, Any]) -> Iterator[str]:
    """What the vendor calls the error, the most telling name first."""
    inner = body.get("innererror")
    for value in (inner.get("code") if isinstance(inner, dict) else None, body.get("code"), body.get("type")):
        if isinstance(value, (str, int)):
            yield str(value)


def _status(word: str) -> int | None:
    if word in _REFINED:
        return 400
    if re.fullmatch(r"[45][0-9]{2}", word):
        return int(word)
    return _STATUS_OF.get(word)


def _class(status: int, body: Mapping[str, Any]) -> type[APIStatusError]:
    words = list(_words(body))
    for word in words:
        if word in _REFINED:
            return _REFINED[word]
    if status == 400:  # some servers say 400 for everything the client did
        meant = next((meant for word in words if (meant := _STATUS_OF.get(word))), status)
        return status_error_class(meant if meant < 500 else status)
    return status_error_class(status)


def _message(body: Mapping[str, Any], data: object, response: HTTPResponse) -> str:
    candidates = [body.get("message")]
    if isinstance(data, dict):
        candidates += [data.get("error"), _detail(data.get("detail")), data.get("message")]
    for text in candidates:
        if isinstance(text, str) and text.strip():
            return text
    return _quoted(response)


def _detail(detail: object) -> object:
    """FastAPI's list of what is wrong with a request, as one sentence for each (vLLM, Mistral)."""
    if not isinstance(detail, list):
        return detail
    told = [item for item in detail if isinstance(item, dict) and isinstance(item.get("msg"), str)]
    places = [".".join(map(str, item["loc"])) if isinstance(item.get("loc"), list) else "?" for item in told]
    return "; ".join(f"{place}: {item['msg']}" for place, item in zip(places, told, strict=True))[:MAX_QUOTED]


def _quoted(response: HTTPResponse) -> str:
    text = response.text.strip()
    where = f"HTTP {response.status_code}"
    if not text:
        return f"{where} without a body"
    if text.startswith("<"):
        title = _TITLE.search(text)
        return f"{where} with an HTML page" + (f": {title[1].strip()}" if title else "")
    return f"{where}: {text[:MAX_QUOTED]}"
