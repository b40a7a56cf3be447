"""`client.explain`: a chat call's arguments → its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeagent.core.explaining import Plan, explain
from edgeagent.effects import Scope
from edgeagent.resources.chat import prepared
from edgeagent.resources.options import streams

if TYPE_CHECKING:
    from edgeagent.client import AsyncEdgeClient, EdgeClient

__all__ = ["explained"]


def explained(client: EdgeClient | AsyncEdgeClient, params: dict[str, Any]) -> Plan:
    """The plan of a call with these arguments. Raises `RequestValidationError`, `NoTargetError`."""
    stream = streams(client, params.pop("stream", None))
    request, options, _ = prepared(client, params, stream)
    return explain(client._engine.here().pipeline, request, options, Scope(), streams=stream)
