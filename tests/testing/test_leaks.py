"""The assertion that a prompt leaks nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent import EdgeClient
from edgeagent.shield import Shield
from edgeagent.testing import FakeProvider, assert_leaks_nothing
from tests.shield.finding import Forms

ASK: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "I am a@x.com"}]}


def test_requests_of_a_fake() -> None:
    """What a fake was asked passes if it was masked, and does not if it was not."""
    fake, shield = FakeProvider("ok", name="fake"), Shield([Forms()])
    with EdgeClient(providers=[fake], shield=shield) as client:
        client.chat.completions.create(**ASK)
        assert_leaks_nothing(fake, shield=shield, values=["a@x.com"])
        client.chat.completions.create(**ASK, edge={"shield": False})
    with pytest.raises(AssertionError, match=r"EMAIL_ADDRESS in sent\[1\]\.messages\[0\]\.content \[5:12\]") as caught:
        assert_leaks_nothing(fake, shield=shield)
    assert "a@x" not in str(caught.value)


@pytest.mark.parametrize(
    "sent",
    ["KANARIE", b"x kanarie", {"a": ["Kanarie"]}, [{"kanarie": 1}], ["a", "kanarie"], {"a": 'ü"kanarie'}],
)
def test_values(sent: Any) -> None:
    """Values are found in texts, bytes and JSON, in whatever case, and not repeated."""
    with pytest.raises(AssertionError, match=r"values\[1\]"):
        assert_leaks_nothing(sent, values=["other", "kanarie"], shield=Shield([]))
    assert_leaks_nothing(sent, values=["nothing"], shield=Shield([]))


@pytest.mark.parametrize("value", ['ab"cd', "Pa\u00dfwort", "x\\y1"])
@pytest.mark.parametrize("as_ascii", [True, False])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_values_in_json_text(value: str, as_ascii: bool, depth: int) -> None:
    """A value is found in JSON text, and in that in strings of it: in the arguments of a tool's call."""
    said = value
    for _ in range(depth):
        said = json.dumps({"told": said}, ensure_ascii=as_ascii)
    for sent in (said, said.encode(), {"messages": [{"arguments": said}]}):
        with pytest.raises(AssertionError, match=r"values\[0\]"):
            assert_leaks_nothing(sent, values=[value], shield=Shield([]))
