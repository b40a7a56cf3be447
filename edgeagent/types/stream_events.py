"""What `client.chat.completions.stream(…)` yields: openai's events and field names.

A chunk becomes one `chunk` event, then the events that it causes. `snapshot` of a chunk event is the completion as far
as it has come: one object that goes on growing; copy what you keep.
"""

from __future__ import annotations

import builtins
from typing import Generic, Literal, TypeAlias, TypeVar

from edgeagent.types._model import Model
from edgeagent.types.chunk import ChatCompletionChunk
from edgeagent.types.completion import ChatCompletionTokenLogprob
from edgeagent.types.parsed import ParsedChatCompletion

__all__ = [
    "ChatCompletionStreamEvent",
    "ChunkEvent",
    "ContentDeltaEvent",
    "ContentDoneEvent",
    "FunctionToolCallArgumentsDeltaEvent",
    "FunctionToolCallArgumentsDoneEvent",
    "LogprobsContentDeltaEvent",
    "LogprobsContentDoneEvent",
    "LogprobsRefusalDeltaEvent",
    "LogprobsRefusalDoneEvent",
    "RefusalDeltaEvent",
    "RefusalDoneEvent",
]

T = TypeVar("T")


class ChunkEvent(Model):
    """A chunk came; all other events follow from one."""

    type: Literal["chunk"] = "chunk"
    chunk: ChatCompletionChunk
    snapshot: ParsedChatCompletion[builtins.object]


class ContentDeltaEvent(Model):
    """Text came; `snapshot` is all of it so far, `parsed` what can already be read of it."""

    type: Literal["content.delta"] = "content.delta"
    delta: str
    snapshot: str
    parsed: builtins.object | None = None


class ContentDoneEvent(Model, Generic[T]):
    """The text of a choice is complete; `parsed` is an instance of the type that was asked for."""

    type: Literal["content.done"] = "content.done"
    content: str
    parsed: T | None = None


class RefusalDeltaEvent(Model):
    """Text of a refusal came."""

    type: Literal["refusal.delta"] = "refusal.delta"
    delta: str
    snapshot: str


class RefusalDoneEvent(Model):
    """The refusal is complete."""

    type: Literal["refusal.done"] = "refusal.done"
    refusal: str


class FunctionToolCallArgumentsDeltaEvent(Model):
    """A fragment of a function call came; `arguments` is all JSON text so far, `parsed_arguments` what it says."""

    type: Literal["tool_calls.function.arguments.delta"] = "tool_calls.function.arguments.delta"
    name: str
    index: int
    arguments: str
    parsed_arguments: builtins.object | None = None
    arguments_delta: str


class FunctionToolCallArgumentsDoneEvent(Model):
    """A function call is complete; `parsed_arguments` is an instance of the tool's model, if it has one."""

    type: Literal["tool_calls.function.arguments.done"] = "tool_calls.function.arguments.done"
    name: str
    index: int
    arguments: str
    parsed_arguments: builtins.object | None = None


class LogprobsContentDeltaEvent(Model):
    """Log probabilities of text tokens came."""

    type: Literal["logprobs.content.delta"] = "logprobs.content.delta"
    content: list[ChatCompletionTokenLogprob]
    snapshot: list[ChatCompletionTokenLogprob]


class LogprobsContentDoneEvent(Model):
    """The log probabilities of the text are complete."""

    type: Literal["logprobs.content.done"] = "logprobs.content.done"
    content: list[ChatCompletionTokenLogprob]


class LogprobsRefusalDeltaEvent(Model):
    """Log probabilities of a refusal's tokens came."""

    type: Literal["logprobs.refusal.delta"] = "logprobs.refusal.delta"
    refusal: list[ChatCompletionTokenLogprob]
    snapshot: list[ChatCompletionTokenLogprob]


class LogprobsRefusalDoneEvent(Model):
    """The log probabilities of the refusal are complete."""

    type: Literal["logprobs.refusal.done"] = "logprobs.refusal.done"
    refusal: list[ChatCompletionTokenLogprob]


ChatCompletionStreamEvent: TypeAlias = (
    ChunkEvent
    | ContentDeltaEvent
    | ContentDoneEvent[T]
    | RefusalDeltaEvent
    | RefusalDoneEvent
    | FunctionToolCallArgumentsDeltaEvent
    | FunctionToolCallArgumentsDoneEvent
    | LogprobsContentDeltaEvent
    | LogprobsContentDoneEvent
    | LogprobsRefusalDeltaEvent
    | LogprobsRefusalDoneEvent
)
