"""One server on loopback for both libraries: the request's model (or deployment) says what it answers.

Written from OpenAI's and Azure's documentation of that time.
"""

from __future__ import annotations

import re
import struct
import time
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any

from tests.support.loopback import HANG_UP, Request, chunk, events, reply

__all__ = ["ANSWERS", "ASK", "END", "MESSAGES", "STREAMS", "TEXT", "Assistant", "answer", "refusal"]

MESSAGES = [{"role": "user", "content": "Hello"}]
ASK: dict[str, Any] = {"model": "plain", "messages": MESSAGES}

USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
FILTERED = {"hate": {"filtered": False, "severity": "safe"}, "violence": {"filtered": False, "severity": "safe"}}


def completion(*messages: Mapping[str, Any], reason: str = "stop", **more: Any) -> dict[str, Any]:
    """A chat completion with these messages as its choices."""
    choices = [{"index": i, "message": dict(one), "finish_reason": reason} for i, one in enumerate(messages)]
    base = {"id": "chatcmpl-7", "object": "chat.completion", "created": 1677652288, "model": "gpt-3.5-turbo-0613"}
    return {**base, "choices": choices, "usage": USAGE, **more}


def says(text: str | None, **more: Any) -> dict[str, Any]:
    """An assistant's message."""
    return {"role": "assistant", "content": text, **more}


def piece(delta: Mapping[str, Any], reason: str | None = None, index: int = 0) -> dict[str, Any]:
    """A chunk of a streamed completion."""
    base = {"id": "chatcmpl-7", "object": "chat.completion.chunk", "created": 1677652288, "model": "gpt-3.5-turbo-0613"}
    return {**base, "choices": [{"index": index, "delta": dict(delta), "finish_reason": reason}]}


