"""A detector for tests: values of a few types, by forms that cannot be mistaken."""

from __future__ import annotations

import re
from collections.abc import Sequence

from edgeagent.shield import Match

FORMS = {
    "EMAIL_ADDRESS": r"(?i)[a-z][\w.+-]*@[a-z][\w-]*(?:\.[a-z]+)+",
    "CREDIT_CARD": r"\b4\d{3}[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}\b",
    "US_SSN": r"\b\d{3}-\d{2}-\d{4}\b",
    "PHONE_NUMBER": r"(?<!\w)\+\d[\d ()-]{6,14}\d",
    "DATE_TIME": r"\b\d{4}-\d\d-\d\d\b",
    "PASSWORD": r"(?<=password: )\S+",
    "API_KEY": r"\bkey-[0-9a-f]{16}\b",
    "PRIVATE_KEY": r"-----BEGIN KEY-----[^-]+-----END KEY-----",
}


class Forms:
    """Finds what the forms say; `score` is that of all its matches."""

    def __init__(self, *types: str, score: float = 1.0) -> None:
        self.types = types or tuple(FORMS)
        self.score = score
        self.fingerprint = f"forms {self.types} {score}"

    def find(self, text: str, /) -> Sequence[Match]:
        return [
            Match(kind, *found.span(), self.score, "forms")
            for kind in self.types
            for found in re.finditer(FORMS[kind], text)
        ]
