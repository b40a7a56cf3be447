"""The chat completion: openai's objects and field names, plus what other vendors have and OpenAI has not.

Beyond OpenAI's own fields:

- `message.reasoning_content`: the text of the model's reasoning, where the vendor shows it.
- `message.native_content`: `{"wire": …, "content": […]}`, the vendor's own content blocks, exactly as sent, wherever
  they hold something that has no OpenAI-shaped place (thinking signatures, server tools, citations). A codec of the
  same wire sends them back unchanged in the next turn, so nothing is lost; other codecs leave them out.
- `choice.native_finish_reason`: the vendor's own word for `finish_reason`.
"""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any, Final, Literal

from edgeagent.types._model import Answer, Model
from edgeagent.types.usage import CompletionUsage

if TYPE_CHECKING:
    from edgeagent.types.metadata import ResponseMetadata

__all__ = [
    "BROKEN_OFF",
    "Annotation",
    "AnnotationURLCitation",
    "ChatCompletion",
    "ChatCompletionAudio",
    "ChatCompletionMessage",
    "ChatCompletionMessageCustomToolCall",
    "ChatCompletionMessageFunctionToolCall",
    "ChatCompletionMessageToolCall",
    "ChatCompletionTokenLogprob",
    "Choice",
    "ChoiceLogprobs",
    "CustomToolCall",
    "FinishReason",
    "Function",
    "FunctionCall",
    "ToolCall",
    "TopLogprob",
]

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "function_call"]

BROKEN_OFF: Final = frozenset(
    {
        "pause_turn",  # Anthropic: the turn goes on when it is sent back
        *("malformed_model_output", "malformed_tool_use"),  # Bedrock
        *("ESCALATION", "IMAGE_OTHER", "LANGUAGE", "MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE"),  # Google
        *("MISSING_THOUGHT_SIGNATURE", "NO_IMAGE", "OTHER", "TOO_MANY_TOOL_CALLS", "UNEXPECTED_TOOL_CALL"),
    }
)
"""Vendors' own finish reasons that OpenAI has no word for, so that they are told as `stop`: no whole answers."""


class Function(Model):
    """The function that a tool call names; `arguments` is JSON text as the model wrote it."""

    name: str
    arguments: str


class CustomToolCall(Model):
    """The free-form tool that a custom tool call names."""

    name: str
    input: str


class ChatCompletionMessageToolCall(Model):
    """One tool call: `function` is set for type "function", `custom` for type "custom"."""

    id: str
    type: str = "function"
    function: Function | None = None
    custom: CustomToolCall | None = None


if TYPE_CHECKING:

    class ChatCompletionMessageFunctionToolCall(ChatCompletionMessageToolCall):
        """A call of a function, as a type checker tells it from the other kind by its `type`."""

        type: Literal["function"] = "function"
        function: Function
        custom: None = None

    class ChatCompletionMessageCustomToolCall(ChatCompletionMessageToolCall):
        """A call of a free-form tool."""

        type: Literal["custom"] = "custom"
        custom: CustomToolCall
        function: None = None

    ToolCall = ChatCompletionMessageFunctionToolCall | ChatCompletionMessageCustomToolCall
else:  # one class, whose calls are told apart by their `type`; the names are openai's
    ToolCall = ChatCompletionMessageToolCall
    ChatCompletionMessageFunctionToolCall = ChatCompletionMessageCustomToolCall = ChatCompletionMessageToolCall


class FunctionCall(Model):
    """OpenAI's older form of a single tool call."""

    name: str
    arguments: str


class ChatCompletionAudio(Model):
    """Audio that the model spoke; `data` is base64."""

    id: str
    data: str | None = None
    expires_at: int | None = None
    transcript: str | None = None


class AnnotationURLCitation(Model):
    """A web page that the text between the two positions (of characters) cites."""

    end_index: int | None = None
    start_index: int | None = None
    title: str | None = None
    url: str | None = None


class Annotation(Model):
    """A citation or another note on the text."""

    type: str
    url_citation: AnnotationURLCitation | None = None


class ChatCompletionMessage(Model):
    """The assistant's message."""

    role: str = "assistant"
    content: str | None = None
    refusal: str | None = None
    annotations: list[Annotation] | None = None
    audio: ChatCompletionAudio | None = None
    function_call: FunctionCall | None = None
    tool_calls: list[ToolCall] | None = None
    reasoning_content: str | None = None
    native_content: dict[str, Any] | None = None


class TopLogprob(Model):
    """One alternative token."""

    token: str
    logprob: float
    bytes: list[int] | None = None


class ChatCompletionTokenLogprob(Model):
    """One token with its log probability and its alternatives."""

    token: str
    logprob: float
    bytes: list[int] | None = None
    top_logprobs: list[TopLogprob] | None = None


class ChoiceLogprobs(Model):
    """Log probabilities of a choice's tokens."""

    content: list[ChatCompletionTokenLogprob] | None = None
    refusal: list[ChatCompletionTokenLogprob] | None = None


class Choice(Model):
    """One of the `n` answers."""

    index: int
    message: ChatCompletionMessage
    finish_reason: FinishReason | None = None
    logprobs: ChoiceLogprobs | None = None
    native_finish_reason: str | None = None


class ChatCompletion(Answer):
    """A complete answer."""

    id: str
    choices: list[Choice]
    created: int
    model: str
    object: Literal["chat.completion"] = "chat.completion"
    metadata: dict[str, Any] | None = None
    moderation: dict[str, Any] | None = None
    service_tier: str | None = None
    system_fingerprint: str | None = None
    usage: CompletionUsage | None = None

    def _complete(self) -> None:
        self.__pydantic_fields_set__.add("object")

    @classmethod
    def create(cls, **params: Any) -> Any:
        """The call of openai<1, for code of that time: `openai.ChatCompletion.create(…)`; see `edgeagent.legacy`.

        Returns:
            An `edgeagent.openai_object.OpenAIObject`, or with `stream=True` a generator of them.

        Raises:
            edgeagent.error.OpenAIError: what openai<1 raised; it is also our own exception.
        """
        from edgeagent.legacy.chat import create

        return create(params)

    @classmethod
    async def acreate(cls, **params: Any) -> Any:
        """The same, awaiting; with `stream=True` an async generator."""
        from edgeagent.legacy.chat import acreate

        return await acreate(params)

    @property
    def edge(self) -> ResponseMetadata:
        """What the gateway did for this answer; absent from dumps and equality."""
        edge = self._edge
        if edge is None:
            from edgeagent.types.metadata import ResponseMetadata

            edge = ResponseMetadata()
            self._attach(edge)
        return edge

    @property
    def _request_id(self) -> str | None:
        """The provider's id of the request, under openai's name."""
        return self.edge.request_id

    def __eq__(self, other: builtins.object) -> bool:
        """Equal answers are equal whatever the gateway did to get them."""
        if not isinstance(other, ChatCompletion):
            return NotImplemented
        return self.__dict__ == other.__dict__ and self.model_extra == other.model_extra

    __hash__ = None  # type: ignore[assignment]  # as every mutable pydantic model

    def _repr_html_(self) -> str:
        from edgeagent.types.display import completion_html

        return completion_html(self)

    def _repr_markdown_(self) -> str:
        from edgeagent.types.display import completion_markdown

        return completion_markdown(self)
