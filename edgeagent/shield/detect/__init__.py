"""Detectors of personal data and secrets, by form and evidence.

A match needs a form, and evidence that it is meant: a check digit, an unambiguous shape, or a word near it that names
it. Nothing here does I/O, and nothing is compiled before it is used.
"""

from __future__ import annotations

from edgeagent.shield.detect.credentials import Secrets
from edgeagent.shield.detect.overlaps import resolve
from edgeagent.shield.detect.pattern import Pattern
from edgeagent.shield.detect.personal import PersonalData
from edgeagent.shield.detect.presidio import PresidioDetector
from edgeagent.shield.detect.standard import Standard

__all__ = ["Pattern", "PersonalData", "PresidioDetector", "Secrets", "Standard", "resolve"]
