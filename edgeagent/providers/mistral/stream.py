"""Mistral's streamed answers → chunks.

Like OpenAI's, but: a delta's content may be a list of parts, of which consecutive thinking parts are fragments of one;
tool calls come whole, several in one delta, without `index` or `type`; the usage comes with the last choice's end; a
field `p` pads the chunks. Parts that have no other place are told as `native_content` when they are complete, from the
moment on that one is known, and those before it with it: assembled, they are the parts of the unstreamed answer.

https://docs.mistral.ai/api/endpoint/chat (`CompletionChunk`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.errors import ResponseValidationError
from edgeagent.providers.events import JSONEventDecoder, UnexpectedFormError
from edgeagent.providers.mistral.calls import arguments_of, given_id, wire_id
from edgeagent.providers.mistral.errors import error_in_answer
from edgeagent.providers.mistral.parts import WIRE, annotation_of, check_part, is_plain
from edgeagent.providers.mistral.response import (
    decode_response,
    extra_fields,
    failed_answer,
    finish_of,
    invalid_answer,
)
from edgeagent.providers.mistral.usage import decode_usage, service_tier_of
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.wire.http import HTTPResponse

__all__ = ["ChatStreamDecoder"]

_TOP: Final = frozenset({"id", "created", "model", "object", "choices", "usage", "p"})
_CHOICE: Final = frozenset({"index", "delta", "finish_reason", "logprobs", "native_finish_reason"})
_DELTA: Final = frozenset({"role", "content", "tool_calls", "prefix"})

_validate = ChatCompletionChunk.model_validate


class _Block:
    """A part under way: its fields, and the pieces of its text."""

    __slots__ = ("fields", "items", "pieces")

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields
        self.pieces: list[str] = []
        self.items: list[Any] = []  # of a thinking part: those before the text under way

    def end_text(self) -> None:
        """What is under way of a thinking part is complete."""
        if self.pieces:
            self.items.append({"type": "text", "text": "".join(self.pieces)})
            self.pieces = []

    def whole(self) -> dict[str, Any]:
        if self.fields["type"] == "thinking":
            self.end_text()
            return {**self.fields, "thinking": self.items}
        return {**self.fields, "text": "".join(self.pieces)}


class _Choice:
    """One choice as far as it has come."""

    __slots__ = ("begun", "block", "calls", "closed", "ended", "ids", "length", "native")

    def __init__(self) -> None:
        self.begun = False
        self.ended = False
        self.length = 0  # characters of text
        self.block: _Block | None = None
        self.closed: list[dict[str, Any]] = []  # parts that are complete and not yet told as native content
        self.native = False
        self.ids: dict[str, int] = {}
        self.calls = 0


class ChatStreamDecoder(JSONEventDecoder):
    """Bytes → chunks. See `edgeagent.providers.base.StreamDecoder`."""

    __slots__ = ("_choices", "_top")

    def __init__(self, request: ChatRequest | None = None) -> None:
        super().__init__()
        self._top: dict[str, Any] = {"model": request.model if request is not None else "", "id": "", "created": 0}
        self._choices: dict[int, _Choice] = {}

    def invalid(self, reason: str, response: HTTPResponse) -> ResponseValidationError:
        """In the words of whole answers."""
        return invalid_answer(reason, response)

    def document(self, response: HTTPResponse) -> ChatCompletion:
        """A whole answer in place of the stream."""
        return decode_response(response)

    def on_done(self) -> list[ChatCompletionChunk]:
        """Whatever has come is all."""
        return [chunk for index in sorted(self._choices) for chunk in self._close(index)]

    def on_end(self) -> list[ChatCompletionChunk] | None:
        """Without `[DONE]` the answer is complete if each choice said why it ended."""
        if not self._choices or not all(choice.ended for choice in self._choices.values()):
            return None
        return []

    def on_event(self, event: str, value: dict[str, Any]) -> list[ChatCompletionChunk]:
        """One chunk of the vendor's."""
        if not value:
            return []  # a keep-alive
        if (
            event == "error"
            or value.get("error")
            or ("choices" not in value and (value.get("object") == "error" or "detail" in value or "message" in value))
        ):
            raise error_in_answer(value, HTTPResponse(200))
        choices = value.get("choices")
        if not isinstance(choices, list):
            raise UnexpectedFormError("choices is missing")
        for name in ("id", "created", "model"):
            if value.get(name):
                self._top[name] = value[name]
        chunks = [chunk for number, choice in enumerate(choices) for chunk in self._take(choice, number)]
        extra = extra_fields(value, _TOP, ChatCompletionChunk)
        if value.get("usage") is not None:
            usage, tier = decode_usage(value["usage"]), service_tier_of(value["usage"])
            more = {"service_tier": tier} if tier is not None else {}
            chunks.append(_validate({**extra, **self._top, **more, "choices": [], "usage": usage}))
        elif extra:
            chunks.append(_validate({**extra, **self._top, "choices": []}))
        return chunks

    def _take(self, choice: Any, number: int) -> list[ChatCompletionChunk]:
        index = choice.get("index", number)
        if not isinstance(index, int) or isinstance(index, bool):
            raise UnexpectedFormError("a choice's index is not a number")
        state = self._choices.setdefault(index, _Choice())
        delta = choice.get("delta") or {}
        told: dict[str, Any] = {k: v for k, v in delta.items() if k not in _DELTA and v is not None}
        if not state.begun:
            state.begun = True
            told["role"] = "assistant"
        chunks = self._content(index, state, delta.get("content"), told)
        calls = delta.get("tool_calls") or []
        if calls:
            fragments = [self._call(state, call, index) for call in calls]
            chunks.append(self._chunk(index, {**told, "tool_calls": fragments}))
            told.clear()
        reason = choice.get("finish_reason")
        if reason is not None:
            if reason == "error":
                raise failed_answer()
            chunks += self._close(index)
            state.ended = True
        extra = {k: v for k, v in choice.items() if k not in _CHOICE and v is not None}
        if choice.get("logprobs") is not None:
            extra["logprobs"] = choice["logprobs"]
        if reason is not None or extra or told:
            if reason is not None:
                extra.update(finish_reason=finish_of(reason, calls=state.calls > 0), native_finish_reason=reason)
                if not state.length and not state.calls:
                    told["content"] = ""
            chunks.append(self._chunk(index, told, **extra))
        return chunks

    def _chunk(self, index: int, delta: dict[str, Any], **choice: Any) -> ChatCompletionChunk:
        return _validate({**self._top, "choices": [{"index": index, "delta": delta, **choice}]})

    # content

    def _content(self, index: int, state: _Choice, content: Any, told: dict[str, Any]) -> list[ChatCompletionChunk]:
        """The chunks of a delta's content; the first takes what else the delta tells."""
        if content is None or content == "":
            return []
        if not isinstance(content, (str, list)):
            raise UnexpectedFormError("content is neither text nor a list")
        chunks: list[ChatCompletionChunk] = []
        for value in content if isinstance(content, list) else [content]:
            part = check_part(value)
            if part["type"] == "text":
                self._text(index, state, part, told, chunks)
            elif part["type"] == "thinking":
                self._thinking(index, state, part, told, chunks)
            else:
                chunks += self._native(index, state, close=True)
                state.closed.append(part)
                if found := annotation_of(part, state.length):
                    chunks.append(self._chunk(index, {"annotations": [found]}))
                state.native = True
                chunks += self._native(index, state)
        return chunks

    def _text(
        self, index: int, state: _Choice, part: Mapping[str, Any], told: dict[str, Any], out: list[ChatCompletionChunk]
    ) -> None:
        if state.block is None or state.block.fields["type"] != "text":
            out += self._native(index, state, close=True)
            state.block = _Block({"type": "text"})
            state.native = state.native or bool(state.closed)
        if not is_plain(part):
            state.native = True
            state.block.fields.update({k: v for k, v in part.items() if k != "text"})
        piece = part["text"]
        if piece:
            state.block.pieces.append(piece)
            state.length += len(piece)
            out.append(self._chunk(index, {**told, "content": piece}))
            told.clear()

    def _thinking(
        self, index: int, state: _Choice, part: Mapping[str, Any], told: dict[str, Any], out: list[ChatCompletionChunk]
    ) -> None:
        if state.block is None or state.block.fields["type"] != "thinking":
            out += self._native(index, state, close=True)
            state.native = True
            state.block = _Block({"type": "thinking"})
        block = state.block
        block.fields.update({k: v for k, v in part.items() if k not in ("type", "thinking") and v is not None})
        for item in part["thinking"]:
            if isinstance(item, Mapping) and item.keys() == {"type", "text"} and item["type"] == "text":
                piece = item["text"]
                if not isinstance(piece, str):
                    raise UnexpectedFormError("a text part has no text")
                if piece:
                    block.pieces.append(piece)
            else:
                block.end_text()
                block.items.append(item)
                text = item.get("text") if isinstance(item, Mapping) and item.get("type") == "text" else None
                piece = text if isinstance(text, str) else ""
            if piece:
                out.append(self._chunk(index, {**told, "reasoning_content": piece}))
                told.clear()

    def _native(self, index: int, state: _Choice, *, close: bool = False) -> list[ChatCompletionChunk]:
        """The parts that are complete, if they have to be told."""
        if close and state.block is not None:
            state.closed.append(state.block.whole())
            state.block = None
        if not state.native or not state.closed:
            return []
        parts, state.closed = state.closed, []
        return [self._chunk(index, {"native_content": {"wire": WIRE, "content": parts}})]

    def _close(self, index: int) -> list[ChatCompletionChunk]:
        state = self._choices[index]
        return self._native(index, state, close=True)

    # tool calls

    def _call(self, state: _Choice, call: Any, index: int) -> dict[str, Any]:
        """A fragment with the index of its call: calls are told apart by their ids, else by their `index`."""
        if not isinstance(call, Mapping) or not isinstance(call.get("function"), Mapping):
            raise UnexpectedFormError("a tool call has no function")
        call_id, given = given_id(call), call.get("index")
        key = f"#{given}" if isinstance(given, int) else None
        place = state.ids.get(call_id or key or "")
        fragment: dict[str, Any] = {}
        if place is None:
            place = state.calls
            state.calls += 1
            call_id = call_id or wire_id(f"{self._top['id']}.{index}.{place}")
            fragment = {"id": call_id, "type": "function"}
        state.ids.update({name: place for name in (call_id, key) if name is not None})
        function: dict[str, Any] = {k: v for k, v in call["function"].items() if k != "arguments" and v is not None}
        function["arguments"] = arguments_of(call["function"].get("arguments"))
        rest = {k: v for k, v in call.items() if k not in ("id", "index", "type", "function") and v is not None}
        return {**rest, **fragment, "index": place, "function": function}
