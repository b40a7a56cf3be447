"""The life of an embedding call, in order: the steps of `pipeline`, with an entry of the cache for each input.

Of a batch only those inputs are asked for that the cache does not have. All vectors of an answer are made by one model
of one target: where another target than the entries' has to be asked, it is asked for everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Final, TypeAlias

from pydantic_core import from_json

from edgeagent.cache.embedding_key import flight_key, input_keys
from edgeagent.cache.entry import Entry, encode_entry
from edgeagent.cache.vector import frames, unframed
from edgeagent.core.attempts import Answered, attempt_targets
from edgeagent.core.batch import Batch, Known, known_of, pack, shared_out, sole_origin, total, usable, vector_of
from edgeagent.core.call import Call, CallOptions
from edgeagent.core.calls import Calls
from edgeagent.core.keys import policy_of, routing_of
from edgeagent.core.operation import EMBEDDINGS, ask_once
from edgeagent.core.parts import Parts, paid_for, usage_of
from edgeagent.core.targets import Candidates, vendor_of
from edgeagent.effects import Flow, Scope
from edgeagent.errors import ResponseValidationError
from edgeagent.providers.embeddings.batching import join, tokens_at_most
from edgeagent.types import (
    CreateEmbeddingResponse,
    Embedding,
    EmbeddingRequest,
    EmbeddingUsage,
    Target,
)
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.json import dump_json

__all__ = ["Embeddings"]

_Call: TypeAlias = Call[EmbeddingRequest]
_Asked: TypeAlias = tuple[CreateEmbeddingResponse, Entry | None]

ZERO: Final = Decimal(0)


@dataclass(slots=True)
class _Gathered:
    """What one target's answer is made of: `fresh` has the vectors of the items `asked`, in their order."""

    cached: Mapping[int, Known]
    asked: Sequence[int]
    fresh: CreateEmbeddingResponse


