"""Who is asked how often: retries, Retry-After, failover, and what the final error tells."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

import edgeagent
from edgeagent import (
    APIConnectionError,
    APIStatusError,
    EdgeAgentError,
    RateLimitError,
    ResponseValidationError,
    RetryPolicy,
)
from tests.e2e.harness import ANTHROPIC, KEY, OPENAI, Gate, Script, Vendor, outcome, streamed, text_of
from tests.support.loopback import HANG_UP, Loopback, reply

HTML = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


def wrong_types(vendor: Vendor) -> dict[str, Any]:
    """An answer whose content is a number where an object must be."""
    answer = vendor.answer()
    return {**answer, "choices": [{"index": 0, "message": 7, "finish_reason": "stop"}], "content": 7}


def without_choices(vendor: Vendor) -> dict[str, Any]:
    return {**vendor.answer(), "choices": [], "content": None}


FAULTS: dict[str, tuple[Any, type[Exception]]] = {
    "500": (lambda v: v.fail(500), edgeagent.InternalServerError),
    "502 html": (lambda v: reply(502, HTML, content_type="text/html"), edgeagent.InternalServerError),
    "503": (lambda v: v.fail(503), edgeagent.OverloadedError),
    "529": (lambda v: v.fail(529), edgeagent.OverloadedError),
    "429": (lambda v: v.fail(429), RateLimitError),
    "408": (lambda v: v.fail(408), APIStatusError),
    "409": (lambda v: v.fail(409, "conflict_error"), edgeagent.ConflictError),
    "reset": (lambda v: [HANG_UP], APIConnectionError),
    "reset in the body": (lambda v: [v.reply()[:-9], HANG_UP], APIConnectionError),
    "not http": (lambda v: [b"SSH-2.0-OpenSSH_9.6\r\n\r\n"], APIConnectionError),
    "truncated json": (lambda v: reply(200, v.reply().partition(b"\r\n\r\n")[2][:-20]), ResponseValidationError),
    "empty body": (lambda v: reply(200), ResponseValidationError),
    "html with 200": (lambda v: reply(200, HTML, content_type="text/html"), ResponseValidationError),
    "no choices": (lambda v: reply(200, without_choices(v)), ResponseValidationError),
    "wrong types": (lambda v: reply(200, wrong_types(v)), ResponseValidationError),
    "a json list": (lambda v: reply(200, [1, 2]), ResponseValidationError),
    "json null": (lambda v: reply(200, None), ResponseValidationError),
}
REFUSALS: dict[str, tuple[Any, type[Exception]]] = {
    "400": (lambda v: v.fail(400), edgeagent.BadRequestError),
    "401": (lambda v: v.fail(401), edgeagent.AuthenticationError),
    "402": (lambda v: v.fail(402, "billing_error"), APIStatusError),
    "403": (lambda v: v.fail(403), edgeagent.PermissionDeniedError),
    "404": (lambda v: v.fail(404), edgeagent.NotFoundError),
    "413": (lambda v: v.fail(413, "request_too_large"), APIStatusError),
    "422": (lambda v: v.fail(422), edgeagent.UnprocessableEntityError),
}


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_three_requests_reach_the_wire(kind: str, vendor: Vendor, fault: str, streaming: bool) -> None:
    """With retry=2 and one target, whatever may pass by itself is tried three times, never more or fewer."""
    answer, error = FAULTS[fault]
    with Loopback(lambda request: answer(vendor)) as server:
        async with Gate(kind, [vendor.provider(server)], retry=2) as gate:
            with pytest.raises(error) as caught:
                await gate.create(model=vendor.model, stream=streaming)
    assert len(server.requests) == 3
    assert [attempt.outcome for attempt in caught.value.attempts] == [type(caught.value).__name__] * 3
    assert len(gate.slept) == 2


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("refusal", REFUSALS)
async def test_one_request_reaches_the_wire(kind: str, vendor: Vendor, refusal: str, streaming: bool) -> None:
    """What will not pass by itself is not tried again."""
    answer, error = REFUSALS[refusal]
    with Loopback(lambda request: answer(vendor)) as server:
        async with Gate(kind, [vendor.provider(server)], retry=2) as gate:
            with pytest.raises(error) as caught:
                await gate.create(model=vendor.model, stream=streaming)
    assert len(server.requests) == 1
    assert len(caught.value.attempts) == 1
    assert gate.slept == []


async def test_an_exhausted_quota_is_not_tried_again(kind: str) -> None:
    """Its status is that of a rate limit, its code says that waiting does not help."""
    for told, by in (
        (OPENAI.fail(429, "insufficient_quota"), OPENAI),
        (ANTHROPIC.fail(402, "billing_error"), ANTHROPIC),
    ):
        with Loopback(Script(told)) as server:
            async with Gate(kind, [by.provider(server)], retry=2) as gate:
                with pytest.raises(APIStatusError):
                    await gate.create(model=by.model)
        assert len(server.requests) == 1


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
async def test_an_answer_after_faults(kind: str, vendor: Vendor, streaming: bool) -> None:
    """The third try answers; the story of the first two is told."""
    script = Script(vendor.fail(500), [HANG_UP], lambda request: vendor.serve(request))
    with Loopback(script) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            if streaming:
                stream = await gate.stream(model=vendor.model)
                assert text_of([piece async for piece in stream]) == "Paris"
                edge = stream.edge
            else:
                answer = await gate.create(model=vendor.model)
                assert answer.choices[0].message.content == "Paris"
                edge = answer.edge
    assert len(server.requests) == 3
    assert [a.outcome for a in edge.attempts] == ["InternalServerError", "APIConnectionError", "ok"]
    assert [a.status for a in edge.attempts] == [500, None, 200]
    assert all(str(a.target) == f"{vendor.name}/{vendor.model}" and a.duration_ms > 0 for a in edge.attempts)


async def test_backoff_has_full_jitter(kind: str) -> None:
    """Each wait lies between zero and a bound that doubles from half a second to eight; they are not all alike."""
    with Loopback(Script(OPENAI.fail(503))) as server:
        async with Gate(kind, [OPENAI.provider(server)], retry=7) as gate:
            with pytest.raises(edgeagent.OverloadedError):
                await gate.create(model=OPENAI.model)
    assert all(0 <= wait <= bound for wait, bound in zip(gate.slept, [0.5, 1, 2, 4, 8, 8, 8], strict=True))
    assert len({wait / bound for wait, bound in zip(gate.slept, [0.5, 1, 2, 4, 8, 8, 8], strict=True)}) > 1


WAITS: list[tuple[int, dict[str, str], list[float] | None]] = [
    (429, {"retry_after": "7"}, [7.0]),
    (429, {"retry_after": "0.25"}, [0.25]),
    (429, {"retry_after_ms": "1500"}, [1.5]),
    (429, {"retry_after_ms": "0", "retry_after": "1"}, [1.0]),
    (503, {"retry_after": "60"}, [60.0]),
    (429, {"date": "Fri, 01 Nov 2024 10:00:00 GMT", "retry_after": "Fri, 01 Nov 2024 10:00:09 GMT"}, [9.0]),
    (429, {"retry_after": "61"}, None),
    (429, {"retry_after_ms": "60001"}, None),
    (500, {"x_should_retry": "false"}, None),
    (429, {"x_should_retry": "false", "retry_after": "1"}, None),
    (404, {"x_should_retry": "true", "retry_after": "2"}, [2.0]),
    (400, {"x_should_retry": "true"}, None),
]


@pytest.mark.parametrize(("status", "headers", "waits"), WAITS)
async def test_the_server_says_when(
    kind: str, vendor: Vendor, status: int, headers: dict[str, str], waits: list[float] | None
) -> None:
    """Retry-After and its like are followed to the millisecond; too long a wait, or a no, is the end of this target."""
    with Loopback(Script(vendor.fail(status, **headers), vendor.reply())) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            result = await outcome(lambda: gate.create(model=vendor.model))
    assert gate.slept == (waits or [])
    assert len(server.requests) == (2 if waits else 1)
    assert isinstance(result, APIStatusError) != bool(waits)


def retry_after_of(error: Any) -> float | None:
    assert isinstance(error, RateLimitError)
    return error.retry_after


async def test_the_error_says_when(kind: str, vendor: Vendor) -> None:
    """What the server said about waiting is on the error."""
    with Loopback(Script(vendor.fail(429, retry_after="77"))) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            assert retry_after_of(await outcome(lambda: gate.create(model=vendor.model))) == 77.0


# other targets


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("way", ["group", "fallbacks"])
@pytest.mark.parametrize(
    ("told", "asked"),
    [
        (lambda v: v.fail(500), 3),
        (lambda v: [HANG_UP], 3),
        (lambda v: v.fail(401), 1),
        (lambda v: v.fail(404), 1),
        (lambda v: v.fail(429, retry_after="61"), 1),
        (lambda v: v.fail(529, x_should_retry="false"), 1),
    ],
    ids=["500", "reset", "401", "404", "retry-after 61", "no"],
)
async def test_another_vendor_answers(
    kind: str, vendor: Vendor, told: Any, asked: int, way: str, streaming: bool
) -> None:
    """One vendor is given up after its own number of tries, the other answers, in both forms of call."""
    other = ANTHROPIC if vendor is OPENAI else OPENAI
    first, second = f"{vendor.name}/{vendor.model}", f"{other.name}/{other.model}"
    with Loopback(lambda request: told(vendor)) as broken, Loopback(other.serve) as healthy:
        providers = [vendor.provider(broken), other.provider(healthy)]
        async with Gate(kind, providers, models={"best": [first, second]}) as gate:
            asks: dict[str, Any] = {"model": "best"}
            if way == "fallbacks":
                asks = {"model": first, "edge": {"fallbacks": [second]}}
            if streaming:
                stream = await gate.stream(**asks)
                assert text_of([piece async for piece in stream]) == "Paris"
                edge = stream.edge
            else:
                answer = await gate.create(**asks)
                assert answer.choices[0].message.content == "Paris"
                edge = answer.edge
    assert (len(broken.requests), len(healthy.requests)) == (asked, 1)
    assert (edge.provider, edge.model) == (other.name, other.model)
    assert [str(attempt.target) for attempt in edge.attempts] == [first] * asked + [second]


async def test_nobody_answers(kind: str) -> None:
    """The first target's final error is raised; its attempts tell the whole story."""
    with Loopback(Script(OPENAI.fail(404))) as one, Loopback(Script(ANTHROPIC.fail(500))) as two:
        providers = [OPENAI.provider(one), ANTHROPIC.provider(two)]
        async with Gate(kind, providers, models={"m": ["openai/a", "anthropic/b"]}, retry=1) as gate:
            with pytest.raises(edgeagent.NotFoundError) as caught:
                await gate.create(model="m")
    told = [(str(a.target), a.outcome, a.status) for a in caught.value.attempts]
    assert told == [
        ("openai/a", "NotFoundError", 404),
        ("anthropic/b", "InternalServerError", 500),
        ("anthropic/b", "InternalServerError", 500),
    ]


