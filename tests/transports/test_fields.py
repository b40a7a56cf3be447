"""Header fields on their way in and out."""

from __future__ import annotations

from decimal import Decimal

import pytest

from edgeagent.errors import RequestValidationError
from edgeagent.transports.fields import account_of, edge_of, facts, inward, is_credential, outward, retries_of
from edgeagent.types import Attempt, ResponseMetadata, Target

OPTIONS = [
    ({"x-edgeagent-cache": "off"}, {"cache": {"mode": "off"}}),
    ({"x-edgeagent-cache-ttl": "5", "x-edgeagent-ttl": "5"}, {"cache": {"ttl": 5.0}}),
    ({"x-edgeagent-max-age": "0.5"}, {"cache": {"max_age": 0.5}}),
    ({"x-edgeagent-namespace": "n", "x-edgeagent-sample": "2"}, {"cache": {"namespace": "n", "sample": "2"}}),
    ({"x-edgeagent-force": "true"}, {"cache": {"force": True}}),
    ({"x-edgeagent-tags": "a, b,,"}, {"tags": ["a", "b"]}),
    ({"x-edgeagent-fallbacks": "m"}, {"fallbacks": ["m"]}),
    ({"x-edgeagent-deadline": "9", "x-edgeagent-router": "failover"}, {"deadline": 9.0, "router": "failover"}),
    ({"x-edgeagent-retries": "3", "other": "x"}, {}),
]


@pytest.mark.parametrize(("headers", "edge"), OPTIONS)
def test_options_of_a_call(headers: dict[str, str], edge: dict[str, object]) -> None:
    """Each header field as the keyword of the same meaning."""
    assert edge_of(headers) == edge


@pytest.mark.parametrize(
    ("name", "value"),
    [("cash", "on"), ("ttl", "soon"), ("force", "maybe"), ("deadline", ""), ("cache-mode", "on")],
)
def test_a_wrong_option_names_its_field(name: str, value: str) -> None:
    """The message says which field, and what it can be."""
    with pytest.raises(RequestValidationError) as caught:
        edge_of({f"x-edgeagent-{name}": value})
    assert caught.value.param == f"x-edgeagent-{name}"


def test_retries() -> None:
    """A whole number, or nothing."""
    assert retries_of({"x-edgeagent-retries": "0"}) == 0
    assert retries_of({}) is None
    with pytest.raises(RequestValidationError):
        retries_of({"x-edgeagent-retries": "many"})


def test_what_goes_in() -> None:
    """Neither credentials, nor the account they are of, nor what belongs to a connection, nor options."""
    told = [
        ("authorization", "Bearer k"),
        ("cookie", "c"),
        ("connection", "keep-alive"),
        ("content-length", "5"),
        ("x-edgeagent-tags", "a"),
        ("openai-organization", "org"),
        ("openai-beta", "b"),
        ("ocp-apim-subscription-key", "k"),
        ("helicone-auth", "Bearer h"),
        ("idempotency-key", "once"),
    ]
    assert inward(told) == {"openai-beta": "b", "idempotency-key": "once"}
    assert account_of(told) == (
        ("helicone-auth", "Bearer h"),
        ("ocp-apim-subscription-key", "k"),
        ("openai-organization", "org"),
    )


def test_what_goes_out() -> None:
    """What says something of the answer, and not of the form in which it travelled."""
    told = [("Content-Encoding", "gzip"), ("X-Request-Id", "r"), ("set-cookie", "c"), ("transfer-encoding", "chunked")]
    assert outward(told) == [("X-Request-Id", "r")]


def test_facts() -> None:
    """Costs in plain digits, and none for a stream that goes on; every text as a header field can hold it."""
    edge = ResponseMetadata(provider="pü\n", model="m", cost_usd=Decimal("0.0000005"), edits=("a", "b"))
    edge.attempts = (Attempt(Target("p", "m"), "ok", 200, 1.0),)
    told = dict(facts(edge, ended=True))
    assert told["x-edgeagent-cost-usd"] == "0.0000005"
    assert told["x-edgeagent-provider"] == "p\\xfc "
    assert told["x-edgeagent-edits"] == "a; b"
    assert (told["x-edgeagent-cache"], told["x-edgeagent-attempts"]) == ("miss", "1")
    streaming = dict(facts(edge, ended=False, attempts=2))
    assert "x-edgeagent-cost-usd" not in streaming
    assert streaming["x-edgeagent-attempts"] == "2"
    edge.coalesced = True
    assert dict(facts(edge, ended=True))["x-edgeagent-cache"] == "flight"


@pytest.mark.parametrize(
    ("name", "secret"),
    [("subscription-key", True), ("access_token", True), ("api-version", False), ("pageToken", False), ("alt", False)],
)
def test_secrets_in_a_query(name: str, *, secret: bool) -> None:
    """A credential is told by the name of its parameter."""
    assert is_credential(name) is secret
