"""Names of files that have none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["missing_name"]

_EXTENSIONS: Final[Mapping[str, str]] = {
    "application/json": "json",
    "application/pdf": "pdf",
    "text/csv": "csv",
    "text/html": "html",
    "text/markdown": "md",
    "text/plain": "txt",
}


def missing_name(file: Mapping[str, Any]) -> str | None:
    """A name for a file that is given as bytes and has none; None if it needs none.

    OpenAI takes a file without a name for one without anything, and refuses it; other vendors' files often have none.
    """
    data = file.get("file_data")
    if not isinstance(data, str) or file.get("filename"):
        return None
    kind = data[5:].partition(",")[0].partition(";")[0].strip().lower() if data.startswith("data:") else ""
    return f"file.{_EXTENSIONS.get(kind, 'pdf')}"
