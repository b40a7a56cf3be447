"""The events of a streamed response.

Source: https://platform.openai.com/docs/api-reference/responses-streaming.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

from edgeagent.types.responses import tool_events as tools
from edgeagent.types.responses._open import told
from edgeagent.types.responses.parts import Annotation, Logprob, ReasoningText, ResponseContentPart
from edgeagent.types.responses.response import Response
from edgeagent.types.responses.tool_events import ItemEvent, ResponseEvent
from edgeagent.types.responses.tool_items import ResponseOutputItem

__all__ = [
    "LifeEvent",
    "ResponseCompactionCompactingEvent",
    "ResponseCompletedEvent",
    "ResponseContentPartAddedEvent",
    "ResponseContentPartDoneEvent",
    "ResponseCreatedEvent",
    "ResponseCustomToolCallInputDeltaEvent",
    "ResponseCustomToolCallInputDoneEvent",
    "ResponseErrorEvent",
    "ResponseFailedEvent",
    "ResponseFunctionCallArgumentsDeltaEvent",
    "ResponseFunctionCallArgumentsDoneEvent",
    "ResponseInProgressEvent",
    "ResponseIncompleteEvent",
    "ResponseOutputItemAddedEvent",
    "ResponseOutputItemDoneEvent",
    "ResponseOutputTextAnnotationAddedEvent",
    "ResponseQueuedEvent",
    "ResponseReasoningSummaryPartAddedEvent",
    "ResponseReasoningSummaryPartDoneEvent",
    "ResponseReasoningSummaryTextDeltaEvent",
    "ResponseReasoningSummaryTextDoneEvent",
    "ResponseReasoningTextDeltaEvent",
    "ResponseReasoningTextDoneEvent",
    "ResponseRefusalDeltaEvent",
    "ResponseRefusalDoneEvent",
    "ResponseStreamEvent",
    "ResponseTextDeltaEvent",
    "ResponseTextDoneEvent",
    "event_from",
]


class LifeEvent(ResponseEvent):
    """An event about the whole response, as far as it has come."""

    response: Response = told()


class ResponseCompactionCompactingEvent(ItemEvent):
    """The conversation is being compacted."""

    type: Literal["response.compaction.compacting"] = "response.compaction.compacting"


class ResponseCompletedEvent(LifeEvent):
    """The end: the whole response."""

    type: Literal["response.completed"] = "response.completed"


class ResponseContentPartAddedEvent(ItemEvent):
    """A part of a message begins."""

    type: Literal["response.content_part.added"] = "response.content_part.added"
    content_index: int = told()
    part: ResponseContentPart = told()


class ResponseContentPartDoneEvent(ItemEvent):
    """A part of a message is complete."""

    type: Literal["response.content_part.done"] = "response.content_part.done"
    content_index: int = told()
    part: ResponseContentPart = told()


class ResponseCreatedEvent(LifeEvent):
    """The beginning."""

    type: Literal["response.created"] = "response.created"


class ResponseErrorEvent(ResponseEvent):
    """The stream has failed."""

    type: Literal["error"] = "error"
    code: str | None = None
    message: str = told()
    param: str | None = None


class ResponseFunctionCallArgumentsDeltaEvent(ItemEvent):
    """The next piece of a call's arguments."""

    type: Literal["response.function_call_arguments.delta"] = "response.function_call_arguments.delta"
    delta: str = told()


class ResponseFunctionCallArgumentsDoneEvent(ItemEvent):
    """A call's whole arguments."""

    type: Literal["response.function_call_arguments.done"] = "response.function_call_arguments.done"
    arguments: str = told()


class ResponseInProgressEvent(LifeEvent):
    """The vendor has begun."""

    type: Literal["response.in_progress"] = "response.in_progress"


class ResponseFailedEvent(LifeEvent):
    """The end: the response failed, `response.error` says why."""

    type: Literal["response.failed"] = "response.failed"


class ResponseIncompleteEvent(LifeEvent):
    """The end: the response was cut off, `response.incomplete_details` says why."""

    type: Literal["response.incomplete"] = "response.incomplete"


class ResponseOutputItemAddedEvent(ResponseEvent):
    """An item begins."""

    type: Literal["response.output_item.added"] = "response.output_item.added"
    item: ResponseOutputItem = told()
    output_index: int = told()


