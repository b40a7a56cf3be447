"""How deep in JSON text one is."""

from __future__ import annotations

import json

import pytest

from edgeagent.shield.nesting import Nesting, looks_like_json


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        ("", 0),
        ('{"a": ', 0),
        ('{"a": "', 1),
        ('{"a": "{', 1),
        (r'{"a": "{\"b\": \"', 2),
        (r'{"a": "{\u0022b\u0022: \u0022', 2),
        (r'{"a": "{\u00zz', 1),
        (r'{"a": " \n[\"', 2),
        (r'{"a": "he said \"', 1),
        (r'{"a": "{\"b\": \"c\"}", "d": "', 1),
        (r'{"a": "\\', 1),
        (json.dumps({"a": json.dumps({"b": json.dumps({"c": "x"})})}).partition("x")[0], 3),
    ],
)
def test_depth(text: str, depth: int) -> None:
    """It counts the strings around, each of which is the text of the next."""
    nesting = Nesting()
    nesting.feed(text)
    assert nesting.depth == depth


def test_what_looks_like_json() -> None:
    """Objects and lists, also cut ones."""
    assert [looks_like_json(text) for text in (' {"a', "[", "1", "", "a {")] == [True, True, False, False, False]
