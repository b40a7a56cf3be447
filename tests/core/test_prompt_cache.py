"""What vendors' prompt caches are expected to hold."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent.core.prompt_cache import KEPT, REMEMBERED, PromptCache, prefixes_of
from edgeagent.types import ChatRequest, Target

A, B = Target("a", "m"), Target("b", "m")


def chat(*texts: str, **more: Any) -> ChatRequest:
    return ChatRequest(model="m", messages=[{"role": "user", "content": text} for text in texts], **more)


def test_beginnings() -> None:
    """Two turns of one conversation share the beginnings they have in common; other tools share none."""
    one, two = prefixes_of(chat("x" * 100, "y")), prefixes_of(chat("x" * 100, "y", "z" * 100))
    assert two.hashes[:2] == one.hashes
    assert one.shares[-1] == two.shares[-1] == 1
    assert 0.4 < two.shares[0] < 0.6
    tools = [{"type": "function", "function": {"name": "f"}}]
    assert not set(prefixes_of(chat("x" * 100, "y", tools=tools)).hashes) & set(one.hashes)


def test_warm_for_a_while() -> None:
    """A beginning that was sent to a target is warm there for some minutes, and nowhere else."""
    cache, first, later = PromptCache(), prefixes_of(chat("x" * 100)), prefixes_of(chat("x" * 100, "y" * 100))
    assert cache.warm(A, later, 0) == 0
    cache.observe(A, first, 0, 100, 0)
    assert 0.2 < cache.warm(A, later, KEPT) < 0.3  # half of the prompt, of which half is believed
    assert cache.warm(A, later, KEPT + 1) == 0
    assert cache.warm(B, later, 1) == 0


@pytest.mark.parametrize(("cached", "share"), [(0, 0.0), (100, 1.0)])
def test_what_a_target_reports_is_learned(cached: int, share: float) -> None:
    """A vendor that never reports cached tokens is not believed to have any, and the reverse."""
    cache, prompt = PromptCache(), prefixes_of(chat("x" * 100))
    for second in range(40):
        cache.observe(A, prompt, second, 100, cached)
    assert cache.warm(A, prompt, 41) == pytest.approx(share, abs=0.01)


def test_memory_is_bounded() -> None:
    """Old beginnings make room."""
    cache = PromptCache()
    for number in range(REMEMBERED + 100):
        cache.observe(A, prefixes_of(chat(str(number))), 0, 1, 0)
    assert len(cache._sent) == REMEMBERED
