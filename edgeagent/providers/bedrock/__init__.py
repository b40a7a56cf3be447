"""AWS Bedrock: Converse and InvokeModel, both directions."""

from __future__ import annotations

from edgeagent.providers.bedrock.codec import BedrockConverseCodec

__all__ = ["BedrockConverseCodec"]
