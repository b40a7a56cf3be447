"""Answers that outlive the program: run it twice."""

from __future__ import annotations

import tempfile
from pathlib import Path

from who import model, providers

from edgeagent import EdgeClient

__all__: list[str] = []

directory = Path(tempfile.gettempdir()) / "edgeagent-example-cache"
messages = [{"role": "user", "content": "Name three rivers of Europe."}]

for _ in range(2):  # two clients, as two runs of the program would be
    with EdgeClient(providers=providers("Danube, Rhine, Loire."), cache=directory) as client:
        edge = client.chat.completions.create(model=model(), messages=messages).edge
        print(f"cached: {edge.cached} ({edge.cache_tier}), {edge.latency_ms:.2f} ms, saved: {edge.saved_usd}")
