"""The server of `edgeagent.testing.loopback`, under the name by which the tests here know it."""

from __future__ import annotations

from edgeagent.testing.loopback import CLOSE, HANG_UP, Loopback, Pause, Request, chunk, events, head, reply

__all__ = ["CLOSE", "HANG_UP", "Loopback", "Pause", "Request", "chunk", "events", "head", "reply"]
