"""Personal data, secrets and prompt injection: what is found in a text, and what happens to it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgeagent.shield.base import Detector, Match
    from edgeagent.shield.detect import Pattern, PersonalData, PresidioDetector, Secrets, Standard
    from edgeagent.shield.injection.detector import Assessment, InjectionDetector, InjectionScorer
    from edgeagent.shield.injection.guard import Finding, InjectionGuard
    from edgeagent.shield.policy import Policy
    from edgeagent.shield.shield import Preview, Shield
    from edgeagent.shield.vault import Vault

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
    "Policy",
    "PresidioDetector",
    "Preview",
    "Secrets",
    "Shield",
    "Standard",
    "Vault",
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
    "Policy": "policy",
    "PresidioDetector": "detect",
    "Preview": "shield",
    "Secrets": "detect",
    "Shield": "shield",
    "Standard": "detect",
    "Vault": "vault",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
