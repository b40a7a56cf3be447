"""A router of one call's own is part of what the shared tiers know the call by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgeagent import EdgeClient
from edgeagent.testing import FakeProvider

__all__: list[str] = []


class Backwards:
    def plan(self, request: Any, targets: Sequence[Any], health: Any) -> list[Any]:
        return list(reversed(targets))


def test_an_answer_on_disk_is_not_another_routers(tmp_path: Path) -> None:
    """What the client's own router found is not taken for what this call's router would choose, and the reverse."""

    def ask(**edge: Any) -> Any:
        fakes = [FakeProvider("one", name="one"), FakeProvider("two", name="two")]
        with EdgeClient(providers=fakes, models={"g": ["one/m", "two/m"]}, cache=tmp_path) as client:
            messages: Any = [{"role": "user", "content": "?"}]
            answer = client.chat.completions.create(model="g", messages=messages, edge=edge)
            return answer.choices[0].message.content, answer.edge.cache_tier

    assert ask() == ("one", None)
    assert ask(router=Backwards()) == ("two", None)
    assert ask() == ("one", "disk")
    assert ask(router=Backwards()) == ("two", "disk")
