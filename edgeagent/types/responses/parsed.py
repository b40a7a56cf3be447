"""A response whose texts and arguments have been read into Python objects: openai's classes and field names.

What was read is in a dump too; it is left out when the items are sent back.
"""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Generic, Literal, TypeAlias, TypeVar

from edgeagent.types.responses import events
from edgeagent.types.responses import tool_events as tools
from edgeagent.types.responses._open import told
from edgeagent.types.responses.events import (
    ResponseCompletedEvent,
    ResponseFunctionCallArgumentsDeltaEvent,
    ResponseTextDeltaEvent,
    ResponseTextDoneEvent,
)
from edgeagent.types.responses.items import ResponseFunctionToolCall, ResponseOutputMessage
from edgeagent.types.responses.parts import ResponseOutputRefusal, ResponseOutputText
from edgeagent.types.responses.response import Response

__all__ = [
    "ParsedResponse",
    "ParsedResponseFunctionToolCall",
    "ParsedResponseOutputMessage",
    "ParsedResponseOutputText",
    "ParsedResponseStreamEvent",
    "SnapshotArgumentsDeltaEvent",
    "SnapshotCompletedEvent",
    "SnapshotTextDeltaEvent",
    "SnapshotTextDoneEvent",
]

T = TypeVar("T")


class ParsedResponseOutputText(ResponseOutputText, Generic[T]):
    """A text; `parsed` is an instance of the type that was asked for, or None."""

    parsed: T | None = None


class ParsedResponseOutputMessage(ResponseOutputMessage, Generic[T]):
    """A message of the model's."""

    if TYPE_CHECKING:
        content: list[ParsedResponseOutputText[T] | ResponseOutputRefusal]  # type: ignore[assignment]  # a narrower list


class ParsedResponseFunctionToolCall(ResponseFunctionToolCall):
    """A call of a function.

    `parsed_arguments` is an instance of the model where the tool came from `pydantic_function_tool`, the JSON value for
    another strict tool, None for any other.
    """

    parsed_arguments: builtins.object | None = None


class ParsedResponse(Response, Generic[T]):
    """A response whose texts have been read."""

    @property
    def output_parsed(self) -> T | None:
        """The first text that was read; None if there is none (a refusal, a call)."""
        for item in self.output or ():
            if isinstance(item, ParsedResponseOutputMessage):
                for part in item.content or ():
                    if isinstance(part, ParsedResponseOutputText) and part.parsed is not None:
                        found: T = part.parsed
                        return found
        return None


# what `client.responses.stream(…)` yields in place of the events of the same type


class SnapshotTextDeltaEvent(ResponseTextDeltaEvent):
    """The next piece of text; `snapshot` is all of that text so far."""

    snapshot: str = told()


class SnapshotTextDoneEvent(ResponseTextDoneEvent, Generic[T]):
    """A whole text; `parsed` is an instance of the type that was asked for."""

    parsed: T | None = None


class SnapshotArgumentsDeltaEvent(ResponseFunctionCallArgumentsDeltaEvent):
    """The next piece of a call's arguments; `snapshot` is all of them so far."""

    snapshot: str = told()


class SnapshotCompletedEvent(ResponseCompletedEvent, Generic[T]):
    """The end: the whole response, read."""

    type: Literal["response.completed"] = "response.completed"
    if TYPE_CHECKING:
        response: ParsedResponse[T]


ParsedResponseStreamEvent: TypeAlias = (
    SnapshotTextDeltaEvent
    | SnapshotTextDoneEvent[T]
    | SnapshotArgumentsDeltaEvent
    | SnapshotCompletedEvent[T]
    | events.ResponseCompactionCompactingEvent
    | events.ResponseContentPartAddedEvent
    | events.ResponseContentPartDoneEvent
    | events.ResponseCreatedEvent
    | events.ResponseErrorEvent
    | events.ResponseFunctionCallArgumentsDoneEvent
    | events.ResponseInProgressEvent
    | events.ResponseFailedEvent
    | events.ResponseIncompleteEvent
    | events.ResponseOutputItemAddedEvent
    | events.ResponseOutputItemDoneEvent
    | events.ResponseReasoningSummaryPartAddedEvent
    | events.ResponseReasoningSummaryPartDoneEvent
    | events.ResponseReasoningSummaryTextDeltaEvent
    | events.ResponseReasoningSummaryTextDoneEvent
    | events.ResponseReasoningTextDeltaEvent
    | events.ResponseReasoningTextDoneEvent
    | events.ResponseRefusalDeltaEvent
    | events.ResponseRefusalDoneEvent
    | events.ResponseOutputTextAnnotationAddedEvent
    | events.ResponseQueuedEvent
    | events.ResponseCustomToolCallInputDeltaEvent
    | events.ResponseCustomToolCallInputDoneEvent
    | tools.ResponseAudioDeltaEvent
    | tools.ResponseAudioDoneEvent
    | tools.ResponseAudioTranscriptDeltaEvent
    | tools.ResponseAudioTranscriptDoneEvent
    | tools.ResponseCodeInterpreterCallCodeDeltaEvent
    | tools.ResponseCodeInterpreterCallCodeDoneEvent
    | tools.ResponseCodeInterpreterCallCompletedEvent
    | tools.ResponseCodeInterpreterCallInProgressEvent
    | tools.ResponseCodeInterpreterCallInterpretingEvent
    | tools.ResponseFileSearchCallCompletedEvent
    | tools.ResponseFileSearchCallInProgressEvent
    | tools.ResponseFileSearchCallSearchingEvent
    | tools.ResponseShellCallCommandAddedEvent
    | tools.ResponseShellCallCommandDeltaEvent
    | tools.ResponseShellCallCommandDoneEvent
    | tools.ResponseShellCallOutputContentDeltaEvent
    | tools.ResponseShellCallOutputContentDoneEvent
    | tools.ResponseWebSearchCallCompletedEvent
    | tools.ResponseWebSearchCallInProgressEvent
    | tools.ResponseWebSearchCallSearchingEvent
    | tools.ResponseImageGenCallCompletedEvent
    | tools.ResponseImageGenCallGeneratingEvent
    | tools.ResponseImageGenCallInProgressEvent
    | tools.ResponseImageGenCallPartialImageEvent
    | tools.ResponseMcpCallArgumentsDeltaEvent
    | tools.ResponseMcpCallArgumentsDoneEvent
    | tools.ResponseMcpCallCompletedEvent
    | tools.ResponseMcpCallFailedEvent
    | tools.ResponseMcpCallInProgressEvent
    | tools.ResponseMcpListToolsCompletedEvent
    | tools.ResponseMcpListToolsFailedEvent
    | tools.ResponseMcpListToolsInProgressEvent
)
"""Any event of `client.responses.stream(…)`."""
