"""Cohere's streamed answers → chunks.

Events are told apart by the `type` in their data; `message-end` is the last one, `[DONE]` may follow. The `index` of a
block is not relied on (recorded: thinking and text both 0); a block begins with its `content-start`. The vendor's own
blocks, the plan and the citations are told at the end, as `native_content`, if the plain fields do not say it all.

https://docs.cohere.com/v2/docs/streaming
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from edgeagent.errors import ResponseValidationError
from edgeagent.providers.cohere.blocks import annotations_of, native_of
from edgeagent.providers.cohere.errors import failed_answer
from edgeagent.providers.cohere.response import (
    decode_response,
    extra_fields,
    finish_of,
    has_failed,
    invalid_answer,
    logprobs_of,
)
from edgeagent.providers.cohere.usage import decode_usage
from edgeagent.providers.events import JSONEventDecoder, UnexpectedFormError
from edgeagent.types import ChatCompletion, ChatCompletionChunk
from edgeagent.wire.http import HTTPResponse

__all__ = ["ChatStreamDecoder"]

_END: Final = frozenset({"finish_reason", "usage", "error", "error_type"})

_validate = ChatCompletionChunk.model_validate


class _Block:
    """A block under way: its fields and the pieces of its text."""

    __slots__ = ("fields", "pieces")

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields
        self.pieces: list[str] = []

    def whole(self) -> dict[str, Any]:
        kind = self.fields["type"]
        return {**self.fields, kind: "".join(self.pieces)} if kind in ("text", "thinking") else self.fields


class ChatStreamDecoder(JSONEventDecoder):
    """Bytes → chunks. See `edgeagent.providers.base.StreamDecoder`; `model` is the one asked: events do not name it."""

    __slots__ = ("_blocks", "_calls", "_citations", "_empty", "_plan", "_spoke", "_top")

    def __init__(self, model: str = "") -> None:
        super().__init__()
        self._top: dict[str, Any] = {"id": "", "created": 0, "model": model}
        self._blocks: list[_Block] = []
        self._plan: list[str] = []
        self._citations: list[Any] = []
        self._calls: dict[int, int] = {}  # the vendor's index → ours
        self._empty: set[int] = set()  # calls without arguments so far
        self._spoke = False

    def invalid(self, reason: str, response: HTTPResponse) -> ResponseValidationError:
        """In the words of whole answers."""
        return invalid_answer(reason, response)

    def document(self, response: HTTPResponse) -> ChatCompletion:
        """A whole answer in place of the stream."""
        return decode_response(response, model=self._top["model"])

    def on_end(self) -> list[ChatCompletionChunk] | None:
        """Without `message-end` the answer is not complete."""
        return None

    def on_event(self, event: str, value: dict[str, Any]) -> list[ChatCompletionChunk]:
        """One event; unknown ones are harmless."""
        kind = value.get("type", event)
        handler = _HANDLERS.get(kind) if isinstance(kind, str) else None
        if handler is not None:
            return handler(self, value)
        if "type" not in value and isinstance(value.get("message"), str):
            raise failed_answer({"error": value["message"], "error_type": value.get("error_type")})
        return []

    def _chunk(self, delta: dict[str, Any], **choice: Any) -> ChatCompletionChunk:
        return _validate({**self._top, "choices": [{"index": 0, "delta": delta, **choice}]})

    # the events, by their type

    def _message_start(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        if isinstance(event.get("id"), str):
            self._top["id"] = event["id"]
        return [self._chunk({"role": "assistant"})]

    def _content_start(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        fields = _content(event)
        kind = fields.get("type")
        if not isinstance(kind, str):
            raise UnexpectedFormError("a block of the content has no type")
        self._blocks.append(_Block({k: v for k, v in fields.items() if k not in ("text", "thinking")}))
        return self._content_delta(event) if kind in ("text", "thinking") else []

    def _content_delta(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        fields = _content(event)
        chunks = []
        for kind, name in (("thinking", "reasoning_content"), ("text", "content")):
            piece = fields.get(kind)
            if piece is None or piece == "":
                continue
            if not isinstance(piece, str):
                raise UnexpectedFormError(f"{kind} is no text")
            if not self._blocks or self._blocks[-1].fields["type"] != kind:
                self._blocks.append(_Block({"type": kind}))
            self._blocks[-1].pieces.append(piece)
            self._spoke = self._spoke or kind == "text"
            chunks.append(self._chunk({name: piece}))
        if event.get("logprobs"):
            given = event["logprobs"]
            told = logprobs_of(given if isinstance(given, list) else [given])
            if chunks:
                chunks[-1] = self._chunk(chunks[-1].choices[0].delta.model_dump(exclude_unset=True), logprobs=told)
            else:
                chunks.append(self._chunk({}, logprobs=told))
        return chunks

    def _plan_delta(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        piece = _message(event).get("tool_plan") or ""
        if not isinstance(piece, str):
            raise UnexpectedFormError("tool_plan is no text")
        self._plan.append(piece)
        return [self._chunk({"reasoning_content": piece})] if piece else []

    def _call_start(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        call = _call(event)
        if not isinstance(call.get("id"), str):
            raise UnexpectedFormError("a tool call has no id")
        place = len(self._calls)
        self._calls[_index(event)] = place
        function = call["function"]
        arguments = _text(function.get("arguments"))
        if not arguments:
            self._empty.add(place)
        told = {**function, "arguments": arguments}
        return [self._chunk({"tool_calls": [{**call, "index": place, "type": "function", "function": told}]})]

    def _call_delta(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        piece = _text(_call(event)["function"].get("arguments"))
        if not piece:
            return []
        place = self._calls[_index(event)]
        self._empty.discard(place)
        return [self._chunk({"tool_calls": [{"index": place, "function": {"arguments": piece}}]})]

    def _call_end(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        return self._fill(self._calls.get(_index(event)))

    def _fill(self, place: int | None) -> list[ChatCompletionChunk]:
        """A call without arguments has the empty object, as in a whole answer."""
        if place is None or place not in self._empty:
            return []
        self._empty.discard(place)
        return [self._chunk({"tool_calls": [{"index": place, "function": {"arguments": "{}"}}]})]

    def _citation_start(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        given = _message(event).get("citations")
        self._citations += given if isinstance(given, list) else [given] if given is not None else []
        return []

    def _message_end(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        delta = event.get("delta") or {}
        reason = delta.get("finish_reason")
        if has_failed(reason):
            raise failed_answer(delta)
        chunks = [chunk for place in sorted(self._empty) for chunk in self._fill(place)]
        blocks = [block.whole() for block in self._blocks]
        told: dict[str, Any] = {}
        if found := annotations_of(self._citations, blocks):
            told["annotations"] = found
        plan = "".join(self._plan)
        if (native := native_of(blocks, plan, self._citations)) is not None:
            told["native_content"] = native
        if not self._spoke and not self._calls and not plan:
            told["content"] = ""
        finish = finish_of(reason, calls=bool(self._calls))
        chunks.append(self._chunk(told, finish_reason=finish, native_finish_reason=reason))
        last: dict[str, Any] = {**extra_fields(delta, _END), **self._top, "choices": []}
        if (usage := decode_usage(delta.get("usage"))) is not None:
            last["usage"] = usage
        chunks.append(_validate(last))
        self._finished = True
        return chunks


_HANDLERS: Final[Mapping[str, Callable[[ChatStreamDecoder, Mapping[str, Any]], list[ChatCompletionChunk]]]] = {
    "message-start": ChatStreamDecoder._message_start,
    "content-start": ChatStreamDecoder._content_start,
    "content-delta": ChatStreamDecoder._content_delta,
    "tool-plan-delta": ChatStreamDecoder._plan_delta,
    "tool-call-start": ChatStreamDecoder._call_start,
    "tool-call-delta": ChatStreamDecoder._call_delta,
    "tool-call-end": ChatStreamDecoder._call_end,
    "citation-start": ChatStreamDecoder._citation_start,
    "message-end": ChatStreamDecoder._message_end,
}


def _message(event: Mapping[str, Any]) -> Mapping[str, Any]:
    message: Mapping[str, Any] = event["delta"]["message"]
    return message


def _content(event: Mapping[str, Any]) -> Mapping[str, Any]:
    content: Mapping[str, Any] = _message(event)["content"]
    return content


def _call(event: Mapping[str, Any]) -> Mapping[str, Any]:
    call: Mapping[str, Any] = _message(event)["tool_calls"]
    if not isinstance(call["function"], Mapping):
        raise UnexpectedFormError("a tool call has no function")
    return call


def _index(event: Mapping[str, Any]) -> int:
    index = event.get("index", 0)
    if not isinstance(index, int) or isinstance(index, bool):
        raise UnexpectedFormError("an index is not a number")
    return index


def _text(value: Any) -> str:
    if value is not None and not isinstance(value, str):
        raise UnexpectedFormError("arguments are no text")
    return value or ""
