"""What a router is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from edgeagent.types import AnyRequest, Target

if TYPE_CHECKING:
    from edgeagent.routing.outlook import Outlook

__all__ = ["Router"]


@runtime_checkable
class Router(Protocol):
    """Orders the targets that can serve a request; the first is asked first, the others are its fallbacks.

    Chats, embeddings, reranks and moderations are routed alike; the request's type tells which it is. A router holds
    no state: what there is to remember is in the client's health, which `health` shows.
    """

    def plan(self, request: AnyRequest, targets: Sequence[Target], health: Outlook, /) -> Sequence[Target]:
        """Some or all of `targets`, in the order in which they are to be tried."""
        ...
