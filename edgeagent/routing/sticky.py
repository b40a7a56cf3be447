"""The same session, the same target: so that vendors' prompt caches hit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edgeagent.routing.base import Router
from edgeagent.routing.failover import FailoverRouter
from edgeagent.routing.ordering import followed_by, share_of
from edgeagent.routing.outlook import Outlook
from edgeagent.types import AnyRequest, ChatRequest, Target

__all__ = ["SessionKey", "StickyRouter", "session_of"]

SessionKey = Callable[[AnyRequest, tuple[str, ...]], "str | None"]
"""A request and its tags → what names its session; None: it has none."""


def session_of(request: AnyRequest, tags: tuple[str, ...]) -> str | None:
    """The first that is there: a tag that begins with `session:`, `prompt_cache_key`, `user`, a chat's opening.

    The opening is what a conversation's turns have in common: the messages up to the first of the user.
    """
    for tag in tags:
        if tag.startswith("session:"):
            return tag
    key = getattr(request, "prompt_cache_key", None) or getattr(request, "user", None)
    if key or not isinstance(request, ChatRequest):
        return str(key) if key else None
    opening: list[str] = []
    for message in request.messages:
        opening.append(repr(message.get("content")))
        if message.get("role") == "user":
            break
    return "\x1e".join(opening)


@dataclass(frozen=True)
class StickyRouter:
    """Rendezvous hashing: every session has its own order of the targets, the same in every process.

    When a target is taken away only its own sessions move. A target whose breaker is open is passed over until it
    closes.

    Args:
        then: orders the fallbacks, and the targets of a call without a session.
        key: what names a call's session.
    """

    then: Router = field(default_factory=FailoverRouter)
    key: SessionKey = session_of

    def plan(self, request: AnyRequest, targets: Sequence[Target], health: Outlook, /) -> Sequence[Target]:
        """The session's own target first."""
        session = self.key(request, health.tags)
        rest = self.then.plan(request, targets, health)
        if session is None or not rest:
            return rest
        own = max(rest, key=lambda target: share_of(session, str(target)))
        return followed_by([own], rest)
