"""OpenAI's chat requests, both directions.

Our request is OpenAI's, so encoding takes away rather than translates: what only answers have, hints of other vendors,
parts of their answers. Everything taken away is named in what `Encoded` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from pydantic import ValidationError

from edgeagent.errors import RequestValidationError
from edgeagent.providers.base import Encoded
from edgeagent.providers.openai.quirks import Quirks
from edgeagent.types import ChatRequest
from edgeagent.types.faults import first_fault
from edgeagent.types.request import NOT_IN_BODY

__all__ = ["decode_request", "encode_request"]

RESPONSE_ONLY: Final = frozenset({"annotations", "native_content", "parsed", "reasoning_content"})
"""Fields that an assistant's message has in an answer and must not have in a request."""

ASSISTANT_PARTS: Final = frozenset({"text", "refusal"})
"""The content parts that OpenAI takes in an assistant's message; others are parts of another vendor's answer."""

CACHE_HINT: Final = "cache_control"
"""Anthropic's prompt-caching hint: OpenAI caches without being asked."""

_RANGES: Final = (
    ("temperature", 0, 2),
    ("top_p", 0, 1),
    ("frequency_penalty", -2, 2),
    ("presence_penalty", -2, 2),
    ("n", 1, 128),
    ("top_logprobs", 0, 20),
)
"""From OpenAI's OpenAPI document, as are the other numbers of `_check`."""


def encode_request(request: ChatRequest, quirks: Quirks, *, model: str, stream: bool) -> Encoded:
    """Our request → the JSON body for `model`.

    Raises:
        RequestValidationError: a number outside the range that OpenAI documents.
    """
    if quirks.documented_ranges:
        _check(request)
    body = request.params()
    body["model"] = model
    taken = _Taken(quirks)
    body["messages"] = [taken.from_message(message) for message in request.messages]
    if request.tools and not quirks.cache_hints:
        body["tools"] = [taken.from_tool(tool) for tool in request.tools]
    if not quirks.cache_hints and body.pop(CACHE_HINT, None) is not None:
        taken.dropped.add(CACHE_HINT)
    edits = taken.edits()
    if "max_tokens" in body and model.removeprefix("ft:").startswith(quirks.output_limit_renamed):
        limit = body.pop("max_tokens")
        body.setdefault("max_completion_tokens", limit)
        edits.append("max_tokens sent as max_completion_tokens")
    _stream(body, edits, stream=stream)
    return Encoded(body, dropped=tuple(sorted(taken.dropped)), edits=tuple(edits))


def _stream(body: dict[str, Any], edits: list[str], *, stream: bool) -> None:
    if not stream:
        if body.get("stream"):
            del body["stream"]
        body.pop("stream_options", None)  # OpenAI refuses it without `stream`
        return
    body["stream"] = True
    options = body.get("stream_options") or {}
    if not options.get("include_usage"):
        edits.append("stream_options.include_usage added")
        options = {**options, "include_usage": True}
    body["stream_options"] = options


