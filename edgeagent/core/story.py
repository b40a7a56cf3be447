"""The story of a call that failed, on the error that is raised."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from edgeagent.errors import EdgeAgentError
from edgeagent.types.metadata import Attempt

__all__ = ["tell_attempts"]

_BEGINNING: Final = "Asked: "


def tell_attempts(error: EdgeAgentError, attempts: Iterable[Attempt]) -> None:
    """Set `error.attempts`, and a note (PEP 678) that says them below the message in a traceback.

    The message stays the provider's own, which does not say who he is.
    """
    error.attempts = tuple(attempts)
    notes = [note for note in error.__dict__.get("__notes__", ()) if not str(note).startswith(_BEGINNING)]
    if error.attempts:
        notes.append(_BEGINNING + "; ".join(map(_line, error.attempts)))
    if notes:
        error.__dict__["__notes__"] = notes


def _line(attempt: Attempt) -> str:
    status = "" if attempt.status is None else f" {attempt.status}"
    return f"{attempt.target} ({attempt.outcome}{status})"
