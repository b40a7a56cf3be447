"""What observers are told of a request before it is masked."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent import EdgeClient
from edgeagent.shield import Shield
from edgeagent.testing import FakeProvider
from tests.shield.finding import Forms


class Watching:
    """Looks at the request when the call starts, and when it ends."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def start(self, event: Any) -> Watching:
        self.event = event
        self.seen.append(event.request)
        return self

    def end(self, event: Any) -> None:
        self.ended = self.event.request

    attempt = retry = fallback = cache_lookup = activate = lambda *_, **__: None


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


def test_header_fields() -> None:
    """They are sent as the caller wrote them, and are not told; without any the request is told that was sent."""
    watching, fake = Watching(), FakeProvider(["fine"] * 2, name="fake")
    ask: Any = [{"role": "user", "content": "a@x.com"}]
    with EdgeClient(providers=[fake], shield=Shield([Forms()]), observers=[watching], cache=False) as client:
        fields: Any = {"extra_headers": {"x-user": "a@x.com"}, "extra_query": {"user": "a@x.com"}}
        client.chat.completions.create(model="m", messages=ask, **fields)
        told = watching.ended
        assert "x.com" not in told.model_dump_json()
        assert told.messages[0]["content"] == "<EMAIL_1>"
        assert fake.requests[0].extra_headers == fields["extra_headers"]
        client.chat.completions.create(model="m", messages=ask)
        assert watching.ended.messages == fake.requests[1].messages
