"""Code as a user would write it, with its test; the demo shows this source and runs it."""

from __future__ import annotations

from edgeagent import EdgeClient
from edgeagent.testing import FakeProvider

__all__ = ["summary", "test_summary"]


def summary(client: EdgeClient, text: str) -> str:
    """Your code."""
    messages = [{"role": "user", "content": f"Summarize: {text}"}]
    answer = client.chat.completions.create(model="gpt-4o-mini", messages=messages)
    return answer.choices[0].message.content or ""


def test_summary() -> None:
    """Your test."""
    fake = FakeProvider("Rain.", name="openai")
    assert summary(EdgeClient(providers=[fake]), "It rained all day.") == "Rain."
    assert fake.requests[0].messages[0]["content"] == "Summarize: It rained all day."
