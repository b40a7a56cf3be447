"""A body of this API passed on to a vendor that has it, and what its stream says as a document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import from_json

from edgeagent.providers.base import Encoded
from edgeagent.providers.native import document_in, events_of, passed_on
from edgeagent.providers.responses.sealed import is_sealed

__all__ = ["document_of", "encode_native"]

_MADE: Final = re.compile(r"rs_.*_\d+", re.DOTALL)
"""Ids as `outbound.item_id` makes them; OpenAI's have no second underscore."""


def encode_native(body: Mapping[str, Any], *, model: str, stream: bool) -> Encoded:
    """The caller's body for `model`; what another vendor thought or signed (see `sealed`) is not for this one."""
    copy, edits = passed_on(body, model=model or None, stream=stream)  # a stored prompt may name it
    if not stream and copy.pop("stream_options", None) is not None:  # OpenAI refuses it without `stream`
        edits.append("stream_options left out: nothing is streamed")
    items = copy.get("input")
    if isinstance(items, list):
        kept = [item for item in items if not (isinstance(item, Mapping) and (is_sealed(item) or _is_told_here(item)))]
        if len(kept) < len(items):
            copy["input"] = kept
            edits.append("reasoning of another vendor left out of input")
    return Encoded(copy, edits=tuple(edits))


def _is_told_here(item: Mapping[str, Any]) -> bool:
    """Whether it is another vendor's reasoning that was told as an item: no vendor finds it under its id."""
    if item.get("type") != "reasoning" or item.get("encrypted_content"):
        return False
    return isinstance(item.get("id"), str) and _MADE.fullmatch(item["id"]) is not None


def document_of(stream: bytes) -> bytes | None:
    """The response that a whole stream tells; None if it has no end. Some servers leave the items out of the end."""
    items: dict[int, Any] = {}
    for name, data in events_of(stream):
        event = from_json(data) if data.startswith("{") else {}
        kind = event.get("type", name)
        if kind == "response.output_item.done" and isinstance(event.get("output_index"), int):
            items[event["output_index"]] = event.get("item")
        elif kind in ("response.completed", "response.incomplete"):
            response = event.get("response")
            if isinstance(response, dict) and not response.get("output"):
                response["output"] = [items[place] for place in sorted(items)]
            return document_in(response)
    return None
