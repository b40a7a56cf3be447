"""One call on its way through the pipeline: what was asked, with which options, and what happened so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeAlias

from typing_extensions import TypeVar

from edgeagent.cache.policy import CacheOptions
from edgeagent.core.hedging import HedgePolicy
from edgeagent.core.native import NativeExchange
from edgeagent.core.prompt_cache import Prefixes
from edgeagent.core.record import WireRecord
from edgeagent.core.retry import RetryPolicy
from edgeagent.core.ticket import Ticket
from edgeagent.effects import Scope, Timeout
from edgeagent.errors import DeadlineExceededError
from edgeagent.providers.base import Promise
from edgeagent.routing.base import Router
from edgeagent.routing.health import Health
from edgeagent.telemetry.base import CallEnded, Observation
from edgeagent.tokens import Size
from edgeagent.types import AnyAnswer, Attempt, ChatRequest, CompletionUsage, ResponseMetadata, Target
from edgeagent.wire.http import Headers, HTTPRequest, HTTPResponse

if TYPE_CHECKING:
    from edgeagent.core.admission import Admission, Tab
    from edgeagent.core.known_requests import KnownRequest
    from edgeagent.core.purses import Purse
    from edgeagent.core.semantic import Question
    from edgeagent.core.staleness import Spare
    from edgeagent.shield.shield import Shield

__all__ = ["Call", "CallOptions", "Paid"]

Paid: TypeAlias = tuple[CompletionUsage | None, Decimal | None]
"""What parts of an attempt used and cost in dollars, each None if it is not known."""
R = TypeVar("R", default=ChatRequest)
"""The kind of request; `Call` alone is one for chat."""


@dataclass(frozen=True, slots=True)
class CallOptions:
    """What governs one call besides the request itself; `deadline` is in seconds for the whole call."""

    timeout: Timeout = field(default_factory=Timeout)
    deadline: float | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    cache: CacheOptions = field(default_factory=CacheOptions)
    fallbacks: tuple[str, ...] = ()
    router: Router | None = None
    tags: tuple[str, ...] = ()
    hedge: HedgePolicy | None = None
    shield: Shield | None = None
    record: WireRecord | None = field(default=None, compare=False, repr=False)
    """Where the response of the attempt that answers is kept, if the caller wants to see it."""
    priority: int = 1
    """The class in which it waits before limits: 0 first."""
    budgets: tuple[Purse, ...] = ()
    """Those of the views that the call is made through, beside the client's own."""
    resume: bool = False
    """Whether a stream that breaks off goes on at another target."""
    renews: bool = False
    """Whether it renews a stale answer, in the background: the answer to a similar question would be none."""

    def outlasts(self, other: CallOptions) -> bool:
        """Whether a call with these options might go on where one with the others gives up."""
        return self is not other and (
            _longer(self.deadline, other.deadline)
            or _longer(self.timeout.read, other.timeout.read)
            or self.retry.attempts > other.retry.attempts
        )


def _longer(limit: float | None, other: float | None) -> bool:
    return other is not None and (limit is None or limit > other)


