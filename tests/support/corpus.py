"""Recorded provider traffic: the small selection in `tests/corpus`, and the whole collection where it is at hand.

The whole collection is looked for in `$EDGEAGENT_CORPUS`, then in `shared/corpus/provider_traffic` beside the checkout.
"""

from __future__ import annotations

import gc
import gzip
import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SELECTION = ROOT / "tests" / "corpus"
WHOLE = Path(os.environ.get("EDGEAGENT_CORPUS") or ROOT.parent / "shared" / "corpus" / "provider_traffic")

SPECS = WHOLE.parents[1] / "specs"
"""Documents of the vendors' own, beside the whole collection."""

Record = dict[str, Any]


def _lines(path: Path) -> Iterator[Record]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


@cache
def records(api: str) -> tuple[Record, ...]:
    """Every record of one API: of the whole collection, else of the selection."""
    for folder in (WHOLE, SELECTION):
        path = folder / f"{api}.jsonl.gz"
        if path.exists():
            found = tuple(_lines(path))
            gc.collect()
            gc.freeze()  # they stay to the end: a collection in a test need not go through millions of objects
            return found
    raise FileNotFoundError(f"no records of {api}")


@cache
def _by_id(api: str) -> dict[str, Record]:
    selected = SELECTION / f"{api}.jsonl.gz"
    every = (*(_lines(selected) if selected.exists() else ()), *records(api))
    return {record["id"]: record for record in every}


def record(api: str, digits: str) -> Record:
    """One record by the hexadecimal digits of its id."""
    return _by_id(api)[f"{api}-{digits}"]


def body(record: Record) -> bytes:
    """The response's body as bytes."""
    response = record["response"]
    if "body_text" in response:
        return str(response["body_text"]).encode()
    if "body_json" in response:
        return json.dumps(response["body_json"]).encode()
    import base64

    return base64.b64decode(response["body_b64"])
