"""Header fields and query parameters: what is found there is refused or counted, and sent as it is."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from edgeagent import EdgeClient
from edgeagent.errors import ShieldBlockedError
from edgeagent.providers import Anthropic, OpenAI
from edgeagent.shield import Shield
from edgeagent.testing import FakeProvider
from edgeagent.transports import transport
from tests.shield.finding import Forms
from tests.support.loopback import Loopback, reply


def asked(policy: dict[str, Any], **extra: Any) -> Any:
    client = EdgeClient(providers=[FakeProvider(lambda _: "ok")], shield=Shield([Forms()], **policy))
    messages = [{"role": "user", "content": "hi"}]
    return client.chat.completions.create(model="m", messages=messages, **extra).edge


@pytest.mark.parametrize(
    ("extra", "place"),
    [
        ({"extra_headers": {"X-User": "a@x.com"}}, "extra_headers.X-User"),
        ({"extra_query": {"user": ["x", "a@x.com"]}}, "extra_query.user[1]"),
    ],
)
def test_what_is_refused(extra: dict[str, Any], place: str) -> None:
    """A policy that blocks holds for them, too; the error names the place and not the value."""
    for policy in ({"default": "block"}, {"actions": {"EMAIL_*": "block"}}):
        with pytest.raises(ShieldBlockedError) as caught:
            asked(policy, **extra)
        assert f"EMAIL_ADDRESS in {place} [0:7]" in str(caught.value)
        assert "a@x.com" not in repr(caught.value.__dict__)


@pytest.mark.parametrize(
    ("policy", "counted"),
    [
        ({}, 1),
        ({"default": "report"}, 1),
        ({"default": "block", "dry_run": True}, 1),
        ({"default": "allow"}, 0),
        ({"threshold": 1.0, "actions": {"EMAIL_ADDRESS": "allow"}}, 0),
    ],
)
def test_what_is_counted(policy: dict[str, Any], counted: int) -> None:
    """What is sent as it is is counted, unless it is allowed."""
    edge = asked(policy, extra_headers={"x-user": "a@x.com"})
    assert edge.reported == ({"EMAIL_ADDRESS": counted} if counted else {})
    assert edge.masked == {}


def test_secrets_belong_there() -> None:
    """Credentials travel in header fields: no policy for secrets is against that."""
    key = {"x-token": "key-0123456789abcdef"}
    assert asked({"default": "block"}, extra_headers=key).reported == {}
    assert asked({"actions": {"*_KEY": "block"}}, extra_headers=key).reported == {}


def test_fields_of_a_native_call() -> None:
    """Those that came with a call in a vendor's own format are looked at, but for those that SDKs write."""
    with Loopback(lambda _: reply(200, {})) as server:
        shield = Shield([Forms()], default="block")
        edge = EdgeClient(providers=[Anthropic(api_key="k", base_url=server.url)], shield=shield, retry=0)
        body = {"model": "claude-haiku-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
        fields = {"x-api-key": "k", "anthropic-version": "2023-06-01", "user-agent": "bot a@x.com"}
        with edge, httpx.Client(transport=transport(edge)) as client:
            client.post(f"{server.url}/v1/messages", json=body, headers=fields)
            assert len(server.requests) == 1
            answer = client.post(f"{server.url}/v1/messages", json=body, headers={**fields, "x-user": "a@x.com"})
        assert answer.status_code == 400
        assert "EMAIL_ADDRESS in extra_headers.x-user" in answer.text
        assert len(server.requests) == 1


def test_embeddings() -> None:
    """It holds for calls that are no chats."""
    with Loopback(lambda _: reply(200, {})) as server:
        edge = EdgeClient(
            providers=[OpenAI(api_key="k", base_url=server.url)], shield=Shield([Forms()], default="block")
        )
        with edge, pytest.raises(ShieldBlockedError):
            edge.embeddings.create(model="e", input="x", extra_headers={"x-user": "a@x.com"})
        assert not server.requests
