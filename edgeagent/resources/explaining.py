"""`client.explain`: a chat call's arguments → its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeagent.core.explaining import Plan, explain
from edgeagent.core.requests import given
from edgeagent.effects import Scope
from edgeagent.resources.chat import prepared

if TYPE_CHECKING:
    from edgeagent.client import AsyncEdgeClient, EdgeClient

__all__ = ["explained"]


def explained(client: EdgeClient | AsyncEdgeClient, params: dict[str, Any]) -> Plan:
    """The plan of a call with these arguments. Raises `RequestValidationError`, `NoTargetError`."""
    stream = params.pop("stream", None)
    streams = bool(stream) if given(stream) else False
    request, options = prepared(client, params, streams)
    return explain(client._engine.here().pipeline, request, options, Scope(), streams=streams)
