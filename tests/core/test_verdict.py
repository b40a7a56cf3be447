"""The table "what happened → this target again / next target"."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent import errors as e
from edgeagent.core.verdict import forbid, judge, tells
from edgeagent.wire.http import HTTPResponse


def status(code: int, kind: type[e.APIStatusError] | None = None, *, body: object = None, **headers: str) -> Exception:
    response = HTTPResponse(code, {name.replace("_", "-"): value for name, value in headers.items()})
    return (kind or e.status_error_class(code))("x", response=response, body=body)


def unfit() -> Exception:
    error = e.RequestValidationError("x", param="n")
    error.target = "a/m"
    return error


def guards(error: Exception) -> Exception:
    forbid(error)
    return error


TABLE = [
    (guards(e.APIConnectionError()), False, "no"),
    (guards(status(500)), False, "no"),
    (guards(ValueError("a guard of the caller's own")), False, "no"),
    (e.APIConnectionError(), True, "yes"),
    (e.APITimeoutError(), True, "yes"),
    (status(408), True, "yes"),
    (status(409), True, "yes"),
    (status(429), True, "yes"),
    (status(500), True, "yes"),
    (status(502), True, "yes"),
    (status(503), True, "yes"),
    (status(529), True, "yes"),
    (e.ResponseValidationError(HTTPResponse(200), None), True, "yes"),
    (status(401), False, "yes"),
    (status(402), False, "yes"),
    (status(403), False, "yes"),
    (status(404), False, "yes"),
    (status(429, body={"code": "insufficient_quota"}), False, "yes"),
    (status(400, e.ContextWindowExceededError), False, "larger"),
    (status(413), False, "larger"),
    (status(400, e.ContentFilterError), False, "if allowed"),
    (status(400), False, "no"),
    (status(422), False, "no"),
    (e.RequestValidationError("x", param="n"), False, "no"),
    (unfit(), False, "yes"),
    (e.ShieldBlockedError("x"), False, "no"),
    (e.BudgetExceededError("x"), False, "no"),
    (e.LimitExceededError("x"), False, "no"),
    (e.DeadlineExceededError(), False, "no"),
    (e.ConfigurationError("x"), False, "no"),
    (ValueError("a provider of the caller's own"), False, "yes"),
    (status(500, x_should_retry="false"), False, "yes"),
    (status(404, x_should_retry="true"), True, "yes"),
    (status(400, x_should_retry="true"), False, "no"),
]


@pytest.mark.parametrize(("error", "again", "following"), TABLE, ids=lambda value: str(value)[:30])
def test_table(error: Exception, again: bool, following: str) -> None:
    """Every row of the contract's table, and the server's own word on retrying."""
    verdict = judge(error)
    assert (verdict.again, verdict.next) == (again, following)


def test_what_a_guard_raises_tells_nothing_of_the_target() -> None:
    """The target answered; an error that takes no attributes is as good as any other."""

    class Bare(Exception):
        def __setattr__(self, name: str, value: Any) -> None:
            raise AttributeError(name)

    assert [tells(guards(error)) for error in (e.APIConnectionError(), status(401), ValueError())] == [None] * 3
    assert tells(guards(Bare())) == tells(ValueError()) == "counts"
