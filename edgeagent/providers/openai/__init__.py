"""OpenAI's chat completions: the codec, and the two clouds that speak it natively."""

from __future__ import annotations

from edgeagent.providers.openai.azure import AzureOpenAI
from edgeagent.providers.openai.codec import OpenAIChatCodec
from edgeagent.providers.openai.provider import OpenAI
from edgeagent.providers.openai.quirks import COMPATIBLE, OWN, Quirks

__all__ = ["COMPATIBLE", "OWN", "AzureOpenAI", "OpenAI", "OpenAIChatCodec", "Quirks"]
