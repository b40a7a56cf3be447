"""The header fields of requests, read once for all that have the same."""

from __future__ import annotations

import httpx
import pytest

from edgeagent.core.call import CallOptions
from edgeagent.errors import RequestValidationError
from edgeagent.transports.heads import REMEMBERED, Heads

LIMITS = {"connect": 1.0, "read": 2.0, "write": None, "pool": 4.0}


def test_the_length_of_a_body_is_no_part_of_a_head() -> None:
    """Requests that differ in it alone have one head."""
    heads = Heads()
    first, second = (httpx.Headers({"X-A": "1", "Content-Length": length}).raw for length in ("1", "22"))
    assert heads.find(first, LIMITS) is heads.find(second, dict(LIMITS))
    assert heads.find(first, LIMITS).fields == (("x-a", "1"),)


@pytest.mark.parametrize(
    ("other", "limits"),
    [([("x-a", "2")], LIMITS), ([("x-a", "1"), ("x-b", "")], LIMITS), ([("x-a", "1")], None), ([("x-a", "1")], {})],
)
def test_other_fields_or_limits_are_another_head(other: list[tuple[str, str]], limits: dict[str, float] | None) -> None:
    """Nothing of one caller's is taken for another's."""
    heads = Heads()
    head = heads.find(httpx.Headers([("x-a", "1")]).raw, LIMITS)
    assert heads.find(httpx.Headers(other).raw, limits) is not head


def test_fields_of_one_name_are_joined() -> None:
    """By name they are one; in their order they are several."""
    head = Heads().find([(b"Beta", b"a"), (b"beta", b"b"), (b"x-own", "é".encode()), (b"x-old", b"\xe9")], None)
    assert head.headers == {"beta": "a, b", "x-own": "é", "x-old": "é"}
    assert head.fields[:2] == (("beta", "a"), ("beta", "b"))


def test_options_are_read_for_each_base() -> None:
    """The limits and our own fields change a client's options, which are read anew where the client's are others."""
    head = Heads().find([(b"x-edgeagent-tags", b"t"), (b"x-edgeagent-retries", b"3")], LIMITS)
    base, other = CallOptions(), CallOptions(deadline=9.0)
    options = head.options(base)
    assert (options.tags, options.retry.attempts, options.timeout.read) == (("t",), 3, 2.0)
    assert head.options(base) is options
    assert (head.options(other).deadline, head.options(base).deadline) == (9.0, None)
    assert Heads().find([], None).options(base) is base


def test_a_wrong_option_is_refused_each_time() -> None:
    """A fault is not remembered as if it were an answer."""
    head = Heads().find([(b"x-edgeagent-ttl", b"soon")], None)
    for _ in range(2):
        with pytest.raises(RequestValidationError):
            head.options(CallOptions())


def test_heads_are_forgotten() -> None:
    """No more are kept than a service's users need at one time."""
    heads = Heads()
    first = heads.find([(b"x", b"0")], None)
    for number in range(1, REMEMBERED + 1):
        heads.find([(b"x", str(number).encode())], None)
    assert heads.find([(b"x", b"0")], None) is not first
