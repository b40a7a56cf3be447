"""The shield's peers: their programs run where their environments are; everyone is judged alike."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.detection import documents, records
from benchmarks.peers.__main__ import PEERS, asked, row
from edgeagent.shield import Match

ROOT = Path(__file__).resolve().parents[2]
TEXTS = [
    "write to ann.lee@example.com, please",
    'token = "ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"',
    "nothing is here",
]


@pytest.mark.parametrize("name", PEERS)
def test_a_peers_program(name: str) -> None:
    """It finds what anybody finds, where it stands, and nothing in a text that holds nothing."""
    python = ROOT / ".venvs" / f"peer-{name}" / "bin" / "python"
    if not python.exists():
        pytest.skip("./benchmarks/shield makes its environment")
    told = asked(str(python), name, TEXTS, {"one": TEXTS[2]})
    _, personal, secret = PEERS[name]
    address, token, nothing = told["found"]
    assert personal == ([9, 28] in [match[:2] for match in address])
    assert secret <= any(first >= 9 and last > first + 10 for first, last, _ in token)
    assert nothing == []
    assert told["seconds"]["one"] > 0


def whole(text: str) -> Sequence[Match]:
    """Everything is personal."""
    return [Match("SOMETHING", 0, len(text), 1.0, "test")]


def test_everything_and_nothing() -> None:
    """Who finds everything misses nothing and cries often; who finds nothing does neither."""
    values = documents(whole)["*"]
    assert values["covered"] == values["values"] > 0
    harmless = sum(1 for _ in records("negatives"))
    found, strong, precision, alarms, *others = row(whole, personal=True, secret=True)
    assert (found, strong) == ("100.0%", "100.0%")
    assert int(alarms) >= harmless > 0
    assert precision != "100.0%"
    assert others == ["100.0%", "100.0%", "100.0%"]
    assert row(lambda _: [], personal=True, secret=True) == ["0.0%", "0.0%", "0.0%", "0", "0.0%", "0.0%", "0.0%"]
    assert row(whole, personal=False, secret=False) == [""] * 7
