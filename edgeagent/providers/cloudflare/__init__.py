"""Cloudflare Workers AI's own API: `POST /accounts/{account}/ai/run/{model}`."""

from __future__ import annotations

from edgeagent.providers.cloudflare.codec import CloudflareRunCodec
from edgeagent.providers.cloudflare.provider import Cloudflare

__all__ = ["Cloudflare", "CloudflareRunCodec"]
