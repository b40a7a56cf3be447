"""Chunks → openai's stream events, and the completion as far as it has come. Without I/O.

What the events of one chunk are, in their order: `chunk`; then for each of its choices the deltas (content, refusal,
tool calls, log probabilities), then what has become complete. Text is complete when a tool call begins or the choice
has a finish reason; a tool call when the next one begins or the choice has a finish reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Generic, TypeVar

from edgeagent.errors import EdgeAgentError
from edgeagent.resources.structured import Structure, converted, refuse_cut
from edgeagent.types._model import Model
from edgeagent.types.assembly import PADDING, extended, extended_call, latest
from edgeagent.types.chunk import ChatCompletionChunk, ChoiceDelta, ChunkChoice
from edgeagent.types.completion import ChatCompletionMessageToolCall, ChoiceLogprobs
from edgeagent.types.parsed import (
    ParsedChatCompletion,
    ParsedChatCompletionMessage,
    ParsedChoice,
    ParsedFunction,
    ParsedFunctionToolCall,
)
from edgeagent.types.stream_events import (
    ChatCompletionStreamEvent,
    ChunkEvent,
    ContentDeltaEvent,
    ContentDoneEvent,
    FunctionToolCallArgumentsDeltaEvent,
    FunctionToolCallArgumentsDoneEvent,
    LogprobsContentDeltaEvent,
    LogprobsContentDoneEvent,
    LogprobsRefusalDeltaEvent,
    LogprobsRefusalDoneEvent,
    RefusalDeltaEvent,
    RefusalDoneEvent,
)

__all__ = ["ChatCompletionStreamState"]

T = TypeVar("T")

_TEXTS: Final = ("content", "refusal", "reasoning_content")
_PLAIN: Final = frozenset({*_TEXTS, "role", "tool_calls"})
"""Fields of a delta that are added in place; anything else is left to the general rules of `assembly`."""


class ChatCompletionStreamState(Generic[T]):
    """Collects the chunks of one stream, also of one that `create(stream=True)` gave.

    Args:
        input_tools: the tools of the call.
        response_format: its type, or its `response_format`.
    """

    def __init__(self, *, input_tools: Any = None, response_format: Any = None) -> None:
        self._begin(Structure(response_format, input_tools, strict_tools=False))

    @classmethod
    def of(cls, structure: Structure) -> ChatCompletionStreamState[Any]:
        """The state for a call that is known to want this."""
        state = cls.__new__(cls)
        state._begin(structure)
        return state

    def _begin(self, structure: Structure) -> None:
        self._structure = structure
        self._snapshot: ParsedChatCompletion[Any] | None = None
        self._choices: dict[int, _Choice] = {}

    @property
    def current_completion_snapshot(self) -> ParsedChatCompletion[Any]:
        """The completion as far as it has come: one object that goes on growing.

        Raises:
            EdgeAgentError: nothing has come yet.
        """
        if self._snapshot is None:
            raise EdgeAgentError("Nothing of the stream has come yet: there is no completion to look at.")
        return self._snapshot

    def get_final_completion(self) -> ParsedChatCompletion[T]:
        """The completion with everything read; to be asked for when the stream has ended.

        Raises:
            LengthFinishReasonError, ContentFilterFinishReasonError: it was cut off.
            pydantic.ValidationError: it is not what was asked for.
        """
        return self._structure.parsed(self.current_completion_snapshot)

    def handle_chunk(self, chunk: ChatCompletionChunk) -> list[ChatCompletionStreamEvent[T]]:
        """Add the next chunk: the events that it causes.

        Raises:
            LengthFinishReasonError, ContentFilterFinishReasonError: something was to be read, and is cut off.
            pydantic.ValidationError: what is complete is not what was asked for.
        """
        snapshot = self._extended(chunk)
        touched = [(self._choice(part.index, snapshot), part) for part in chunk.choices]
        for choice, part in touched:
            choice.add(part)
            if part.finish_reason and self._structure.reads:
                refuse_cut(part.finish_reason, snapshot)
        events: list[Any] = [_event(ChunkEvent, chunk=chunk, snapshot=snapshot)]
        for choice, part in touched:
            events += choice.deltas(part)
            events += choice.dones(part)
        return events

    def _extended(self, chunk: ChatCompletionChunk) -> ParsedChatCompletion[Any]:
        snapshot = self._snapshot
        if snapshot is None:
            snapshot = ParsedChatCompletion.model_construct(
                id="", choices=[], created=0, model="", object="chat.completion"
            )
            self._snapshot = snapshot
        for name in ("id", "created", "model"):  # the first that says anything
            if not getattr(snapshot, name):
                setattr(snapshot, name, getattr(chunk, name))
        for name in ("service_tier", "system_fingerprint", "usage"):  # the last that says anything
            value = getattr(chunk, name)
            if value is not None or name in chunk.model_fields_set:
                setattr(snapshot, name, value if value is not None else getattr(snapshot, name))
        for name, value in (chunk.model_extra or {}).items():
            if name not in PADDING:
                setattr(snapshot, name, latest(getattr(snapshot, name, None), value))
        snapshot._attach(chunk.edge)
        return snapshot

    def _choice(self, index: int, snapshot: ParsedChatCompletion[Any]) -> _Choice:
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = _Choice(index, self._structure)
            snapshot.choices.append(choice.snapshot)
            snapshot.choices.sort(key=_index)
        return choice


def _event(kind: type[Model], **fields: Any) -> Any:
    """An event; its parts are known to be right, and are not copied."""
    return kind.model_construct(type=kind.model_fields["type"].default, **fields)


def _index(choice: ParsedChoice[Any]) -> int:
    return choice.index


class _Choice:
    """One of the answers, and what was already said to be complete."""

    def __init__(self, index: int, structure: Structure) -> None:
        message: ParsedChatCompletionMessage[Any] = ParsedChatCompletionMessage.model_construct(role="assistant")
        self.snapshot: ParsedChoice[Any] = ParsedChoice.model_construct(
            index=index, message=message, finish_reason=None
        )
        self._structure = structure
        self._calls: dict[int, Any] = {}
        self._done: set[str | int] = set()
        self._current: int | None = None

    # what has come

    def add(self, part: ChunkChoice) -> None:
        """Add what a chunk says of this choice."""
        snapshot, delta = self.snapshot, part.delta
        if delta.model_fields_set <= _PLAIN and not delta.model_extra:
            self._add_plain(snapshot.message, delta)
        else:
            self._add_any(delta)
        self._add_calls(delta.tool_calls or ())
        for name in ("finish_reason", "native_finish_reason"):
            if getattr(part, name) is not None:
                setattr(snapshot, name, getattr(part, name))
        for name, value in (part.model_extra or {}).items():
            if value is not None:
                setattr(snapshot, name, latest(getattr(snapshot, name, None), value))
        if part.logprobs is not None:
            self._add_logprobs(part.logprobs)
        if any(getattr(delta, name) for name in _TEXTS) and "content" not in self._done:
            snapshot.message.parsed = self._structure.so_far(snapshot.message)

    def _add_plain(self, message: ParsedChatCompletionMessage[Any], delta: ChoiceDelta) -> None:
        for name in _TEXTS:
            if name in delta.model_fields_set:
                text = getattr(delta, name)
                before = getattr(message, name)
                setattr(message, name, before if text is None else text if before is None else before + text)
        if delta.role:
            message.role = delta.role

    def _add_any(self, delta: ChoiceDelta) -> None:
        calls, parsed = self.snapshot.message.tool_calls, self.snapshot.message.parsed
        self.snapshot.message.tool_calls = None
        message = extended(self.snapshot.message, delta.model_copy(update={"tool_calls": None}))
        kept = {"parsed": parsed} if calls is None else {"parsed": parsed, "tool_calls": calls}
        self.snapshot.message = converted(message, ParsedChatCompletionMessage, **kept)

    def _add_calls(self, fragments: Any) -> None:
        for fragment in fragments:
            call = self._read(extended_call(self._calls.get(fragment.index), fragment))
            call.__pydantic_extra__["index"] = fragment.index  # as openai's has it
            self._calls[fragment.index] = call
        if fragments:
            self.snapshot.message.tool_calls = [self._calls[index] for index in sorted(self._calls)]

    def _read(self, call: ChatCompletionMessageToolCall) -> Any:
        """The call with its arguments as far as they can be read."""
        if call.function is None:
            return call
        said = self._structure.arguments_so_far(call.function.name, call.function.arguments)
        function = converted(call.function, ParsedFunction, parsed_arguments=said)
        return converted(call, ParsedFunctionToolCall, function=function)

    def _add_logprobs(self, new: ChoiceLogprobs) -> None:
        known = self.snapshot.logprobs
        if known is None:
            known = self.snapshot.logprobs = ChoiceLogprobs()
        for name in ("content", "refusal"):
            tokens = getattr(new, name)
            if tokens is not None:
                setattr(known, name, [*(getattr(known, name) or ()), *tokens])

    # what is told

    def deltas(self, part: ChunkChoice) -> Iterator[Any]:
        """The events of what came."""
        message, delta = self.snapshot.message, part.delta
        if delta.content is not None:
            yield _event(ContentDeltaEvent, delta=delta.content, snapshot=message.content, parsed=message.parsed)
        if delta.refusal is not None:
            yield _event(RefusalDeltaEvent, delta=delta.refusal, snapshot=message.refusal)
        for fragment in delta.tool_calls or ():
            function = self._calls[fragment.index].function
            if function is not None:
                yield _event(
                    FunctionToolCallArgumentsDeltaEvent,
                    name=function.name,
                    index=fragment.index,
                    arguments=function.arguments,
                    parsed_arguments=function.parsed_arguments,
                    arguments_delta=(fragment.function and fragment.function.arguments) or "",
                )
        known, new = self.snapshot.logprobs, part.logprobs
        if known is not None and new is not None:
            if new.content:
                yield _event(LogprobsContentDeltaEvent, content=new.content, snapshot=known.content)
            if new.refusal:
                yield _event(LogprobsRefusalDeltaEvent, refusal=new.refusal, snapshot=known.refusal)

    def dones(self, part: ChunkChoice) -> Iterator[Any]:
        """The events of what has become complete."""
        finished = bool(self.snapshot.finish_reason)
        if finished:
            yield from self._text_done()
        for fragment in part.delta.tool_calls or ():
            if fragment.index != self._current:
                yield from self._text_done()
                yield from self._call_done()
                self._current = fragment.index
        if finished:
            yield from self._call_done()

    def _text_done(self) -> Iterator[Any]:
        message, logprobs = self.snapshot.message, self.snapshot.logprobs
        if message.content and self._first("content"):
            message.parsed = self._structure.content(message)
            yield _event(ContentDoneEvent, content=message.content, parsed=message.parsed)
        if message.refusal is not None and self._first("refusal"):
            yield _event(RefusalDoneEvent, refusal=message.refusal)
        if logprobs is not None and logprobs.content is not None and self._first("logprobs.content"):
            yield _event(LogprobsContentDoneEvent, content=logprobs.content)
        if logprobs is not None and logprobs.refusal is not None and self._first("logprobs.refusal"):
            yield _event(LogprobsRefusalDoneEvent, refusal=logprobs.refusal)

    def _call_done(self) -> Iterator[Any]:
        index = self._current
        if index is None or not self._first(index):
            return
        function = self._calls[index].function
        if function is not None:
            function.parsed_arguments = self._structure.tool_arguments(function.name, function.arguments)
            yield _event(
                FunctionToolCallArgumentsDoneEvent,
                name=function.name,
                index=index,
                arguments=function.arguments,
                parsed_arguments=function.parsed_arguments,
            )

    def _first(self, what: str | int) -> bool:
        """Whether this is told for the first time."""
        if what in self._done:
            return False
        self._done.add(what)
        return True
