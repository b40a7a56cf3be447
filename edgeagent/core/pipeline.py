"""The pipeline: the life of a request, in order.

Every call runs these steps, whoever drives it: validate, memory look-up, (shield), join the flight, shared look-up,
route, attempt, validate the answer, cost, store, (restore), tell the observers. The steps in brackets have their place
and are empty until a shield exists; that is why there are two cache keys from the first day.
"""

from __future__ import annotations

import logging
from decimal import Decimal
from functools import partial
from typing import Any, Final, NamedTuple

from edgeagent.cache.entry import Entry, decode_entry, encode_entry
from edgeagent.cache.key import raw_key, shared_key
from edgeagent.cache.policy import storable
from edgeagent.core.ask import OpenedStream, ask, ask_stream
from edgeagent.core.attempts import Answered, attempt_targets
from edgeagent.core.call import Call, CallOptions
from edgeagent.core.calls import Calls
from edgeagent.core.session import StreamSession
from edgeagent.core.targets import Candidates
from edgeagent.core.validate import validate
from edgeagent.effects import Flow, Scope
from edgeagent.errors import ResponseValidationError
from edgeagent.types import ChatCompletion, ChatRequest, Target
from edgeagent.types.assembly import to_chunks
from edgeagent.types.metadata import CacheTierName
from edgeagent.wire.http import HTTPResponse

__all__ = ["Pipeline"]

logger = logging.getLogger("edgeagent")

ZERO: Final = Decimal(0)


class _Keys(NamedTuple):
    """Where one call may look and store."""

    raw: bytes
    """Of the request as the caller wrote it."""
    shared: bytes
    """Of the masked request."""
    read: bool
    write: bool
    far: bool
    """Whether the tiers that outlive the process take part."""