class ResponseOutputItemDoneEvent(ResponseEvent):
    """An item is complete."""

    type: Literal["response.output_item.done"] = "response.output_item.done"
    item: ResponseOutputItem = told()
    output_index: int = told()


class ResponseReasoningSummaryPartAddedEvent(ItemEvent):
    """A part of a summary of reasoning begins."""

    type: Literal["response.reasoning_summary_part.added"] = "response.reasoning_summary_part.added"
    part: ReasoningText = told()
    summary_index: int = told()


class ResponseReasoningSummaryPartDoneEvent(ItemEvent):
    """A part of a summary of reasoning is complete."""

    type: Literal["response.reasoning_summary_part.done"] = "response.reasoning_summary_part.done"
    part: ReasoningText = told()
    summary_index: int = told()
    status: str | None = None


class ResponseReasoningSummaryTextDeltaEvent(ItemEvent):
    """The next piece of a summary of reasoning."""

    type: Literal["response.reasoning_summary_text.delta"] = "response.reasoning_summary_text.delta"
    delta: str = told()
    summary_index: int = told()


class ResponseReasoningSummaryTextDoneEvent(ItemEvent):
    """The whole text of a part of a summary of reasoning."""

    type: Literal["response.reasoning_summary_text.done"] = "response.reasoning_summary_text.done"
    summary_index: int = told()
    text: str = told()


class ResponseReasoningTextDeltaEvent(ItemEvent):
    """The next piece of reasoning itself."""

    type: Literal["response.reasoning_text.delta"] = "response.reasoning_text.delta"
    content_index: int = told()
    delta: str = told()


class ResponseReasoningTextDoneEvent(ItemEvent):
    """The whole text of a part of reasoning itself."""

    type: Literal["response.reasoning_text.done"] = "response.reasoning_text.done"
    content_index: int = told()
    text: str = told()


class ResponseRefusalDeltaEvent(ItemEvent):
    """The next piece of a refusal."""

    type: Literal["response.refusal.delta"] = "response.refusal.delta"
    content_index: int = told()
    delta: str = told()


class ResponseRefusalDoneEvent(ItemEvent):
    """A whole refusal."""

    type: Literal["response.refusal.done"] = "response.refusal.done"
    content_index: int = told()
    refusal: str = told()


class ResponseTextDeltaEvent(ItemEvent):
    """The next piece of text."""

    type: Literal["response.output_text.delta"] = "response.output_text.delta"
    content_index: int = told()
    delta: str = told()
    logprobs: list[Logprob] | None = None


class ResponseTextDoneEvent(ItemEvent):
    """A whole text."""

    type: Literal["response.output_text.done"] = "response.output_text.done"
    content_index: int = told()
    logprobs: list[Logprob] | None = None
    text: str = told()


class ResponseOutputTextAnnotationAddedEvent(ItemEvent):
    """A text has an annotation."""

    type: Literal["response.output_text.annotation.added"] = "response.output_text.annotation.added"
    annotation: Annotation | None = None
    annotation_index: int = told()
    content_index: int = told()


class ResponseQueuedEvent(LifeEvent):
    """The response waits to be begun."""

    type: Literal["response.queued"] = "response.queued"


class ResponseCustomToolCallInputDeltaEvent(ItemEvent):
    """The next piece of a custom tool call's input."""

    type: Literal["response.custom_tool_call_input.delta"] = "response.custom_tool_call_input.delta"
    delta: str = told()


class ResponseCustomToolCallInputDoneEvent(ItemEvent):
    """A custom tool call's whole input."""

    type: Literal["response.custom_tool_call_input.done"] = "response.custom_tool_call_input.done"
    input: str = told()


