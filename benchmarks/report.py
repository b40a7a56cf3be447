"""A run as text: the table, and the machine it was made on."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sysconfig
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from benchmarks.crew import ROOT, python_of
from benchmarks.figures import PEERS, Measured, Row

__all__ = ["machine", "markdown", "write"]

_PACKAGES = ("edgeagent", "pydantic", "httpx", "openai", "litellm", "hishel", "gptcache")


def machine() -> dict[str, Any]:
    """What the figures depend on besides the code."""
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _told("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"),
        "changed": bool(_told("git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no", "edgeagent")),
        "python": platform.python_version(),
        "configured": sysconfig.get_config_var("CONFIG_ARGS") or "",
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": [round(each, 2) for each in os.getloadavg()],
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def _told(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _version(package: str) -> str:
    code = f"from importlib.metadata import version; print(version({package!r}))"
    return _told(python_of(package), "-c", code)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def markdown(rows: Sequence[Row], facts: dict[str, Any]) -> str:
    """The table, with the facts of the machine over it."""
    peers = [peer for peer in PEERS if any(peer in row.peers for row in rows)]
    titles = ["figure", "unit", "edgeagent", "p90", *peers, "ratio", "target", "reached"]
    lines = [[*titles], ["---", "---", *["---:"] * (3 + len(peers)), "---", "---"]]
    for row in rows:
        reached = {None: "", True: "yes", False: "**no**"}[row.reached]
        theirs = [_number(row.peers.get(peer)) for peer in peers]
        lines.append(
            [row.figure, row.unit, _number(row.ours), _number(row.p90), *theirs, row.ratio, row.target, reached]
        )
    widths = [max(len(line[i]) for line in lines) for i in range(len(titles))]
    table = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    versions = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
    plainly = "" if "--enable-optimizations" in facts["configured"] else " (configured without --enable-optimizations)"
    told = (
        f"{facts['date']}, commit {facts['commit']}{' and changes' if facts['changed'] else ''}; "
        f"Python {facts['python']}{plainly} on {facts['system']}; {facts['processor']}, {facts['cores']} cores, "
        f"load {facts['load'][0]} before and {facts['load_after']} after; {facts['rounds']} rounds; {versions}."
    )
    return "\n".join([told, "", *table]) + "\n"


def write(directory: Path, rows: Sequence[Row], measured: Measured, facts: dict[str, Any], text: str) -> Path:
    """`NAME.json` and `NAME.md`, named by the time; returns the latter."""
    directory.mkdir(parents=True, exist_ok=True)
    name = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
    data = {"machine": facts, "figures": [row.as_dict() for row in rows], "scenarios": measured.summary()}
    (directory / f"{name}.json").write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
    path = directory / f"{name}.md"
    path.write_text(text)
    return path
