"""The shield beside its peers on the labelled texts: `./benchmarks/shield`, which makes their environments.

Everyone is judged as `benchmarks.detection` says: a value is found when matches cover it wholly, whatever they call it;
an alarm is a match that touches no labelled value. A part of a secret is enough to raise a hand, but not to mask it:
both are told. Times are processor time, the least of many runs of one process. Names and places are left out: they take
a language model, and those are downloaded.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.detection import DOCUMENTS, WHOLE, documents, records, secrets, timed_texts
from benchmarks.peers.worker import least_seconds
from edgeagent.shield import Match, Secrets, Standard

__all__ = ["PEERS", "asked", "main", "row"]

ROOT = Path(__file__).resolve().parents[2]

PEERS: Final[Mapping[str, tuple[str, bool, bool]]] = {
    "presidio": ("presidio-analyzer", True, False),
    "datafog": ("datafog", True, False),
    "scrubadub": ("scrubadub", True, False),
    "detect_secrets": ("detect-secrets", False, True),
    "llm_guard": ("llm-guard", False, True),
}
"""By the names of the modules here: the package, and whether it looks for personal data, and for secrets."""

_TYPES: Final = {"DATE": "DATE_TIME", "NAME": "PERSON"}
"""Types that are no alarms, by the peers' names for them."""


def asked(python: str, name: str, texts: Sequence[str], timed: Mapping[str, str]) -> dict[str, Any]:
    """What a peer's process tells. Raises `CalledProcessError`, its last words among the notes."""
    done = subprocess.run(
        [python, "-m", "benchmarks.peers.worker", name],
        input=json.dumps({"texts": texts, "timed": timed}),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{name} ended with status {done.returncode}: {done.stderr[-2000:]}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def row(find: Callable[[str], Sequence[Match]], *, personal: bool, secret: bool) -> list[str]:
    """The columns of quality; empty where it does not look for such."""
    cells = [""] * 7
    if personal:
        total = documents(find)["*"]
        matches = max(1, total["right"] + total["false"])
        cells[:4] = [
            f"{total['covered'] / total['values']:.1%}",
            f"{total['strong covered'] / max(1, total['strong']):.1%}",
            f"{total['right'] / matches:.1%}",
            str(total["false"]),
        ]
    if secret:
        counts = secrets(find)
        cells[4:] = [
            f"{counts['covered'] / counts['values']:.1%}",
            f"{counts['touched'] / counts['values']:.1%}",
            f"{counts['flagged'] / counts['harmless']:.1%}",
        ]
    return cells


def _texts() -> list[str]:
    names = (*DOCUMENTS, "secrets", "secret_negatives")
    return list(dict.fromkeys(record["text"] for name in names for record in records(name)))


def _told(texts: Sequence[str], found: Sequence[Sequence[tuple[int, int, str]]]) -> Callable[[str], Sequence[Match]]:
    by_text = {
        text: [Match(_TYPES.get(kind.upper(), kind.upper()), first, last, 1.0, "peer") for first, last, kind in matches]
        for text, matches in zip(texts, found, strict=True)
    }
    return by_text.__getitem__


def _version(python: str, package: str) -> str:
    code = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
    return subprocess.run([python, "-c", code, package], capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    """Print the table; peers without an environment are named."""
    texts, timed = _texts(), timed_texts()
    print(f"{len(texts)} texts of {'the whole collection' if WHOLE.exists() else 'the selection'}\n")
    head = [
        "",
        "values found",
        "of the strong",
        "precision",
        "alarms",
        "secrets found",
        "or a part",
        "harmless flagged",
        *timed,
    ]
    print(f"| {' | '.join(head)} |\n| --- |{' ---: |' * (len(head) - 1)}")
    personal, secret = (
        row(Standard().find, personal=True, secret=False),
        row(Secrets().find, personal=False, secret=True),
    )
    ours = [f"{least_seconds(Standard().find, text) * 1e6:.0f} µs" for text in timed.values()]
    print(f"| edgeagent | {' | '.join([*personal[:4], *secret[4:], *ours])} |")
    for name, (package, looks_for_data, looks_for_secrets) in PEERS.items():
        python = os.environ.get(f"BENCH_PEER_{name.upper()}")
        if not python:
            print(f"| {package} | (could not be installed here){' |' * (len(head) - 1)}")
            continue
        told = asked(python, name, texts, timed)
        cells = row(_told(texts, told["found"]), personal=looks_for_data, secret=looks_for_secrets)
        times = [f"{seconds * 1e6:,.0f} µs" for seconds in told["seconds"].values()]
        print(f"| {package} {_version(python, package)} | {' | '.join([*cells, *times])} |", flush=True)


if __name__ == "__main__":
    main()
