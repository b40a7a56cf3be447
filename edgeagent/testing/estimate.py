"""A made-up but repeatable usage: one token for every four characters begun.

Characters counted: for the prompt, the `content` text of every message (of a list, its text parts); for the answer, the
text, the refusal, the reasoning and the names and arguments of tool calls. Streamed and unstreamed answers of equal
text have equal usage. It stands for no vendor's tokenizer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest, CompletionUsage

__all__ = ["CHARACTERS_PER_TOKEN", "chunk_characters", "completion_characters", "usage_of"]

CHARACTERS_PER_TOKEN: Final = 4


def usage_of(request: ChatRequest, characters: int) -> CompletionUsage:
    """The usage of an answer of so many characters to `request`."""
    prompt = _tokens(sum(_message_characters(message) for message in request.messages))
    completion = _tokens(characters)
    return CompletionUsage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)


def completion_characters(completion: ChatCompletion) -> int:
    """The characters of all choices of a completion that are counted."""
    return sum(_characters(choice.message) for choice in completion.choices)


def chunk_characters(chunk: ChatCompletionChunk) -> int:
    """The characters of a chunk that are counted."""
    return sum(_characters(choice.delta) for choice in chunk.choices)


def _tokens(characters: int) -> int:
    return -(-characters // CHARACTERS_PER_TOKEN)


def _message_characters(message: Mapping[str, Any]) -> int:
    content = message.get("content")
    if isinstance(content, str):
        return len(content)
    parts: Iterable[Any] = content if isinstance(content, list) else ()
    return sum(len(part["text"]) for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))


def _characters(part: Any) -> int:
    """Of a message or a delta: they name these fields alike."""
    texts = [part.content, part.refusal, part.reasoning_content]
    for call in part.tool_calls or ():
        if call.function is not None:
            texts += (call.function.name, call.function.arguments)
        if call.custom is not None:
            texts += (call.custom.name, call.custom.input)
    if part.function_call is not None:
        texts += (part.function_call.name, part.function_call.arguments)
    return sum(len(text) for text in texts if text)