class Call(Generic[R]):
    """The state of one call. Made by the client, read and written by the steps, gone when the answer is."""

    __slots__ = (
        "admission",
        "answer_headers",
        "asked",
        "attempts",
        "cleared",
        "clock",
        "deadline",
        "edge",
        "health",
        "hedged_usd",
        "instead",
        "known",
        "named",
        "native",
        "observation",
        "options",
        "paid",
        "prefers_async",
        "promises",
        "question",
        "renewals",
        "request",
        "scope",
        "shielding",
        "size",
        "spare",
        "started",
        "streams",
        "tab",
        "ticket",
        "vendor",
        "wall",
        "warmth",
    )

    def __init__(
        self,
        request: R,
        options: CallOptions,
        scope: Scope,
        clock: Callable[[], float],
        wall: Callable[[], float],
        *,
        prefers_async: bool = False,
        streams: bool = False,
        health: Health | None = None,
        known: KnownRequest | None = None,
    ) -> None:
        self.request = request
        self.known = known  # of the request as it began
        self.native: NativeExchange | None = None
        self.options = options
        self.scope = scope
        self.clock = clock
        self.wall = wall
        self.prefers_async = prefers_async
        self.started = clock()
        self.deadline = None if options.deadline is None else self.started + options.deadline
        self.edge = ResponseMetadata()
        self.attempts: list[Attempt] = []
        self.observation: Observation | None = None
        self.vendor: str | None = None
        self.question: Question | None = None  # as the semantic cache was asked
        self.spare: Spare | None = None  # a stale answer, if the call may be given one
        self.shielding: Any = None  # a core.shielding.Shielding, once there is one
        self.promises: tuple[Promise, ...] = ()  # of the attempt under way
        self.streams = streams
        self.health = health
        self.hedged_usd: Decimal | int = 0  # what cancelled attempts are expected to have cost
        self.ticket: Ticket | None = None  # of the attempt under way, or of the stream that goes on
        self.size: Size | None = None  # once it was measured
        self.warmth: Prefixes | None = None  # once a price was asked for
        self.admission: Admission | None = None
        self.asked: HTTPRequest | None = None  # by the last attempt, without the body
        self.answer_headers: Headers | None = None  # of the last attempt
        self.named: Target | None = None  # whom its model's name means, if that is one
        self.instead = False  # whether even that one is asked in another's place
        self.cleared = 0  # how often entries had been forgotten when it began
        self.renewals = 0  # and how often answers had been stored in place of others
        self.tab: Tab | None = None  # of the attempt that answered
        self.paid: Paid | None = None  # for the first parts of an attempt that failed at a later one

    @property
    def said(self) -> R:
        """The request as the caller wrote it: behind a shield `request` is masked, and all users have one name."""
        if self.shielding is None:
            return self.request
        said: R = self.shielding.asked
        return said

    def remaining(self) -> float | None:
        """Seconds left before the deadline; None without one."""
        return None if self.deadline is None else self.deadline - self.clock()

    def at_most(self, seconds: float) -> float:
        """How long to wait for what is given up after so many seconds: no longer than the deadline allows."""
        return seconds if self.deadline is None else max(0.0, min(seconds, self.deadline - self.clock()))

    def check_deadline(self) -> None:
        """Raise `DeadlineExceededError` if nothing is left."""
        left = self.remaining()
        if left is not None and left <= 0:
            raise DeadlineExceededError

    def promised(self, promises: tuple[Promise, ...]) -> None:
        """What the answer to the attempt that begins has to be checked for."""
        self.promises = promises

    def settle(self, usage: object, cost: Decimal | None) -> None:
        """What the answer used is known, as far as it will be: for the limits and budgets that let it through."""
        tab, self.tab = self.tab, None
        if tab is not None:
            tab.settle(usage, cost)

    def begins(self) -> None:
        """An attempt begins; nothing is known of its answer."""
        self.forget_response()
        self.promises = ()
        if self.native is not None:
            self.native.begin()

    def received(self, response: HTTPResponse) -> None:
        """A whole answer, or a part of one, has come by HTTP."""
        if self.options.record is not None:
            self.options.record.add(response)
            self.options.record.edge = self.edge

    def forget_response(self) -> None:
        """None that has come is the answer: an attempt begins, or the answer is put together here."""
        if self.options.record is not None:
            self.options.record.begin()

    def attempted(self, target: Target, started: float, error: Exception | None) -> None:
        """Write down one attempt."""
        attempt = Attempt(
            target=target,
            outcome="ok" if error is None else type(error).__name__,
            status=200 if error is None else getattr(error, "status_code", None),
            duration_ms=(self.clock() - started) * 1e3,
        )
        self.attempts.append(attempt)
        if self.observation is not None:
            self.observation.attempt(attempt, error)

    def interrupted(self, error: Exception) -> None:
        """The last attempt had begun well and then broke off."""
        if self.attempts:  # a stored stream has none
            self.attempts[-1] = replace(self.attempts[-1], outcome=type(error).__name__)
        if self.ticket is not None:
            self.ticket.broke(error)

    def ended(
        self,
        completion: AnyAnswer | None,
        error: BaseException | None,
        time_to_first_chunk: float | None = None,
    ) -> None:
        """Complete `edge` and tell the observers, once."""
        duration = self.clock() - self.started
        self.edge.latency_ms = duration * 1e3
        self.edge.attempts = tuple(self.attempts)
        observation, self.observation = self.observation, None
        if observation is not None:
            if self.options.shield is not None:
                from edgeagent.core.shield_events import told

                completion = told(self, completion)
            observation.end(CallEnded(self.edge, self.vendor, completion, error, duration, time_to_first_chunk))
