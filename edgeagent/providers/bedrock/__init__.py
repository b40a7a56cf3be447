"""AWS Bedrock: Converse and InvokeModel, both directions."""

from __future__ import annotations

from edgeagent.providers.bedrock.codec import BedrockConverseCodec
from edgeagent.providers.bedrock.invoke import BedrockInvokeCodec
from edgeagent.providers.bedrock.provider import Bedrock

__all__ = ["Bedrock", "BedrockConverseCodec", "BedrockInvokeCodec"]
