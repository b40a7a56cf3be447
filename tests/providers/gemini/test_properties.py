"""Damaged answers: only typed errors, whatever the bytes."""

from __future__ import annotations

import json
import os
import random
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from edgeagent.errors import APIError, APIStatusError, RequestValidationError, ResponseValidationError
from edgeagent.wire.http import HTTPResponse
from tests.providers.gemini.support import APIS, chunks_of, codec, is_stream, response_of
from tests.support.corpus import body, records

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
SEED = int(os.environ.get("EDGEAGENT_SEED", "0"))
ODD: list[Any] = [None, True, 0, -1, 1.5, "", "x", [], {}, [None], [[]], {"a": 1}, [{}], {"parts": 7}]


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    return [path, *(place for key, item in items for place in _places(item, (*path, key)))]


def swapped(value: Any, chance: random.Random) -> Any:
    """A copy with something else at one place."""
    copy = json.loads(json.dumps(value))
    path = chance.choice(_places(copy)[1:] or [()])
    if not path:
        return chance.choice(ODD)
    at = copy
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = chance.choice(ODD)
    return copy


def test_swapped_types_in_answers() -> None:
    """A value of another type anywhere in an answer is a typed error, or an answer that can be encoded."""
    chance = random.Random(SEED + 1)
    for api in APIS:
        for one in [r for r in records(api) if r["status"] == 200 and not is_stream(r)][:120]:
            for _ in range(6):
                data = json.dumps(swapped(json.loads(body(one)), chance)).encode()
                with suppress(APIError):
                    codec(api).encode_response(codec(api).decode_response(HTTPResponse(200, content=data)))


def test_damaged_streams() -> None:
    """Bytes dropped, doubled, put elsewhere, cut off."""
    chance = random.Random(SEED + 2)
    for api in APIS:
        for one in [r for r in records(api) if is_stream(r)][:50]:
            data = body(one)
            for _ in range(6):
                a, b = sorted(chance.randrange(len(data) + 1) for _ in range(2))
                damaged = chance.choice([data[:a] + data[b:], data[:b] + data[a:], data[b:] + data[:a], data[:a]])
                with suppress(APIError):
                    chunks_of([damaged[: len(damaged) // 2], damaged[len(damaged) // 2 :]], api)


def test_swapped_types_in_requests() -> None:
    """The same for bodies of requests, which are refused by name."""
    chance = random.Random(SEED + 3)
    for api in APIS:
        for one in records(api)[:150]:
            for _ in range(6):
                with suppress(RequestValidationError):
                    request = codec(api).decode_request(swapped(one["request"]["body"], chance))
                    codec(api).encode_request(request, model="gemini-2.5-flash", stream=False)


@settings(max_examples=80, deadline=None)
@given(JSON | st.fixed_dictionaries({"error": JSON}), st.sampled_from([400, 401, 403, 404, 418, 429, 500, 503]))
def test_errors_never_raise(value: Any, status: int) -> None:
    """Whatever the error's body is, it becomes an error of its status, and can be encoded."""
    error = codec().decode_error(HTTPResponse(status, {}, json.dumps(value).encode()))
    assert isinstance(error, APIStatusError)
    assert error.status_code == status
    assert codec().encode_error(error).status_code >= 400


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    """Bytes that are no answer are typed errors, in an answer and in a stream."""
    assert isinstance(codec().decode_error(HTTPResponse(500, {"content-type": "text/html"}, data)), APIStatusError)
    for read in (lambda: codec().decode_response(HTTPResponse(200, content=data)), lambda: chunks_of([data])):
        try:
            read()
        except APIError:
            continue
        raise AssertionError("it is no answer")


def test_deep_nesting() -> None:
    """What is nested too deeply is a typed error."""
    deep = b'{"candidates":' + b"[" * 100_000
    for data in (deep, b"[" + deep, b"data: " + deep + b"\n\n", b"[" * 100_000):
        try:
            chunks_of([data])
        except APIError:
            continue
        raise AssertionError("it is no answer")


def test_an_answer_is_read_the_same_each_time() -> None:
    """Made ids depend on nothing but the answer."""
    for api in APIS:
        for one in [r for r in records(api) if r["status"] == 200 and not is_stream(r)][:40]:
            assert codec(api).decode_response(response_of(one)) == codec(api).decode_response(response_of(one))


def test_no_candidates_is_no_answer() -> None:
    """Usage alone is an invalid answer, which is tried again."""
    try:
        codec().decode_response(HTTPResponse(200, content=b'{"usageMetadata":{"totalTokenCount":1}}'))
    except ResponseValidationError:
        return
    raise AssertionError("it has no candidates")
