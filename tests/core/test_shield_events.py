"""What observers are told of a request before it is masked."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent import EdgeClient
from edgeagent.shield import Shield
from edgeagent.testing import FakeProvider
from tests.shield.finding import Forms


class Watching:
    """Looks at the request when the call starts."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def start(self, event: Any) -> None:
        self.seen.append(event.request)


@pytest.mark.parametrize("cached", [False, True])
def test_numbers(cached: bool) -> None:
    """Settings are told; a number in a field that only a vendor knows is, if it is too small to be masked."""
    watching, fake = Watching(), FakeProvider("fine", name="fake")
    params: Any = {"temperature": 0.5, "seed": 4111111111111111, "messages": [{"role": "user", "content": "a@x.com"}]}
    extra = {"top_k": 40, "account": 4111111111111111, "debt": -4111111111111111.0}
    with EdgeClient(providers=[fake], shield=Shield([Forms()]), observers=[watching], cache=cached) as client:
        for _ in range(2):
            client.chat.completions.create(model="m", extra_body=extra, **params)
    assert len(fake.requests) == 2 - cached
    for request in watching.seen:
        assert (request.messages, request.temperature, request.seed) == ([], 0.5, 4111111111111111)
        assert request.model_extra == {"top_k": 40}