@pytest.mark.parametrize("status", [400, 422])
async def test_a_wrong_request_is_wrong_everywhere(kind: str, vendor: Vendor, status: int) -> None:
    """The other target is not asked."""
    with Loopback(Script(vendor.fail(status))) as server, Loopback(Script(OPENAI.reply())) as other:
        providers = [vendor.provider(server), OPENAI.provider(other, name="other")]
        async with Gate(kind, providers) as gate:
            with pytest.raises(APIStatusError):
                await gate.create(model=vendor.model, edge={"fallbacks": ["other/gpt-4o-mini"]})
    assert other.requests == []


async def test_too_long_a_prompt_goes_to_a_larger_window_only(kind: str) -> None:
    """gpt-4 (8k) overflows: gpt-4o (128k) is asked, another gpt-4 is not."""
    overflow = OPENAI.fail(400, "context_length_exceeded")
    with Loopback(lambda r: overflow if r.json()["model"] == "gpt-4" else OPENAI.reply()) as server:
        async with Gate(kind, [OPENAI.provider(server)]) as gate:
            answer = await gate.create(model="gpt-4", edge={"fallbacks": ["gpt-4-0613", "gpt-4o"]})
            assert answer.edge.model == "gpt-4o"
            with pytest.raises(edgeagent.ContextWindowExceededError):
                await gate.create(model="gpt-4")
    assert [request.json()["model"] for request in server.requests] == ["gpt-4", "gpt-4o", "gpt-4"]


