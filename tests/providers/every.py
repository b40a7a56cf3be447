"""Every codec of the package, with the recorded APIs that it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgeagent.providers.anthropic.codec import AnthropicMessagesCodec
from edgeagent.providers.openai import COMPATIBLE, OpenAIChatCodec
from edgeagent.providers.rows import ROWS

__all__ = ["CODECS", "Wire"]


@dataclass(frozen=True)
class Wire:
    """A codec, a model that it is asked for, and the API whose records it reads."""

    name: str
    codec: Any
    model: str
    api: str

    def __str__(self) -> str:
        return self.name


CODECS = (
    Wire("openai", OpenAIChatCodec(), "gpt-4.1", "openai.chat"),
    Wire("compatible", OpenAIChatCodec(COMPATIBLE), "any", "openrouter.chat"),
    Wire("deepseek", OpenAIChatCodec(ROWS["deepseek"].quirks), "deepseek-chat", "deepseek.chat"),
    Wire("mistral", OpenAIChatCodec(ROWS["mistral"].quirks), "mistral-small-latest", "mistral.chat"),
    Wire("anthropic", AnthropicMessagesCodec(), "claude-sonnet-4-5", "anthropic.messages"),
)
