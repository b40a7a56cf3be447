"""What a budget is: how much may be spent, by whom, and in which time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal, NamedTuple

from edgeagent.errors import ConfigurationError
from edgeagent.limits.keys import OF_TARGETS, By, Facts, Part, account_of, by_of, matches, parts_of, tags_of
from edgeagent.limits.money import MAX_USD, dollars, pico
from edgeagent.limits.period import Period, Span, span_of, zone_of

__all__ = ["Budget", "BudgetEvent"]

_PERIODS: Final = ("call", "day", "week", "month")
_MAX_TOKENS: Final = 1 << 62


class BudgetEvent(NamedTuple):
    """What has been spent under a budget has reached one of the shares that it notifies of.

    `account` is the one that did, where a budget keeps several; `share` the one that was reached, of `limit` dollars or
    tokens (`unit`).
    """

    budget: str
    account: str
    unit: Literal["usd", "tokens"]
    share: float
    spent: Decimal | int
    limit: Decimal | int


@dataclass(frozen=True)
class Budget:
    """How much may be spent.

    Args:
        usd: dollars; a number or text (`"0.50"`). Floats are taken as they print.
        tokens: input and output tokens together.
        per: the time after which it begins anew: `"day"`, `"week"` (from Monday), `"month"`; `"call"`: each call by
            itself; None: never.
        by: what is counted together; default: all calls. `"user"` (the request's), `"tag"`, the name of tags of the
            form `name=value` (`"tenant"`, `"session"`), `"target"`, `"provider"`, `"model"`, a function of the call's
            `Facts`, or several of these.
        tags: only calls that have all of these tags count.
        target: only calls of targets of this pattern count (`"openai/*"`).
        name: what messages call it, and its place in a shared store; default: made of `per`, `by`, `tags`, `target`.
        timezone: whose days, weeks and months; a name of the IANA database.
        hard: whether a call that might exceed it is refused. A soft one only counts and notifies.
        notify_at: shares of the limit (0.8) upon which `on_share` and the observers are told, and a warning is logged.
        on_share: called with a `BudgetEvent`, from whichever thread settles a call; must be quick.

    Raises:
        ConfigurationError: neither dollars nor tokens, or a value that is not what it can be.
    """

    usd: Decimal | float | str | None = None
    tokens: int | None = None
    per: Period | Literal["call"] | None = None
    by: By = ()
    tags: Sequence[str] = ()
    target: str = "*"
    name: str = ""
    timezone: str = "UTC"
    hard: bool = True
    notify_at: Sequence[float] = ()
    on_share: Callable[[BudgetEvent], object] | None = field(default=None, compare=False)

    usd_limit: int | None = field(init=False, repr=False, compare=False)
    """In picodollars."""
    parts: tuple[Part, ...] = field(init=False, repr=False, compare=False)
    _zone: tzinfo = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        if self.per not in (None, *_PERIODS):
            raise ConfigurationError(f"Budget: per={self.per!r} is none of {', '.join(map(repr, _PERIODS))}.")
        set_(self, "usd_limit", None if self.usd is None else _amount(self.usd))
        if self.tokens is not None and (
            isinstance(self.tokens, bool) or not isinstance(self.tokens, int) or not 0 <= self.tokens < _MAX_TOKENS
        ):
            raise ConfigurationError(f"Budget: tokens={self.tokens!r} is not a number of tokens.")
        if self.usd is None and self.tokens is None:
            raise ConfigurationError("Budget: nothing says how much may be spent; give usd=…, tokens=… or both.")
        set_(self, "parts", by_of(self.by, "Budget"))
        set_(self, "tags", tags_of(self.tags, "Budget"))
        set_(self, "notify_at", _shares(self.notify_at))
        set_(self, "_zone", zone_of(self.timezone))
        set_(self, "name", self.name or self._described())
        if "|" in self.name:
            raise ConfigurationError(f"Budget: the name {self.name!r} has a '|', which stands between names.")

    @property
    def by_target(self) -> bool:
        """Whether a call's targets are counted apart, or only some of them at all."""
        return self.target != "*" or any(callable(part) or part in OF_TARGETS for part in self.parts)

    def covers(self, facts: Facts) -> bool:
        """Whether a call counts."""
        return matches(self.target, tuple(self.tags), facts)

    def accounts(self, facts: Facts, now: float) -> list[tuple[str, float | None]]:
        """The accounts of a call at `now` (seconds since the epoch), each with the end of its time."""
        span = self.span(now)
        return [(account_of(self.name, span[0], key), span[1]) for key in parts_of(self.parts, facts)]

    def span(self, now: float) -> Span | tuple[str, None]:
        """The time that is counted together: its name, and its end."""
        if self.per is None or self.per == "call":
            return "", None
        return span_of(self.per, self._zone, now)

    def crossed(self, account: str, unit: Literal["usd", "tokens"], before: int, after: int) -> list[BudgetEvent]:
        """The shares that were reached when what was spent went from one number to the other."""
        limit = self.usd_limit if unit == "usd" else self.tokens
        if not limit or not self.notify_at:
            return []
        reached = [share for share in self.notify_at if before < share * limit <= after]
        tell = dollars if unit == "usd" else int
        return [BudgetEvent(self.name, account, unit, share, tell(after), tell(limit)) for share in reached]

    def _described(self) -> str:
        by = ",".join(part if isinstance(part, str) else getattr(part, "__qualname__", "by") for part in self.parts)
        about = [self.per or "total", *([f"by {by}"] if by else ()), *self.tags]
        return " ".join([*about, *(() if self.target == "*" else (self.target,))]).replace("|", "/")


def _amount(usd: Any) -> int:
    try:
        if isinstance(usd, bool):
            raise TypeError
        amount = Decimal(str(usd))
        if not 0 <= amount <= MAX_USD:
            raise ValueError
        return pico(amount)
    except (TypeError, ValueError, InvalidOperation):
        raise ConfigurationError(f"Budget: usd={usd!r} is not an amount of dollars, of at most {MAX_USD}.") from None


def _shares(shares: Any) -> tuple[float, ...]:
    try:
        numbers = tuple(sorted(float(share) for share in shares))
        if not all(0 < number < float("inf") for number in numbers):
            raise ValueError
    except (TypeError, ValueError):
        raise ConfigurationError(f"Budget: notify_at={shares!r} is not a list of shares such as 0.8.") from None
    return numbers
