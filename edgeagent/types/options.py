"""The one keyword beyond openai's: `edge={…}` of a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypedDict

__all__ = ["CacheControls", "CacheMode", "CachePace", "EdgeOptions"]

CacheMode = Literal["on", "off", "read", "write", "refresh"]
CachePace = Literal["full", "original"]


class CacheControls(TypedDict, total=False):
    """How one call uses the cache; times are in seconds."""

    mode: CacheMode
    ttl: float
    max_age: float
    namespace: str
    sample: int | str
    force: bool
    stale_while_revalidate: float
    stale_if_error: float
    truncated: bool
    filtered: bool
    pace: CachePace


class EdgeOptions(TypedDict, total=False):
    """What the gateway is to do differently for one call. Unknown keys are errors.

    `deadline` is in seconds over all attempts and targets; `fallbacks` are model names tried after the first;
    `router` is a strategy's name or a Router object; `tags` name the call in telemetry, and say
    to which limits and budgets it belongs; `priority` is the class in which it waits before limits; `resume`: a stream
    that breaks off goes on at another target that can.
    """

    cache: CacheMode | bool | CacheControls
    fallbacks: Sequence[str]
    router: Any
    tags: Sequence[str]
    shield: Any
    deadline: float
    priority: Literal["high", "normal", "low"]
    resume: bool
