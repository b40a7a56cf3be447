"""What the gateway did for one call."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

__all__ = ["Attempt", "CacheTierName", "ResponseMetadata", "Target"]

CacheTierName = Literal["memory", "disk", "redis", "semantic"]


@dataclass(frozen=True, slots=True)
class Target:
    """One place that can answer: a configured provider's name and the model as that provider calls it."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at one target.

    `outcome` is "ok" or the name of the exception's class; `status` the HTTP status where there was one; `duration_ms`
    the time in milliseconds.
    """

    target: Target
    outcome: str
    status: int | None
    duration_ms: float


@dataclass(slots=True)
class ResponseMetadata:
    """`response.edge`: who answered, from where, how long it took and what it cost.

    Times are in milliseconds. `cost_usd` is None when no price is known and 0 for a cache hit, whose price is then in
    `saved_usd`. `coalesced` says that an identical call under way answered this one too, at no cost of its own. `model`
    is the target that answered. `age` is how many seconds ago a cached answer was made; `stale` says that it was past
    its time and given all the same (`stale_while_revalidate`, `stale_if_error`). `masked` counts the different values
    that were replaced, `reported` what was found and let through, by entity type. `cached_inputs` is for embeddings:
    how many of the inputs were answered by the cache; if not all of them, `cached` is False and the cost is that of the
    rest.
    `similarity` is set where the semantic cache answered: the cosine of this question and the one that was answered.
    `resumed` names the targets whose streams broke off, so that another one went on with the answer.
    """

    provider: str | None = None
    model: str | None = None
    cached: bool = False
    cache_tier: CacheTierName | None = None
    latency_ms: float = 0.0
    provider_latency_ms: float | None = None
    cost_usd: Decimal | None = None
    saved_usd: Decimal | None = None
    coalesced: bool = False
    attempts: tuple[Attempt, ...] = ()
    request_id: str | None = None
    dropped_params: tuple[str, ...] = ()
    edits: tuple[str, ...] = ()
    masked: dict[str, int] = field(default_factory=dict)
    cached_inputs: int = 0
    similarity: float | None = None
    stale: bool = False
    age: float | None = None
    reported: dict[str, int] = field(default_factory=dict)
    resumed: tuple[Target, ...] = ()
