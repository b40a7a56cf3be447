"""What was found out about texts, for when they come again: each call of a conversation has all its earlier turns."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from hashlib import sha256
from typing import Final, Generic, TypeVar

from edgeagent.shield.base import Detector, Match
from edgeagent.shield.looking import Looking, looked

__all__ = ["Memory", "Remembering", "remembering"]

T = TypeVar("T")

ROOM: Final = 32_768
"""The size of what is kept for certain; up to twice as much may be. A match takes some 150 bytes."""
_LARGEST: Final = 4
"""What would take more than this part of the room is not kept."""


class Memory(Generic[T]):
    """What a function of texts has found, under the texts' digests: it keeps no text.

    Safe for any number of threads without a lock, which a fork could find taken: two that ask for a text at the same
    time find the same. What nobody asked for while the room was filled once is forgotten.

    Args:
        room: the size of what is kept.
    """

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._kept: dict[Hashable, T] = {}
        self._older: dict[Hashable, T] = {}
        self._size = 0

    def of(self, text: str, find: Callable[[], T], kind: Hashable = None, size: Callable[[T], int] = lambda _: 0) -> T:
        """What is known of `text`, else what `find` finds.

        Args:
            text: the text.
            find: looks at it.
            kind: of what is found; there may be several.
            size: how much larger than 1 it is.
        """
        key = kind, sha256(text.encode("utf-8", "surrogatepass")).digest()
        kept, older = self._kept, self._older  # another thread may put others in their place
        if key in kept:
            return kept[key]
        found = older[key] if key in older else find()
        self._keep(key, found, 1 + size(found))
        return found

    def __reduce__(self) -> tuple[type[Memory[T]], tuple[int]]:
        return Memory, (self._room,)  # a digest of something short tells what it is to who can guess

    def _keep(self, key: Hashable, found: T, size: int) -> None:
        if size * _LARGEST > self._room:
            return
        self._size += size
        if self._size > self._room:
            self._older, self._kept, self._size = self._kept, {}, size
        self._kept[key] = found


def remembering(detector: Detector) -> Detector:
    """The same detector, asked as `looked` does; with a memory, if it says that it is `repeatable`."""
    return (Remembering if getattr(detector, "repeatable", False) is True else Looking)(detector)


class Remembering:
    """A detector that has another one read each text once."""

    def __init__(self, detector: Detector, room: int = ROOM) -> None:
        self._detector = detector
        self._memory: Memory[tuple[Match, ...]] = Memory(room)

    def find(self, text: str, /) -> Sequence[Match]:
        """What the other detector finds in `text`."""
        return self._memory.of(text, lambda: tuple(looked(self._detector, text)), size=len)
