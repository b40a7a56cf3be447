"""Every value of a JSON document replaced by one of another type, one at a time."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

__all__ = ["event_swaps", "swaps"]

VALUES: list[Any] = [None, [], {}, 5, "x", True, -1, [5], {"a": 1}, [None], "1e400"]


def swaps(value: Any, every: int = 1) -> Iterator[Any]:
    """The documents; of all of them each `every`th, in an order that does not change."""
    number = 0
    for path in paths(value, ()):
        for other in VALUES:
            number += 1
            if number % every == 0:
                yield put(value, path, other)


def event_swaps(events: list[Any], every: int = 1) -> Iterator[bytes]:
    """A stream of server-sent events in which one value of one event was swapped."""
    for place, event in enumerate(events):
        for swapped in swaps(event, every):
            changed = [*events[:place], swapped, *events[place + 1 :]]
            yield b"".join(b"data: " + text(one) + b"\n\n" for one in changed) + b"data: [DONE]\n\n"


def text(value: Any) -> bytes:
    """JSON, with a number in it that is larger than any float."""
    return json.dumps(value).replace('"1e400"', "1e400").encode()


def paths(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths(item, (*path, key))


def put(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    if not path:
        return other
    result = copy.deepcopy(value)
    inner = result
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = other
    return result
