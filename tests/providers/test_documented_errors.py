"""Errors that the vendors document and no record shows: the class that each becomes, by its status and code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ContentFilterError,
    ContextWindowExceededError,
    InternalServerError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
    UnprocessableEntityError,
)
from edgeagent.wire.http import HTTPResponse
from tests.providers.every import CODECS

__all__: list[str] = []

SPENT = "insufficient_quota"
Row = tuple[int, Any, type[APIStatusError]]


def claude(kind: str, message: str = "No.") -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "r"}


def google(code: int, status: str, message: str = "No.", **detail: Any) -> dict[str, Any]:
    return {"error": {"code": code, "status": status, "message": message, **({"details": [detail]} if detail else {})}}


def aws(kind: str, message: str = "No.") -> dict[str, Any]:
    return {"__type": kind, "message": message}


def openai(message: str = "No.", **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, **fields}}


def cloudflare(code: int, message: str = "No.") -> dict[str, Any]:
    return {"success": False, "errors": [{"code": code, "message": message}], "result": None}


# https://platform.claude.com/docs/en/api/errors
ANTHROPIC: tuple[Row, ...] = (
    (402, claude("billing_error"), APIStatusError),
    (403, claude("permission_error"), PermissionDeniedError),
    (413, claude("request_too_large", "Request exceeds the maximum size"), APIStatusError),
    (504, claude("timeout_error"), InternalServerError),
    (529, claude("overloaded_error"), OverloadedError),
    (400, claude("invalid_request_error", "prompt is too long: 2 tokens > 1 maximum"), ContextWindowExceededError),
    (
        400,
        claude("invalid_request_error", "input length and `max_tokens` exceed context limit: 1 + 2 > 2"),
        ContextWindowExceededError,
    ),
)
# https://ai.google.dev/gemini-api/docs/troubleshooting
GEMINI: tuple[Row, ...] = (
    (400, google(400, "FAILED_PRECONDITION", "User location is not supported for the API use."), BadRequestError),
    (400, google(400, "INVALID_ARGUMENT", reason="API_KEY_INVALID", domain="googleapis.com"), AuthenticationError),
    (
        400,
        google(400, "INVALID_ARGUMENT", "The input token count (2) exceeds the maximum number of tokens allowed (1)."),
        ContextWindowExceededError,
    ),
    (403, google(403, "PERMISSION_DENIED"), PermissionDeniedError),
    (429, google(429, "RESOURCE_EXHAUSTED"), RateLimitError),
    (500, google(500, "INTERNAL"), InternalServerError),
    (503, google(503, "UNAVAILABLE"), OverloadedError),
    (504, google(504, "DEADLINE_EXCEEDED"), InternalServerError),
)
# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_Errors
BEDROCK: tuple[Row, ...] = (
    (400, aws("ServiceQuotaExceededException"), RateLimitError),
    (400, aws("ValidationException", "Input is too long for requested model."), ContextWindowExceededError),
    (
        400,
        aws("ValidationException", "Too many input tokens. Max input tokens: 1, request"),
        ContextWindowExceededError,
    ),
    (403, aws("AccessDeniedException"), PermissionDeniedError),
    (403, aws("ExpiredTokenException"), AuthenticationError),
    (403, aws("UnrecognizedClientException"), AuthenticationError),
    (404, aws("ResourceNotFoundException"), NotFoundError),
    (408, aws("ModelTimeoutException"), InternalServerError),
    (424, aws("ModelErrorException"), InternalServerError),
    (429, aws("ModelNotReadyException"), OverloadedError),
    (429, aws("ThrottlingException"), RateLimitError),
    (500, aws("InternalServerException"), InternalServerError),
    (503, aws("ServiceUnavailableException"), OverloadedError),
)
MISTRAL: tuple[Row, ...] = (
    (
        400,
        {"object": "error", "message": "Prompt contains 2 tokens, too large for model with 1 maximum context length"},
        ContextWindowExceededError,
    ),
    (401, {"message": "Unauthorized", "request_id": "r"}, AuthenticationError),
    (429, {"message": "Requests rate limit exceeded"}, RateLimitError),
    (
        429,
        {"object": "error", "message": "No.", "type": "service_tier_capacity_exceeded", "code": "3505"},
        RateLimitError,
    ),
    (503, "upstream connect error", OverloadedError),
)
# https://docs.cohere.com/reference/errors: 498 is a token on the list of those that are refused
COHERE: tuple[Row, ...] = (
    (
        400,
        {"message": "too many tokens: total number of tokens in the prompt cannot exceed 1 - received 2."},
        ContextWindowExceededError,
    ),
    (422, {"message": "No."}, UnprocessableEntityError),
    (429, {"message": "You are using a Trial key, which is limited to 10 API calls / minute."}, RateLimitError),
    (498, {"message": "invalid token"}, ContentFilterError),
    (499, {"message": "request cancelled by user"}, APIStatusError),
    (501, {"message": "not implemented"}, InternalServerError),
    (504, {"message": "timeout"}, InternalServerError),
)
# https://platform.openai.com/docs/guides/error-codes
OPENAI: tuple[Row, ...] = (
    (400, openai(code="context_length_exceeded"), ContextWindowExceededError),
    (400, openai(code="invalid_image_url"), BadRequestError),
    (404, openai(code="model_not_found"), NotFoundError),
    (429, openai(type=SPENT, code=SPENT), RateLimitError),
    (503, openai(type="server_error", code="slow_down"), OverloadedError),
)
COMPATIBLE: tuple[Row, ...] = (
    # Alibaba
    (400, openai(type="data_inspection_failed", code="data_inspection_failed"), ContentFilterError),
    (400, openai(code="DataInspectionFailed"), ContentFilterError),
    # Z.ai: https://docs.z.ai/api-reference/api-code
    (400, openai(code="1301"), ContentFilterError),
    # Moonshot: https://platform.kimi.ai/docs/api/errors
    (400, openai(type="content_filter"), ContentFilterError),
    (400, openai("Input token length too long", type="invalid_request_error"), ContextWindowExceededError),
    (400, openai("Your request exceeded model token limit : 8192"), ContextWindowExceededError),
    # xAI
    (
        400,
        {"code": "Client specified an invalid argument", "error": "maximum prompt length is 1"},
        ContextWindowExceededError,
    ),
    # vLLM
    (
        400,
        {"object": "error", "message": "maximum context length is 1 tokens", "code": 400},
        ContextWindowExceededError,
    ),
    (402, openai("Insufficient credits", code=402), APIStatusError),
    (403, {"code": "The caller does not have permission", "error": "No."}, PermissionDeniedError),
    (413, openai("Request too large for model", type="tokens", code="rate_limit_exceeded"), APIStatusError),
    (498, openai(type="capacity", code="capacity_exceeded"), OverloadedError),
    (502, "<html><title>502 Bad Gateway</title></html>", InternalServerError),
    # Cloudflare and IBM have a list
    (401, {"errors": [{"code": 10000, "message": "Authentication error"}], "success": False}, AuthenticationError),
)
OLLAMA: tuple[Row, ...] = (
    (400, {"error": '"m" does not support tools'}, BadRequestError),
    (401, {"error": "unauthorized"}, AuthenticationError),
    (404, {"error": "model 'm' not found"}, NotFoundError),
    (500, {"error": "model requires more system memory (8.0 GiB) than is available (4.0 GiB)"}, InternalServerError),
    (503, {"error": "server busy, please try again. maximum pending requests exceeded"}, OverloadedError),
)
# https://developers.cloudflare.com/workers-ai/platform/errors/
CLOUDFLARE: tuple[Row, ...] = (
    (400, cloudflare(5007, "No such model"), NotFoundError),
    (
        413,
        cloudflare(
            5021,
            "The estimated number of input and maximum output tokens (2) exceeded this model context window limit (1).",
        ),
        ContextWindowExceededError,
    ),
    (429, cloudflare(3036), RateLimitError),
    (429, cloudflare(3040), RateLimitError),
)
TABLES = {
    "anthropic": ANTHROPIC,
    "gemini": GEMINI,
    "bedrock": BEDROCK,
    "mistral": MISTRAL,
    "cohere": COHERE,
    "openai": OPENAI,
    "compatible": COMPATIBLE,
    "ollama": OLLAMA,
    "cloudflare": CLOUDFLARE,
}
CASES = [(name, *row) for name, rows in TABLES.items() for row in rows]


def error_of(name: str, status: int, body: Any) -> APIStatusError:
    codec = next(wire.codec for wire in CODECS if wire.name == name)
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    error: APIStatusError = codec.decode_error(HTTPResponse(status, {"content-type": "application/json"}, content))
    return error


@pytest.mark.parametrize(("name", "status", "body", "kind"), CASES)
def test_documented_errors(name: str, status: int, body: Any, kind: type[APIStatusError]) -> None:
    """The class is the one that says what to do next, and the vendor's words are its message."""
    error = error_of(name, status, body)
    assert type(error) is kind
    assert error.status_code
    assert str(error)
    if name != "openai":
        assert kind.code in (None, error.code)  # OpenAI's code for it, whatever the vendor calls it


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("anthropic", 400, claude("invalid_request_error", "Your credit balance is too low to access the API.")),
        ("bedrock", 400, aws("ServiceQuotaExceededException")),
        ("cloudflare", 429, cloudflare(3036)),
        ("openai", 429, openai(type=SPENT, code=SPENT)),
        ("compatible", 429, openai(code="1113")),
        ("compatible", 429, openai(type="exceeded_current_quota_error")),
        ("compatible", 400, openai(code="Arrearage")),
    ],
)
def test_an_account_without_credit(name: str, status: int, body: Any) -> None:
    """OpenAI's code for it, whatever the vendor calls it: asking again is of no use."""
    assert error_of(name, status, body).code == SPENT


@pytest.mark.parametrize("code", [1026, 1027])
def test_minimax_refuses_content_in_an_answer_of_200(code: int) -> None:
    """https://platform.minimax.io/docs/api-reference/errorcode: `input new_sensitive`, `output new_sensitive`."""
    codec = next(wire.codec for wire in CODECS if wire.name == "compatible")
    told = {"choices": None, "base_resp": {"status_code": code, "status_msg": "new_sensitive"}}
    with pytest.raises(ContentFilterError, match="new_sensitive"):
        codec.decode_response(HTTPResponse(200, {}, json.dumps(told).encode()))
