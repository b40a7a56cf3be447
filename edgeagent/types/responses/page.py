"""A page of the items that a response was made from."""

from __future__ import annotations

from edgeagent.types.responses._open import Open, told
from edgeagent.types.responses.tool_items import ResponseOutputItem

__all__ = ["ResponseItemList"]


class ResponseItemList(Open):
    """One page, as the vendor sent it. Items of the client's (messages, outputs) are read as the model's are."""

    data: list[ResponseOutputItem] = told()
    first_id: str | None = None
    has_more: bool | None = None
    last_id: str | None = None
    object: str = told()
