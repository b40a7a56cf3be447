"""How well prompt injection is found, and how fast: `python -m benchmarks.injection [FOLDER]`.

FOLDER holds `attack.jsonl.gz` and `benign.jsonl.gz`; default: `$EDGEAGENT_INJECTION_CORPUS`, else the small selection
of the tests. Printed are recall by category and by channel, alarms on benign texts that share the words of attacks
(hard) and on others, and microseconds of processor time per KB, each text's the least of three runs. The shipped model
was trained on these texts: for unseen ones, ask `scripts/train_injection --figures`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgeagent.shield import InjectionDetector

__all__ = ["SELECTION", "WHOLE", "Table", "rate"]

ROOT = Path(__file__).resolve().parents[1]
SELECTION = ROOT / "tests" / "shield" / "injection" / "corpus"
WHOLE = Path(os.environ.get("EDGEAGENT_INJECTION_CORPUS", ROOT.parent / "shared" / "corpus" / "injection"))

RUNS = 3


@dataclass
class Table:
    texts: Counter[str] = field(default_factory=Counter)
    flagged: Counter[str] = field(default_factory=Counter)
    microseconds: float = 0.0
    """For each KB of all texts."""
    of_a_kilobyte: float = 0.0
    """For each KB of the texts that have about one: a short text has what any text costs, too."""

    def part(self, name: str) -> float:
        return self.flagged[name] / max(self.texts[name], 1)


def rows(folder: Path) -> Iterator[dict[str, Any]]:
    for name in ("attack", "benign"):
        with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def rate(score: Callable[[str, str], float], threshold: float, folder: Path) -> Table:
    """Flagged and all texts by label, category, channel and hardness; the time is that of scoring alone."""
    table = Table()
    texts = list(rows(folder))
    flags, sizes, seconds = [], [], []
    for row in texts:
        times = []
        for _ in range(RUNS):
            start = time.process_time()
            flag = score(row["text"], row["channel"]) >= threshold
            times.append(time.process_time() - start)
        flags.append(flag)
        seconds.append(min(times))
        sizes.append(len(row["text"]) / 1024)
    table.microseconds = sum(seconds) / sum(sizes) * 1e6
    usual = [place for place, size in enumerate(sizes) if 0.9 <= size <= 1.25]
    if usual:
        table.of_a_kilobyte = sum(seconds[place] for place in usual) / sum(sizes[place] for place in usual) * 1e6
    for row, flagged in zip(texts, flags, strict=True):
        attack = row["label"] == "attack"
        names = [row["label"], f"{row['label']} {row['channel']}", f"{row['label']}: {row['category']}"]
        if attack and row["category"] != "deepset":
            names.append("attack but deepset")
        if not attack:
            names.append("benign hard" if row.get("hard") else "benign other")
        table.texts.update(names)
        table.flagged.update(names if flagged else ())
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=WHOLE if WHOLE.exists() else SELECTION)
    folder = parser.parse_args().folder
    detector = InjectionDetector()
    detector.score("loads the model")
    table = rate(detector.score, detector.threshold, folder)
    for name in sorted(table.texts, key=lambda name: (":" in name, name)):
        print(f"{name:58s} {table.flagged[name]:5d} of {table.texts[name]:5d} = {100 * table.part(name):5.1f} %")
    print(f"{table.microseconds:.0f} µs per KB of all texts, {table.of_a_kilobyte:.0f} of those of about a KB")


if __name__ == "__main__":
    main()
