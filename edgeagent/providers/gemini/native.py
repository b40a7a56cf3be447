"""A caller's own body for a Gemini model: as it is, but for what another vendor signed, and for calls that it made.

Such calls have no thought signature. An SDK sends them back with the conversation, and newer models refuse the turn;
for them the vendor documents a value that skips the check
(https://ai.google.dev/gemini-api/docs/thought-signatures).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.providers.gemini.messages import NO_SIGNATURE
from edgeagent.providers.gemini.models import model_facts
from edgeagent.providers.gemini.signing import SIGNATURES, has_seal, without_seals

__all__ = ["signed"]

_CALLS: Final = ("functionCall", "function_call")


def signed(body: Mapping[str, Any], model: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A copy of the body for `model`, and what was changed, in words."""
    copy = dict(body)
    contents = body.get("contents")
    if not isinstance(contents, list):
        return copy, ()
    edits: tuple[str, ...] = ()
    if any(parts and has_seal(parts) for parts in map(_parts, contents)):
        contents = copy["contents"] = [bare for content in contents if (bare := _unsealed(content)) is not None]
        edits = ("what another vendor signed left out of contents",)
    if not model_facts(model).signatures:
        return copy, edits
    first = [_unsigned_call(content) for content in contents]
    if all(place is None for place in first):
        return copy, edits
    copy["contents"] = [
        content if place is None else _with_signature(content, place)
        for content, place in zip(contents, first, strict=True)
    ]
    return copy, (*edits, "calls without a thought signature sent with the one that skips its check")


def _parts(content: Any) -> list[Any]:
    """Of the model's contents: others are signed by nobody."""
    if not isinstance(content, Mapping) or content.get("role") != "model":
        return []
    parts = content.get("parts")
    return parts if isinstance(parts, list) else []


def _unsealed(content: Any) -> Any:
    """A content without what another vendor signed; None if it has nothing else, since an empty one is refused."""
    parts = _parts(content)
    if not has_seal(parts):
        return content
    kept = without_seals(parts)
    return {**content, "parts": kept} if kept else None


def _unsigned_call(content: Any) -> int | None:
    """The place of a turn's first call, if the turn has calls and no signature of any."""
    parts = content.get("parts") if isinstance(content, Mapping) and content.get("role") == "model" else None
    if not isinstance(parts, list):
        return None
    calls = [i for i, part in enumerate(parts) if isinstance(part, Mapping) and any(name in part for name in _CALLS)]
    if any(parts[i].get(name) for i in calls for name in SIGNATURES):
        return None
    return calls[0] if calls else None


def _with_signature(content: Mapping[str, Any], place: int) -> dict[str, Any]:
    parts = list(content["parts"])
    parts[place] = {**parts[place], SIGNATURES[0]: NO_SIGNATURE}
    return {**content, "parts": parts}
