"""The table "what happened → this target again / next target"."""

from __future__ import annotations

import pytest

from edgeagent import errors as e
from edgeagent.core.verdict import judge
from edgeagent.wire.http import HTTPResponse


def status(code: int, kind: type[e.APIStatusError] | None = None, *, body: object = None, **headers: str) -> Exception:
    response = HTTPResponse(code, {name.replace("_", "-"): value for name, value in headers.items()})
    return (kind or e.status_error_class(code))("x", response=response, body=body)


def unfit() -> Exception:
    error = e.RequestValidationError("x", param="n")
    error.target = "a/m"
    return error


TABLE = [
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