class _Taken:
    """Takes out of messages and tools what must not be sent, and remembers what it took."""

    def __init__(self, quirks: Quirks) -> None:
        self._keep_hints = quirks.cache_hints
        self._fields: set[str] = set()
        self._audio = False
        self.dropped: set[str] = set()

    def edits(self) -> list[str]:
        edits = []
        if self._fields:
            edits.append(f"fields of answers not sent back: {', '.join(sorted(self._fields))}")
        if self._audio:
            edits.append("audio of earlier answers sent by its id")
        return edits

    def from_message(self, message: dict[str, Any]) -> dict[str, Any]:
        if len(message) == 2 and type(message.get("content")) is str:
            return message  # a role and a text: the usual case, with nothing to take
        sent = {name: value for name, value in message.items() if value is not None or name == "content"}
        self._hint(sent)
        content = sent.get("content")
        assistant = sent.get("role") == "assistant"
        if isinstance(content, list):
            parts = [self._from_part(part) for part in content if not (assistant and self._is_foreign(part))]
            sent["content"] = parts if parts or not content else None if sent.get("tool_calls") else ""
        if assistant:
            self._from_answer(sent)
        return sent

    def from_tool(self, tool: dict[str, Any]) -> dict[str, Any]:
        function = tool.get("function")
        if CACHE_HINT not in tool and not (isinstance(function, dict) and CACHE_HINT in function):
            return tool
        sent = dict(tool)
        self._hint(sent)
        if isinstance(function, dict):
            sent["function"] = dict(function)
            self._hint(sent["function"])
        return sent

    def _from_answer(self, sent: dict[str, Any]) -> None:
        for name in RESPONSE_ONLY & sent.keys():
            del sent[name]
            self._fields.add(name)
        audio = sent.get("audio")
        if isinstance(audio, dict) and audio.keys() != {"id"} and "id" in audio:
            sent["audio"] = {"id": audio["id"]}
            self._audio = True
        calls = sent.get("tool_calls")
        if calls == []:
            del sent["tool_calls"]  # OpenAI refuses an empty list
        elif isinstance(calls, list):
            sent["tool_calls"] = [self._from_call(call) for call in calls]

    def _from_call(self, call: Any) -> Any:
        if not isinstance(call, dict):
            return call
        sent = {name: value for name, value in call.items() if value is not None and name != "index"}
        if "index" in call:
            self._fields.add("tool_calls.index")
        function = sent.get("function")
        if isinstance(function, dict) and "parsed_arguments" in function:  # added by openai's `parse` helper
            sent["function"] = {name: value for name, value in function.items() if name != "parsed_arguments"}
            self._fields.add("tool_calls.function.parsed_arguments")
        return sent

    def _is_foreign(self, part: Any) -> bool:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind is None or kind in ASSISTANT_PARTS:
            return False
        self.dropped.add(f"messages.content.{kind}")
        return True

    def _from_part(self, part: Any) -> Any:
        if isinstance(part, dict) and CACHE_HINT in part:
            part = dict(part)
            self._hint(part)
        return part

    def _hint(self, holder: dict[str, Any]) -> None:
        if not self._keep_hints and holder.pop(CACHE_HINT, None) is not None:
            self.dropped.add(CACHE_HINT)


# Ranges


def _check(request: ChatRequest) -> None:
    for name, low, high in _RANGES:
        value = getattr(request, name)
        if value is not None and not low <= value <= high:
            _refuse(f"must be between {low} and {high}; got {value}", name)
    if isinstance(request.stop, list) and len(request.stop) > 4:
        _refuse(f"must hold at most 4 sequences; got {len(request.stop)}", "stop")
    for token, bias in (request.logit_bias or {}).items():
        if not -100 <= bias <= 100:
            _refuse(f"must be between -100 and 100; got {bias}", f"logit_bias.{token}")
    if request.metadata:
        _check_metadata(request.metadata)


def _check_metadata(metadata: Mapping[str, Any]) -> None:
    if len(metadata) > 16:
        _refuse(f"must hold at most 16 pairs; got {len(metadata)}", "metadata")
    for name, value in metadata.items():
        if len(name) > 64:
            _refuse("must have keys of at most 64 characters", "metadata")
        if not isinstance(value, str) or len(value) > 512:
            _refuse("must be text of at most 512 characters", f"metadata.{name}")


def _refuse(reason: str, param: str) -> NoReturn:
    raise RequestValidationError(f"{param}: {reason}.", param=param)


# The inverse


def decode_request(body: Mapping[str, Any]) -> ChatRequest:
    """OpenAI's body → our request, unknown fields kept.

    Raises:
        RequestValidationError: a missing or ill-typed field; `.param` names it.
    """
    for name in NOT_IN_BODY & body.keys():  # would become header fields or a query: not for a body to say
        _refuse("is no field of the body", name)
    try:
        return ChatRequest.model_validate(dict(body))
    except ValidationError as error:
        param, reason = first_fault(error)
        raise RequestValidationError(f"{param}: {reason}.", param=param) from None