@pytest.mark.parametrize("allowed", [False, True])
async def test_a_content_filter_falls_back_only_if_allowed(kind: str, allowed: bool) -> None:
    """Another vendor's judgement is asked for only if the policy says so."""
    with Loopback(Script(OPENAI.fail(400, "content_filter"))) as one, Loopback(Script(ANTHROPIC.reply())) as two:
        policy = RetryPolicy(2, content_filter_fallback=allowed)
        async with Gate(kind, [OPENAI.provider(one), ANTHROPIC.provider(two)], retry=policy) as gate:
            asks = {"model": OPENAI.model, "edge": {"fallbacks": [f"anthropic/{ANTHROPIC.model}"]}}
            result = await outcome(lambda: gate.create(**asks))
    assert isinstance(result, edgeagent.ContentFilterError) != allowed
    assert (len(one.requests), len(two.requests)) == (1, int(allowed))


async def test_a_policy_of_tenacitys(kind: str, vendor: Vendor) -> None:
    """Its wait and retry objects are the vocabulary: they decide pause and repetition."""
    import tenacity

    policy = RetryPolicy(4, wait=tenacity.wait_fixed(3), retry=tenacity.retry_if_exception_type(RateLimitError))
    script = Script(vendor.fail(429), vendor.fail(429), vendor.fail(500))
    with Loopback(script) as server:
        async with Gate(kind, [vendor.provider(server)], retry=policy) as gate:
            with pytest.raises(edgeagent.InternalServerError):
                await gate.create(model=vendor.model)
    assert len(server.requests) == 3
    assert gate.slept == [3.0, 3.0]


