"""The keys of requests that came before, each found by the very values that it was made of.

A key is canonical JSON and a SHA-256 over it: a fifth of the time of a memory hit. `marshal`, the interpreter's own
writer of plain values, takes a quarter of that. Its bytes tell more apart than a key does (the order of an object's
keys, a tuple from a list), so that one request may stand here more than once, and tell apart whatever a key does: a key
is found if, and only if, it would be made. Two things see to that:

- its format 2 has no references, whose place depends on who else holds a string;
- it writes the memory of objects that have a buffer (numpy's numbers are some) as if it were `bytes`. So nothing is
  kept but values of JSON's own types, which it writes each in its own way.

The bytes live in memory alone, as long as the client does, and no longer than their sum allows.
"""

from __future__ import annotations

import marshal
from collections.abc import Mapping
from typing import Any, Final

from edgeagent.cache.key import make_key

__all__ = ["LARGEST", "KnownKeys", "is_plain", "is_short", "written"]

MAX_BYTES: Final = 8 * 2**20
"""Of all values together; when they are more, it begins anew."""
LARGEST: Final = 64 * 2**10
"""Of one request. `marshal` and a dictionary take longer for more than a key does, so it should not come here."""
_FORMAT: Final = 2
_ATOMS: Final = frozenset({str, int, float, bool, type(None)})


class KnownKeys:
    """Makes keys, and remembers those that it has made. Threads may share it."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._left = max_bytes
        self._keys: dict[bytes, bytes] = {}

    def __call__(self, params: Mapping[str, Any], candidates: bytes, policy: bytes, routing: bytes) -> bytes:
        """`edgeagent.cache.key.make_key`; raises what it raises."""
        values = written((params, candidates, policy, routing))
        if values is None:
            return make_key(params, candidates, policy, routing)
        key = self._keys.get(values)
        if key is None:
            key = make_key(params, candidates, policy, routing)
            if is_plain(params):
                self._keep(values, key)
        return key

    def _keep(self, values: bytes, key: bytes) -> None:
        self._left -= len(values)  # threads may lose each other's count: a bound that is met nearly is met
        if self._left < 0:
            self.forget()
        self._keys[values] = key

    def forget(self) -> None:
        """Let go of all of them."""
        self._keys.clear()
        self._left = self._max_bytes


def written(values: Any) -> bytes | None:
    """The bytes by which they are found; None where there are none, or too many."""
    try:
        data = marshal.dumps(values, _FORMAT)
    except ValueError:  # a value of another type, or too deep: it may be one for JSON all the same
        return None
    return data if len(data) <= LARGEST else None


def is_short(messages: Any) -> bool:
    """Whether the texts are together no longer than what is kept of a request; one with other parts is not."""
    if type(messages) is not list:
        return False
    left = LARGEST
    for message in messages:
        if type(message) is not dict:
            return False
        content = message.get("content")
        if type(content) is str:
            left -= len(content)
        elif type(content) is list:
            texts = [part.get("text") if type(part) is dict else None for part in content]
            left -= sum(len(text) if type(text) is str else LARGEST + 1 for text in texts)
        elif content is not None:
            return False
    return left >= 0


def is_plain(value: Any) -> bool:
    """Whether there is nothing in it but JSON's own types, no subclass of them either."""
    kind = type(value)
    if kind is dict:
        return all(type(name) is str for name in value) and all(map(is_plain, value.values()))
    return kind in _ATOMS or ((kind is list or kind is tuple) and all(map(is_plain, value)))
