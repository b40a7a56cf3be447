"""OpenAI's Responses API as a codec for chat requests."""

from __future__ import annotations

from edgeagent.providers.responses.codec import ResponsesCodec
from edgeagent.providers.responses.items import CLIENT_ITEMS, WIRE
from edgeagent.providers.responses.replay import stream_of

__all__ = ["CLIENT_ITEMS", "WIRE", "ResponsesCodec", "stream_of"]
