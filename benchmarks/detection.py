"""How well and how fast personal data and secrets are found: `python -m benchmarks.detection [--half 0|1] [CALLABLE]`.

A value counts as found when matches cover it wholly, whatever their type (nothing of it leaks), and as typed when one
of them has its type. A match is a false alarm when it touches no labelled value; links and dates that are not labelled
are none. Names and places are left out: no pattern finds them. `--half` takes a random half of the records.

The texts are those of `$EDGEAGENT_PII_CORPUS`, of `shared/corpus/pii` beside the checkout, or a small selection.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from benchmarks.peers.worker import least_seconds
from edgeagent.shield import Match, Standard

ROOT = Path(__file__).resolve().parents[1]
SELECTION = ROOT / "tests" / "shield" / "detect" / "corpus"
WHOLE = Path(os.environ.get("EDGEAGENT_PII_CORPUS") or ROOT.parent / "shared" / "corpus" / "pii")

DOCUMENTS = ("synthetic", "research_templates", "negatives")
NAMES = {"PERSON", "LOCATION", "ORGANIZATION", "NRP", "AGE"}
NO_ALARM = {"URL", "DATE_TIME", *NAMES}

Find = Callable[[str], Sequence[Match]]
Record = dict[str, Any]


def records(name: str, half: int | None = None, folder: Path | None = None) -> Iterator[Record]:
    """The records of one file, all of them or one half, drawn by a hash of their ids."""
    place = folder or (WHOLE if WHOLE.exists() else SELECTION)
    with gzip.open(place / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if half is None or sha256(record["id"].encode()).digest()[0] & 1 == half:
                yield record


def documents(find: Find, half: int | None = None, folder: Path | None = None) -> dict[str, Counter[str]]:
    """For each type, and for `*`: values, covered, typed, strong ones, strong and covered, right and false matches."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for name in DOCUMENTS:
        for record in records(name, half, folder):
            found = list(find(record["text"]))
            for entity in record["entities"]:
                if not (entity.get("optional") or entity.get("ner") or entity["type"] in NAMES):
                    facts = _facts(entity, found)
                    for row in (table[entity["type"]], table["*"]):
                        row.update(facts)
            for match in found:
                if match.type not in NO_ALARM:
                    fact = "right" if any(_touch(match, entity) for entity in record["entities"]) else "false"
                    for row in (table[match.type], table["*"]):
                        row[fact] += 1
    return table


def _facts(entity: Record, found: Sequence[Match]) -> dict[str, int]:
    start, end = entity["start"], entity["end"]
    inside = sorted((max(m.start, start), min(m.end, end)) for m in found if _touch(m, entity))
    reached = start
    for first, last in inside:
        if first > reached:
            break
        reached = max(reached, last)
    covered = int(reached >= end)
    strong = int(entity.get("strength") == "strong")
    typed = int(any(m.type == entity["type"] and _touch(m, entity) for m in found))
    return {"values": 1, "covered": covered, "typed": typed, "strong": strong, "strong covered": strong * covered}


def _touch(match: Match, entity: Record) -> bool:
    return bool(match.start < entity["end"] and match.end > entity["start"])


def secrets(find: Find, half: int | None = None, folder: Path | None = None) -> Counter[str]:
    """Secrets, those that one match covers, those that any touches, harmless texts, those with a match."""
    row: Counter[str] = Counter()
    for record in records("secrets", half, folder):
        found = list(find(record["text"]))
        for entity in record["entities"]:
            row["values"] += 1
            row["covered"] += any(m.start <= entity["start"] and m.end >= entity["end"] for m in found)
            row["touched"] += any(_touch(m, entity) for m in found)
    for record in records("secret_negatives", half, folder):
        row["harmless"] += 1
        row["flagged"] += bool(list(find(record["text"])))
    return row


PROSE = "The committee considers, in its annual review, whether to extend the programme by another year and who pays. "


def timed_texts() -> dict[str, str]:
    """Prose, a program, text that looks like secrets and holds none, and records full of personal data, a KB each."""
    program = Path(__file__).read_text(encoding="utf-8")
    alike = " ".join(record["text"] for record in records("secret_negatives"))
    dense = "\n".join(record["text"] for record in records("synthetic") if record["family"].startswith("schema"))
    return {
        "1 KB of prose": (PROSE * 10)[:1024],
        "1 KB of a program": program[-1024:],
        "1 KB of look-alikes": alike[:1024],
        "1 KB of records": dense[:1024],
    }


def speed(find: Find) -> dict[str, float]:
    """Microseconds of processor time for each of the texts, and for a long one."""
    texts = timed_texts()
    texts["64 KB of records"] = (texts["1 KB of records"] * 64)[:65536]
    return {name: least_seconds(find, text) * 1e6 for name, text in texts.items()}


def _print(find: Find, secret_find: Find, half: int | None) -> None:
    table = documents(find, half)
    total = table.pop("*")
    print(f"{'type':28} {'values':>7} {'recall':>7} {'typed':>7} {'alarms':>7}")
    for type_, row in sorted(table.items(), key=lambda item: -item[1]["values"]):
        n = max(row["values"], 1)
        print(f"{type_:28} {row['values']:7} {row['covered'] / n:7.3f} {row['typed'] / n:7.3f} {row['false']:7}")
    n, matches = max(total["values"], 1), max(total["right"] + total["false"], 1)
    print(f"{'all':28} {n:7} {total['covered'] / n:7.3f} {total['typed'] / n:7.3f} {total['false']:7}")
    print(f"precision {total['right'] / matches:.4f}")
    row = secrets(secret_find, half)
    print(
        f"secrets: {row['covered']} of {row['values']} found ({row['covered'] / max(row['values'], 1):.4f}),", end=" "
    )
    print(
        f"{row['flagged']} of {row['harmless']} harmless texts flagged ({row['flagged'] / max(row['harmless'], 1):.4f})"
    )
    for name, least in speed(find).items():
        print(f"{name}: {least:.0f} µs")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("detector", nargs="?", help="MODULE:CALLABLE that takes a text and returns matches")
    parser.add_argument("--half", type=int, choices=(0, 1))
    given = parser.parse_args()
    if given.detector:
        module, _, name = given.detector.partition(":")
        find = getattr(importlib.import_module(module), name)
        _print(find, find, given.half)
    else:
        from edgeagent.shield import Secrets

        _print(Standard().find, Secrets().find, given.half)


if __name__ == "__main__":
    main()
