"""DataFog, with its patterns (its default)."""

from __future__ import annotations

import datafog

from benchmarks.peers.worker import Find

__all__ = ["detector"]


def detector() -> Find:
    def find(text: str) -> list[tuple[int, int, str]]:
        return [(entity.start, entity.end, entity.type) for entity in datafog.scan(text).entities]

    return find
