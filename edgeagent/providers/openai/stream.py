"""OpenAI's streamed answers, both directions: server-sent events of chunks, ended by `[DONE]`.

The law of the decoder: what came before a fault is delivered first, the fault is raised by the call after (by `end` at
the latest), so that the outcome does not depend on where the transport cut the bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json

from edgeagent.errors import APIStatusError, ResponseValidationError
from edgeagent.providers.events import EventDecoder, quoted
from edgeagent.providers.openai.errors import encode_error, hidden_error, tells_error
from edgeagent.providers.openai.repair import broken_off, repaired
from edgeagent.providers.openai.response import broken, decode_response, invalid, invalid_answer, with_essentials
from edgeagent.providers.openai.tidy import Tidy
from edgeagent.types import ChatCompletion, ChatCompletionChunk
from edgeagent.types.faults import first_fault
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.json import dump_json

__all__ = ["ChatStreamDecoder", "ChatStreamEncoder"]

DONE: Final = "[DONE]"


class ChatStreamDecoder(EventDecoder):
    """Bytes → chunks. See `edgeagent.providers.base.StreamDecoder`.

    A stream has ended properly if it said `[DONE]`, if each of its choices said why it finished, or if the chunk came
    that has the usage and no choices; some servers leave out one or the other.
    """

    __slots__ = ("_ended", "_lenient", "_open", "_think", "_tidy", "_usage")

    def __init__(self, *, lenient: bool = False, think: bool = False) -> None:
        super().__init__()
        self._lenient = lenient
        self._think = think
        self._tidy = Tidy(think=think)
        self._open: set[int] = set()  # choices that have begun and not finished
        self._ended: set[int] = set()
        self._usage = False

    def document(self, response: HTTPResponse) -> ChatCompletion:
        """See `EventDecoder`."""
        return decode_response(response, lenient=self._lenient, think=self._think)

    def invalid(self, reason: str, response: HTTPResponse) -> ResponseValidationError:
        """See `EventDecoder`."""
        return invalid_answer(reason, response)

    def on_end(self) -> list[ChatCompletionChunk] | None:
        """See `EventDecoder`."""
        if not (self._usage or (self._ended and not self._open)):
            return None
        return self._tidy.rest() if self._lenient else []

    def _event(self, name: str, data: str) -> list[ChatCompletionChunk]:
        chunk = self._chunk(name, data)
        if chunk is not None:
            return [chunk]
        return self._tidy.rest() if self._finished and self._lenient else []

    def _chunk(self, event: str, data: str) -> ChatCompletionChunk | None:
        if event == "error":
            raise hidden_error(_json(data), quoted(data), lenient=self._lenient)
        try:
            chunk = ChatCompletionChunk.from_json(data)
        except ValidationError as error:
            return self._second_look(data, error)
        extra = chunk.__pydantic_extra__
        if extra and extra.get("error"):
            raise hidden_error(extra, quoted(data), lenient=self._lenient)
        self._note(chunk)
        return self._tidied(chunk, data) if self._lenient else chunk

    def _second_look(self, data: str, error: ValidationError) -> ChatCompletionChunk | None:
        """What is no chunk as it stands: the end, a keep-alive, an error, a chunk with something left out."""
        text = data.strip()
        if text == DONE:
            self._finished = True
            return None
        if text in ("", "{}"):
            return None
        value = _json(text)
        if not isinstance(value, dict):
            invalid("an event is not a JSON object", quoted(data), cause=error)
        if tells_error(value):
            raise hidden_error(value, quoted(data), lenient=self._lenient)
        if reason := broken_off(value):
            raise broken(reason, quoted(data))
        try:
            chunk = ChatCompletionChunk.model_validate(repaired(value, "chat.completion.chunk"))
        except ValidationError as still:
            invalid("in a chunk, " + " ".join(first_fault(still)), quoted(data), body=value, cause=still)
        if not self._lenient and any(call.index < 0 for part in chunk.choices for call in part.delta.tool_calls or ()):
            self._tidy.chunk(chunk)  # a call without its index cannot be passed on as it is
        self._note(chunk)
        return self._tidied(chunk, data) if self._lenient else chunk

    def _tidied(self, chunk: ChatCompletionChunk, data: str) -> ChatCompletionChunk:
        """What compatible servers put into a chunk, read and set right."""
        if reason := _stopped(chunk.__pydantic_extra__):
            raise hidden_error({"message": reason, "type": "server_error"}, quoted(data))
        for choice in chunk.choices:
            extra = choice.__pydantic_extra__
            if extra and extra.get("error"):
                raise hidden_error(extra, quoted(data), lenient=True)
        self._tidy.chunk(chunk)
        return chunk

    def _note(self, chunk: ChatCompletionChunk) -> None:
        if not chunk.choices:
            if chunk.usage is not None and (self._open or self._ended):
                self._usage = True
            return
        for choice in chunk.choices:
            index = choice.index
            if choice.finish_reason is not None:
                self._ended.add(index)
                self._open.discard(index)
            elif index not in self._ended:
                self._open.add(index)


class ChatStreamEncoder:
    """Chunks → bytes. See `edgeagent.providers.base.StreamEncoder`.

    openai's helper (`chat.completions.stream`) joins the deltas of a choice: texts behind each other, lists by the
    `index` of what is in them, which it demands from a list's second piece on. A vendor's own blocks have none that
    fits, and are told once, with the choice's end; its annotations or images behind the first have their place among
    all. What servers of OpenAI's shape say, they say in their own way.
    """

    __slots__ = ("_listed", "_native")

    def __init__(self) -> None:
        self._listed: dict[tuple[int, str], int] = {}  # how many were told, by choice and field
        self._native: dict[int, list[dict[str, Any]]] = {}  # native content, by choice

    def feed(self, chunk: ChatCompletionChunk, /) -> bytes:
        """One event."""
        body = with_essentials(chunk.model_dump(mode="json", exclude_unset=True), "chat.completion.chunk")
        for choice in body["choices"]:
            choice.setdefault("finish_reason", None)
            self._make_joinable(choice)
        return b"data: " + dump_json(body) + b"\n\n"

    def _make_joinable(self, choice: dict[str, Any]) -> None:
        delta, index = choice["delta"], choice["index"]
        if delta.get("native_content") is not None:
            self._native.setdefault(index, []).append(delta.pop("native_content"))
        for name, value in delta.items():
            if _has_no_places(value):
                told = self._listed.get((index, name), 0)
                self._listed[index, name] = told + len(value)
                if told and index in self._native:
                    delta[name] = [{**one, "index": told + place} for place, one in enumerate(value)]
        if choice["finish_reason"] is not None and (parts := self._native.pop(index, None)) is not None:
            blocks = [block for part in parts for block in part.get("content") or ()]
            delta["native_content"] = {**parts[0], "content": blocks}

    def end(self) -> bytes:
        """The closing event."""
        return b"data: [DONE]\n\n"

    def fault(self, error: APIStatusError, /) -> bytes:
        """`{"error": {…}}`, after which nothing comes."""
        return b"data: " + encode_error(error).content + b"\n\n"


def _has_no_places(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) and "index" not in v for v in value)


def _stopped(extra: Mapping[str, Any] | None) -> str | None:
    """Why Groq stopped a stream early, in its package's words: `x_groq.error`."""
    own = extra.get("x_groq") if extra else None
    reason = own.get("error") if isinstance(own, dict) else None
    return reason if isinstance(reason, str) and reason else None


def _json(text: str) -> Any:
    try:
        return from_json(text)
    except ValueError:
        return None
