"""One of Ollama's answer documents, read: a whole answer, or one line of a stream.

Laws:

- Ollama's answers have no id. One is made of the model and the time, and ids of tool calls (which older servers leave
  out) of that and the call's number; both are the same however often the answer is read.
- Go leaves zeros out, so an absent count is 0 (`prompt_eval_count` when the whole prompt was cached).
- What a message has beyond text, thinking and tool calls is `native_content`: the message without those.

Source: https://docs.ollama.com/api/chat, https://github.com/ollama/ollama/blob/main/api/types.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from hashlib import blake2b
from typing import Any, Final

from edgeagent.wire.json import dump_json

__all__ = [
    "MADE_ID",
    "WIRE",
    "InvalidAnswerError",
    "answer_id",
    "epoch",
    "extra_fields",
    "finish_of",
    "logprobs_of",
    "message_of",
    "text",
    "usage_of",
]

Document = Mapping[str, Any]

WIRE: Final = "ollama.chat"

MADE_ID: Final = "call_ollama_"
"""How the ids begin that this codec makes; they are not sent back to Ollama, which did not give them."""

_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|([+-])(\d\d):(\d\d))")
_FINISH: Final[Mapping[str, str]] = {"stop": "stop", "length": "length"}
_OURS: Final = frozenset(
    {"model", "message", "done", "done_reason", "logprobs", "eval_count", "prompt_eval_count", "error"}
)
"""Fields of a document with a place in a completion; the others are kept beside them."""
_MESSAGE: Final = frozenset({"role", "content", "thinking", "tool_calls"})
_CALL: Final = frozenset({"id", "type", "function"})
_FUNCTION: Final = frozenset({"name", "arguments", "index"})


class InvalidAnswerError(ValueError):
    """An answer is not what Ollama documents; the text says in what, and quotes nothing of it."""


def answer_id(document: Document) -> str:
    """The id of the answer that this document is, or begins."""
    seed = f"{document.get('model')}\n{document.get('created_at')}".encode("utf-8", "replace")
    return "chatcmpl-" + blake2b(seed, digest_size=12).hexdigest()


def epoch(document: Document) -> int:
    """`created_at` in seconds since the epoch; 0 where it is none."""
    found = _TIME.fullmatch(text(document, "created_at"))
    if found is None:
        return 0
    try:
        moment = datetime.fromisoformat(found[1]).replace(tzinfo=timezone.utc)
    except ValueError:
        return 0
    offset = timedelta(hours=int(found[3] or 0), minutes=int(found[4] or 0))
    return int(moment.timestamp() - offset.total_seconds() * (-1 if found[2] == "-" else 1))


def message_of(document: Document, answer: str, first_call: int = 0) -> dict[str, Any]:
    """The message's fields that say something, as ours; `first_call` tool calls came before it.

    Raises `InvalidAnswerError`.
    """
    message = document.get("message")
    if not isinstance(message, Mapping):
        raise InvalidAnswerError("message is no object")
    fields: dict[str, Any] = {}
    if content := text(message, "content"):
        fields["content"] = content
    if thinking := text(message, "thinking"):
        fields["reasoning_content"] = thinking
    calls = message.get("tool_calls")
    if calls:
        if not isinstance(calls, list):
            raise InvalidAnswerError("tool_calls is no list")
        fields["tool_calls"] = [_call(call, answer, first_call + place) for place, call in enumerate(calls)]
    if native := _native(message, calls or ()):
        fields["native_content"] = {"wire": WIRE, "content": [native]}
    return fields


def _call(call: Any, answer: str, number: int) -> dict[str, Any]:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise InvalidAnswerError("a tool call has no function with a name")
    arguments = function.get("arguments")
    if not isinstance(arguments, str):
        if not isinstance(arguments, Mapping | None):
            raise InvalidAnswerError("a tool call's arguments are no object")
        arguments = dump_json(arguments or {}).decode()
    made = MADE_ID + blake2b(f"{answer}\n{number}".encode(), digest_size=9).hexdigest()
    given = text(call, "id") or made
    return {"id": given, "type": "function", "function": {"name": function["name"], "arguments": arguments}}


def _native(message: Mapping[str, Any], calls: Any) -> dict[str, Any]:
    """The fields that have no place in ours; of tool calls, all of them if one has more than its id and function."""
    native = {name: value for name, value in message.items() if name not in _MESSAGE and value is not None}
    if any(call.keys() - _CALL or call["function"].keys() - _FUNCTION for call in calls):
        native["tool_calls"] = calls
    return native


def finish_of(document: Document, *, calls: bool) -> tuple[str, str | None]:
    """The finish reason and Ollama's own word for it, of a document that is `done`. Raises `InvalidAnswerError`."""
    native = text(document, "done_reason") or None
    if calls and native != "length":
        return "tool_calls", native
    return _FINISH.get(native or "stop", "stop"), native


def usage_of(document: Document) -> dict[str, Any] | None:
    """The tokens, None where none were counted. Raises `InvalidAnswerError`."""
    if "eval_count" not in document and "prompt_eval_count" not in document:
        return None
    prompt, completion = (_count(document, name) for name in ("prompt_eval_count", "eval_count"))
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def logprobs_of(document: Document) -> dict[str, Any] | None:
    """The log probabilities, thinking included: OpenAI's form already, under the document."""
    found = document.get("logprobs")
    return {"content": found} if found else None


def extra_fields(document: Document) -> dict[str, Any]:
    """What has no place in a completion: durations (in ns), the time, the remote model's name."""
    return {name: value for name, value in document.items() if name not in _OURS and value is not None}


def text(fields: Mapping[str, Any], name: str) -> str:
    """A field that is text or absent. Raises `InvalidAnswerError`."""
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidAnswerError(f"{name} is no text")
    return value or ""


def _count(document: Document, name: str) -> int:
    value = document.get(name)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidAnswerError(f"{name} is no count")
    return value