class Embeddings(Calls):
    """The steps of one client's embedding calls."""

    def create(
        self, request: EmbeddingRequest, options: CallOptions, scope: Scope, *, prefers_async: bool
    ) -> Flow[CreateEmbeddingResponse]:
        """The vectors of a request's inputs."""
        call = self._begin(request, options, scope, prefers_async=prefers_async, operation=EMBEDDINGS.name)
        try:
            answer = yield from self._create(call)
        except Exception as error:
            self._failed(call, error)
            raise
        answer._attach(call.edge)
        call.ended(answer, None)
        return answer

    # the steps, in order

    def _create(self, call: _Call) -> Flow[CreateEmbeddingResponse]:
        if call.options.shield is not None:  # vectors have nothing to restore: both keys are those of the masked texts
            from edgeagent.core.shielding import masked_operation

            yield from masked_operation(call)
        candidates = self._candidates(call)
        batch = self._batch(call, candidates)
        known: dict[int, Known] = {}
        self._near(call, batch, known)
        if self._complete(batch, known):
            return self._hit(call, batch, known)
        self._costs(call)
        ask = partial(self._ask, call, candidates, batch, known)

        def find() -> Flow[tuple[CreateEmbeddingResponse, Entry] | None]:
            self._near(call, batch, known)
            yield from self._far(call, candidates, batch, known)
            if not self._complete(batch, known):
                return None
            return self._hit(call, batch, known), self._landed(call, batch, self._packed(known), known)

        if batch.raw and call.options.cache.mode == "on":
            key = flight_key([batch.shared[place] for place in batch.places])
            return (yield from self._fly(call, key, find, ask, partial(self._followed, call, batch)))
        yield from self._far(call, candidates, batch, known)
        return self._hit(call, batch, known) if self._complete(batch, known) else (yield from ask())[0]

    def _batch(self, call: _Call, candidates: Candidates) -> Batch:
        """The inputs, with keys unless this call has nothing to do with the cache or with other calls."""
        request, cache, router = call.request, call.options.cache, call.options.router
        if not self.layers.enabled or cache.mode == "off":
            return Batch.plain(request)
        policy = policy_of(call)
        raw = shared = input_keys(request, candidates.digest, policy)
        if router is not None:  # it may prefer another target than the client's own
            shared = input_keys(request, candidates.digest, policy, routing_of(router))
        return Batch.keyed(request, raw, shared)

    def _near(self, call: _Call, batch: Batch, known: dict[int, Known]) -> None:
        """Ask memory for what is not known, if this call may."""
        cache = call.options.cache
        if not cache.reads:
            return
        for place, key in enumerate(batch.raw):
            found = None if place in known else self.layers.near(key, cache.max_age)
            one = None if found is None else known_of(*found)
            if one is not None:
                known[place] = one

    def _far(self, call: _Call, candidates: Candidates, batch: Batch, known: dict[int, Known]) -> Flow[None]:
        """Ask the tiers that outlive the process for what is not known, if this call may."""
        cache = call.options.cache
        if not cache.reads or not candidates.sharable:
            return
        left = [place for place in range(len(batch.raw)) if place not in known]
        shared, raw = [batch.shared[place] for place in left], [batch.raw[place] for place in left]
        found = yield from self.layers.far_many(call, shared, raw, cache.max_age)
        for at, hit in found.items():
            one = known_of(*hit)
            if one is not None:
                known[left[at]] = one

    def _ask(self, call: _Call, candidates: Candidates, batch: Batch, known: Mapping[int, Known]) -> Flow[_Asked]:
        """Route, attempt, cost, store."""
        targets = self.targets.plan_operation(call, candidates, EMBEDDINGS)
        parts = {target: Parts() for target in targets}
        asked = self._clock()
        keep = partial(self._keep, call, candidates, batch, known, targets[0], parts[targets[0]])
        try:
            answered = yield from attempt_targets(
                call,
                targets,
                lambda target: self._gather(call, batch, known, target, parts[target]),
                self.targets.window,
            )
        except Exception:
            keep()
            call.edge.cost_usd = paid_for(parts.values()) or None
            raise
        call.edge.provider_latency_ms = (self._clock() - asked) * 1e3
        if answered.target != targets[0]:
            keep()
        return self._settle(call, candidates, batch, answered, parts)

    def _gather(
        self, call: _Call, batch: Batch, known: Mapping[int, Known], target: Target, parts: Parts
    ) -> Flow[_Gathered]:
        """One attempt. What it is answered is paid for, even if it fails after that."""
        try:
            return (yield from self._gathered(call, batch, known, target, parts))
        except Exception:
            answers = parts.uncounted()
            if answers:
                call.paid = usage_of(answers), self._cost(target, answers)
                parts.costs(call.paid[1])
            if parts.mixed:
                parts.clear()
            raise

    def _gathered(
        self, call: _Call, batch: Batch, known: Mapping[int, Known], target: Target, parts: Parts
    ) -> Flow[_Gathered]:
        """What the cache has not, and if that is made by another model by now, all of it."""
        cached = usable(known, target)
        asked = _missing(batch, cached)
        fresh = yield from self._asked(call, batch, asked, target, parts, parts.asked)
        if cached and next(iter(cached.values())).model != fresh.model:
            rest = list(cached)
            more = yield from self._asked(call, batch, rest, target, parts, parts.again)
            if more.model != fresh.model:
                raise _mixed()
            return _Gathered({}, [*asked, *rest], join([fresh, more]))
        return _Gathered(cached, asked, fresh)

    def _asked(
        self,
        call: _Call,
        batch: Batch,
        places: Sequence[int],
        target: Target,
        parts: Parts,
        answers: list[CreateEmbeddingResponse],
    ) -> Flow[CreateEmbeddingResponse]:
        """The vectors of these places; `answers`, one of the lists of `parts`, are those that need not be asked for."""
        answer = yield from ask_once(
            call,
            EMBEDDINGS,
            self.targets.provider(target),
            target,
            batch.request_for(places),
            max_body_bytes=self._max_body_bytes,
            parts=answers,
        )
        if not answers:
            parts.whole.append(answer)
        if parts.mixed:
            raise _mixed()
        return answer

    # what the steps are made of

    def _complete(self, batch: Batch, known: Mapping[int, Known]) -> bool:
        return len(known) == len(batch.items) and sole_origin(known)

    def _hit(self, call: _Call, batch: Batch, known: Mapping[int, Known]) -> CreateEmbeddingResponse:
        """All of it from the cache: nothing was asked, nothing used."""
        edge, first = call.edge, known[0].entry
        edge.saved_usd, edge.cache_tier = total(known)
        edge.cached, edge.cost_usd, edge.cached_inputs = True, ZERO, len(batch.places)
        edge.age = max(0.0, self._wall() - min(one.entry.created for one in known.values()))
        edge.provider, edge.model = first.provider, first.model
        ids = {one.entry.request_id for one in known.values()}
        edge.request_id = first.request_id if len(ids) == 1 else None
        call.vendor = first.vendor
        return batch.answer(_vectors(batch, self._packed(known)), known[0].model, _nothing(), {})

    def _packed(self, known: Mapping[int, Known]) -> dict[int, tuple[bytes, bytes]]:
        return {place: (one.entry.completion, one.entry.native) for place, one in known.items()}

    def _settle(
        self,
        call: _Call,
        candidates: Candidates,
        batch: Batch,
        answered: Answered[_Gathered],
        parts: Mapping[Target, Parts],
    ) -> _Asked:
        """Cost, entries, the answer, and an entry for the followers of the flight; None if there is none."""
        gathered, target = answered.answer, answered.target
        cached, fresh, done = gathered.cached, gathered.fresh, parts[answered.target]
        self._answered_by(call, target)
        edge, answers = call.edge, done.uncounted()
        cost = self._cost(target, answers)
        done.costs(cost)
        call.settle(usage_of(answers), cost)
        edge.cost_usd = paid_for(parts.values())
        if cached:
            edge.saved_usd = total(cached)[0]
            edge.cached_inputs = sum(place in cached for place in batch.places)
        data = None
        if batch.raw:
            packed = self._packed(cached)
            packed.update(self._pack(call, batch, gathered.asked, fresh.data, fresh.model))
            if answered.rank == 0 and call.options.cache.writes:
                self._store(call, candidates, batch, target, gathered.asked, packed, done.usd)
            if len(packed) == len(batch.items):
                data = self._landed(call, batch, packed, cached)
        whole = list(gathered.asked) == list(batch.places)
        if not whole:
            call.forget_response()
        if whole and not (batch.converts and batch.as_text):
            return fresh, data
        vectors = dict(zip(gathered.asked, fresh.data, strict=True))
        vectors.update(_vectors(batch, self._packed(cached)))
        try:
            return batch.answer(vectors, fresh.model, fresh.usage, fresh.model_extra or {}), data
        except ValueError as error:
            raise _invalid(f"A vector of the answer cannot be told in base64: it is {error}.") from None

    def _cost(self, target: Target, answers: Sequence[CreateEmbeddingResponse]) -> Decimal | None:
        """Of answers of one target, in dollars."""
        usage, provider = usage_of(answers), self.targets.provider(target)
        if usage is None:
            return None
        tier = self.targets.service_tier(target)
        return self._pricing.cost(vendor_of(provider), target.model, usage, service_tier=tier)

    def _pack(
        self, call: _Call, batch: Batch, places: Iterable[int], vectors: Iterable[Embedding], model: str
    ) -> dict[int, tuple[bytes, bytes]]:
        """The bytes of all vectors that have any, by their place."""
        form = call.request.encoding_format
        pairs = ((place, pack(vector, model, form)) for place, vector in zip(places, vectors, strict=False))
        return {place: written for place, written in pairs if written is not None}

    def _keep(
        self,
        call: _Call,
        candidates: Candidates,
        batch: Batch,
        known: Mapping[int, Known],
        target: Target,
        parts: Parts,
    ) -> None:
        """Put away what the first target was paid for before it failed: the next call need not ask for it again."""
        if batch.raw and parts.asked and call.options.cache.writes:
            places = _missing(batch, usable(known, target))
            packed = self._pack(call, batch, places, parts.vectors(), parts.asked[0].model)
            self._store(call, candidates, batch, target, list(packed), packed, parts.usd)

    def _store(
        self,
        call: _Call,
        candidates: Candidates,
        batch: Batch,
        target: Target,
        places: Sequence[int],
        packed: Mapping[int, tuple[bytes, bytes]],
        cost: Decimal | None,
    ) -> None:
        """Put away what was asked for at these places."""
        cache, vendor = call.options.cache, vendor_of(self.targets.provider(target))
        costs = shared_out(cost, [tokens_at_most(batch.items[place]) for place in places])
        for place, share in zip(places, costs, strict=True):
            if place not in packed:
                continue
            try:
                data = encode_entry(self._entry(call, target, vendor, share, packed[place], cache.ttl))
            except ValueError:  # half a character in a tag, say
                continue
            raw, shared = batch.raw[place], batch.shared[place]
            store = partial(self.layers.store, raw, shared, data, cache.ttl, shared=candidates.sharable)
            keep = self.layers.clearings.keep
            keep(call.cleared, (raw, shared), data, self._wall(), store, renews=cache.replaces)

    def _entry(
        self,
        call: _Call,
        target: Target,
        vendor: str | None,
        cost: Decimal | None,
        written: tuple[bytes, bytes],
        ttl: float | None = None,
    ) -> Entry:
        now = self._wall()
        return Entry(
            created=now,
            provider=target.provider,
            model=target.model,
            vendor=vendor,
            cost_usd=cost,
            request_id=call.edge.request_id,
            completion=written[0],
            native=written[1],
            expires=None if ttl is None else now + ttl,
            asked=call.request.model,
            namespace=call.options.cache.namespace,
            tags=call.options.tags,
        )

    def _landed(
        self, call: _Call, batch: Batch, packed: Mapping[int, tuple[bytes, bytes]], cached: Mapping[int, Known]
    ) -> Entry:
        """The whole answer as an entry for a flight, as old as the oldest of its vectors."""
        edge = call.edge
        target = Target(edge.provider or "", edge.model or "")
        price = edge.saved_usd if edge.cached else edge.cost_usd
        pairs = frames(packed[place] for place in range(len(batch.items)))
        entry = self._entry(call, target, call.vendor, price, (dump_json(None), pairs))
        return entry._replace(created=min([entry.created, *(one.entry.created for one in cached.values())]))

    def _followed(self, call: _Call, batch: Batch, entry: Entry) -> CreateEmbeddingResponse | None:
        """The flight's answer; None if some of it came from a tier and was too old for this call when it asked."""
        if self._too_old(call, entry):
            return None
        edge = call.edge
        edge.coalesced = True
        edge.provider, edge.model, edge.request_id = entry.provider, entry.model, entry.request_id
        edge.cost_usd, edge.saved_usd = ZERO, entry.cost_usd
        call.vendor = entry.vendor
        packed = dict(enumerate(unframed(entry.native)))
        model: str = from_json(packed[0][0])["model"]
        return batch.answer(_vectors(batch, packed), model, _nothing(), {})


def _vectors(batch: Batch, packed: Mapping[int, tuple[bytes, bytes]]) -> dict[int, Embedding]:
    return {place: vector_of(*pair, as_text=batch.as_text) for place, pair in packed.items()}


def _missing(batch: Batch, cached: Mapping[int, Known]) -> list[int]:
    return [place for place in range(len(batch.items)) if place not in cached]


def _mixed() -> ResponseValidationError:
    return _invalid("The parts of the batch were answered by different models.")


def _invalid(message: str) -> ResponseValidationError:
    return ResponseValidationError(HTTPResponse(200), None, message=message)


def _nothing() -> EmbeddingUsage:
    return EmbeddingUsage(prompt_tokens=0, total_tokens=0)
