"""One peer's process: `python -m benchmarks.peers.worker NAME`, texts in by standard input, what was found out.

The input is one JSON object: `texts`, a list, and `timed`, a mapping of names to texts. The answer has `found`, the
matches of each text as [start, end, type], and `seconds`, by the names: the least processor time of several runs.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module

__all__ = ["Find", "least_seconds", "main"]

Find = Callable[[str], "list[tuple[int, int, str]]"]

SECONDS = 2.0
"""How long each timed text is tried."""


def least_seconds(find: Callable[[str], object], text: str) -> float:
    """The least processor time of many runs."""
    clock = time.process_time
    least, until = float("inf"), time.monotonic() + SECONDS
    find(text)
    while time.monotonic() < until:
        began = clock()
        find(text)
        least = min(least, clock() - began)
    return least


def main() -> None:
    """Answer one order."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")  # whatever a peer prints must not mix with the answer
    os.dup2(2, 1)
    order = json.load(sys.stdin)
    find: Find = import_module(f"benchmarks.peers.{sys.argv[1]}").detector()
    found = [find(text) for text in order["texts"]]
    seconds = {name: least_seconds(find, text) for name, text in order["timed"].items()}
    json.dump({"found": found, "seconds": seconds}, answers)
    answers.close()


if __name__ == "__main__":
    main()