async def test_a_call_has_its_own_number_of_tries(kind: str, vendor: Vendor) -> None:
    """A view of the client changes it, as in openai."""
    with Loopback(Script(vendor.fail(500))) as server:
        async with Gate(kind, [vendor.provider(server)], retry=5) as gate:
            gate.client = gate.client.with_options(max_retries=0)
            with pytest.raises(edgeagent.InternalServerError):
                await gate.create(model=vendor.model)
    assert len(server.requests) == 1


# what an error tells, and what it does not


def quoting(event: bytes) -> bytes:
    """An error event with the key in its message."""
    quoted = event.replace(b"Overloaded", f"{KEY} has no more".encode())
    assert KEY.encode() in quoted
    return quoted


ERRORS: dict[str, Any] = {
    "401": lambda v: v.fail(401, x_request_id="req_1", request_id="req_1"),
    "429": lambda v: v.fail(429, x_request_id="req_1", request_id="req_1"),
    "401 quoting it": lambda v: reply(401, v.error(401, "invalid_api_key", f"Incorrect API key provided: {KEY}.")),
    "500 html": lambda v: reply(500, HTML, content_type="text/html", x_request_id="req_1", request_id="req_1"),
    "200 html quoting it": lambda v: reply(200, f"<p>Who is {KEY}?</p>".encode(), content_type="text/html"),
    "200 with an error quoting it": lambda v: reply(200, v.error(401, KEY, f"Incorrect API key: {KEY}.")),
    "an error event quoting it": lambda v: streamed([*v.opening(), quoting(v.error_event())]),
    "a later error event quoting it": lambda v: streamed([*v.opening(), v.text("Par"), quoting(v.error_event())]),
    "truncated": lambda v: reply(200, v.reply().partition(b"\r\n\r\n")[2][:-20], x_request_id="req_1"),
    "reset": lambda v: [HANG_UP],
}


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("fault", ERRORS)
async def test_no_error_holds_the_key(kind: str, vendor: Vendor, fault: str, streaming: bool) -> None:
    """Not in its text, its repr, its pickle, its request, nor in what caused it; a pickle tells the same story."""
    with Loopback(lambda request: ERRORS[fault](vendor)) as server:
        async with Gate(kind, [vendor.provider(server)], retry=1) as gate:
            call = gate.chunks if streaming else gate.create
            error = await outcome(
                lambda: call(model=vendor.model, extra_headers={"x-mine": KEY}, extra_query={"key": KEY})
            )
    assert server.requests[0].headers["x-mine"] == KEY
    assert isinstance(error, EdgeAgentError)
    assert "key=" + KEY in server.requests[0].path
    while error is not None:
        again = pickle.loads(pickle.dumps(error))
        for seen in (error, again):
            shown = [str(seen), repr(seen), repr(vars(seen)), repr(getattr(seen, "request", ""))]
            request = getattr(seen, "request", None)
            if hasattr(request, "headers"):
                shown += [repr(dict(request.headers)), str(request.url)]
            assert KEY not in "".join(shown)
        assert KEY.encode() not in pickle.dumps(error)
        if isinstance(error, EdgeAgentError):
            assert (str(again), again.attempts) == (str(error), error.attempts)
        error = error.__cause__


