"""Requests that are known are the requests that would be made."""

from __future__ import annotations

import copy
import pickle
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent import EdgeClient
from edgeagent.cache.key import raw_key
from edgeagent.cache.known_keys import LARGEST
from edgeagent.core import known_requests as module
from edgeagent.core import pipeline
from edgeagent.core.known_requests import KnownRequests
from edgeagent.core.requests import chat_request
from edgeagent.errors import RequestValidationError
from edgeagent.testing import FakeProvider
from edgeagent.types import ChatRequest

CANDIDATES = bytes(32)
HELLO = [{"role": "user", "content": "hello"}]
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
TEXTS = st.sampled_from(["", "a", "b", "1"])
CONTENTS = st.one_of(
    TEXTS,
    st.none(),
    st.lists(st.builds(lambda text: {"type": "text", "text": text}, TEXTS), max_size=2),
)
MESSAGES = st.one_of(
    st.builds(lambda content: {"role": "user", "content": content}, CONTENTS),
    st.builds(lambda content: {"content": content, "role": "user"}, CONTENTS),
    st.builds(lambda name: {"role": "user", "content": "a", "name": name}, TEXTS),
    st.just({"role": "assistant", "tool_calls": [{"id": "t", "function": {"name": "f", "arguments": "{}"}}]}),
)
PARAMS = st.fixed_dictionaries(
    {"model": TEXTS, "messages": st.lists(MESSAGES, max_size=3)},
    optional={
        "temperature": st.sampled_from([0, 0.0, 1, 1.0, None]),
        "logprobs": st.sampled_from([True, False, 1, None]),
        "stop": st.sampled_from(["a", ["a"], ("a",), ["a", "b"]]),
        "tools": st.just([TOOL]),
        "metadata": st.sampled_from([{}, {"a": "b"}]),
        "extra_headers": st.just({"X-A": "b"}),
        "stream": st.booleans(),
    },
)


def made(known: KnownRequests, params: dict[str, Any]) -> Any:
    """The request, or what is wrong with it; and its key."""
    try:
        request, one = known.request(params)
    except RequestValidationError as error:
        return str(error)
    key = raw_key(request, CANDIDATES) if one is None else one.key(request, CANDIDATES, b"")
    return told(request), key


def expected(params: dict[str, Any]) -> Any:
    try:
        request = chat_request(params)
    except RequestValidationError as error:
        return str(error)
    return told(request), raw_key(request, CANDIDATES)


def told(request: ChatRequest) -> Any:
    """All that it says, and how."""
    state = request.__dict__, request.model_fields_set, request.model_extra, request.__pydantic_private__
    return copy.deepcopy(state), request.model_dump_json(exclude_unset=True), repr(request)


def spoil(value: Any) -> None:
    """Change all that can be changed in its place."""
    if isinstance(value, dict):
        for part in list(value.values()):
            spoil(part)
        value["spoilt"] = True
    elif isinstance(value, list):
        for part in value:
            spoil(part)
        value.append("spoilt")


@given(st.lists(PARAMS, min_size=1, max_size=6))
def test_any_calls_one_after_the_other(calls: list[dict[str, Any]]) -> None:
    """However often a request came, and whatever was done to it and to the arguments, it is what it would be."""
    known = KnownRequests()
    for params in calls * 4:
        mine = copy.deepcopy(params)
        assert made(known, mine) == expected(params)
        for value in mine.values():
            spoil(value)


@given(PARAMS)
def test_calls_share_nothing(params: dict[str, Any]) -> None:
    """What becomes of one request is not seen in the next."""
    known = KnownRequests()
    try:
        for _ in range(4):
            request, _ = known.request(params)
            assert told(request) == told(chat_request(params))
            for value in request.__dict__.values():
                spoil(value)
            request.model_fields_set.add("spoilt")
            assert request.model_extra is not None
            request.model_extra["spoilt"] = True
    except RequestValidationError:
        assert isinstance(expected(params), str)


def test_a_known_request_is_one_like_any_other() -> None:
    """It can be compared, copied, changed and pickled."""
    known = KnownRequests()
    plain = chat_request({"model": "m", "messages": HELLO, "tools": [TOOL]})
    for _ in range(3):
        request, one = known.request({"model": "m", "messages": HELLO, "tools": [TOOL]})
    assert one is not None
    assert request == plain
    assert pickle.loads(pickle.dumps(request)) == plain
    changed = request.model_copy(update={"seed": 1})
    assert changed == plain.model_copy(update={"seed": 1})
    assert changed.params() == {**plain.params(), "seed": 1}
    assert ChatRequest.model_validate(request.model_dump(exclude_unset=True)) == plain


