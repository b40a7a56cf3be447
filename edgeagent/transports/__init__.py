"""The pipeline under the official SDKs, in process.

    client = openai.OpenAI(http_client=openai.DefaultHttpxClient(transport=transport(edge)))

The transport takes the HTTP request that an SDK sends, runs it through the client's own pipeline (cache, single flight,
routing to any provider, cost, telemetry) and answers in the SDK's own wire format, streams included.
"""

from __future__ import annotations

from edgeagent.transports.transport import Transport, transport

__all__ = ["Transport", "transport"]
