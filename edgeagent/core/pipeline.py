"""The pipeline: the life of a request, in order.

Every call runs these steps, whoever drives it: validate, memory look-up, (shield), join the flight, shared look-up,
route, attempt, validate the answer, cost, store, (restore), tell the observers. The steps in brackets are those of a
call with a shield (`core.shielding`); without one they are nothing, and the two cache keys are equal.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from edgeagent.cache.entry import Entry
from edgeagent.core.answers import Answers, Landed, shield_steps
from edgeagent.core.ask import OpenedStream, ask, ask_stream
from edgeagent.core.attempts import Answered, attempt_targets
from edgeagent.core.call import Call, CallOptions
from edgeagent.core.keys import Keys, shared_key_of
from edgeagent.core.native import Native, NativeAnswer, NativeExchange
from edgeagent.core.native_session import NativeSession
from edgeagent.core.session import StreamSession
from edgeagent.core.staleness import excuses, refreshing
from edgeagent.core.stream_flight import StreamFlight
from edgeagent.core.targets import Candidates, Targets
from edgeagent.core.validate import validate, validate_size
from edgeagent.effects import Flow, Scope
from edgeagent.errors import RequestValidationError, ResponseValidationError
from edgeagent.types import ChatCompletion, ChatRequest, Target
from edgeagent.types.chunk_log import ChunkLog
from edgeagent.types.metadata import CacheTierName
from edgeagent.wire.http import HTTPResponse

if TYPE_CHECKING:
    from edgeagent.core.known_requests import KnownRequest
    from edgeagent.core.peek import Peek
    from edgeagent.core.resuming import ResumingSession

__all__ = ["Pipeline"]

logger = logging.getLogger("edgeagent")

S = TypeVar("S", StreamSession, NativeSession)
T = TypeVar("T")


class Pipeline(Answers):
    """The steps of one client's chat calls."""

    def addressed(self, targets: Targets) -> Pipeline:
        """The same with other targets; cache and flights are shared."""
        view = type(self).beside(self)
        view.targets, view.flights = targets, self.flights
        return view

    # the two flows

    def complete(
        self,
        request: ChatRequest,
        options: CallOptions,
        scope: Scope,
        *,
        prefers_async: bool,
        known: KnownRequest | None = None,
    ) -> Flow[ChatCompletion]:
        """One whole answer. `known` is what is known of the request, if it came before."""
        return self._completed(self._begin(request, options, scope, prefers_async=prefers_async, known=known))

    def complete_natively(
        self, request: ChatRequest, native: Native, options: CallOptions, scope: Scope, *, prefers_async: bool
    ) -> Flow[NativeAnswer]:
        """One whole answer to a call in a vendor's own format, in that format. `request` is what `native` says."""
        call = self._begin(request, options, scope, prefers_async=prefers_async)
        call.native = exchange = NativeExchange(native)
        completion = yield from self._completed(call)
        return exchange.answer(completion)

    def _completed(self, call: Call) -> Flow[ChatCompletion]:
        try:
            completion = yield from self._complete(call)
        except Exception as error:
            self._failed(call, error)
            raise
        completion._attach(call.edge)
        call.ended(completion, None)
        return completion

    def open_stream(
        self,
        request: ChatRequest,
        options: CallOptions,
        scope: Scope,
        *,
        prefers_async: bool,
        known: KnownRequest | None = None,
    ) -> Flow[StreamSession | ResumingSession]:
        """A stream whose first content is there. `known` as in `complete`."""
        if options.resume:
            return self._resuming(request, options, scope, prefers_async=prefers_async)
        call = self._begin(request, options, scope, prefers_async=prefers_async, stream=True, known=known)
        return self._opened(call, StreamSession)

    def _resuming(
        self, request: ChatRequest, options: CallOptions, scope: Scope, *, prefers_async: bool
    ) -> Flow[ResumingSession]:
        """A stream that goes on at another target when it breaks off."""
        from edgeagent.core.resuming import ResumingSession, continues

        def begins(request: ChatRequest, options: CallOptions) -> Call:
            return self._begin(request, options, scope, prefers_async=prefers_async, stream=True)

        def opens(call: Call) -> Flow[StreamSession]:
            return self._opened(call, StreamSession)

        session = yield from opens(begins(request, options))
        targets: Sequence[Target] = ()
        if session.flowing:
            targets = self.targets.possible(session.call, self._candidates(session.call))
        able = [target for target in targets if continues(self.targets.provider(target), target.model)]
        return ResumingSession(session, request, options, able, begins, opens, self.targets.estimates.price)

    def open_stream_natively(
        self, request: ChatRequest, native: Native, options: CallOptions, scope: Scope, *, prefers_async: bool
    ) -> Flow[NativeSession]:
        """A stream of bytes in the format in which the call was made. `request` is what `native` says."""
        call = self._begin(request, options, scope, prefers_async=prefers_async, stream=True)
        call.native = NativeExchange(native)
        return self._opened(call, NativeSession)

    def _opened(self, call: Call, kind: type[S]) -> Flow[S]:
        try:
            return (yield from self._open_stream(call, kind))
        except Exception as error:
            self._failed(call, error)
            raise

    def peek(self, request: ChatRequest, options: CallOptions, scope: Scope) -> Flow[Peek]:
        """What would come of a call, and why; nothing of it is told to the observers.

        Raises `RequestValidationError` if the call would.
        """
        from edgeagent.core.peek import peek

        streams = bool(request.stream)
        call = Call(request, self._governed(request, options), scope, self._clock, self._wall, streams=streams)
        call.cleared = self.layers.clearings.count
        candidates = self._candidates(call)
        validate(request, max_body_bytes=self._max_body_bytes, parts=candidates.parts)
        return peek(self, call, candidates)

    # the steps, in order

    def _missed(self, call: Call, candidates: Candidates, raw: bytes | None) -> Flow[Keys | None]:
        """From here on the call costs something: check it whole, be sure that its end is told, and know both keys.

        From here on, too, its request is the masked one, if there is a shield.
        """
        known, parts = call.known, candidates.parts
        if call.native is None:
            if known is None or parts not in known.fits:
                validate(call.request, max_body_bytes=self._max_body_bytes, parts=parts)
                if known is not None:
                    known.fits.add(parts)
        else:
            self._validate_native(call, call.native, candidates)
        self._costs(call)
        if call.options.shield is not None:
            yield from shield_steps().shielded(call)
        if raw is None:
            return None
        cache = call.options.cache
        shared = shared_key_of(call, candidates.digest, raw)
        form = call.shielding.near if self._restores(call) else None
        return Keys(raw, shared, cache.reads, cache.writes, candidates.sharable, candidates.digest, form)

    def _validate_native(self, call: Call, exchange: NativeExchange, candidates: Candidates) -> None:
        """What only the vendor may know is left to the vendor, if a target is there that is sent the body as it is."""
        validate_size(exchange.asked.body, self._max_body_bytes, exchange.asked.content)
        passing = self.targets.passing(exchange.asked, candidates)
        try:
            if exchange.asked.fault is not None:
                raise exchange.asked.fault
            if not passing:
                exchange.for_others(call.request)
            validate(call.request, max_body_bytes=None, parts=candidates.parts)
        except RequestValidationError:
            if not passing:
                raise
            exchange.only = True

    def _complete(self, call: Call) -> Flow[ChatCompletion]:
        candidates = self._candidates(call)
        raw = self._raw_key(call, candidates)
        last_put = self.layers.last_put
        found = self._near(call, raw)
        given = None if found is None else self._hit(call, *found)
        if given is not None:
            return given
        keys = yield from self._missed(call, candidates, raw)
        ask = partial(self._completed_elsewhere, call, candidates, keys, last_put)
        if call.spare is None or keys is None:
            return (yield from ask())
        return (yield from self._or_stale(call, keys, ask, partial(self._hit, call)))

    def _completed_elsewhere(
        self, call: Call, candidates: Candidates, keys: Keys | None, last_put: object
    ) -> Flow[ChatCompletion]:
        """The answer that memory does not have."""
        if keys is not None and call.options.cache.mode == "on":
            return (yield from self._share(call, candidates, keys, last_put))
        found = yield from self._far(call, keys)
        given = None if found is None else self._hit(call, *found)
        if given is not None:
            return given
        return (yield from self._ask(call, candidates, keys))[0]

    def _far(self, call: Call, keys: Keys | None) -> Flow[tuple[Entry, CacheTierName] | None]:
        """Ask the tiers that outlive the process, if this call may; then for the answer to a similar question."""
        if keys is None or not keys.read:
            return None
        found = None
        if keys.far:
            found = yield from self.layers.far(call, keys)
        if found is None and call.spare is not None:
            found = self._while_revalidating(call, keys)
        if found is not None:
            return found
        found = yield from self.layers.similar(call, keys.candidates)
        if found is not None and call.shielding is not None and call.shielding.strange(found[0]):
            found = call.edge.similarity = None
        return found

    def _or_stale(
        self, call: Call, keys: Keys, ask: Callable[[], Flow[T]], give: Callable[[Entry, CacheTierName], T | None]
    ) -> Flow[T]:
        """What `ask` gives; or a stale answer, where that is better than to wait or than its error."""
        found = self._while_revalidating(call, keys)
        given = None if found is None else give(*found)
        if given is not None:
            return given
        try:
            return (yield from ask())
        except Exception as error:
            if not excuses(error):
                raise
            assert call.spare is not None
            found = self._near(call, keys.raw) or call.spare.if_error()  # again: a leader puts there what he finds
            given = None if found is None else give(*found)
            if given is None:
                raise
            logger.debug("a stale answer was given for %s", type(error).__name__)
        return given

    def _while_revalidating(self, call: Call, keys: Keys) -> tuple[Entry, CacheTierName] | None:
        """A stale answer to be given at once; it is being renewed from here on."""
        refreshes = self.layers.refreshes
        found = None if call.spare is None or refreshes is None else call.spare.while_revalidating()
        if found is not None and refreshes is not None:
            refreshes.begin(keys.shared, partial(self._refresh, call))
        return found

    def _refresh(self, call: Call, scope: Scope) -> Flow[ChatCompletion]:
        """The same request, asked in the background."""
        shielding = call.shielding
        request = call.request if shielding is None else shielding.written
        again = self._begin(request, refreshing(call.options), scope, prefers_async=False)
        again.spare, again.cleared = None, call.cleared  # what was forgotten since the call it does not bring back
        if call.native is not None:
            again.native = NativeExchange(call.native.asked if shielding is None else shielding.native_asked)
        return self._completed(again)

    def _share(self, call: Call, candidates: Candidates, keys: Keys, last_put: object) -> Flow[ChatCompletion]:
        """Join the flight of identical requests.

        `last_put` is that of the layers when memory was asked: if it has changed since, the answer may be there by now.
        """

        def find() -> Flow[tuple[ChatCompletion, Landed | None] | None]:
            found = None if self.layers.last_put is last_put else self._near(call, keys.raw)
            if found is None:
                found = yield from self._far(call, keys)
            if found is None and keys.far:
                found = yield from self.layers.lead(call, keys)
            given = None if found is None else self._hit(call, *found)
            return None if found is None or given is None else (given, self._for_others(call, *found))

        ask_provider = partial(self._ask, call, candidates, keys)
        return (yield from self._fly(call, keys.shared, find, ask_provider, partial(self._followed, call)))

    def _ask(self, call: Call, candidates: Candidates, keys: Keys | None) -> Flow[tuple[ChatCompletion, Entry | None]]:
        """Route, attempt, validate, cost, store."""
        targets = self.targets.plan(call, candidates, stream=False)
        asked = self._clock()

        def attempt(target: Target, call: Call = call) -> Flow[ChatCompletion]:
            again = partial(self._asked, call, target)
            completion = yield from again()
            if call.shielding is not None:
                repair = again if call.native is None else None
                completion = yield from shield_steps().passed(call, completion, repair)
            return completion

        answered = yield from attempt_targets(call, targets, attempt, self.targets.window, self._hedges(call, attempt))
        call.edge.provider_latency_ms = (self._clock() - asked) * 1e3
        entry = self._settle(call, answered.answer, answered, keys)
        return self._restored(call, answered.answer), entry

    def _asked(self, call: Call, target: Target) -> Flow[ChatCompletion]:
        completion = yield from ask(call, self.targets.provider(target, call.native), target)
        if not completion.choices:
            raise ResponseValidationError(HTTPResponse(200), None, message="The answer has no choices.")
        return completion

    def _open_stream(self, call: Call, kind: type[S]) -> Flow[S]:
        candidates = self._candidates(call)
        raw = self._raw_key(call, candidates)
        last_put = self.layers.last_put
        found = self._near(call, raw)
        given = None if found is None else self._replay(call, *found, kind)
        if given is not None:
            return given
        keys = yield from self._missed(call, candidates, raw)
        ask = partial(self._streamed_elsewhere, call, candidates, keys, kind, last_put)
        if call.spare is None or keys is None:
            return (yield from ask())
        return (yield from self._or_stale(call, keys, ask, lambda entry, tier: self._replay(call, entry, tier, kind)))

    def _streamed_elsewhere(
        self, call: Call, candidates: Candidates, keys: Keys | None, kind: type[S], last_put: object
    ) -> Flow[S]:
        """The stream that memory does not have."""
        found = yield from self._far(call, keys)
        given = None if found is None else self._replay(call, *found, kind)
        if given is not None:
            return given
        if keys is not None and self.may_share(call):
            return (yield from StreamFlight(self, call, candidates, keys, last_put).open())  # type: ignore[return-value]  # not native
        answered, asked = yield from self._opened_by(call, candidates)
        log = ChunkLog(self._clock) if keys is not None and keys.write else None

        def finish(completion: ChatCompletion) -> None:
            call.edge.provider_latency_ms = (self._clock() - asked) * 1e3
            if call.ticket is not None:
                call.ticket.streamed(None if completion.usage is None else completion.usage.completion_tokens)
            self._settle(call, completion, answered, keys, log)

        self._answered_by(call, answered.target)
        return kind(call, answered.answer, finish, log)

    def may_share(self, call: Call) -> bool:
        """Whether identical streams may be one."""
        options = call.options
        return call.native is None and options.cache.mode == "on" and not options.resume and not self._watches(call)

    def _opened_by(self, call: Call, candidates: Candidates) -> Flow[tuple[Answered[OpenedStream], float]]:
        """The provider's stream, and when it was asked for."""
        targets = self.targets.plan(call, candidates, stream=True)
        asked = self._clock()

        def attempt(target: Target, call: Call = call) -> Flow[OpenedStream]:
            opened = yield from ask_stream(call, self.targets.provider(target, call.native), target)
            if call.shielding is not None:
                yield from shield_steps().opened(call, opened)
            return opened

        hedges = self._hedges(call, attempt)
        return (yield from attempt_targets(call, targets, attempt, self.targets.window, hedges)), asked
