"""The generated tables are up to date."""

from __future__ import annotations

import subprocess
import sys

from tests.support.corpus import ROOT

__all__: list[str] = []


def test_the_tables_are_what_the_data_say() -> None:
    """`scripts/update_tables` would change nothing: the page and the router speak of the same."""
    script = ROOT / "scripts" / "update_tables"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), "run ./scripts/update_tables"