class Pipeline(Calls):
    """The steps of one client's chat calls."""

    # the two flows

    def complete(
        self, request: ChatRequest, options: CallOptions, scope: Scope, *, prefers_async: bool
    ) -> Flow[ChatCompletion]:
        """One whole answer."""
        call = self._begin(request, options, scope, prefers_async=prefers_async, stream=False)
        try:
            completion = yield from self._complete(call)
        except Exception as error:
            self._failed(call, error)
            raise
        completion._attach(call.edge)
        call.ended(completion, None)
        return completion

    def open_stream(
        self, request: ChatRequest, options: CallOptions, scope: Scope, *, prefers_async: bool
    ) -> Flow[StreamSession]:
        """A stream whose first content is there."""
        call = self._begin(request, options, scope, prefers_async=prefers_async, stream=True)
        try:
            return (yield from self._open_stream(call))
        except Exception as error:
            self._failed(call, error)
            raise

    # the steps, in order

    def _missed(self, call: Call, candidates: Candidates, raw: bytes | None) -> _Keys | None:
        """From here on the call costs something: check it whole, be sure that its end is told, and know both keys."""
        validate(call.request, max_body_bytes=self._max_body_bytes, parts=candidates.parts)
        self._costs(call)
        if raw is None:
            return None
        cache, router = call.options.cache, call.options.router
        shared = raw  # without a shield nothing is masked
        if router is not None:  # it may prefer another target than the client's own
            kind = type(router)
            routing = {"router": f"{kind.__module__}.{kind.__qualname__}"}
            shared = shared_key(call.request, candidates.digest, cache.fingerprint, routing)
        return _Keys(raw, shared, cache.reads, cache.writes, candidates.sharable)

    def _complete(self, call: Call) -> Flow[ChatCompletion]:
        candidates = self._candidates(call)
        raw = self._raw_key(call, candidates)
        found = self._near(call, raw)
        if found is not None:
            return self._hit(call, *found)
        keys = self._missed(call, candidates, raw)
        if keys is not None and call.options.cache.mode == "on":
            return (yield from self._share(call, candidates, keys))
        found = yield from self._far(call, keys)
        if found is not None:
            return self._hit(call, *found)
        return (yield from self._ask(call, candidates, keys))[0]

    def _share(self, call: Call, candidates: Candidates, keys: _Keys) -> Flow[ChatCompletion]:
        """Join the flight of identical requests."""

        def find() -> Flow[tuple[ChatCompletion, bytes] | None]:
            found = self.layers.near(keys.raw, call.options.cache.max_age)
            if found is None:
                found = yield from self._far(call, keys)
            return None if found is None else (self._hit(call, *found), encode_entry(found[0]))

        ask_provider = partial(self._ask, call, candidates, keys)
        return (yield from self._fly(call, keys.shared, find, ask_provider, partial(self._followed, call)))

    def _ask(self, call: Call, candidates: Candidates, keys: _Keys | None) -> Flow[tuple[ChatCompletion, bytes | None]]:
        """Route, attempt, validate, cost, store."""
        targets = self.targets.plan(call, candidates, stream=False)
        asked = self._clock()

        def attempt(target: Target) -> Flow[ChatCompletion]:
            completion = yield from ask(call, self.targets.provider(target), target)
            if not completion.choices:
                raise ResponseValidationError(HTTPResponse(200), None, message="The answer has no choices.")
            return completion

        answered = yield from attempt_targets(call, targets, attempt, self.targets.window)
        call.edge.provider_latency_ms = (self._clock() - asked) * 1e3
        data = self._settle(call, answered.answer, answered, keys)
        return answered.answer, data

    def _open_stream(self, call: Call) -> Flow[StreamSession]:
        candidates = self._candidates(call)
        raw = self._raw_key(call, candidates)
        found = self._near(call, raw)
        if found is not None:
            return self._replay(call, self._hit(call, *found))
        keys = self._missed(call, candidates, raw)
        found = yield from self._far(call, keys)
        if found is not None:
            return self._replay(call, self._hit(call, *found))
        targets = self.targets.plan(call, candidates, stream=True)
        asked = self._clock()
        answered = yield from attempt_targets(
            call, targets, lambda target: ask_stream(call, self.targets.provider(target), target), self.targets.window
        )

        def finish(completion: ChatCompletion) -> None:
            call.edge.provider_latency_ms = (self._clock() - asked) * 1e3
            self._settle(call, completion, answered, keys)

        self._answered_by(call, answered.target)
        return StreamSession(call, answered.answer, finish)

    # what the steps are made of

    def _raw_key(self, call: Call, candidates: Candidates) -> bytes | None:
        """The request's own key, or None when this call has nothing to do with the cache or with other calls."""
        cache = call.options.cache
        if not self.layers.enabled or not cache.allows(call.request):
            return None
        return raw_key(call.request, candidates.digest, cache.fingerprint)

    def _near(self, call: Call, raw: bytes | None) -> tuple[Entry, CacheTierName] | None:
        """Ask memory, if this call may."""
        cache = call.options.cache
        return self.layers.near(raw, cache.max_age) if raw is not None and cache.reads else None

    def _far(self, call: Call, keys: _Keys | None) -> Flow[tuple[Entry, CacheTierName] | None]:
        """Ask the tiers that outlive the process, if this call may."""
        if keys is None or not keys.read or not keys.far:
            return None
        return (yield from self.layers.far(keys.shared, keys.raw, call.options.cache.max_age))

    def _hit(self, call: Call, entry: Entry, tier: CacheTierName) -> ChatCompletion:
        call.edge.cached = True
        call.edge.cache_tier = tier
        return self._from_entry(call, entry)

    def _followed(self, call: Call, data: bytes) -> ChatCompletion | None:
        """The flight's answer; None if it came from a tier and was too old for this call when it asked."""
        entry = decode_entry(data)
        assert entry is not None  # encoded in this process, moments ago
        max_age = call.options.cache.max_age
        if max_age is not None and self._wall() - entry.created - (self._clock() - call.started) > max_age:
            return None
        call.edge.coalesced = True
        return self._from_entry(call, entry)

    def _from_entry(self, call: Call, entry: Entry) -> ChatCompletion:
        """A fresh, independent object; who answered is still named, the price is what was saved."""
        edge = call.edge
        edge.provider, edge.model, edge.request_id = entry.provider, entry.model, entry.request_id
        edge.cost_usd, edge.saved_usd = ZERO, entry.cost_usd
        call.vendor = entry.vendor
        return ChatCompletion.from_json(entry.completion)

    def _replay(self, call: Call, completion: ChatCompletion) -> StreamSession:
        opened = OpenedStream(None, None, to_chunks(completion), ended=True)
        return StreamSession(call, opened, lambda _: None)

    def _settle(
        self, call: Call, completion: ChatCompletion, answered: Answered[Any], keys: _Keys | None
    ) -> bytes | None:
        """Cost, and the entry: encoded for the followers of the flight, stored if it may be; None if there is none."""
        self._answered_by(call, answered.target)
        edge = call.edge
        if completion.usage is not None and call.vendor is not None:
            edge.cost_usd = self._pricing.cost(
                call.vendor, answered.target.model, completion.usage, service_tier=completion.service_tier
            )
        if keys is None:
            return None
        ttl = call.options.cache.ttl
        try:
            data = self._encoded(call, completion, answered.target, ttl)
        except ValueError:  # a provider of the caller's own put something into its answer that JSON cannot hold
            logger.warning("an answer of %s cannot be written as JSON, and is not cached", answered.target.provider)
            return None
        if keys.write and answered.rank == 0 and storable(completion):
            self.layers.store(keys.raw, keys.shared, data, ttl, shared=keys.far)
        return data

    def _encoded(self, call: Call, completion: ChatCompletion, target: Target, ttl: float | None) -> bytes:
        now = self._wall()
        return encode_entry(
            Entry(
                created=now,
                expires=None if ttl is None else now + ttl,
                provider=target.provider,
                model=target.model,
                vendor=call.vendor or target.provider,
                cost_usd=call.edge.cost_usd,
                request_id=call.edge.request_id,
                completion=completion.model_dump_json(exclude_unset=True).encode(),
            )
        )
