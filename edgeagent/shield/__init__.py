"""Personal data and secrets, and prompt injection: what is found in a text."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgeagent.shield.base import Detector, Match
    from edgeagent.shield.detect import Pattern, PersonalData, PresidioDetector, Secrets, Standard
    from edgeagent.shield.injection.detector import Assessment, InjectionDetector, InjectionScorer
    from edgeagent.shield.injection.guard import Finding, InjectionGuard

__all__ = [
    "Assessment",
    "Detector",
    "Finding",
    "InjectionDetector",
    "InjectionGuard",
    "InjectionScorer",
    "Match",
    "Pattern",
    "PersonalData",
    "PresidioDetector",
    "Secrets",
    "Standard",
]

_PLACES = {
    "Assessment": "injection.detector",
    "Detector": "base",
    "Finding": "injection.guard",
    "InjectionDetector": "injection.detector",
    "InjectionGuard": "injection.guard",
    "InjectionScorer": "injection.detector",
    "Match": "base",
    "Pattern": "detect",
    "PersonalData": "detect",
    "PresidioDetector": "detect",
    "Secrets": "detect",
    "Standard": "detect",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
