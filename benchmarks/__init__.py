"""What edgeagent costs, beside what it replaces. `./benchmarks/run` measures; docs/benchmarks.md explains."""

from __future__ import annotations

__all__: list[str] = []
