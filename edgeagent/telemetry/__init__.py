"""Who is told what happened: the Observer protocol, OpenTelemetry, logging and a ledger."""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from edgeagent.telemetry.base import CallEnded, CallStarted, Observation, Observer
    from edgeagent.telemetry.ledger import Ledger, Totals
    from edgeagent.telemetry.log import LoggingObserver
    from edgeagent.telemetry.null import NullObservation, NullObserver
    from edgeagent.telemetry.observers import ObserverGroup
    from edgeagent.telemetry.otel import OpenTelemetryObserver

__all__ = [
    "CallEnded",
    "CallStarted",
    "Ledger",
    "LoggingObserver",
    "NullObservation",
    "NullObserver",
    "Observation",
    "Observer",
    "ObserverGroup",
    "OpenTelemetryObserver",
    "Totals",
]

_HOMES: Final = {
    "CallEnded": "base",
    "CallStarted": "base",
    "Ledger": "ledger",
    "LoggingObserver": "log",
    "NullObservation": "null",
    "NullObserver": "null",
    "Observation": "base",
    "Observer": "base",
    "ObserverGroup": "observers",
    "OpenTelemetryObserver": "otel",
    "Totals": "ledger",
}

# A library's logger is silent until the application configures logging (docs.python.org/3/howto/logging.html).
logging.getLogger("edgeagent").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return __all__
