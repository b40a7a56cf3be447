"""What a vendor's prompt cache still holds of a chat: which openings of conversations were sent to a target lately.

Vendors keep the computed beginning of a prompt for some minutes, and charge less for it. What was sent is remembered as
hashes of each message with all before it; how much of a warm beginning a target really reports as cached is learned.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from edgeagent.types import ChatRequest, Target

__all__ = ["Prefixes", "PromptCache", "prefixes_of"]

KEPT: Final = 300.0
"""Seconds that a beginning is taken to be warm; OpenAI documents 5 to 10 minutes, Anthropic 5."""
REMEMBERED: Final = 8192
_RATE: Final = 0.2


@dataclass(frozen=True, slots=True)
class Prefixes:
    """Of one chat: a hash for each message with all before it, and the share of all characters up to there."""

    hashes: tuple[bytes, ...]
    shares: tuple[float, ...]


def prefixes_of(request: ChatRequest) -> Prefixes:
    """The beginnings of a chat; tools come before all messages, as they do for every vendor."""
    hasher = blake2b(digest_size=12)
    total = 0
    hashes: list[bytes] = []
    ends: list[int] = []
    for part in ([request.tools or request.functions], *request.messages):
        data = json.dumps(part, default=str).encode()
        hasher.update(data + b"\x1f")
        total += len(data)
        hashes.append(hasher.copy().digest())
        ends.append(total)
    return Prefixes(tuple(hashes[1:]), tuple(end / total for end in ends[1:]))


class PromptCache:
    """Beginnings that are warm, and what targets make of them. Dictionary steps alone: threads may share it."""

    def __init__(self) -> None:
        self._sent: OrderedDict[tuple[Target, bytes], float] = OrderedDict()
        self._rates: dict[Target, float] = {}

    def warm(self, target: Target, prefixes: Prefixes, now: float) -> float:
        """The share of the prompt (0…1) that the target's cache is expected to hold."""
        return self._warm(target, prefixes, now) * self._rates.get(target, 0.5)

    def _warm(self, target: Target, prefixes: Prefixes, now: float) -> float:
        for mark, share in zip(reversed(prefixes.hashes), reversed(prefixes.shares), strict=True):
            sent = self._sent.get((target, mark))
            if sent is not None and now - sent <= KEPT:
                return share
        return 0.0

    def observe(self, target: Target, prefixes: Prefixes, now: float, tokens: int, cached: int) -> None:
        """A request was answered: so many input tokens, so many of them from the vendor's cache."""
        warm = self._warm(target, prefixes, now)
        if warm and tokens:
            seen = min(cached / (tokens * warm), 1.0)
            rate = self._rates.get(target, 0.5)
            self._rates[target] = rate + (seen - rate) * _RATE
        self._remember(target, prefixes.hashes, now)

    def _remember(self, target: Target, marks: Sequence[bytes], now: float) -> None:
        for mark in marks:
            self._sent[target, mark] = now
            self._sent.move_to_end((target, mark))
        while len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)
