"""Every codec of the package, with the recorded APIs that it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgeagent.providers.anthropic.codec import AnthropicMessagesCodec
from edgeagent.providers.bedrock.codec import BedrockConverseCodec
from edgeagent.providers.bedrock.invoke import BedrockInvokeCodec
from edgeagent.providers.cloudflare import CloudflareRunCodec
from edgeagent.providers.cohere import CohereChatCodec
from edgeagent.providers.gemini import GeminiCodec
from edgeagent.providers.mistral import MistralChatCodec
from edgeagent.providers.ollama import OllamaChatCodec
from edgeagent.providers.openai import COMPATIBLE, OpenAIChatCodec
from edgeagent.providers.responses import ResponsesCodec
from edgeagent.providers.rows import ROWS
from edgeagent.providers.vertex.codecs import VertexAnthropicCodec
from edgeagent.providers.watsonx import Watsonx

__all__ = ["CODECS", "Wire"]


@dataclass(frozen=True)
class Wire:
    """A codec, a model that it is asked for, and the API whose records it reads."""

    name: str
    codec: Any
    model: str
    api: str
    blocks: str = ""
    """The wire whose own blocks it takes, where that is not its own: Claude's signatures hold on every platform."""

    @property
    def native(self) -> str:
        return self.blocks or str(self.codec.wire)

    def __str__(self) -> str:
        return self.name


CODECS = (
    Wire("openai", OpenAIChatCodec(), "gpt-4.1", "openai.chat"),
    Wire("compatible", OpenAIChatCodec(COMPATIBLE), "any", "openrouter.chat"),
    Wire("deepseek", OpenAIChatCodec(ROWS["deepseek"].quirks), "deepseek-chat", "deepseek.chat"),
    Wire("anthropic", AnthropicMessagesCodec(), "claude-sonnet-4-5", "anthropic.messages"),
    Wire("responses", ResponsesCodec(), "gpt-5", "openai.responses"),
    Wire("mistral", MistralChatCodec(), "mistral-small-latest", "mistral.chat"),
    Wire("cohere", CohereChatCodec(), "command-a-03-2025", "cohere.chat_v2"),
    Wire("ollama", OllamaChatCodec(), "qwen3", "ollama.chat"),
    Wire("bedrock", BedrockConverseCodec(), "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock.converse"),
    Wire(
        "bedrock invoke",
        BedrockInvokeCodec(),
        "invoke/anthropic.claude-sonnet-4-5-20250929-v1:0",
        "bedrock.invoke",
        blocks="anthropic.messages",
    ),
    Wire("gemini", GeminiCodec(), "gemini-2.5-flash", "gemini.generate"),
    Wire("gemini 3", GeminiCodec(), "gemini-3-pro-preview", "gemini.generate"),
    Wire("vertex", GeminiCodec(vertex=True), "gemini-2.5-pro", "vertex.generate"),
    Wire("claude on vertex", VertexAnthropicCodec(), "claude-sonnet-4-5@20250929", "vertex.anthropic"),
    Wire("watsonx", Watsonx.codec, "ibm/granite-4-h-small", "groq.chat"),
    Wire("cloudflare", CloudflareRunCodec(), "@cf/meta/llama-3.3-70b-instruct-fp8-fast", "cloudflare.run"),
)
