"""A streamed response → chunks.

Events are told apart by the `type` in their data. The laws:

- Text, refusals, reasoning and the arguments of the client's tools are sent on as they come. What a finished item has
  beyond its deltas (some servers send none) comes with its end.
- A tool call's index counts calls of the client's tools only.
- Items that no chat message holds are sent as `delta.native_content` when they are complete, from the moment on that
  one is known, and those before it with it; assembled, they are all of the output's items in order.
- The answer is rebuilt from the items that came; what only the last event's `response` tells is taken from there. (It
  may have `output: []` though items came.)
- The finish reason and then the usage, with the response's other fields, come with `response.completed` or
  `response.incomplete`, without which the stream has not ended. `response.failed` and `error` are typed errors.
- What came before a fault is delivered first, the fault is raised by the call after, so that the outcome does not
  depend on where the transport cut the bytes.
- Unknown events (and `keepalive`) are harmless.

Source: https://platform.openai.com/docs/api-reference/responses-streaming.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic_core import from_json

from edgeagent.errors import ResponseValidationError
from edgeagent.providers.events import EventDecoder, quoted
from edgeagent.providers.responses.building import Building
from edgeagent.providers.responses.errors import error_of, invalid_answer
from edgeagent.providers.responses.items import (
    CALLS,
    InvalidItemError,
    annotations_of,
    check_item,
    is_plain,
    native_content,
    parts_of,
)
from edgeagent.providers.responses.response import (
    PENDING,
    created_of,
    decode_response,
    finish_of,
    last_fields,
    native_reason,
)
from edgeagent.types import ChatCompletion, ChatCompletionChunk
from edgeagent.wire.http import HTTPResponse

__all__ = ["ResponseStreamDecoder"]

_PLAIN: Final = frozenset({"message", "reasoning", *CALLS})
_OF_AN_EVENT: Final = frozenset({"type", "sequence_number", "response", *ChatCompletionChunk.model_fields})
"""What of the last event is not kept beside the answer, as GitHub's price is."""
_validate = ChatCompletionChunk.model_validate


