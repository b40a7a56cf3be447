"""scrubadub, with the detectors that it begins with."""

from __future__ import annotations

import scrubadub

from benchmarks.peers.worker import Find

__all__ = ["detector"]


def detector() -> Find:
    scrubber = scrubadub.Scrubber()

    def find(text: str) -> list[tuple[int, int, str]]:
        return [(filth.beg, filth.end, filth.type) for filth in scrubber.iter_filth(text)]

    return find
