"""A part of a list of models, as the vendors' SDKs ask for it: by size, and by where the last part ended.

OpenAI's list has no parts. Anthropic's has `limit`, `after_id` and `before_id` (its reference of "List Models");
Google's `pageSize` and `pageToken` (its reference of "models.list"; a larger size than the largest is that, 0 is none).
Without a size the whole list is one part: nobody is kept from anything by a list that is longer than the vendor's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from edgeagent.errors import RequestValidationError

if TYPE_CHECKING:
    from edgeagent.transports.wires import Family

__all__ = ["page"]

MOST: Final = 1000
"""The largest part that may be asked for, with both vendors."""

Items = Sequence[dict[str, Any]]


def page(family: Family, items: Items, query: Mapping[str, str]) -> dict[str, Any]:
    """The document with the part of `items` that the parameters of the URL ask for.

    Raises:
        RequestValidationError: they do not say what they may.
    """
    if family == "anthropic":
        return _anthropic(items, query)
    if family == "google":
        return _google(items, query)
    return {"object": "list", "data": list(items)}


def _anthropic(items: Items, query: Mapping[str, str]) -> dict[str, Any]:
    ids = [item["id"] for item in items]
    size = len(items)
    if "limit" in query and not 1 <= (size := _number(query, "limit")) <= MOST:
        raise RequestValidationError(f"limit: must be a number from 1 to {MOST}.", param="limit")
    if "before_id" in query:
        end = _place(ids, query, "before_id")
        start = max(0, end - size)
        more = start > 0
    else:
        start = _place(ids, query, "after_id") + 1 if "after_id" in query else 0
        end = min(len(items), start + size)
        more = end < len(items)
    part = ids[start:end]
    ends = {"first_id": part[0] if part else None, "last_id": part[-1] if part else None}
    return {"data": list(items[start:end]), "has_more": more, **ends}


def _google(items: Items, query: Mapping[str, str]) -> dict[str, Any]:
    """The token is the name of the last model that was told: a list that changes meanwhile repeats and skips little."""
    names = [item["name"] for item in items]
    start = _place(names, query, "pageToken") + 1 if query.get("pageToken") else 0
    end = start + (min(_number(query, "pageSize"), MOST) or len(items))
    more = {"nextPageToken": names[end - 1]} if end < len(items) else {}
    return {"models": list(items[start:end]), **more}


def _number(query: Mapping[str, str], name: str) -> int:
    """0 where there is none."""
    told = query.get(name, "0")
    if not (told.isascii() and told.isdigit()):
        raise RequestValidationError(f"{name}: must be a number of models.", param=name)
    return int(told)


def _place(known: Sequence[str], query: Mapping[str, str], name: str) -> int:
    if query[name] not in known:
        raise RequestValidationError(f"{name}: no model in the list is called so.", param=name)
    return known.index(query[name])
