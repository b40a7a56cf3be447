"""For tests of code that uses edgeagent: providers that need no network, and a server that fails."""

from __future__ import annotations

from edgeagent.testing.fake import FakeProvider
from edgeagent.testing.faults import FAULTS, Fault, FaultServer

__all__ = ["FAULTS", "FakeProvider", "Fault", "FaultServer"]