class ResponseStreamDecoder(EventDecoder):
    """Bytes → chunks. See `edgeagent.providers.base.StreamDecoder`."""

    __slots__ = (
        "_calls",
        "_closed",
        "_length",
        "_native",
        "_next",
        "_open",
        "_pending",
        "_place",
        "_said",
        "_started",
        "_top",
        "tells",
    )

    def __init__(self) -> None:
        super().__init__()
        self._top: dict[str, Any] = {"id": "", "created": 0, "model": ""}
        self._started = False
        self._open: dict[int, Building] = {}  # items under way, by their place in the output
        self._closed: dict[int, dict[str, Any]] = {}  # complete items, until they are taken in order
        self._place = 0  # of the item that the last event was about
        self._next = 0  # items taken
        self._pending: list[dict[str, Any]] = []  # taken and not yet sent as native content
        self._native = False
        self._calls = 0
        self._length = 0
        self._said = False
        self.tells = False
        """Whether a tool of the vendor's has begun, whose progress its own events show."""

    def document(self, response: HTTPResponse) -> ChatCompletion:
        """See `EventDecoder`."""
        return decode_response(response)

    def invalid(self, reason: str, response: HTTPResponse) -> ResponseValidationError:
        """See `EventDecoder`."""
        return invalid_answer(reason, response)

    def _event(self, name: str, data: str) -> list[ChatCompletionChunk]:
        text = data.strip()
        if text in ("", "[DONE]"):
            return []
        try:
            event = from_json(text, allow_inf_nan=False)
            kind = event.get("type", name)
            field = _DELTAS.get(kind)
            if field is not None:
                return self._delta(field, event)
            handler = _HANDLERS.get(kind)
            if handler is not None:
                return handler(self, event)
            if kind == "error" or (event.get("error") and not str(kind).startswith("response.")):
                raise error_of(event, quoted(data))
        except InvalidItemError as error:
            raise invalid_answer(str(error), quoted(data)) from None
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise invalid_answer("an event has not the documented form", quoted(data)) from error
        return []

    def _chunk(self, delta: dict[str, Any], **choice: Any) -> ChatCompletionChunk:
        return _validate({**self._top, "choices": [{"index": 0, "delta": delta, **choice}]})

    # the events, by their type

    def _begin(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        response = event["response"]
        self._top = {
            "id": response.get("id") or self._top["id"],
            "created": created_of(response) or self._top["created"],
            "model": response.get("model") or self._top["model"],
        }
        if self._started:
            return []
        self._started = True
        return [self._chunk({"role": "assistant"})]

    def _where(self, event: Mapping[str, Any]) -> int:
        place = event.get("output_index", self._place)
        if not isinstance(place, int):
            raise InvalidItemError("output_index is no number")
        self._place = place
        return place

    def _added(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        item = event["item"]
        if not isinstance(item.get("type"), str):
            raise InvalidItemError("an item of the output has no type")
        place = self._where(event)
        if place in self._open or place in self._closed or place < self._next:
            return []
        self.tells = self.tells or item["type"] not in _PLAIN
        building = self._open[place] = Building(dict(item))
        if item["type"] not in CALLS and (item["type"] != "message" or place):
            self._native = True  # it cannot be plain, and those before it are sent before its deltas
        return self._send() + self._announce(building)

    def _announce(self, building: Building) -> list[ChatCompletionChunk]:
        """The head of a tool call, as soon as it is known."""
        item = building.item
        kind = item["type"]
        if kind not in CALLS or building.call is not None or not (item.get("call_id") and item.get("name")):
            return []
        building.call = self._calls
        self._calls += 1
        ours, given = CALLS[kind]
        head = {"id": item["call_id"], "type": ours, ours: {"name": item["name"], given: ""}}
        return [self._chunk({"tool_calls": [{"index": building.call, **head}]})]

    def _delta(self, field: tuple[str, str], event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        kind, name = field
        place, piece = self._where(event), event["delta"]
        if not isinstance(piece, str):
            raise InvalidItemError("a delta is no text")
        if place not in self._open:
            if place in self._closed or place < self._next:
                return []  # late
            self._open[place] = Building({"type": kind})
        building = self._open[place]
        part = event.get("summary_index" if name == "summary" else "content_index", 0)
        if not isinstance(part, int):
            raise InvalidItemError("the index of a part is no number")
        return self._piece(building, name, part, piece, event.get("logprobs"))

    def _piece(
        self, building: Building, name: str, part: int, piece: str, logprobs: Any = None
    ) -> list[ChatCompletionChunk]:
        if not piece and not logprobs:
            return []
        building.add(name, part, piece, self._length)
        if name in _OF_CALL:
            if building.call is None:
                return []
            ours, given = _OF_CALL[name]
            return [self._chunk({"tool_calls": [{"index": building.call, ours: {given: piece}}]})]
        self._said = self._said or (name == "refusal" and bool(piece))
        if name == "output_text":
            self._length += len(piece)
            if logprobs:
                building.logprobs.add(part)
                return [self._chunk({"content": piece}, logprobs={"content": logprobs})]
        return [self._chunk({_OURS[name]: piece})]

    def _done(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        item = event["item"]
        check_item(item)
        return self._close(self._where(event), dict(item))

    def _close(self, place: int, item: dict[str, Any] | None) -> list[ChatCompletionChunk]:
        """An item is complete: as it was sent whole (`item`), or as its deltas told it."""
        if place in self._closed or place < self._next:
            return []
        building = self._open.pop(place, None) or Building(dict(item or {}))
        building.finish(item)
        item = building.item
        check_item(item)
        chunks = self._announce(building)
        if chunks:  # nobody announced the call, so nothing of it was sent on
            given = CALLS[item["type"]][1]
            return self._complete(place, item, chunks + self._piece(building, given, 0, item[given]))
        for name, part, rest, logprobs in building.rest():
            chunks += self._piece(building, name, part, rest, logprobs)
        if item["type"] == "message":
            for index, content in enumerate(parts_of(item)):
                if found := annotations_of(content, building.starts.get(index, self._length)):
                    chunks.append(self._chunk({"annotations": found}))
        return self._complete(place, item, chunks)

    def _complete(
        self, place: int, item: dict[str, Any], chunks: list[ChatCompletionChunk]
    ) -> list[ChatCompletionChunk]:
        self._closed[place] = item
        return chunks + self._take()

    def _take(self) -> list[ChatCompletionChunk]:
        """Take the complete items in order, as far as none is missing; send them if one of them is not plain."""
        while (item := self._closed.pop(self._next, None)) is not None:
            self._keep(item)
            self._next += 1
        return self._send()

    def _take_all(self) -> list[ChatCompletionChunk]:
        for place in sorted(self._closed):
            self._keep(self._closed[place])
            self._next = place + 1
        self._closed.clear()
        return self._send()

    def _keep(self, item: dict[str, Any]) -> None:
        self._native = self._native or not is_plain(item, len(self._pending))
        self._pending.append(item)

    def _send(self) -> list[ChatCompletionChunk]:
        if not self._native or not self._pending:
            return []
        items, self._pending = self._pending, []
        return [self._chunk({"native_content": native_content(items)})]

    def _end(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        response = event["response"]
        chunks = self._begin(event)
        if response.get("error"):
            raise error_of(response["error"], quoted(""))
        items = response.get("output")
        items = [] if items is None else items
        if not isinstance(items, list):
            raise InvalidItemError("the output is no list")
        for place in sorted({*self._open, *range(len(items))}):
            item = items[place] if 0 <= place < len(items) else None
            if item is not None:
                check_item(item)
            chunks += self._close(place, dict(item) if item is not None else None)
        chunks += self._take_all()
        status, reason = response.get("status"), native_reason(response)
        delta: dict[str, Any] = {}
        if not (self._length or self._calls or self._said or status in PENDING):
            delta["content"] = ""
        finish = finish_of(status, reason, calls=self._calls > 0)
        chunks.append(self._chunk(delta, finish_reason=finish, native_finish_reason=reason))
        beside = {name: value for name, value in event.items() if name not in _OF_AN_EVENT}
        chunks.append(_validate({**self._top, "choices": [], **beside, **last_fields(response)}))
        self._finished = True
        return chunks

    def _fail(self, event: Mapping[str, Any]) -> list[ChatCompletionChunk]:
        response = event["response"]
        raise error_of(response.get("error") or "The response failed.", quoted(""))


_Handler = Callable[[ResponseStreamDecoder, Mapping[str, Any]], list[ChatCompletionChunk]]

_HANDLERS: Final[Mapping[str, _Handler]] = {
    "response.created": ResponseStreamDecoder._begin,
    "response.queued": ResponseStreamDecoder._begin,
    "response.in_progress": ResponseStreamDecoder._begin,
    "response.output_item.added": ResponseStreamDecoder._added,
    "response.output_item.done": ResponseStreamDecoder._done,
    "response.completed": ResponseStreamDecoder._end,
    "response.incomplete": ResponseStreamDecoder._end,
    "response.cancelled": ResponseStreamDecoder._end,
    "response.failed": ResponseStreamDecoder._fail,
}
_DELTAS: Final[Mapping[str, tuple[str, str]]] = {
    "response.output_text.delta": ("message", "output_text"),
    "response.refusal.delta": ("message", "refusal"),
    "response.reasoning_summary_text.delta": ("reasoning", "summary"),
    "response.reasoning_text.delta": ("reasoning", "content"),
    "response.function_call_arguments.delta": ("function_call", "arguments"),
    "response.custom_tool_call_input.delta": ("custom_tool_call", "input"),
}
"""By an event's type: the type of its item, and what of the item grows."""
_OURS: Final[Mapping[str, str]] = {
    "output_text": "content",
    "refusal": "refusal",
    "summary": "reasoning_content",
    "content": "reasoning_content",
}
_OF_CALL: Final[Mapping[str, tuple[str, str]]] = {given: (ours, given) for ours, given in CALLS.values()}
