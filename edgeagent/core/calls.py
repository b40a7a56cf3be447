"""What every kind of call has in common: its beginning, its flight with identical ones, its end.

A pipeline of one kind of call (`pipeline.Pipeline` for chat, `embedding.Embeddings`, …) is a `Calls` with the steps of
its own between these.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from typing_extensions import Self

from edgeagent.cache.entry import Entry
from edgeagent.core.call import Call, CallOptions
from edgeagent.core.flight import Flight, Flights
from edgeagent.core.layers import CacheLayers
from edgeagent.core.shared_stream import SharedStreams
from edgeagent.core.staleness import Spare
from edgeagent.core.story import tell_attempts
from edgeagent.core.targets import Candidates, Targets, vendor_of
from edgeagent.core.validate import MAX_BODY_BYTES
from edgeagent.core.verdict import judge
from edgeagent.effects import Flow, Scope, join
from edgeagent.errors import (
    APIError,
    BudgetExceededError,
    DeadlineExceededError,
    EdgeAgentError,
    LimitExceededError,
)
from edgeagent.pricing.base import PriceSource
from edgeagent.telemetry.base import CallStarted, Observer
from edgeagent.types import AnyRequest, Target

if TYPE_CHECKING:
    from edgeagent.core.admission import Admission
    from edgeagent.core.known_requests import KnownRequest

__all__ = ["Calls"]

T = TypeVar("T")
E = TypeVar("E")
"""What a flight lands with."""
R = TypeVar("R", bound=AnyRequest)

_OWN_ENDS: Final = (DeadlineExceededError, LimitExceededError, BudgetExceededError)
"""Errors that end one caller's own call and say nothing about the others of its flight."""


class _Entrance:
    """Where the limits and budgets of all kinds of call are, once there are any."""

    admission: Admission | None = None