ResponseStreamEvent: TypeAlias = (
    ResponseCompactionCompactingEvent
    | ResponseCompletedEvent
    | ResponseContentPartAddedEvent
    | ResponseContentPartDoneEvent
    | ResponseCreatedEvent
    | ResponseErrorEvent
    | ResponseFunctionCallArgumentsDeltaEvent
    | ResponseFunctionCallArgumentsDoneEvent
    | ResponseInProgressEvent
    | ResponseFailedEvent
    | ResponseIncompleteEvent
    | ResponseOutputItemAddedEvent
    | ResponseOutputItemDoneEvent
    | ResponseReasoningSummaryPartAddedEvent
    | ResponseReasoningSummaryPartDoneEvent
    | ResponseReasoningSummaryTextDeltaEvent
    | ResponseReasoningSummaryTextDoneEvent
    | ResponseReasoningTextDeltaEvent
    | ResponseReasoningTextDoneEvent
    | ResponseRefusalDeltaEvent
    | ResponseRefusalDoneEvent
    | ResponseTextDeltaEvent
    | ResponseTextDoneEvent
    | ResponseOutputTextAnnotationAddedEvent
    | ResponseQueuedEvent
    | ResponseCustomToolCallInputDeltaEvent
    | ResponseCustomToolCallInputDoneEvent
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
"""Any event. One of a type that is not known here is a `ResponseEvent`."""

_KINDS: Final[Mapping[str, type[ResponseEvent]]] = {
    kind.model_fields["type"].default: kind
    for kind in (
        ResponseCompactionCompactingEvent,
        ResponseCompletedEvent,
        ResponseContentPartAddedEvent,
        ResponseContentPartDoneEvent,
        ResponseCreatedEvent,
        ResponseErrorEvent,
        ResponseFunctionCallArgumentsDeltaEvent,
        ResponseFunctionCallArgumentsDoneEvent,
        ResponseInProgressEvent,
        ResponseFailedEvent,
        ResponseIncompleteEvent,
        ResponseOutputItemAddedEvent,
        ResponseOutputItemDoneEvent,
        ResponseReasoningSummaryPartAddedEvent,
        ResponseReasoningSummaryPartDoneEvent,
        ResponseReasoningSummaryTextDeltaEvent,
        ResponseReasoningSummaryTextDoneEvent,
        ResponseReasoningTextDeltaEvent,
        ResponseReasoningTextDoneEvent,
        ResponseRefusalDeltaEvent,
        ResponseRefusalDoneEvent,
        ResponseTextDeltaEvent,
        ResponseTextDoneEvent,
        ResponseOutputTextAnnotationAddedEvent,
        ResponseQueuedEvent,
        ResponseCustomToolCallInputDeltaEvent,
        ResponseCustomToolCallInputDoneEvent,
        tools.ResponseAudioDeltaEvent,
        tools.ResponseAudioDoneEvent,
        tools.ResponseAudioTranscriptDeltaEvent,
        tools.ResponseAudioTranscriptDoneEvent,
        tools.ResponseCodeInterpreterCallCodeDeltaEvent,
        tools.ResponseCodeInterpreterCallCodeDoneEvent,
        tools.ResponseCodeInterpreterCallCompletedEvent,
        tools.ResponseCodeInterpreterCallInProgressEvent,
        tools.ResponseCodeInterpreterCallInterpretingEvent,
        tools.ResponseFileSearchCallCompletedEvent,
        tools.ResponseFileSearchCallInProgressEvent,
        tools.ResponseFileSearchCallSearchingEvent,
        tools.ResponseShellCallCommandAddedEvent,
        tools.ResponseShellCallCommandDeltaEvent,
        tools.ResponseShellCallCommandDoneEvent,
        tools.ResponseShellCallOutputContentDeltaEvent,
        tools.ResponseShellCallOutputContentDoneEvent,
        tools.ResponseWebSearchCallCompletedEvent,
        tools.ResponseWebSearchCallInProgressEvent,
        tools.ResponseWebSearchCallSearchingEvent,
        tools.ResponseImageGenCallCompletedEvent,
        tools.ResponseImageGenCallGeneratingEvent,
        tools.ResponseImageGenCallInProgressEvent,
        tools.ResponseImageGenCallPartialImageEvent,
        tools.ResponseMcpCallArgumentsDeltaEvent,
        tools.ResponseMcpCallArgumentsDoneEvent,
        tools.ResponseMcpCallCompletedEvent,
        tools.ResponseMcpCallFailedEvent,
        tools.ResponseMcpCallInProgressEvent,
        tools.ResponseMcpListToolsCompletedEvent,
        tools.ResponseMcpListToolsFailedEvent,
        tools.ResponseMcpListToolsInProgressEvent,
    )
}


def event_from(data: Mapping[str, Any]) -> ResponseStreamEvent:
    """The event in a JSON object. Raises `KeyError` if it has no type."""
    event: Any = _KINDS.get(data["type"], ResponseEvent).read(data)
    return event  # type: ignore[no-any-return]  # one of a type that is not known is a ResponseEvent
