"""The chunk of a streamed completion: openai's objects and field names, plus those that `completion` adds."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any, Literal

from edgeagent.types._model import Answer, Model
from edgeagent.types.completion import Annotation, ChoiceLogprobs, FinishReason
from edgeagent.types.usage import CompletionUsage

if TYPE_CHECKING:
    from edgeagent.types.metadata import ResponseMetadata

__all__ = [
    "ChatCompletionChunk",
    "ChoiceDelta",
    "ChoiceDeltaToolCall",
    "ChoiceDeltaToolCallCustom",
    "ChoiceDeltaToolCallFunction",
    "ChunkChoice",
]


class ChoiceDeltaToolCallFunction(Model):
    """A fragment of a function call; fragments of `arguments` are joined in order."""

    name: str | None = None
    arguments: str | None = None


class ChoiceDeltaToolCallCustom(Model):
    """A fragment of a custom tool's call; fragments of `input` are joined in order."""

    name: str | None = None
    input: str | None = None


class ChoiceDeltaToolCall(Model):
    """A fragment of one tool call; `index` says of which."""

    index: int
    id: str | None = None
    type: str | None = None
    function: ChoiceDeltaToolCallFunction | None = None
    custom: ChoiceDeltaToolCallCustom | None = None


class ChoiceDeltaFunctionCall(Model):
    """A fragment of OpenAI's older single function call."""

    name: str | None = None
    arguments: str | None = None


class ChoiceDeltaAudio(Model):
    """A fragment of spoken audio; fragments of `data` and of `transcript` are joined in order."""

    id: str | None = None
    data: str | None = None
    expires_at: int | None = None
    transcript: str | None = None


class ChoiceDelta(Model):
    """What one chunk adds to a choice's message."""

    role: str | None = None
    content: str | None = None
    refusal: str | None = None
    annotations: list[Annotation] | None = None
    audio: ChoiceDeltaAudio | None = None
    function_call: ChoiceDeltaFunctionCall | None = None
    tool_calls: list[ChoiceDeltaToolCall] | None = None
    reasoning_content: str | None = None
    native_content: dict[str, Any] | None = None


class ChunkChoice(Model):
    """The part of a chunk that belongs to one choice."""

    index: int
    delta: ChoiceDelta
    finish_reason: FinishReason | None = None
    logprobs: ChoiceLogprobs | None = None
    native_finish_reason: str | None = None


class ChatCompletionChunk(Answer):
    """One piece of a streamed answer."""

    id: str
    choices: list[ChunkChoice]
    created: int
    model: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    service_tier: str | None = None
    system_fingerprint: str | None = None
    usage: CompletionUsage | None = None

    @property
    def edge(self) -> ResponseMetadata | None:
        """What the gateway did; set on the last chunk of a stream."""
        return self._edge

    def _complete(self) -> None:
        self.__pydantic_fields_set__.add("object")
        for choice in self.__dict__.get("choices") or ():  # one that was made without validation may hold anything
            if isinstance(choice, ChunkChoice):
                choice.__pydantic_fields_set__.add("finish_reason")

    def __eq__(self, other: builtins.object) -> bool:
        """Equal chunks are equal whatever the gateway did to get them."""
        if not isinstance(other, ChatCompletionChunk):
            return NotImplemented
        return self.__dict__ == other.__dict__ and self.model_extra == other.model_extra

    __hash__ = None  # type: ignore[assignment]  # as every mutable pydantic model
