"""Personal data and secrets: what is found in a text."""

from __future__ import annotations

from edgeagent.shield.base import Detector, Match

__all__ = ["Detector", "Match"]
