"""Prompt injection and jailbreaks: what a text from outside tries to make a model do.

Its names are those of `edgeagent.shield`. The detector stands on the standard library alone.
"""

from __future__ import annotations

__all__: list[str] = []
