"""OpenAI's Responses API as a codec for chat requests."""

from __future__ import annotations

from edgeagent.providers.responses.codec import ResponsesCodec
from edgeagent.providers.responses.errors import error_of
from edgeagent.providers.responses.items import CLIENT_ITEMS, WIRE
from edgeagent.providers.responses.replay import stream_of
from edgeagent.providers.responses.tools import decode_tool, encode_format

__all__ = ["CLIENT_ITEMS", "WIRE", "ResponsesCodec", "decode_tool", "encode_format", "error_of", "stream_of"]
