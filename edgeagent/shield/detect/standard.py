"""All that is known without a model: personal data and secrets, in one reading of the text."""

from __future__ import annotations

from itertools import chain
from typing import Final

from edgeagent.shield.base import Match
from edgeagent.shield.detect.credentials import secrets
from edgeagent.shield.detect.overlaps import resolve
from edgeagent.shield.detect.personal import personal
from edgeagent.shield.detect.views import lowered, plain

__all__ = ["Standard"]


class Standard:
    """`PersonalData` and `Secrets` together: what `Shield` finds unless other detectors are given.

    Stateless and safe for any number of threads.
    """

    name: Final = "standard"
    repeatable: Final = True

    def find(self, text: str, /) -> list[Match]:
        """The matches in order, none overlapping another."""
        view = plain(text)
        lower = lowered(view.text)
        return resolve(view.back(chain(personal(view.text, lower), secrets(view.text, lower))))