def test_what_came_once_is_not_kept() -> None:
    """Of a batch whose questions are all new nothing but a number each remains."""
    known = KnownRequests()
    for number in range(100):
        assert known.request({"model": "m", "messages": [{"role": "user", "content": f"{number}"}]})[1] is None
    assert not known._requests
    assert known.request({"model": "m", "messages": [{"role": "user", "content": "7"}]})[1] is not None


class Colour(str, Enum):
    """A text that is none of JSON's own type."""

    RED = "red"


@pytest.mark.parametrize(
    "params",
    [
        {"messages": HELLO, "user": Colour.RED},
        {"messages": iter(HELLO)},
        {"messages": [{"role": "user", "content": "a" * (LARGEST + 1)}]},
        {"messages": [{"role": "user", "content": "a" * (LARGEST // 2)}] * 2},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.example"}}]}]},
    ],
    ids=["a kind of text", "one-shot", "long", "long together", "an image"],
)
def test_what_is_made_each_time(params: dict[str, Any]) -> None:
    """What is not JSON's own, and what would take longer to be found."""
    known = KnownRequests()
    for _ in range(3):
        assert known.request({"model": "m", **params})[1] is None
    assert not known._requests


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what came once, of what came again, and of the keys of one request."""
    monkeypatch.setattr(module, "MOST_SEEN", 10)
    known = KnownRequests(max_bytes=1000)
    for number in range(100):
        for _ in range(2):
            request, one = known.request({"model": "m", "messages": [{"role": "user", "content": f"{number:04}"}]})
        assert len(known._seen) <= 10
        assert len(known._requests) * len(f"{number:04}") < 1000
    assert 0 < len(known._requests) < 20
    assert one is not None
    for number in range(100):
        policy = b"%d" % number
        assert one.key(request, CANDIDATES, policy) == raw_key(request, CANDIDATES, policy)
        assert len(one._keys) <= module.MOST_KEYS


@pytest.mark.parametrize("how", [{}, {"cache": "off"}, {"cache": "refresh"}, {"cache": {"force": True}}])
@pytest.mark.parametrize("store", [False, True])
def test_known_requests_follow_the_same_rules(how: dict[str, Any], store: bool) -> None:
    """A known one is cached or not as an unknown one is."""
    client = EdgeClient(providers=[FakeProvider("Paris")])
    cached = [
        client.chat.completions.create(model="fake/m", messages=HELLO, store=store, edge=how).edge.cached
        for _ in range(4)
    ]
    hits = how in ({}, {"cache": {"force": True}}) and not (store and how == {})
    assert cached == ([False, True, True, True] if hits else [False] * 4)
    client.cache.clear()
    assert not client._engine.pipeline.layers.known._requests


def test_nothing_is_kept_where_nothing_is_cached() -> None:
    """What was asked of a client without a cache, or by a call without one, is in no memory of it."""
    for client, how in (
        (EdgeClient(providers=[FakeProvider("Paris")], cache=False), {}),
        (EdgeClient(providers=[FakeProvider("Paris")]), {"cache": "off"}),
    ):
        for _ in range(3):
            client.chat.completions.create(model="fake/m", messages=HELLO, edge=how)
        known = client._engine.pipeline.layers.known
        assert not known._requests
        assert not known._seen


def test_a_known_request_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found right is right the next time; without memory each call would look again."""
    looked: list[ChatRequest] = []
    look = pipeline.validate

    def spy(request: ChatRequest, **how: Any) -> None:
        looked.append(request)
        look(request, **how)

    monkeypatch.setattr(pipeline, "validate", spy)
    client = EdgeClient(providers=[FakeProvider("Paris")])
    for _ in range(5):
        client.chat.completions.create(model="fake/m", messages=HELLO, edge={"cache": "refresh"})
    assert len(looked) == 2


@pytest.mark.parametrize(
    "wrong", [{"n": 0}, {"max_tokens": 0}, {"messages": [{"role": "oracle", "content": "hi"}]}, {"model": " "}]
)
def test_what_is_wrong_is_wrong_each_time(wrong: dict[str, Any]) -> None:
    """To have come before makes no request right."""
    client = EdgeClient(providers=[FakeProvider("Paris", name="fake")])
    params = {"model": "fake/m", "messages": HELLO, **wrong}
    for _ in range(4):
        with pytest.raises(RequestValidationError):
            client.chat.completions.create(**params)


def test_arguments_that_another_thread_changes_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changed while the request was made of them: the bytes of before would find the request of after."""
    known = KnownRequests()
    make = module.chat_request

    def meanwhile(params: Any) -> ChatRequest:
        params["messages"][0]["content"] = "changed"
        return make(params)

    def asked() -> dict[str, Any]:
        return {"model": "m", "messages": [{"role": "user", "content": "hello"}]}

    known.request(asked())
    with monkeypatch.context() as changing:
        changing.setattr(module, "chat_request", meanwhile)
        assert known.request(asked())[1] is None
    assert known.request(asked())[0] == chat_request(asked())
