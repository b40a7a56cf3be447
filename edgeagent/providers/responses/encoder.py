"""Chunks → a streamed response, as OpenAI's own SDK reads it.

The events come in the documented order: `response.created`, `response.in_progress`, for each item its beginning, its
parts, their deltas and its end, at last `response.completed` or `response.incomplete` with the whole response. A
chunk's `native_content` completes the item that is open (encrypted reasoning, annotations) or gives items that nothing
else tells; where it comes before the content that it tells too (as in a replayed completion), that content is not told
twice. An item that has been announced keeps the id under which it was.

Source: https://platform.openai.com/docs/api-reference/responses-streaming.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from edgeagent.errors import APIStatusError
from edgeagent.providers.openai.errors import encode_error
from edgeagent.providers.responses.entries import Call, Entry, Message, Reasoning
from edgeagent.providers.responses.items import CALLS, WIRE, InvalidItemError, check_item, parts_of, reasoning_texts
from edgeagent.providers.responses.outbound import (
    NOTHING,
    flat_annotations,
    item_id,
    logprobs_of,
    response_of,
    state_of,
)
from edgeagent.providers.responses.replay import LAST
from edgeagent.providers.responses.sealed import sealed_item
from edgeagent.providers.responses.writer import EventWriter
from edgeagent.types import ChatCompletionChunk, ChoiceDelta, ChoiceDeltaToolCall, ChunkChoice
from edgeagent.types.assembly import Assembly

__all__ = ["ResponseStreamEncoder"]


class ResponseStreamEncoder:
    """Chunks → bytes. See `edgeagent.providers.base.StreamEncoder`. `echo` is what it repeats of the request."""

    __slots__ = ("_all", "_calls", "_echo", "_entries", "_event", "_id", "_length", "_open", "_replay", "_told")

    def __init__(self, echo: Mapping[str, Any] = NOTHING) -> None:
        self._all = Assembly()
        self._echo = echo
        self._event = EventWriter()
        self._id: str | None = None
        self._entries: list[Entry] = []  # the output, in order
        self._open: Message | Reasoning | None = None
        self._calls: dict[int, Call] = {}  # open ones
        self._length = 0  # characters of text
        self._told = 0  # items that native content has told
        self._replay = False

    def feed(self, chunk: ChatCompletionChunk, /) -> bytes:
        """Encode one chunk."""
        self._all.add(chunk)
        if self._id is None:
            self._start(chunk)
        for choice in chunk.choices:
            if choice.index == 0:  # the API has no others
                self._take(choice)
        return self._event.taken()

    def end(self) -> bytes:
        """The end of what is open, and the whole response."""
        if self._id is None:
            self._start(ChatCompletionChunk(id="", choices=[], created=0, model=""))
        completion = self._all.completion()
        choice = completion.choices[0] if completion.choices else None
        status, _ = state_of(choice)
        if choice is not None and choice.finish_reason is not None and self._says_nothing():
            empty = self._message()
            if choice.message.content == "":
                empty.annotate([], self._event)
        self._close_text("completed" if status == "completed" else "incomplete")
        self._close_calls(cut=status == "incomplete")
        if completion.choices:
            self._seal(completion.choices[0].message.native_content)
            completion.choices[0].message.native_content = None
        output = [entry.item for entry in self._entries]
        response = {**response_of(completion, self._echo), "output": output}
        self._event(LAST.get(status, "response.incomplete"), response=response)
        return self._event.taken()

    def fault(self, error: APIStatusError, /) -> bytes:
        """`error`: as the reference has it, and with the object that the SDK looks for and the API sends as well."""
        told = from_json(encode_error(error).content)["error"]
        self._event("error", code=told["code"], message=told["message"], param=told["param"], error=told)
        return self._event.taken()

    def _start(self, chunk: ChatCompletionChunk) -> None:
        self._id = chunk.id
        head = Assembly()
        head.add(ChatCompletionChunk(id=chunk.id, choices=[], created=chunk.created, model=chunk.model))
        response = {**response_of(head.completion(), self._echo), "status": "in_progress", "output": []}
        self._event("response.created", response=response)
        self._event("response.in_progress", response=response)

    def _take(self, choice: ChunkChoice) -> None:
        native = choice.delta.native_content
        if native is not None and native.get("wire") == WIRE and isinstance(native.get("content"), list):
            for item in native["content"]:
                self._native(item)
        if not self._replay:
            self._content(choice.delta, choice)

    def _content(self, delta: ChoiceDelta, choice: ChunkChoice) -> None:
        if delta.reasoning_content:
            self._reasoning().add(delta.reasoning_content, self._event)
        text = delta.content or (delta.audio.transcript if delta.audio is not None else None)
        if text:
            self._message().add(text, self._event, logprobs_of(choice.logprobs))
            self._length += len(text)
        if delta.refusal:
            self._message().refuse(delta.refusal, self._event)
        if delta.annotations and isinstance(self._open, Message):
            self._open.annotate(flat_annotations(delta.annotations, self._open.start), self._event)
        for part in delta.tool_calls or ():
            self._call(part)
        if delta.function_call is not None:
            function = {"name": delta.function_call.name, "arguments": delta.function_call.arguments}
            first = {} if 0 in self._calls else {"id": "function_1"}
            self._call(ChoiceDeltaToolCall.model_validate({"index": 0, "function": function, **first}))

    def _says_nothing(self) -> bool:
        """Whether there is neither a message nor a call, nor anything of the vendor's own."""
        return not self._told and all(isinstance(entry, Reasoning) for entry in self._entries)

    # items

    def _add(self, entry: Entry) -> None:
        self._entries.append(entry)
        entry.begin(self._event)

    def _new_id(self, prefix: str) -> str:
        return item_id(prefix, self._id or "", len(self._entries))

    def _reasoning(self) -> Reasoning:
        if not isinstance(self._open, Reasoning):
            self._close_text()
            self._close_calls()
            self._open = Reasoning(self._new_id("rs"), len(self._entries))
            self._add(self._open)
        return self._open

    def _message(self) -> Message:
        if not isinstance(self._open, Message):
            self._close_text()
            self._close_calls()
            self._open = Message(self._new_id("msg"), len(self._entries), self._length)
            self._add(self._open)
        return self._open

    def _call(self, part: ChoiceDeltaToolCall) -> None:
        call = self._calls.get(part.index)
        if call is None:
            body: Any = part.custom or part.function
            if not part.id or body is None or not body.name:
                return  # what follows the end of its call, or names none
            self._close_text()
            kind = "custom_tool_call" if part.custom is not None else "function_call"
            prefix = "ctc" if part.custom is not None else "fc"
            call = Call(item_id(prefix, part.id), len(self._entries), kind, part.id, body.name)
            self._calls[part.index] = call
            self._add(call)
        for piece in (part.function and part.function.arguments, part.custom and part.custom.input):
            if piece:
                call.add(piece, self._event)

    def _close_text(self, status: str = "completed") -> None:
        if self._open is not None:
            self._open.end(self._event, status)
            self._open = None

    def _close_calls(self, *, cut: bool = False) -> None:
        last = len(self._entries) - 1
        for call in self._calls.values():
            call.end(self._event, cut=cut and call.place == last)
        self._calls.clear()

    def _seal(self, native: Mapping[str, Any] | None) -> None:
        """What another vendor has to be sent back."""
        if native is not None and native.get("wire") != WIRE:
            entry = Entry(sealed_item(native, self._new_id("rs")), len(self._entries))
            self._entries.append(entry)
            entry.whole(self._event)

    # items of the vendor's own

    def _native(self, item: Any) -> None:
        try:
            check_item(item)
        except InvalidItemError:
            return
        place = self._told
        self._told += 1
        if place < len(self._entries):  # the content told it already; what is open, this completes
            self._complete(self._entries[place], item)
            return
        self._close_text()
        self._close_calls()
        self._replay = self._replay or _is_told(item)
        entry = Entry(dict(item), place)
        self._entries.append(entry)
        entry.whole(self._event)

    def _complete(self, entry: Entry, item: Mapping[str, Any]) -> None:
        if entry.item["type"] != item["type"] or not entry.is_open:
            return
        entry.complete(item, self._event)
        if entry is self._open:
            self._open = None
        for index, call in list(self._calls.items()):
            if call is entry:
                del self._calls[index]


def _is_told(item: Mapping[str, Any]) -> bool:
    """Whether the plain fields of a message tell this item too."""
    if item["type"] == "reasoning":
        return any(reasoning_texts(item))
    if item["type"] == "message":
        return any(part.get("text") or part.get("refusal") for part in parts_of(item))
    return item["type"] in CALLS
