"""Whose calls are counted together: what `by` of a limit or a budget means for one call.

A call has these parts: its target, provider and model, its `user` parameter, its tags, and what tags of the form
`name=value` say (`tenant=acme`, `session=17`). A part that a call does not have is empty: the calls without it are
counted together, so that leaving it out is no way around a limit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from hashlib import blake2b
from itertools import product
from typing import Any, Final, NamedTuple, TypeAlias

from edgeagent.errors import ConfigurationError
from edgeagent.types import AnyRequest, Target

__all__ = ["By", "Facts", "Key", "Part", "account_of", "by_of", "matches", "parts_of", "tags_of"]

Part: TypeAlias = "str | Callable[[Facts], str | None]"
By: TypeAlias = "Part | Sequence[Part]"
Key: TypeAlias = tuple[str, ...]

OF_TARGETS: Final = frozenset({"target", "provider", "model"})
"""Parts that are not the same for all targets of a call."""


class Facts(NamedTuple):
    """What of a call may decide with whom it is counted."""

    target: Target
    request: AnyRequest
    tags: tuple[str, ...] = ()


def by_of(by: By, owner: str) -> tuple[Part, ...]:
    """What `by=` accepts, as a tuple. Raises `ConfigurationError`."""
    parts = (by,) if isinstance(by, str) or callable(by) else tuple(by) if isinstance(by, Sequence) else (None,)
    if not all((isinstance(part, str) and part) or callable(part) for part in parts):
        raise ConfigurationError(
            f"{owner}: by= names parts of a call ('target', 'user', 'tag', or the name of name=value tags), or is a "
            "function of one."
        )
    return parts


def tags_of(tags: Any, owner: str) -> tuple[str, ...]:
    """What `tags=` accepts. Raises `ConfigurationError`."""
    if isinstance(tags, str) or not isinstance(tags, Sequence) or not all(isinstance(tag, str) for tag in tags):
        raise ConfigurationError(f"{owner}: tags= is a list of texts.")
    return tuple(tags)


def matches(pattern: str, tags: tuple[str, ...], facts: Facts) -> bool:
    """Whether a rule for targets of this pattern (`openai/*`) and calls with all these tags is one for this call."""
    return (pattern == "*" or fnmatchcase(str(facts.target), pattern)) and all(tag in facts.tags for tag in tags)


def parts_of(by: tuple[Part, ...], facts: Facts) -> list[Key]:
    """The keys under which a call is counted: one, unless it has several tags."""
    if not by:
        return [()]
    return list(dict.fromkeys(product(*(_values(part, facts) for part in by))))


def _values(part: Part, facts: Facts) -> Sequence[str]:
    if callable(part):
        return (str(part(facts) or ""),)
    if part == "tag":
        return facts.tags or ("",)
    if part == "target":
        return (str(facts.target),)
    if part in {"provider", "model"}:
        return (getattr(facts.target, part),)
    if part == "user":
        return (getattr(facts.request, "user", None) or "",)
    start = f"{part}="
    return [tag[len(start) :] for tag in facts.tags if tag.startswith(start)] or ("",)


def account_of(name: str, period: str, key: Key) -> str:
    """The name under which something is counted. Who it is (a user, a tenant) is told only as a hash."""
    if not key:
        return f"{name}|{period}"
    digest = blake2b(digest_size=16)
    for value in key:
        data = value.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return f"{name}|{period}|{digest.hexdigest()}"
