"""How much is found, on labelled texts: the whole collection where it is at hand, a selection everywhere else."""

from __future__ import annotations

import zlib

import pytest

from benchmarks import injection
from edgeagent.shield import InjectionDetector
from edgeagent.shield.injection import model

PLACES = [injection.SELECTION, *([injection.WHOLE] if injection.WHOLE.exists() else [])]
STRICT = ("instruction_override", "wrapped", "obfuscated")


@pytest.mark.bulk
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_the_shipped_model(place):
    """Alarms on at most 2 % of benign texts; nine attacks of ten are found, and of the plain kinds nearly all."""
    detector = InjectionDetector()
    table = injection.rate(detector.score, detector.threshold, place)
    assert table.part("benign") <= 0.02
    assert table.part("benign hard") <= 0.05
    assert table.part("attack") >= 0.9
    for kind in STRICT:
        names = [name for name in table.texts if name.startswith(f"attack: {kind}")]
        assert names
        assert sum(table.flagged[name] for name in names) >= 0.97 * sum(table.texts[name] for name in names)


def test_the_measure_can_fail():
    """A detector that sees nothing has no recall; one that sees attacks everywhere has only alarms."""
    assert injection.rate(lambda text, channel: 0.0, 0.5, injection.SELECTION).part("attack") == 0
    assert injection.rate(lambda text, channel: 1.0, 0.5, injection.SELECTION).part("benign") == 1


def test_the_model_is_small_and_packs_to_the_same_bytes():
    """Under 1 MB; unpacked and packed again it is the same."""
    data = model.packed_bytes()
    assert len(data) < 1_000_000
    assert model.ZERO == 128
    shipped = model.unpacked(data)
    again = model.packed(*shipped.weights, shipped.scale, shipped.words)
    assert zlib.decompress(again) == zlib.decompress(data)
