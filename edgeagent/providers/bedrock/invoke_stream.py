"""InvokeModelWithResponseStream's answer → chunks, and back.

Each frame's `bytes` are one event of the model family's own stream, in base64: Claude's and the OpenAI-shaped families'
are given to their own decoders, Nova's are Converse's, text models' are pieces of text. The first event tells which.
The frame with `amazon-bedrock-invocationMetrics` is the last; text models' usage stands only there.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import from_json

from edgeagent.errors import APIConnectionError, APIError, ConfigurationError
from edgeagent.providers.anthropic import AnthropicMessagesCodec
from edgeagent.providers.anthropic.stream import MessageStreamDecoder
from edgeagent.providers.base import StreamDecoder, StreamEncoder
from edgeagent.providers.bedrock.blocks import InvalidBlockError
from edgeagent.providers.bedrock.encoder import ConverseStreamEncoder
from edgeagent.providers.bedrock.families import finish_of_text, read_text
from edgeagent.providers.bedrock.frames import FrameReader, frame, quoted
from edgeagent.providers.bedrock.response import identity, invalid_answer
from edgeagent.providers.bedrock.stream import ConverseEvents
from edgeagent.providers.bedrock.usage import token_count
from edgeagent.providers.openai import OpenAIChatCodec
from edgeagent.types import ChatCompletionChunk, ChatRequest, CompletionUsage
from edgeagent.wire.eventstream import EventStreamDecoder
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.json import dump_json
from edgeagent.wire.sse import SSEDecoder

__all__ = ["METRICS", "InvokeStreamDecoder", "InvokeStreamEncoder"]

METRICS: Final = "amazon-bedrock-invocationMetrics"
_OWN: Final = "amazon-bedrock-"
_NOVA: Final = frozenset(
    {"messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"}
)


class InvokeStreamDecoder:
    """Bytes → chunks. See `edgeagent.providers.base.StreamDecoder`."""

    __slots__ = (
        "_beside",
        "_fault",
        "_frames",
        "_head",
        "_inner",
        "_metrics",
        "_nova",
        "_output",
        "_prompt",
        "_request",
        "_started",
        "_stopped",
        "_top",
    )

    def __init__(self, request: ChatRequest, head: HTTPResponse | None = None) -> None:
        answer_id, model = identity(head)
        self._request = request
        self._head = head
        self._top: dict[str, Any] = {"id": answer_id, "created": 0, "model": model or request.model}
        self._frames = FrameReader()
        self._inner: StreamDecoder | None = None  # of a family with a stream of its own
        self._nova: ConverseEvents | None = None
        self._beside: dict[str, Any] = {}  # what Bedrock says beside a family's events: its guardrail's verdict
        self._metrics = False
        self._started = False
        self._stopped = False
        self._prompt: int | None = None
        self._output: int | None = None
        self._fault: APIError | None = None

    @property
    def finished(self) -> bool:
        """Whether the metrics were seen, which come last, or a fault waits to be raised."""
        return self._metrics or self._fault is not None

    def feed(self, data: bytes, /) -> list[ChatCompletionChunk]:
        """The chunks that have become complete."""
        if self._fault is not None:
            raise self._fault
        if self.finished:
            return []
        chunks: list[ChatCompletionChunk] = []
        try:
            for name, event in self._frames.feed(data):
                if self._metrics:
                    break
                if name == "chunk":
                    chunks += self._frame(event)
        except APIError as error:
            self._fault = error
            if not chunks:
                raise
        return chunks

    def end(self) -> list[ChatCompletionChunk]:
        """The connection has ended: raise what is wrong."""
        self.feed(b"")  # a fault that the last bytes held
        if self._fault is None and not self._metrics and (self._frames.pending or not self._is_complete()):
            self._fault = APIConnectionError(message="The stream ended before the answer did.")
        if self._fault is not None:
            raise self._fault
        self._metrics = True
        return []

    def _is_complete(self) -> bool:
        if self._inner is not None:
            return self._inner.finished
        return self._nova.stopped if self._nova is not None else self._stopped

    def _frame(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        try:
            value = from_json(b64decode(event["bytes"], validate=True), allow_inf_nan=False)
            if not isinstance(value, dict):
                raise InvalidBlockError("a chunk is not an object")
            metrics = value.pop(METRICS, None)
            self._beside.update({name: told for name, told in value.items() if name.startswith(_OWN)})
            chunks = self._event(value)
            if metrics is not None:
                chunks += [*self._ended(), self._last(metrics)]
            return chunks
        except InvalidBlockError as error:
            raise invalid_answer(str(error), quoted(event)) from None
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
            raise invalid_answer("a chunk has not the documented form", quoted(event)) from error

    def _event(self, value: dict[str, Any]) -> list[ChatCompletionChunk]:
        found = next((name for name in value if name in _NOVA), None)
        if found is not None and self._inner is None:
            if self._nova is None:
                self._nova = ConverseEvents(self._request, self._head)
            return self._nova.event(found, value[found])
        if self._inner is None and self._nova is None and not self._started:
            self._inner = _decoder(value, self._request)
        if self._inner is not None:
            return self._inner.feed(_server_sent(value)) if value else []
        return self._text(value)

    def _text(self, value: dict[str, Any]) -> list[ChatCompletionChunk]:
        piece = read_text(value)
        if piece is None:
            return []
        chunks = [] if self._started else [self._chunk({"role": "assistant"}, 0)]
        self._started = True
        self._prompt = piece.prompt if piece.prompt is not None else self._prompt
        self._output = piece.output if piece.output is not None else self._output
        self._top["id"] = piece.id or self._top["id"]
        blocked = piece.rest.get("amazon-bedrock-guardrailAction") == "INTERVENED"
        for index, (text, reason) in enumerate(piece.texts):
            if text or reason is not None:
                finish = "content_filter" if blocked and reason is not None else finish_of_text(reason)
                more = {"finish_reason": finish, "native_finish_reason": reason} if reason is not None else {}
                chunks.append(self._chunk({"content": text}, index, **more))
            self._stopped = self._stopped or reason is not None
        rest = {name: item for name, item in piece.rest.items() if name not in ChatCompletionChunk.model_fields}
        if rest:
            chunks.append(ChatCompletionChunk.model_validate({**rest, **self._top, "choices": []}))
        return chunks

    def _ended(self) -> list[ChatCompletionChunk]:
        """What an OpenAI-shaped stream still holds back: on Bedrock it has no `[DONE]` of its own."""
        if self._inner is None or self._inner.finished or isinstance(self._inner, MessageStreamDecoder):
            return []
        return self._inner.feed(b"data: [DONE]\n\n")

    def _last(self, metrics: Any) -> ChatCompletionChunk:
        """The metrics, and of them the usage where the family's own events did not tell it."""
        if not self._is_complete():
            raise InvalidBlockError("its metrics come before its end")
        self._metrics = True
        values: dict[str, Any] = {METRICS: metrics, **self._beside, **self._top, "choices": []}
        if self._inner is None and self._nova is None:
            read = self._prompt if self._prompt is not None else token_count(metrics, "inputTokenCount")
            written = self._output if self._output is not None else token_count(metrics, "outputTokenCount")
            total = (read or 0) + (written or 0)
            values["usage"] = CompletionUsage(
                prompt_tokens=read or 0, completion_tokens=written or 0, total_tokens=total
            )
        return ChatCompletionChunk.model_validate(values)

    def _chunk(self, delta: dict[str, Any], index: int, **choice: Any) -> ChatCompletionChunk:
        return ChatCompletionChunk.model_validate(
            {**self._top, "choices": [{"index": index, "delta": delta, **choice}]}
        )


