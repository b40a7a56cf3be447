"""The types of chat completions under the names that `openai.types.chat` has, for code that annotates with them.

    from edgeagent.types.chat import ChatCompletionMessageParam  # instead of: from openai.types.chat import …

Answers are edgeagent's own classes. The `…Param` types describe what goes into a call; plain dicts do as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from typing_extensions import Required, TypedDict

from edgeagent.types.chunk import ChatCompletionChunk
from edgeagent.types.completion import (
    ChatCompletion,
    ChatCompletionAudio,
    ChatCompletionMessage,
    ChatCompletionMessageCustomToolCall,
    ChatCompletionMessageFunctionToolCall,
    ChatCompletionMessageToolCall,
    ChatCompletionTokenLogprob,
    ToolCall,
)
from edgeagent.types.parsed import (
    ParsedChatCompletion,
    ParsedChatCompletionMessage,
    ParsedChoice,
    ParsedFunction,
    ParsedFunctionToolCall,
)

__all__ = [
    "ChatCompletion",
    "ChatCompletionAssistantMessageParam",
    "ChatCompletionAudio",
    "ChatCompletionChunk",
    "ChatCompletionContentPartImageParam",
    "ChatCompletionContentPartParam",
    "ChatCompletionContentPartTextParam",
    "ChatCompletionDeveloperMessageParam",
    "ChatCompletionFunctionMessageParam",
    "ChatCompletionFunctionToolParam",
    "ChatCompletionMessage",
    "ChatCompletionMessageCustomToolCall",
    "ChatCompletionMessageFunctionToolCall",
    "ChatCompletionMessageFunctionToolCallParam",
    "ChatCompletionMessageParam",
    "ChatCompletionMessageToolCall",
    "ChatCompletionMessageToolCallParam",
    "ChatCompletionMessageToolCallUnion",
    "ChatCompletionNamedToolChoiceParam",
    "ChatCompletionStreamOptionsParam",
    "ChatCompletionSystemMessageParam",
    "ChatCompletionTokenLogprob",
    "ChatCompletionToolChoiceOptionParam",
    "ChatCompletionToolMessageParam",
    "ChatCompletionToolParam",
    "ChatCompletionToolUnionParam",
    "ChatCompletionUserMessageParam",
    "ParsedChatCompletion",
    "ParsedChatCompletionMessage",
    "ParsedChoice",
    "ParsedFunction",
    "ParsedFunctionToolCall",
]

ChatCompletionMessageToolCallUnion: TypeAlias = ToolCall


class ChatCompletionContentPartTextParam(TypedDict):
    """A part of text."""

    text: str
    type: Literal["text"]


class ImageURL(TypedDict, total=False):
    """Where an image is: an address or a data URL."""

    url: Required[str]
    detail: Literal["auto", "low", "high"]


class ChatCompletionContentPartImageParam(TypedDict):
    """An image."""

    image_url: ImageURL
    type: Literal["image_url"]


class InputAudio(TypedDict):
    """Sound as base64."""

    data: str
    format: Literal["wav", "mp3"]


class ChatCompletionContentPartInputAudioParam(TypedDict):
    """A part of sound."""

    input_audio: InputAudio
    type: Literal["input_audio"]


class FileFile(TypedDict, total=False):
    """A document: its content as base64, or the id of one that was uploaded."""

    file_data: str
    file_id: str
    filename: str


class File(TypedDict):
    """A document."""

    file: FileFile
    type: Literal["file"]


ChatCompletionContentPartParam: TypeAlias = (
    ChatCompletionContentPartTextParam
    | ChatCompletionContentPartImageParam
    | ChatCompletionContentPartInputAudioParam
    | File
)


class ChatCompletionDeveloperMessageParam(TypedDict, total=False):
    """Instructions, for models that reason."""

    content: Required[str | Iterable[ChatCompletionContentPartTextParam]]
    role: Required[Literal["developer"]]
    name: str


class ChatCompletionSystemMessageParam(TypedDict, total=False):
    """Instructions."""

    content: Required[str | Iterable[ChatCompletionContentPartTextParam]]
    role: Required[Literal["system"]]
    name: str


class ChatCompletionUserMessageParam(TypedDict, total=False):
    """What the user says."""

    content: Required[str | Iterable[ChatCompletionContentPartParam]]
    role: Required[Literal["user"]]
    name: str


class FunctionParam(TypedDict):
    """A called function; `arguments` is JSON text."""

    arguments: str
    name: str


class ChatCompletionMessageFunctionToolCallParam(TypedDict):
    """A tool call of a message that is sent back."""

    id: str
    function: FunctionParam
    type: Literal["function"]


ChatCompletionMessageToolCallParam: TypeAlias = ChatCompletionMessageFunctionToolCallParam


class ChatCompletionAssistantMessageParam(TypedDict, total=False):
    """What the assistant said."""

    role: Required[Literal["assistant"]]
    content: str | Iterable[ChatCompletionContentPartTextParam] | None
    name: str
    refusal: str | None
    tool_calls: Iterable[ChatCompletionMessageFunctionToolCallParam]


class ChatCompletionToolMessageParam(TypedDict):
    """What a tool answered."""

    content: str | Iterable[ChatCompletionContentPartTextParam]
    role: Literal["tool"]
    tool_call_id: str


class ChatCompletionFunctionMessageParam(TypedDict):
    """What a function answered, in OpenAI's older form."""

    content: str | None
    name: str
    role: Literal["function"]


ChatCompletionMessageParam: TypeAlias = (
    ChatCompletionDeveloperMessageParam
    | ChatCompletionSystemMessageParam
    | ChatCompletionUserMessageParam
    | ChatCompletionAssistantMessageParam
    | ChatCompletionToolMessageParam
    | ChatCompletionFunctionMessageParam
)


class FunctionDefinition(TypedDict, total=False):
    """What a function is called, does and takes; `parameters` is a JSON Schema."""

    name: Required[str]
    description: str
    parameters: Mapping[str, object]
    strict: bool | None


class ChatCompletionFunctionToolParam(TypedDict):
    """A function that the model may call."""

    function: FunctionDefinition
    type: Literal["function"]


ChatCompletionToolParam: TypeAlias = ChatCompletionFunctionToolParam
ChatCompletionToolUnionParam: TypeAlias = ChatCompletionFunctionToolParam | Mapping[str, object]


class NamedFunction(TypedDict):
    """The name of a function."""

    name: str


class ChatCompletionNamedToolChoiceParam(TypedDict):
    """A function that must be called."""

    function: NamedFunction
    type: Literal["function"]


ChatCompletionToolChoiceOptionParam: TypeAlias = (
    Literal["none", "auto", "required"] | ChatCompletionNamedToolChoiceParam
)


class ChatCompletionStreamOptionsParam(TypedDict, total=False):
    """Options of a stream."""

    include_usage: bool
    include_obfuscation: bool
