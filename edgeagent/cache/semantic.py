"""The semantic cache: an answer to nearly the same question, where everything else is exactly the same.

Vectors of the last user turn are compared by their cosine, within a group: model, system prompt, tools, parameters,
earlier turns, images and whatever else is in the key, all equal (`edgeagent.core.semantic` makes the group's key). The
index is exact: every vector of the group is looked at, in one product of a matrix with a vector; up to a hundred
thousand of them that is a few milliseconds.

Similar is not the same. "Is 7 prime?" and "Is 9 prime?" are close to each other by any model, and `python -m
benchmarks.semantic` shows how often a threshold is wrong. That is why this is off unless asked for, why it is asked
last, and why a `verify` function can be given.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeAlias, runtime_checkable

from edgeagent.errors import ConfigurationError
from edgeagent.types.metadata import CacheTierName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ClientEmbedder", "Embedder", "SemanticCache", "Similar", "Verify"]

Vectors: TypeAlias = "Sequence[Sequence[float]]"
Verify: TypeAlias = Callable[[str, str], "bool | Awaitable[bool]"]
"""Told the question and the one that was answered: whether the answer serves both. Sync or async."""

_FIRST_ROOM: Final = 4


@runtime_checkable
class Embedder(Protocol):
    """Makes vectors of texts: one for each, all of one length, always of the same model. Sync or async."""

    def embed(self, texts: Sequence[str], /) -> Vectors | Awaitable[Vectors]:
        """The vectors, in the order of the texts; they need not have length one."""
        ...


class ClientEmbedder:
    """Vectors by a client that has `embeddings.create`, as `openai`'s has.

    Args:
        client: blocking or async.
        model: the name of the embedding model.
    """

    def __init__(self, client: Any, model: str) -> None:
        self._client = client
        self._model = model

    def embed(self, texts: Sequence[str], /) -> Vectors | Awaitable[Vectors]:
        """The vectors of the texts."""
        made = self._client.embeddings.create(model=self._model, input=list(texts), encoding_format="float")
        return _awaited(made) if hasattr(made, "__await__") else _vectors(made)


async def _awaited(made: Awaitable[Any]) -> Vectors:
    return _vectors(await made)


def _vectors(response: Any) -> Vectors:
    return [item.embedding for item in response.data]


class Similar(NamedTuple):
    """What was found: the question that was answered, the cosine (at most 1), and the stored bytes."""

    text: str
    similarity: float
    value: bytes


class _Item:
    """One answered question: where its vector stands, and until when it is good."""

    __slots__ = ("expires", "group", "keys", "row", "text", "value")

    def __init__(
        self, group: bytes, row: int, text: str, value: bytes, expires: float | None, keys: tuple[bytes, ...]
    ) -> None:
        self.group = group
        self.row = row
        self.text = text
        self.value = value
        self.expires = expires
        self.keys = keys


class _Group:
    """Vectors that may be compared, in the first rows of a matrix; the items they belong to, in the same order."""

    def __init__(self, width: int) -> None:
        import numpy as np

        self.matrix: NDArray[np.float32] = np.empty((_FIRST_ROOM, width), np.float32)
        self.items: list[_Item] = []

    def add(self, item: _Item, vector: NDArray[np.float32]) -> None:
        import numpy as np

        row = item.row = len(self.items)
        if row == len(self.matrix):
            grown: NDArray[np.float32] = np.empty((2 * row, self.matrix.shape[1]), np.float32)
            grown[:row] = self.matrix
            self.matrix = grown
        self.matrix[row] = vector
        self.items.append(item)

    def remove(self, item: _Item) -> None:
        """The last one takes its place."""
        last = self.items.pop()
        if last is not item:
            self.matrix[item.row] = self.matrix[last.row]
            self.items[item.row] = last
            last.row = item.row


class SemanticCache:
    """Answers in this process's memory, found by the meaning of the last user turn. Thread-safe.

    Args:
        embedder: makes the vectors.
        threshold: the least cosine that counts as the same question.
        verify: is asked before an answer is given; None: the threshold alone decides.
        max_entries: the most answers; those that were not asked for the longest time go first.
        max_bytes: the most bytes of answers and vectors.
        ttl: seconds that an answer lives unless `put` says otherwise; None: as long as there is room.
        clock: seconds, monotonic.

    Raises:
        ConfigurationError: numpy is not installed, the embedder has no `embed`, or a number is out of range.
    """

    name: CacheTierName = "semantic"

    def __init__(
        self,
        embedder: Embedder,
        *,
        threshold: float = 0.95,
        verify: Verify | None = None,
        max_entries: int = 100_000,
        max_bytes: int = 512 * 2**20,
        ttl: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if find_spec("numpy") is None:
            raise ConfigurationError("The semantic cache needs numpy: pip install 'edgeagent[semantic]'.")
        if not isinstance(embedder, Embedder):
            raise ConfigurationError("SemanticCache needs an embedder: an object with embed(texts) -> vectors.")
        if not 0 < threshold <= 1 or max_entries < 1 or max_bytes < 1 or (ttl is not None and not ttl > 0):
            raise ConfigurationError(
                "SemanticCache needs 0 < threshold ≤ 1, max_entries ≥ 1, max_bytes ≥ 1 and a positive ttl or None."
            )
        import_module("numpy")  # not in the midst of a call
        self.embedder = embedder
        self.threshold = threshold
        self.verify = verify
        self.max_entries = max_entries
        self.max_bytes = max_bytes
        self.ttl = ttl
        self._clock = clock
        self.after_fork()

    def after_fork(self) -> None:
        """In the child: empty, with a lock of its own."""
        self._lock = threading.Lock()
        self._items: OrderedDict[bytes, _Item] = OrderedDict()
        self._groups: dict[bytes, _Group] = {}
        self._bytes = 0

    def nearest(self, group: bytes, vector: Sequence[float]) -> Similar | None:
        """The nearest answered question of the group, if it is near enough.

        Raises:
            ValueError: the vector has another length than those before, or none.
        """
        import numpy as np

        asked = _normal(vector)
        with self._lock:
            found = self._groups.get(group)
            if found is None:
                return None
            matrix, number = found.matrix, len(found.items)
        if matrix.shape[1] != len(asked):
            raise ValueError(f"a vector of {len(asked)} numbers among vectors of {matrix.shape[1]}")
        row = int(np.argmax(matrix[:number] @ asked))  # without the lock: it is looked at again below
        with self._lock:
            if self._groups.get(group) is not found or row >= len(found.items):  # it was cleared meanwhile
                return None
            item = found.items[row]
            similarity = float(found.matrix[row] @ asked)
            if item.expires is not None and item.expires <= self._clock():
                self._forget(_name(group, item.text))
                return None
            if similarity < self.threshold:
                return None
            self._items.move_to_end(_name(group, item.text))
            return Similar(item.text, min(1.0, similarity), item.value)

    def put(
        self,
        group: bytes,
        text: str,
        vector: Sequence[float],
        value: bytes,
        ttl: float | None = None,
        keys: tuple[bytes, ...] = (),
    ) -> None:
        """Keep the answer to a question for `ttl` seconds (None: the cache's own), in place of what is there.

        `keys` are those under which the exact tiers hold it: whoever forgets it by one of them forgets it here, too.

        Raises:
            ValueError: the vector has another length than those before, or none.
        """
        lifetime = self.ttl if ttl is None else ttl
        normal = _normal(vector)
        with self._lock:
            self._forget(_name(group, text))
            place = self._groups.get(group)
            if place is not None and place.matrix.shape[1] != len(normal):
                raise ValueError(f"a vector of {len(normal)} numbers among vectors of {place.matrix.shape[1]}")
            if lifetime is not None and lifetime <= 0:
                return
            if place is None:
                place = self._groups[group] = _Group(len(normal))
            item = _Item(group, 0, text, value, None if lifetime is None else self._clock() + lifetime, keys)
            place.add(item, normal)
            self._items[_name(group, text)] = item
            self._bytes += self._size(item)
            while len(self._items) > self.max_entries or self._bytes > self.max_bytes:
                self._forget(next(iter(self._items)))

    def forget(self, group: bytes, text: str) -> None:
        """Forget the answer to exactly this question."""
        with self._lock:
            self._forget(_name(group, text))

    def discard(self, wanted: Callable[[Sequence[bytes], bytes], bool]) -> int:
        """Forget the answers whose keys and bytes are so → how many there were."""
        with self._lock:
            names = [name for name, item in self._items.items() if wanted(item.keys, item.value)]
            for name in names:
                self._forget(name)
        return len(names)

    def usage(self) -> tuple[int, int]:
        """How many answers it holds, and how many bytes of them and their vectors."""
        with self._lock:
            return len(self._items), self._bytes

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._items.clear()
            self._groups.clear()
            self._bytes = 0

    def __len__(self) -> int:
        return len(self._items)

    def _forget(self, name: bytes) -> None:
        item = self._items.pop(name, None)
        if item is None:
            return
        self._bytes -= self._size(item)
        group = self._groups[item.group]
        group.remove(item)
        if not group.items:
            del self._groups[item.group]

    def _size(self, item: _Item) -> int:
        return len(item.value) + len(item.text) + 4 * int(self._groups[item.group].matrix.shape[1])


def _name(group: bytes, text: str) -> bytes:
    return group + text.encode("utf-8", "surrogatepass")


def _normal(vector: Sequence[float]) -> NDArray[np.float32]:
    """The vector with length one."""
    import numpy as np

    given: NDArray[np.float32] = np.asarray(vector, np.float32)
    length = float(np.linalg.norm(given)) if given.ndim == 1 else 0.0
    if not 0 < length < float("inf"):
        raise ValueError("an embedding must be a vector with a length")
    normal: NDArray[np.float32] = given / np.float32(length)
    return normal
