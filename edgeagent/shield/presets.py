"""Groups of types that the presets treat alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["ACCOUNTS", "PEOPLE", "PRESETS", "SECRETS"]

PRESETS: Final = ("default", "strict", "secrets_only", "gdpr", "hipaa", "pci")

SECRETS: Final[Sequence[str]] = (
    "*_KEY",
    "*_KEY_ID",
    "*_SECRET",
    "*_TOKEN",
    "*_WEBHOOK",
    "API_KEY",
    "AUTH_HEADER",
    "CONNECTION_STRING",
    "JWT",
    "PASSWORD",
    "PRIVATE_KEY",
    "SECRET",
    "TOKEN",
    "URL_PASSWORD",
)
"""Types of secrets; the names of vendors' keys end alike."""

PEOPLE: Final[Sequence[str]] = (
    "DATE_OF_BIRTH",
    "DATE_TIME",
    "EMAIL_ADDRESS",
    "IP_ADDRESS",
    "LOCATION",
    "MAC_ADDRESS",
    "ORGANIZATION",
    "PERSON",
    "PHONE_NUMBER",
)
"""What names people or leads to them and that a model has to work with as what it is."""

ACCOUNTS: Final[Sequence[str]] = ("ABA_ROUTING_NUMBER", "IBAN_CODE", "US_BANK_NUMBER")
