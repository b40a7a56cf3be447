"""The result of a text generation, read: `{"response": …, "tool_calls": …, "usage": …}`.

Laws:

- `response` is text; with a response format an object, a bool or a number may stand for the JSON text it is.
- Tool calls come in OpenAI's form, or flat (`{"name", "arguments"}`, without an id): these are given one, made of the
  answer's own id (the `cf-ray` header) and the call's number.
- No reason is given for an answer's end: it is "length" where the tokens are as many as were allowed, else
  "tool_calls" where there are some, else "stop".

Source: https://developers.cloudflare.com/api/resources/ai/methods/run/,
https://developers.cloudflare.com/workers-ai/features/json-mode/, …/features/function-calling/.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import unquote

from edgeagent.types import ChatRequest
from edgeagent.types.completion import FinishReason
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.json import dump_json

__all__ = [
    "MADE_ID",
    "WIRE",
    "InvalidAnswerError",
    "answer_id",
    "calls_of",
    "content_of",
    "extra_fields",
    "finish_reason",
    "made_id",
    "model_of",
    "usage_of",
]

WIRE: Final = "cloudflare.run"

MADE_ID: Final = "call_cloudflare_"
"""How the ids begin that this codec makes."""

DEFAULT_LIMIT: Final = 256
"""`max_tokens` where none is asked for, by the parameters of each model (…/workers-ai/models/). Some models have more:
an answer of exactly so many tokens counts as cut off all the same, since a cache may keep what is complete."""

_OURS: Final = frozenset({"response", "tool_calls", "usage", "p", "id", "model", "choices", "created", "object"})
"""`p` is padding: it hides the length of a chunk from who listens."""


class InvalidAnswerError(ValueError):
    """A result is no text generation's; the text says in what, and quotes nothing of it."""


def answer_id(head: HTTPResponse | None) -> str:
    """The answer's id: Cloudflare has none but that of the HTTP answer."""
    ray = head.headers.get("cf-ray") if head is not None else None
    return f"chatcmpl-{ray or 'cloudflare'}"


def model_of(head: HTTPResponse | None) -> str:
    """The model, which only the address names; empty where it is not known."""
    path = head.request.url.partition("?")[0] if head is not None else ""
    return unquote(path.partition("/ai/run/")[2])


def content_of(result: Mapping[str, Any]) -> str | None:
    """The text, or the JSON that stands for it; None where there is none."""
    value = result.get("response")
    return value if value is None or isinstance(value, str) else dump_json(value).decode()


def calls_of(result: Mapping[str, Any], answer: str, first: int = 0) -> list[dict[str, Any]]:
    """The tool calls, or fragments of some, in OpenAI's form; `first` calls without an index came before.

    Raises `InvalidAnswerError`.
    """
    calls = result.get("tool_calls") or []
    if not isinstance(calls, list):
        raise InvalidAnswerError("tool_calls is no list")
    return [_call(call, answer, first + place) for place, call in enumerate(calls)]


def _call(call: Any, answer: str, number: int) -> dict[str, Any]:
    if not isinstance(call, Mapping):
        raise InvalidAnswerError("a tool call is no object")
    function = call.get("function")
    if isinstance(function, Mapping):
        whole = dict(call)
        if not isinstance(function.get("arguments"), str | None):
            whole["function"] = {**function, "arguments": _arguments(function["arguments"])}
        return whole
    if not isinstance(call.get("name"), str):
        raise InvalidAnswerError("a tool call has no name")
    made = {"name": call["name"], "arguments": _arguments(call.get("arguments"))}
    given = call.get("id")
    call_id = given if isinstance(given, str) and given else made_id(answer, number)
    return {"id": call_id, "type": "function", "function": made}


def made_id(answer: str, number: int) -> str:
    """The id of a call that came without one: the same whenever the answer is read."""
    return MADE_ID + blake2b(f"{answer}\n{number}".encode(), digest_size=9).hexdigest()


def _arguments(value: Any) -> str:
    if isinstance(value, str):
        return value
    return dump_json(value if value is not None else {}).decode()


def usage_of(result: Mapping[str, Any]) -> dict[str, Any] | None:
    """The tokens in OpenAI's form, with the total; None where there are none. Raises `InvalidAnswerError`."""
    usage = result.get("usage")
    if usage is None:
        return None
    if not isinstance(usage, Mapping):
        raise InvalidAnswerError("usage is no object")
    counts = {name: usage.get(name, 0) for name in ("prompt_tokens", "completion_tokens")}
    if not all(isinstance(count, int) and not isinstance(count, bool) and count >= 0 for count in counts.values()):
        raise InvalidAnswerError("usage holds what is no count")
    return {"total_tokens": sum(counts.values()), **usage, **counts}


def finish_reason(request: ChatRequest, usage: Mapping[str, Any] | None, *, called: bool) -> FinishReason:
    """Why the answer ended, by its tokens. Without a limit in the request, that of the documentation holds."""
    used, limit = (usage or {}).get("completion_tokens", 0), request.output_limit
    if used == DEFAULT_LIMIT if limit is None else used >= limit:
        return "length"
    return "tool_calls" if called else "stop"


def extra_fields(result: Mapping[str, Any]) -> dict[str, Any]:
    """What has no place in a completion."""
    return {name: value for name, value in result.items() if name not in _OURS and value is not None}
