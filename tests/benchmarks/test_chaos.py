"""The chaos run, short."""

from __future__ import annotations

import pytest

from benchmarks import chaos


def test_what_must_hold_holds(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Every call ends with an answer or a typed error; nothing is held, spent twice, or left open."""
    monkeypatch.setattr(chaos, "LAGS", 40)  # the machine of a test run may stand still for longer
    assert chaos.main(["300", "3"]) == 0
    assert "all of it holds" in capsys.readouterr().out
