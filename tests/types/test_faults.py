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
    more: dict[str, int] = {}


@pytest.mark.parametrize(
    ("value", "path", "reason"),
    [
        ({}, "items", "is missing"),
        ({"items": [{"name": "a"}, {}]}, "items[1].name", "is missing"),
        ({"items": [{"name": 3}]}, "items[0].name", "input should be a valid string"),
        ({"items": [{"name": "a", "stop": 3}]}, "items[0].stop", "input should be a valid string"),
        ({"items": [], "more": {"top_k-2": {}}}, "more.top_k-2", "input should be a valid integer"),
        ({"items": [], "more": {"a@x.com": {}}}, "more[…]", "input should be a valid integer"),
        ({"items": [], "more": {"tel_004711": {}}}, "more[…]", "input should be a valid integer"),
        (3, "", "input should be a valid dictionary or instance of Outer"),
    ],
)
def test_first_fault(value: Any, path: str, reason: str) -> None:
    """The path is written as a caller would write it, arms of unions left out; values, and keys like them, are not
    quoted.
    """
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(value)
    assert first_fault(caught.value) == (path, reason)
