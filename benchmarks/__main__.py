"""The run: rounds in which the contenders take turns, then the table."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path

from benchmarks.crew import ROOT, Crew
from benchmarks.figures import Measured, rows
from benchmarks.fresh import FIRST_CALLS, IMPORTS, first_call, import_time
from benchmarks.report import machine, markdown, write
from benchmarks.scenarios import CONTENDERS, GROUPS, SCENARIOS

__all__ = ["main"]

BUSY = 0.5
"""The load above which absolute times say more about the neighbours than about the contenders."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./benchmarks/run", description=__doc__)
    parser.add_argument("groups", nargs="*", help=f"of {', '.join(GROUPS)}; default: all")
    parser.add_argument("--rounds", type=int, default=15, help="how often the contenders take turns (default 15)")
    parser.add_argument("--quick", action="store_true", help="two small rounds: does it run?")
    arguments = parser.parse_args()
    unknown = set(arguments.groups) - set(GROUPS)
    if unknown:
        parser.error(f"no group {min(unknown)!r}; there are: {', '.join(GROUPS)}")
    return arguments


def _measure(crew: Crew, groups: Collection[str], rounds: int, *, quick: bool) -> Measured:
    measured = Measured()
    for turn in range(rounds):
        _progress(f"round {turn + 1} of {rounds}")
        order = CONTENDERS if turn % 2 == 0 else CONTENDERS[::-1]
        for name, scenario in SCENARIOS.items():
            if scenario.group not in groups:
                continue
            calls = max(5, scenario.calls // 10) if quick else scenario.calls
            for contender in order:
                batch = crew.measure(contender, name, calls)
                if "absent" not in batch:
                    measured.wall.setdefault(name, {}).setdefault(contender, []).append(batch["wall"])
                    measured.cpu.setdefault(name, {}).setdefault(contender, []).append(batch["cpu"] / calls)
        if "start" in groups:
            _start(crew, measured)
    _progress("")
    return measured


def _start(crew: Crew, measured: Measured) -> None:
    for name in IMPORTS:
        measured.imports.setdefault(name, []).append(import_time(name))
    for name in FIRST_CALLS:
        seconds, resident = first_call(name, crew.upstream)
        measured.first.setdefault(name, []).append(seconds)
        measured.resident.setdefault(name, []).append(resident)


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()


def main() -> None:
    """Measure, print, write."""
    arguments = _arguments()
    rounds = 2 if arguments.quick else arguments.rounds
    groups = arguments.groups or GROUPS
    facts = {**machine(), "rounds": rounds}
    if facts["load"][0] > BUSY:
        print(f"note: the machine is busy (load {facts['load'][0]}): trust the ratios, not the times", file=sys.stderr)
    with tempfile.TemporaryDirectory() as scratch, Crew(Path(scratch)) as crew:
        if "start" in groups:
            _start(crew, Measured())  # compiled files and the disk cache are warm from here on
        measured = _measure(crew, groups, rounds, quick=arguments.quick)
    facts["load_after"] = round(os.getloadavg()[0], 2)
    table = rows(measured)
    text = markdown(table, facts)
    print(text)
    path = write(ROOT / "benchmarks" / "results", table, measured, facts, text)
    print(f"written to {path.relative_to(ROOT)} and its .json")


if __name__ == "__main__":
    main()
