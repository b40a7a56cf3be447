"""JSON that may be none."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent.wire.json import parsed_json

__all__: list[str] = []


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'{"a": [1, null]}', {"a": [1, None]}),
        (b"null", None),
        (b"", None),
        (b"<html>", None),
        (b'{"a": ', None),
        (b"\xff\xfe", None),
        (b"[" * 100_000, None),
    ],
)
def test_what_is_no_json_is_nothing(content: bytes, value: Any) -> None:
    """Never an exception, however damaged or deep."""
    assert parsed_json(content) == value