def refusal(message: str, kind: str = "invalid_request_error", param: str | None = None, code: Any = None) -> Any:
    """The body of an error."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


CALL = {"name": "get_weather", "arguments": '{"city": "Paris"}'}
PROMPT_FILTER = {"prompt_index": 0, "content_filter_results": FILTERED}
AZURE_REFUSAL = {
    "error": {
        "message": "The response was filtered due to the prompt triggering the content management policy.",
        "type": None,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": {"hate": {"filtered": True, "severity": "high"}},
        },
    }
}
HTML = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"

ANSWERS: dict[str, bytes] = {
    "plain": reply(200, completion(says("The capital of France is Paris."))),
    "unicode": reply(200, completion(says("Žluťoučký kůň 🐎 \u2028 日本"))),
    "empty-text": reply(200, completion(says(""))),
    "two-choices": reply(200, completion(says("one"), says("two"))),
    "function": reply(200, completion(says(None, function_call=CALL), reason="function_call")),
    "cut-short": reply(200, completion(says("The capital of"), reason="length")),
    "unknown-fields": reply(200, completion(says("x", mood={"is": ["fine"]}), system_fingerprint="fp", novelty=[1])),
    "azure-filters": reply(200, completion(says("ok"), prompt_filter_results=[PROMPT_FILTER])),
    "told-in-header": reply(200, completion(says("x")), openai_organization="org-1", request_id="req-7"),
    "400": reply(400, refusal("'x' is not one of ['user']", param="messages.0.role")),
    "400-context": reply(400, refusal("too long", param="messages", code="context_length_exceeded")),
    "400-azure-filter": reply(400, AZURE_REFUSAL),
    "400-other-shape": reply(400, {"detail": "no such thing"}),
    "401": reply(401, refusal("Incorrect API key provided", code="invalid_api_key")),
    "403": reply(403, refusal("Country not supported", code="unsupported_country_region_territory")),
    "404": reply(404, refusal("The model does not exist", param="model", code="model_not_found")),
    "409": reply(409, refusal("The model is warming up", kind="conflict")),
    "415": reply(415, refusal("Unsupported media type")),
    "422": reply(422, refusal("Unprocessable", param="stop")),
    "429": reply(429, refusal("Rate limit reached", kind="requests", code="rate_limit_exceeded"), request_id="req-9"),
    "429-quota": reply(
        429, refusal("You exceeded your current quota", "insufficient_quota", code="insufficient_quota")
    ),
    "500": reply(500, refusal("The server had an error", kind="server_error")),
    "500-empty": reply(500, b""),
    "502-html": reply(502, HTML, content_type="text/html"),
    "404-html": reply(404, HTML, content_type="text/html"),
    "200-html": reply(200, HTML, content_type="text/html"),
    "200-cut": reply(200, b'{"id": "chatcmpl-7", "choices": [{"index"'),
    "503": reply(503, refusal("The engine is currently overloaded", kind="server_error")),
    "503-html": reply(503, HTML, content_type="text/html"),
    "504": reply(504, refusal("Gateway timeout", kind="server_error")),
}
"""Whole answers, also to requests for a stream."""

TEXT = [piece({"role": "assistant", "content": ""}), piece({"content": "Hel"}), piece({"content": "lo"})]
END = piece({}, "stop")
FUNCTION = [
    piece({"role": "assistant", "content": None, "function_call": {"name": "get_weather", "arguments": ""}}),
    piece({"function_call": {"arguments": '{"city":'}}),
    piece({"function_call": {"arguments": ' "Paris"}'}}),
    piece({}, "function_call"),
]
AZURE_FIRST = {**piece({}), "choices": [], "prompt_filter_results": [PROMPT_FILTER]}
SERVER_ERROR = refusal("The server had an error", kind="server_error")

STREAMS: dict[str, list[Any]] = {
    "text": [*TEXT, END, "[DONE]"],
    "function-fragments": [*FUNCTION, "[DONE]"],
    "two-at-once": [
        *(piece({"role": "assistant", "content": str(i)}, index=i) for i in (0, 1)),
        *(piece({}, "stop", index=i) for i in (0, 1)),
        "[DONE]",
    ],
    "azure-stream": [AZURE_FIRST, *TEXT, END, "[DONE]"],
    "without-done": [*TEXT, END],
    "error-first": [SERVER_ERROR],
    "error-later": [*TEXT, SERVER_ERROR],
    "rate-limit-later": [*TEXT, refusal("slow down", "requests", code="rate_limit_exceeded")],
}
"""Events of streamed answers."""


def answer(request: Request) -> Any:
    """The whole answer."""
    other = _operation(request)
    if other is not None:
        return other
    body = request.json()
    deployment = re.search(r"/(?:deployments|engines)/([^/]+)/", request.path)
    name = deployment[1] if deployment else body.get("model", "plain")
    if name == "hang-up":
        return [HANG_UP]
    if name == "silent":
        return _silent()
    if name in STREAMS:
        return events(STREAMS[name])
    if name == "breaks-off":
        return _breaks_off()
    return ANSWERS.get(name, ANSWERS["plain"])


MODELS = [
    {"id": name, "object": "model", "created": 1677610602, "owned_by": "openai", "root": name, "permission": []}
    for name in ("gpt-4", "gpt-3.5-turbo", "text-embedding-ada-002")
]


def _operation(request: Request) -> bytes | None:
    """Models, embeddings and moderations; None for the rest."""
    path = request.path.partition("?")[0]
    if request.method == "GET":
        if path.endswith("/models"):
            return reply(200, {"object": "list", "data": MODELS})
        found = next((one for one in MODELS if path.endswith(f"/models/{one['id']}")), None)
        return ANSWERS["404"] if found is None else reply(200, found)
    if path.endswith("/embeddings"):
        return _embeddings(request.json(), path)
    return _moderation(request.json()) if path.endswith("/moderations") else None


def _embeddings(body: Mapping[str, Any], path: str) -> bytes:
    """The letters of each text, counted: numbers that 32 bits hold exactly."""
    if body.get("model") in ANSWERS or "/429/" in path:
        return ANSWERS[body.get("model", "429")]
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    vectors = [[text.lower().count(letter) / 8 for letter in "aeinorst"] for text in texts]
    base64 = body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": i, "embedding": _base64(vector) if base64 else vector}
        for i, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return reply(200, {"object": "list", "data": data, "model": "text-embedding-ada-002-v2", "usage": usage})


def _base64(vector: list[float]) -> str:
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _moderation(body: Mapping[str, Any]) -> bytes:
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    found = ["fight" in text for text in texts]
    results = [
        {
            "flagged": one,
            "categories": {"violence": one, "hate/threatening": False, "self-harm": False},
            "category_scores": {"violence": 0.9 if one else 0.1, "hate/threatening": 0.0, "self-harm": 1e-09},
        }
        for one in found
    ]
    return reply(200, {"id": "modr-7", "model": "text-moderation-006", "results": results})


def _silent() -> Iterable[Any]:
    """Nothing for longer than any client of the tests waits."""
    time.sleep(1.0)
    yield HANG_UP


def _breaks_off() -> Iterable[Any]:
    yield from events(TEXT, end=False)
    yield chunk(b"data: {")
    yield HANG_UP


# What the example programs talk to


class Assistant:
    """Answers whole conversations; refuses "limited-twice" twice. `answer` is asked for the names that it knows."""

    def __init__(self) -> None:
        self._refused = 0

    def __call__(self, request: Request) -> Any:
        other = _operation(request)
        if other is not None:
            return other
        body = request.json()
        name = body.get("model", "")
        if name in ANSWERS or name in ("silent", "hang-up"):
            return answer(request)
        if name == "limited-twice" and self._refused < 2:
            self._refused += 1
            return ANSWERS["429"]
        if request.path.endswith("/v1/completions"):
            return _text_completion(body)
        message, reason = _reply(body, request)
        if not body.get("stream"):
            return reply(200, completion(message, reason=reason) | {"model": name or "gpt-35-turbo"})
        return events([*_told(message), piece({}, reason), "[DONE]"])


def _reply(body: Mapping[str, Any], request: Request) -> tuple[dict[str, Any], str]:
    last = body["messages"][-1]
    if body.get("model") == "whose-key":
        account = request.headers.get("openai-organization", "no organization")
        return says(f"{request.headers['authorization']} of {account}"), "stop"
    if last["role"] == "function":
        return says(f"It is {_number(last['content'])} degrees."), "stop"
    if body.get("functions"):
        return says(None, function_call=CALL), "function_call"
    return says(f"You said: {last['content']}"), "stop"


def _number(text: str) -> str:
    found = re.search(r"\d+", text)
    return found[0] if found else "no"


def _told(message: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    if message.get("function_call"):
        yield from FUNCTION[:-1]
        return
    yield piece({"role": "assistant", "content": ""})
    for word in re.findall(r"\S+\s*", message["content"]):
        yield piece({"content": word})


def _text_completion(body: Mapping[str, Any]) -> Any:
    """The API that `openai.Completion` called at that time; it continues a prompt as the chat above answers it."""
    text = f"You said: {body['prompt']}"
    base = {"id": "cmpl-7", "object": "text_completion", "created": 1677652288, "model": body["model"]}

    def choice(text: str, reason: str | None) -> list[dict[str, Any]]:
        return [{"text": text, "index": 0, "logprobs": None, "finish_reason": reason}]

    if not body.get("stream"):
        return reply(200, {**base, "choices": choice(text, "stop"), "usage": USAGE})
    words = [{**base, "choices": choice(word, None)} for word in re.findall(r"\S+\s*", text)]
    return events([*words, {**base, "choices": choice("", "stop")}, "[DONE]"])
