"""The statistical model: a linear one, over hashed words and named signs.

`model.bin` is made by `scripts/train_injection`. It is compressed with zlib and holds a line of JSON, then two tables
of `BUCKETS` bytes: the weights of hashed words in a user's turn, and in text from outside. A weight is its byte less
`ZERO`, times `scale`; the sum over a text's words is divided by the root of their number: length does not count.
"""

from __future__ import annotations

import json
import pkgutil
import zlib
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from math import sqrt
from operator import itemgetter
from typing import Any, Final, NamedTuple

from edgeagent.shield.injection.features import BUCKETS
from edgeagent.shield.injection.prepare import Seen, keys

__all__ = ["DAMPING", "ZERO", "Model", "Weights", "packed", "packed_bytes", "shipped_model", "unpacked"]

ZERO: Final = 128
"""The byte that stands for a weight of 0."""

DAMPING: Final = 4
"""Added to the number of words under the root: one or two words alone decide nothing."""

_ENOUGH: Final = 4
"""Signs beyond this many add nothing by their number."""


class Weights(NamedTuple):
    """Of one kind of channel. `words` has a byte for each bucket, `ZERO` is none; the others are log-odds."""

    words: bytes
    signs: Mapping[str, float]
    layers: Mapping[str, float]
    bias: float
    many: float
    """For each sign up to the fourth."""
    length: float
    """For the root of the number of words, by sixteenths."""


class Model:
    """Weights and how they add up. Immutable; shared by all detectors of a process."""

    __slots__ = ("_outside", "_user", "known", "scale", "words")

    def __init__(self, user: Weights, outside: Weights, scale: float, known: Sequence[str]) -> None:
        self._user = user
        self._outside = outside
        self.scale = scale
        self.words = tuple(known)
        self.known = keys(list(known))
        """Words by which hidden ones are recognised, by their `keys`."""

    @property
    def weights(self) -> tuple[Weights, Weights]:
        """Of a user's turn, and of text from outside."""
        return self._user, self._outside

    def logit(self, seen: Seen, *, outside: bool) -> float:
        """Log-odds of an attack; 0 is the operating point. From outside nothing counts less than from a user."""
        logit = self._logit(seen, self._user)
        return max(logit, self._logit(seen, self._outside)) if outside else logit

    def _logit(self, seen: Seen, weights: Weights) -> float:
        root = sqrt(len(seen.buckets) + DAMPING)
        return (
            weights.bias
            + (_total(weights.words, seen.buckets) - ZERO * len(seen.buckets)) * self.scale / root
            + sum(weights.signs[name] for name in seen.signs)
            + sum(weights.layers.get(name, 0.0) for name in seen.layers)
            + weights.many * min(len(seen.signs), _ENOUGH)
            + weights.length * root / 16
        )

    def reasons(self, seen: Seen, *, outside: bool) -> tuple[str, ...]:
        """The signs and layers that were met, the weightiest first."""
        weights = self._outside if outside else self._user
        told = {name: weights.signs[name] for name in seen.signs} | {
            name: weights.layers.get(name, 0.0) for name in seen.layers
        }
        return tuple(sorted(told, key=lambda name: -told[name]))


def _total(table: bytes, places: Collection[int]) -> int:
    """The sum of what stands at `places`, got by one call: a call for each takes twice as long."""
    return sum(itemgetter(*places)(table)) if len(places) > 1 else sum(table[place] for place in places)


def packed(user: Weights, outside: Weights, scale: float, known: Sequence[str]) -> bytes:
    """What `model.bin` holds."""
    head: dict[str, Any] = {"scale": scale, "known": list(known), "user": _told(user), "outside": _told(outside)}
    return zlib.compress(
        json.dumps(head, ensure_ascii=False, sort_keys=True).encode() + b"\n" + user.words + outside.words, 9
    )


def unpacked(data: bytes) -> Model:
    """The model that `packed` made `data` of."""
    line, _, tables = zlib.decompress(data).partition(b"\n")
    head = json.loads(line)
    user = Weights(tables[:BUCKETS], **head["user"])
    outside = Weights(tables[BUCKETS:], **head["outside"])
    return Model(user, outside, head["scale"], head["known"])


@cache
def shipped_model() -> Model:
    """The model of this version of the package, read when it is first asked for."""
    return unpacked(packed_bytes())


def packed_bytes() -> bytes:
    """`model.bin`."""
    data = pkgutil.get_data(__package__, "model.bin")
    assert data is not None
    return data


def _told(weights: Weights) -> dict[str, Any]:
    told = weights._asdict()
    del told["words"]
    return told
