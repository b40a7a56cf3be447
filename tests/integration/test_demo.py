"""The demo as it is: on the real model, and with keys of vendors that a real server stands for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.local_model import LlamaServer

ROOT = Path(__file__).resolve().parents[2]
KEYS = {"OPENAI_API_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"}


def demo(**environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in KEYS}
    return subprocess.run(
        [sys.executable, "-m", "edgeagent", "demo"],
        env={**inherited, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "PYTHONUTF8": "1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_tour_on_a_real_model() -> None:
    """Every claim holds, nothing is written to standard error, and the exit code is 0."""
    done = demo()
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "runs in this process (llama.cpp)" in done.stdout
    assert "Every claim above was checked and held." in done.stdout
    assert "FAILED" not in done.stdout


def test_vendors_whose_keys_are_set_are_asked(llama_server: LlamaServer) -> None:
    """Both adapters answer in the tour; the keys are nowhere in what it writes."""
    done = demo(
        OPENAI_API_KEY="sk-secret-one",
        OPENAI_BASE_URL=f"{llama_server.url}/v1",
        ANTHROPIC_API_KEY="sk-secret-two",
        ANTHROPIC_BASE_URL=llama_server.url,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "[ok] openai answered" in done.stdout
    assert "[ok] anthropic answered" in done.stdout
    assert "secret" not in done.stdout