def _decoder(value: Mapping[str, Any], request: ChatRequest) -> StreamDecoder | None:
    """The decoder of the family that this first event is of; None for text models."""
    kind = value.get("type")
    if kind in ("message_start", "ping", "error"):
        return AnthropicMessagesCodec().stream_decoder(request)
    choices = value.get("choices")
    if isinstance(choices, list) and (not choices or (isinstance(choices[0], dict) and "delta" in choices[0])):
        return OpenAIChatCodec().stream_decoder(request)
    return None


def _server_sent(value: Mapping[str, Any]) -> bytes:
    return b"data: " + dump_json(value) + b"\n\n"


class InvokeStreamEncoder:
    """Chunks → bytes: the family's own events, in frames. Raises `ConfigurationError` for text models."""

    __slots__ = ("_inner", "_is_nova", "_metrics", "_sse", "_usage")

    def __init__(self, family: str) -> None:
        if family == "text":
            raise ConfigurationError("Answers of text models are read, not written.")
        self._is_nova = family == "nova"
        codec = OpenAIChatCodec() if family == "openai" else AnthropicMessagesCodec()
        self._inner: StreamEncoder = ConverseStreamEncoder() if self._is_nova else codec.stream_encoder()
        self._sse = SSEDecoder()
        self._usage: CompletionUsage | None = None
        self._metrics: dict[str, Any] = {"invocationLatency": 0, "firstByteLatency": 0}

    def feed(self, chunk: ChatCompletionChunk, /) -> bytes:
        """Encode one chunk."""
        self._usage = chunk.usage or self._usage
        extra = chunk.model_extra or {}
        if isinstance(extra.get(METRICS), Mapping):  # they stand beside the family's own events
            self._metrics.update(extra[METRICS])
            chunk = chunk.model_copy()
            chunk.__pydantic_extra__ = {name: value for name, value in extra.items() if name != METRICS}
        return b"".join(map(_framed, self._events(self._inner.feed(chunk))))

    def end(self) -> bytes:
        """The end of the family's own stream; its last event has the metrics."""
        events = self._events(self._inner.end()) or [{}]
        usage = self._usage
        counts = {"inputTokenCount": usage.prompt_tokens, "outputTokenCount": usage.completion_tokens} if usage else {}
        events[-1][METRICS] = {**counts, **self._metrics}
        return b"".join(map(_framed, events))

    def _events(self, data: bytes) -> list[dict[str, Any]]:
        if self._is_nova:
            messages = EventStreamDecoder().feed(data)
            return [{message.text(":event-type"): from_json(message.payload)} for message in messages]
        return [from_json(event.data) for event in self._sse.feed(data) if event.data != "[DONE]"]


def _framed(event: Mapping[str, Any]) -> bytes:
    return frame("chunk", {"bytes": b64encode(dump_json(event)).decode()})
