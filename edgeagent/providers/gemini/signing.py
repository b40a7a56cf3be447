"""What another vendor signed, as a thought signature: see `edgeagent.providers.sealed`.

An answer has it where Gemini's have theirs: on the first call, else on the last part of text
(https://ai.google.dev/gemini-api/docs/thought-signatures). Streamed, that is the answer's last content. SDKs send back
each piece as a content of its own, or the one with the call alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from edgeagent.providers.gemini.parts import WIRE
from edgeagent.providers.sealed import Sealed, is_seal, seal, unseal

__all__ = ["SIGNATURES", "has_seal", "sealed_in", "with_seal", "without_seals"]

Part = dict[str, Any]

SIGNATURES: Final = ("thoughtSignature", "thought_signature")
"""The field's name, and how it is written, too."""


def with_seal(parts: list[Part], native: Mapping[str, Any] | None, text: str | None) -> list[Part]:
    """The parts of an answer, with what its own vendor has to be sent back; `text` is all of the answer's."""
    if native is None or native.get("wire") == WIRE:
        return parts
    last = len(parts) - 1
    place = next((i for i, part in enumerate(parts) if "functionCall" in part), last)
    signature = {SIGNATURES[0]: seal(native, text)}
    if place < 0 or parts[place].get("thought") is True:
        return [*parts, {"text": "", **signature}]
    return [{**part, **signature} if i == place else part for i, part in enumerate(parts)]


def has_seal(parts: Sequence[Any]) -> bool:
    """Whether any part has a signature of another vendor's."""
    for part in parts:
        if isinstance(part, Mapping) and any(is_seal(part[name]) for name in SIGNATURES if name in part):
            return True
    return False


def sealed_in(parts: Sequence[Mapping[str, Any]]) -> Sealed | None:
    """What the parts carry."""
    value = next(part[name] for part in parts for name in SIGNATURES if is_seal(part.get(name)))
    return unseal(value)


def without_seals(parts: Sequence[Any]) -> list[Any]:
    """The parts as they were without; one that was there for it alone is gone."""
    return [part for part in map(_bare, parts) if part not in ({}, {"text": ""})] if has_seal(parts) else list(parts)


def _bare(part: Any) -> Any:
    if not isinstance(part, Mapping) or not has_seal([part]):
        return part
    return {name: value for name, value in part.items() if name not in SIGNATURES}
