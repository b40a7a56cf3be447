"""The demo: a short tour on a machine without keys. Everything it prints was measured while it ran."""

from __future__ import annotations

from edgeagent.demo.tour import run

__all__ = ["run"]