async def test_an_error_names_its_request(kind: str, vendor: Vendor) -> None:
    """Status, code, the vendor's object, headers and request id are there; the body is the vendor's."""
    fields = {"x_request_id" if vendor is OPENAI else "request_id": "req_1"}
    with Loopback(Script(vendor.fail(404, **fields))) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            error = await outcome(lambda: gate.create(model="nothing-like-it", edge={"cache": "off"}))
    assert isinstance(error, edgeagent.NotFoundError)
    assert (error.status_code, error.request_id, error.body) == (404, "req_1", vendor.error(404)["error"])
    assert error.response.json() == vendor.error(404)
    assert error.response.status_code == 404
    assert error.message == str(error) == "No."


# the caller's own providers among the vendors


class Mine:
    """A provider of the caller's own: fails so often, then answers."""

    name = "mine"

    def __init__(self, *raised: Exception) -> None:
        self.raised = list(raised)
        self.calls = 0

    def complete(self, request: Any) -> str:
        self.calls += 1
        if self.raised:
            raise self.raised.pop(0)
        return "from mine"


@pytest.mark.parametrize(("raised", "calls"), [(ConnectionResetError("peer"), 3), (ZeroDivisionError(), 1)])
async def test_a_callers_provider_before_a_vendor(kind: str, raised: Exception, calls: int) -> None:
    """Connection errors are tried again, anything else goes on to the next target at once."""
    mine = Mine(*[raised] * 3)
    with Loopback(OPENAI.serve) as server:
        async with Gate(kind, [mine, OPENAI.provider(server)], models={"m": ["mine/x", "openai/gpt-4o-mini"]}) as gate:
            answer = await gate.create(model="m")
    assert answer.edge.provider == "openai"
    assert mine.calls == calls


async def test_a_callers_provider_after_a_vendor(kind: str, vendor: Vendor) -> None:
    """It catches what the vendor drops."""
    with Loopback(Script(vendor.fail(500))) as server:
        mine = Mine()
        async with Gate(kind, [vendor.provider(server), mine]) as gate:
            answer = await gate.create(model=vendor.model, edge={"fallbacks": ["mine/x"]})
    assert (answer.choices[0].message.content, answer.edge.provider) == ("from mine", "mine")
