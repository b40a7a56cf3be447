"""How much is found, on labelled texts: the whole collection where it is at hand, a selection everywhere else."""

from __future__ import annotations

import os

import pytest

from benchmarks import detection
from edgeagent.shield import Secrets, Standard

PLACES = [detection.SELECTION, *([detection.WHOLE] if detection.WHOLE.exists() else [])]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_personal_data(place: os.PathLike[str]) -> None:
    """Of the values that a pattern can find 97 % are covered, and 98 % of the matches touch a value."""
    table = detection.documents(Standard().find, folder=place)  # type: ignore[arg-type]
    total = table["*"]
    assert total["covered"] >= 0.97 * total["values"]
    assert total["right"] >= 0.98 * (total["right"] + total["false"])
    weak = {
        type_: (row["strong covered"], row["strong"])
        for type_, row in table.items()
        if row["strong"] >= 10 and row["strong covered"] < 0.9 * row["strong"]
    }
    assert weak == {}


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_secrets(place: os.PathLike[str]) -> None:
    """Of the secrets 97 % are found, and at most 2 % of the harmless texts are flagged."""
    row = detection.secrets(Secrets().find, folder=place)  # type: ignore[arg-type]
    assert row["covered"] >= 0.97 * row["values"]
    assert row["flagged"] <= 0.02 * row["harmless"]


def test_a_detector_that_finds_nothing_scores_nothing() -> None:
    """The measure can fail: nothing found is no recall, everything found is no precision."""
    nothing = detection.documents(lambda text: [], folder=detection.SELECTION)["*"]
    assert (nothing["covered"], nothing["right"], nothing["false"]) == (0, 0, 0)
    assert nothing["values"] > 400
    assert detection.secrets(lambda text: [], folder=detection.SELECTION)["covered"] == 0
