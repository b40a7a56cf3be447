"""Prints pip constraints that pin every run-time dependency to the lowest release that pyproject.toml allows."""

from __future__ import annotations

import re
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__: list[str] = []

project = tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["project"]
for requirement in project["dependencies"]:
    found = re.fullmatch(r"([\w.-]+)>=([\w.]+)(.*)", requirement)
    if found is None:
        sys.exit(f"no lower bound: {requirement}")
    print(f"{found[1]}=={found[2]}{found[3]}")
