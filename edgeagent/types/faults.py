"""What a validation error says, in words that quote no value: values may be prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edgeagent.types.places import place_in

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = ["first_fault"]

ARMS: Final = frozenset({"bool", "dict", "float", "int", "str"})
"""Arms of a union: pydantic names them in a location, but they are no fields."""


def first_fault(error: ValidationError) -> tuple[str, str]:
    """Where the first fault is (`choices[0].message.content`, empty for the whole), and what it is (`is missing`)."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    # A union fails in each of its arms: the one that got furthest says most.
    same = (fault for fault in faults if fault["loc"][:1] == faults[0]["loc"][:1])
    first = max(same, key=lambda fault: len(fault["loc"]))
    message = first["msg"]
    reason = "is missing" if first["type"] == "missing" else message[:1].lower() + message[1:]
    return _path(first["loc"]), reason


def _path(location: tuple[str | int, ...]) -> str:
    path = ""
    for step in location:
        if isinstance(step, int) or (step not in ARMS and "[" not in step):
            path = place_in(path, step)
    return path
