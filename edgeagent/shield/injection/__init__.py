"""Prompt injection and jailbreaks: what a text from outside tries to make a model do."""

from __future__ import annotations

from edgeagent.shield.injection.detector import Assessment, InjectionDetector, InjectionScorer
from edgeagent.shield.injection.guard import Finding, InjectionGuard

__all__ = ["Assessment", "Finding", "InjectionDetector", "InjectionGuard", "InjectionScorer"]
