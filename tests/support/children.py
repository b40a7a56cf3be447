"""Child processes of tests."""

from __future__ import annotations

import os

__all__ = ["bare_environment"]


def bare_environment(**more: str) -> dict[str, str]:
    """This environment without what would make a child measure its own coverage or load more than it must."""
    dropped = ("COVERAGE_", "COV_CORE", "PYTHON", "PYTEST")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)} | more