class Calls:
    """The rooms of one client, and what all kinds of call do with them. Without I/O: its methods are flows.

    Args:
        targets: candidates and plans.
        layers: the cache tiers.
        pricing: usage to cost.
        observer: told what happens.
        clock: monotonic seconds.
        wall: seconds since the epoch.
        max_body_bytes: the largest request.
    """

    def __init__(
        self,
        targets: Targets,
        layers: CacheLayers,
        pricing: PriceSource,
        observer: Observer,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._entrance = _Entrance()
        self.targets = targets
        self.layers = layers
        self.flights = Flights()
        self.streams = SharedStreams()
        self._pricing = pricing
        self._observer = observer
        self._clock = clock
        self._wall = wall
        self._max_body_bytes = max_body_bytes

    def after_fork(self) -> None:
        """In the child: nobody else is flying, and no lock is held by a thread that does not exist here."""
        self.flights = Flights()
        self.streams = SharedStreams()
        self.layers.after_fork()
        self.targets.after_fork()
        if self.admission is not None:
            self.admission.after_fork()

    @property
    def admission(self) -> Admission | None:
        """The limits and budgets, if there are any: for all kinds of call the same."""
        return self._entrance.admission

    @admission.setter
    def admission(self, admission: Admission) -> None:
        self._entrance.admission = admission

    @property
    def pricing(self) -> PriceSource:
        """Usage to cost."""
        return self._pricing

    def budget_reached(self, event: object) -> None:
        """Tell the observers that a share of a budget has been reached."""
        tell = getattr(self._observer, "budget_reached", None)
        if tell is not None:
            tell(event)

    def close(self) -> None:
        """Give back the files and connections of the tiers, and of limits and budgets."""
        self.layers.close()
        if self.admission is not None:
            self.admission.close()

    @classmethod
    def beside(cls, other: Calls) -> Self:
        """The same rooms, for another kind of call."""
        flows = cls(
            other.targets,
            other.layers,
            other._pricing,
            other._observer,
            clock=other._clock,
            wall=other._wall,
            max_body_bytes=other._max_body_bytes,
        )
        flows._entrance = other._entrance
        return flows

    def _begin(
        self,
        request: R,
        options: CallOptions,
        scope: Scope,
        *,
        prefers_async: bool,
        stream: bool = False,
        operation: str = "chat",
        known: KnownRequest | None = None,
    ) -> Call[R]:
        if self.layers.policy is not None:
            options = self._governed(request, options)
        call = Call(
            request,
            options,
            scope,
            self._clock,
            self._wall,
            prefers_async=prefers_async,
            streams=stream,
            health=self.targets.health,
            known=known,
        )
        clearings = self.layers.clearings
        call.cleared, call.renewals = clearings.count, clearings.renewals
        cache = options.cache
        if (cache.stale_if_error or cache.stale_while_revalidate) and cache.reads:
            call.spare = Spare(cache, self._wall)
        if options.shield is None:
            call.observation = self._observer.start(CallStarted(operation, request, stream, options.tags))
        else:
            from edgeagent.core.shield_events import ShieldedStart

            call.observation = self._observer.start(ShieldedStart.of(call, operation, stream=stream))
        return call

    def _governed(self, request: Any, options: CallOptions) -> CallOptions:
        """The options of this call, by the rules of the client's cache policy."""
        policy = self.layers.policy
        if policy is None:
            return options
        return replace(options, cache=policy.applied(options.cache, request, options.tags))

    def _costs(self, call: Call[Any]) -> None:
        """From here on the call costs something: be sure that what happens to it and its end are told."""
        admission = self._entrance.admission
        if admission is not None and (call.options.budgets or not admission.idle):
            call.admission = admission.among(self.targets)
        observation = call.observation
        if observation is None:
            return
        if observation.activate() is not None:  # else nobody records this call: nothing to do around each effect
            call.scope.activate = lambda: observation.activate() or nullcontext()
        call.scope.add(partial(call.ended, None, None))  # a call that is cancelled has ended too

    def _candidates(self, call: Call[Any]) -> Candidates:
        options = call.options
        wire = None if call.native is None else call.native.asked.wire
        found = self.targets.candidates(call.request.model, options.fallbacks, options.cache.namespace, wire)
        call.named = found.named
        return found

    def _fly(
        self,
        call: Call[Any],
        key: Hashable,
        find: Callable[[], Flow[tuple[T, E | None] | None]],
        ask: Callable[[], Flow[tuple[T, E | None]]],
        follow: Callable[[E], T | None],
        flights: Flights | None = None,
    ) -> Flow[T]:
        """Join the flight of identical requests: lead it, or wait for its end.

        Args:
            call: the caller's.
            key: what identical requests have in common.
            find: the leader's look at the tiers, in which another flight may have left the answer meanwhile: that
                answer, and the entry that followers make theirs of, which nobody changes; None if it is the
                leader's alone.
            ask: the provider's answer, and such an entry; None if it cannot be shared.
            follow: a follower's own answer, of the leader's entry; None if that is too old for it.
            flights: among which; those of whole answers, unless others are given.
        """
        flights = self.flights if flights is None else flights
        while True:
            flight, leads = flights.board(key, blocking=not call.prefers_async)
            if flight is None:
                return (yield from ask())[0]
            if leads:
                break
            if not (yield from join(flight, call.deadline)):
                raise DeadlineExceededError
            if flight.entry is not None and flight.suits(call.cleared, call.renewals):
                followed = follow(flight.entry)
                if followed is not None:
                    return followed
            error = flight.error()
            if error is not None and not self._goes_on(call, flight, error):
                try:
                    raise error
                finally:
                    del error  # no cycle through this frame
            call.check_deadline()
        flight.options, flight.cleared, flight.renewals = call.options, call.cleared, call.renewals
        landing = call.scope.add(flight.abandon)
        try:
            found = yield from find()
            flight.found = found is not None
            answer, entry = found if found is not None else (yield from ask())
            if entry is None:
                flight.abandon()
            else:
                flight.land(entry)
        except _OWN_ENDS:
            flight.abandon()
            raise
        except Exception as error:
            self._tell_attempts(call, error)  # before anyone copies it
            flight.fail(error)
            raise
        finally:
            if flight.ended:
                call.scope.drop(landing)
            del flight  # no cycle through this frame, which its error holds
        return answer

    def _goes_on(self, call: Call[Any], flight: Flight, error: Exception) -> bool:
        """Whether this call would not have given up where its flight's leader did."""
        return flight.options is not None and call.options.outlasts(flight.options) and judge(error).again

    def _too_old(self, call: Call[Any], entry: Entry) -> bool:
        """Whether a flight's answer came from a tier and was too old for this call when it asked."""
        until = call.options.cache.fresh_until(entry.created, entry.expires)
        return self._wall() - (self._clock() - call.started) > until

    def _answered_by(self, call: Call[Any], target: Target) -> None:
        call.edge.provider, call.edge.model = target.provider, target.model
        call.vendor = vendor_of(self.targets.provider(target))

    def _tell_attempts(self, call: Call[Any], error: Exception) -> None:
        if isinstance(error, EdgeAgentError) and not error.attempts:
            tell_attempts(error, call.attempts)

    def _failed(self, call: Call[Any], error: Exception) -> None:
        self._tell_attempts(call, error)
        if isinstance(error, APIError) and call.edge.request_id is None:
            call.edge.request_id = getattr(error, "request_id", None)
        call.ended(None, error)
