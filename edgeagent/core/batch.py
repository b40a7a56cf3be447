"""The inputs of one embedding call, what the cache has of them, and answers made of both. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, Final, NamedTuple, get_args

from pydantic_core import from_json

from edgeagent.cache.embedding_key import shares_entries
from edgeagent.cache.entry import Entry
from edgeagent.cache.vector import is_vector, pack_vector, unpack_vector
from edgeagent.types import CreateEmbeddingResponse, Embedding, EmbeddingRequest, EmbeddingUsage, Target
from edgeagent.types.embedding import text_of
from edgeagent.types.metadata import CacheTierName
from edgeagent.wire.json import dump_json, parsed_json

__all__ = ["Batch", "Known", "known_of", "pack", "shared_out", "sole_origin", "total", "usable", "vector_of"]

_MONEY: Final = Context(prec=28)
_TIERS: Final[Sequence[CacheTierName]] = get_args(CacheTierName)
_TAKEN: Final = frozenset({*Embedding.model_fields, "_fields_set", "cls"})
"""Names that `vector_of` gives a meaning to: what a vendor says besides has others."""


class Known(NamedTuple):
    """One vector that the cache had."""

    entry: Entry
    tier: CacheTierName
    model: str
    """As the vendor called it then."""

    @property
    def origin(self) -> tuple[str, str, str]:
        """Who made it. Vectors of different origins cannot be compared, and do not belong into one answer."""
        return self.entry.provider, self.entry.model, self.model


@dataclass(frozen=True, slots=True)
class Batch:
    """The inputs of one request, and, if the cache takes part, each different one once, with its keys.

    `places` says for each input of the request which of `items` it is.
    """

    request: EmbeddingRequest
    items: Sequence[Any]
    places: Sequence[int]
    raw: Sequence[bytes] = ()
    shared: Sequence[bytes] = ()

    @classmethod
    def plain(cls, request: EmbeddingRequest) -> Batch:
        """Without keys: the inputs as they are."""
        items = request.items
        return cls(request, items, range(len(items)))

    @classmethod
    def keyed(cls, request: EmbeddingRequest, raw: Sequence[bytes], shared: Sequence[bytes]) -> Batch:
        """With the keys of the inputs; inputs of one key are one."""
        first: dict[bytes, int] = {}
        places = [first.setdefault(key, len(first)) for key in raw]
        inputs, at = request.items, {key: place for place, key in reversed(list(enumerate(raw)))}
        chosen = [at[key] for key in first]
        return cls(request, [inputs[i] for i in chosen], places, list(first), [shared[i] for i in chosen])

    @property
    def as_text(self) -> bool:
        """Whether the caller wants base64."""
        return self.request.encoding_format == "base64"

    @property
    def converts(self) -> bool:
        """Whether vectors are asked for in one form and given in the caller's."""
        return bool(self.raw) and shares_entries(self.request.encoding_format)

    def request_for(self, wanted: Sequence[int]) -> EmbeddingRequest:
        """The request for some of `items`; as the caller wrote it, if it is all of them and nothing is kept.

        What is kept is asked for in the form that the vendor sends best: it is the same for whoever asks for it next.
        """
        changes: dict[str, Any] = {}
        if len(wanted) != len(self.places):
            changes["input"] = [self.items[i] for i in wanted]
        if self.converts and self.request.encoding_format is not None:
            changes["encoding_format"] = None
        return self.request.model_copy(update=changes) if changes else self.request

    def answer(
        self, vectors: Mapping[int, Embedding], model: str, usage: EmbeddingUsage | None, extra: Mapping[str, Any]
    ) -> CreateEmbeddingResponse:
        """The answer to the request, of a vector for each of `items`. Raises `ValueError` for what has no base64."""
        data, used = [], set[int]()
        for index, place in enumerate(self.places):
            changes: dict[str, Any] = {"index": index}
            numbers = vectors[place].embedding
            if self.as_text and isinstance(numbers, list):
                changes["embedding"] = text_of(numbers)
            data.append(vectors[place].model_copy(update=changes, deep=place in used))
            used.add(place)
        return CreateEmbeddingResponse(**extra, data=data, model=model, object="list", usage=usage)


def known_of(entry: Entry, tier: CacheTierName) -> Known | None:
    """An entry of an embedding; None if it is something else, as what was imported may be."""
    head = parsed_json(entry.completion)
    if not isinstance(head, dict) or not is_vector(entry.native):
        return None
    model, extra = head.get("model"), head.get("extra")
    if isinstance(model, str) and isinstance(extra, dict) and _TAKEN.isdisjoint(extra):
        return Known(entry, tier, model)
    return None


def usable(known: Mapping[int, Known], target: Target) -> dict[int, Known]:
    """What of it `target` made, all by one model: the one that it answered with last."""
    mine = {
        i: one for i, one in known.items() if (one.entry.provider, one.entry.model) == (target.provider, target.model)
    }
    if not mine:
        return mine
    newest = max(mine.values(), key=lambda one: one.entry.created).model
    return {i: one for i, one in mine.items() if one.model == newest}


def sole_origin(known: Mapping[int, Known]) -> bool:
    """Whether all of it was made by the same model of the same target."""
    return len({one.origin for one in known.values()}) == 1


def total(known: Mapping[int, Known]) -> tuple[Decimal | None, CacheTierName]:
    """What it cost then, as far as that is known, and the farthest tier that had any of it."""
    costs = [one.entry.cost_usd for one in known.values() if one.entry.cost_usd is not None]
    saved = None
    if costs:
        saved = Decimal(0)
        for cost in costs:
            saved = _MONEY.add(saved, cost)
    return saved, max((one.tier for one in known.values()), key=_TIERS.index)


def shared_out(cost: Decimal | None, sizes: Sequence[int]) -> list[Decimal | None]:
    """A price that was asked for several inputs together, by their sizes."""
    if cost is None:
        return [None] * len(sizes)
    whole = sum(sizes) or 1
    return [_MONEY.divide(_MONEY.multiply(cost, Decimal(size)), Decimal(whole)) for size in sizes]


def pack(vector: Embedding, model: str, encoding_format: str | None) -> tuple[bytes, bytes] | None:
    """A vector as an entry holds it: what is said of it, and its numbers; None if it cannot be written down."""
    try:
        head = dump_json({"model": model, "extra": vector.model_extra or {}})
        return head, pack_vector(vector.embedding, own_form=not shares_entries(encoding_format))
    except ValueError:
        return None


def vector_of(head: bytes, numbers: bytes, *, as_text: bool) -> Embedding:
    """The vector that `pack` wrote, not yet in its place."""
    extra: dict[str, Any] = from_json(head)["extra"]
    return Embedding.model_construct(
        {"embedding", "index", "object", *extra},
        **extra,
        embedding=unpack_vector(numbers, as_text=as_text),
        index=0,
        object="embedding",
    )
