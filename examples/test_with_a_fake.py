"""How to test code that uses edgeagent: `python -m pytest examples/test_with_a_fake.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import edgeagent
from edgeagent import EdgeClient
from edgeagent.testing import FakeProvider

__all__: list[str] = []


def summarize(client: EdgeClient, text: str) -> str:
    """The code under test: asks for a summary, and says so when there is none to be had."""
    try:
        response = client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": f"Summarize: {text}"}]
        )
    except edgeagent.RateLimitError:
        return "(busy, try later)"
    return response.choices[0].message.content or ""


@pytest.fixture
def fake() -> FakeProvider:
    return FakeProvider(["Short.", edgeagent.RateLimitError("Slow down.")])


@pytest.fixture
def client(fake: FakeProvider) -> Iterator[EdgeClient]:
    with EdgeClient(providers=[fake], retry=0, cache=False) as client:
        yield client


def test_summary(client, fake):
    assert summarize(client, "a long text") == "Short."
    assert fake.requests[0].messages[0]["content"] == "Summarize: a long text"


def test_busy(client):
    summarize(client, "one")
    assert summarize(client, "two") == "(busy, try later)"
