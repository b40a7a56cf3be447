"""What a validation error says of where and what."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from edgeagent.types.faults import first_fault


class Inner(BaseModel):
    name: str
    stop: str | list[str] = "x"


class Outer(BaseModel):
    items: list[Inner]


@pytest.mark.parametrize(
    ("value", "path", "reason"),
    [
        ({}, "items", "is missing"),
        ({"items": [{"name": "a"}, {}]}, "items[1].name", "is missing"),
        ({"items": [{"name": 3}]}, "items[0].name", "input should be a valid string"),
        ({"items": [{"name": "a", "stop": 3}]}, "items[0].stop", "input should be a valid string"),
        (3, "", "input should be a valid dictionary or instance of Outer"),
    ],
)
def test_first_fault(value: Any, path: str, reason: str) -> None:
    """The path is written as a caller would write it, arms of unions left out; values are not quoted."""
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(value)
    assert first_fault(caught.value) == (path, reason)
