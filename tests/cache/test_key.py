"""The cache keys: equal if and only if two requests are equivalent under the written rules."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.cache.key import (
    COUNTS,
    DOES_NOT_COUNT,
    DOES_NOT_COUNT_HEADERS,
    CandidateIdentity,
    candidate_digest,
    key_params,
    raw_key,
    shared_key,
)
from edgeagent.errors import RequestValidationError
from edgeagent.types import ChatRequest
from edgeagent.wire.json import canonical_json

MESSAGES: list[dict[str, Any]] = [{"role": "user", "content": "Where is Paris?"}]
CANDIDATES = candidate_digest([CandidateIdentity("openai.chat", "https://api.openai.com/v1/x", "gpt", "id")], None)


def request(**fields: Any) -> ChatRequest:
    return ChatRequest(**{"model": "gpt", "messages": MESSAGES, **fields})


def key(**fields: Any) -> bytes:
    return raw_key(request(**fields), CANDIDATES)


def same(left: dict[str, Any], right: dict[str, Any]) -> bool:
    return key(**left) == key(**right)


# Every field is classified, and behaves as it is classified.

A_VALUE: dict[str, Any] = {
    "model": "another",
    "messages": [{"role": "user", "content": "?"}],
    "audio": {"voice": "alloy", "format": "wav"},
    "frequency_penalty": 0.5,
    "function_call": "auto",
    "functions": [{"name": "f"}],
    "logit_bias": {"50256": -100.0},
    "logprobs": True,
    "max_completion_tokens": 10,
    "max_tokens": 10,
    "metadata": {"team": "blue"},
    "modalities": ["text"],
    "moderation": {"model": "omni"},
    "n": 2,
    "parallel_tool_calls": False,
    "prediction": {"type": "content", "content": "x"},
    "presence_penalty": 0.5,
    "prompt_cache_key": "k",
    "prompt_cache_options": {"ttl": "1h"},
    "prompt_cache_retention": "24h",
    "reasoning_effort": "low",
    "response_format": {"type": "json_object"},
    "safety_identifier": "u",
    "seed": 1,
    "service_tier": "flex",
    "stop": "END",
    "store": True,
    "stream": True,
    "stream_options": {"include_usage": True},
    "temperature": 0.5,
    "tool_choice": "none",
    "tools": [{"type": "function", "function": {"name": "f"}}],
    "top_logprobs": 3,
    "top_p": 0.5,
    "user": "u",
    "verbosity": "low",
    "web_search_options": {},
    "extra_headers": {"X-Flag": "on"},
    "extra_query": {"api-version": "1"},
}


def test_every_field_is_classified() -> None:
    """A new field on the request fails here until somebody says whether it counts, and why."""
    assert set(ChatRequest.model_fields) == COUNTS.keys() | DOES_NOT_COUNT.keys()
    assert not COUNTS.keys() & DOES_NOT_COUNT.keys()
    assert all(COUNTS.values())
    assert all(DOES_NOT_COUNT.values())


@pytest.mark.parametrize("name", sorted(ChatRequest.model_fields))
def test_every_field_behaves_as_classified(name: str) -> None:
    """Setting a field that counts changes the key, setting another does not."""
    assert same({}, {name: A_VALUE[name]}) is (name in DOES_NOT_COUNT)


@pytest.mark.parametrize("name", sorted(set(ChatRequest.model_fields) - {"model", "messages"}))
def test_none_is_absent_for_known_fields(name: str) -> None:
    """A known parameter that is None is not sent."""
    assert same({}, {name: None})


# The rules that a table can tell.

EQUAL: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "integers and floats of a known number": ({"temperature": 1}, {"temperature": 1.0}),
    "numbers of logit_bias": ({"logit_bias": {"1": 5}}, {"logit_bias": {"1": 5.0}}),
    "key order of parameters": ({"seed": 1, "user": "u"}, {"user": "u", "seed": 1}),
    "key order of unknown parameters": ({"min_p": 0.1, "top_k": 5}, {"top_k": 5, "min_p": 0.1}),
    "key order within messages": (
        {"messages": [{"role": "user", "content": "a"}]},
        {"messages": [{"content": "a", "role": "user"}]},
    ),
    "streamed and unstreamed": ({"stream": True, "stream_options": {"include_usage": True}}, {"stream": False}),
    "empty headers": ({"extra_headers": {}}, {}),
    "empty query": ({"extra_query": {}}, {}),
    "header names in another case": ({"extra_headers": {"X-A": "1"}}, {"extra_headers": {"x-a": "1"}}),
    "headers that only trace": (
        {"extra_headers": {"TraceParent": "00-1-1-00", "X-Stainless-Retry-Count": "1", "x-a": "1"}},
        {"extra_headers": {"x-a": "1"}},
    ),
    "tuples and lists": ({"extra": (1, 2)}, {"extra": [1, 2]}),
}

DIFFERENT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "integers and floats in free JSON": ({"top_k": 1}, {"top_k": 1.0}),
    "integers and floats in a message": (
        {"messages": [{"role": "user", "content": [{"type": "x", "v": 1}]}]},
        {"messages": [{"role": "user", "content": [{"type": "x", "v": 1.0}]}]},
    ),
    "true and 1": ({"flag": True}, {"flag": 1}),
    "text and number": ({"flag": "1"}, {"flag": 1}),
    "zeros of either sign": ({"flag": 0.0}, {"flag": -0.0}),
    "null and absent inside a message": (
        {"messages": [{"role": "user", "content": "a", "name": None}]},
        {"messages": [{"role": "user", "content": "a"}]},
    ),
    "null and absent of an unknown parameter": ({"guardrail": None}, {}),
    "string content and a one-part list": (
        {"messages": [{"role": "user", "content": "a"}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}]},
    ),
    "one stop word and a list of one": ({"stop": "a"}, {"stop": ["a"]}),
    "order of messages": (
        {"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]},
        {"messages": [{"role": "user", "content": "b"}, {"role": "user", "content": "a"}]},
    ),
    "order of parts": (
        {"messages": [{"role": "user", "content": [{"type": "text", "text": t} for t in "ab"]}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": t} for t in "ba"]}]},
    ),
    "order of stop words": ({"stop": ["a", "b"]}, {"stop": ["b", "a"]}),
    "order of tools": ({"tools": [{"type": "a"}, {"type": "b"}]}, {"tools": [{"type": "b"}, {"type": "a"}]}),
    "unicode forms": (
        {"messages": [{"role": "user", "content": "é"}]},
        {"messages": [{"role": "user", "content": "e\u0301"}]},
    ),
    "values of headers in another case": ({"extra_headers": {"x": "A"}}, {"extra_headers": {"x": "a"}}),
    "a header and a query parameter": ({"extra_headers": {"x": "1"}}, {"extra_query": {"x": "1"}}),
    "an authorization of one's own": (
        {"extra_headers": {"Authorization": "Bearer a"}},
        {"extra_headers": {"Authorization": "Bearer b"}},
    ),
    "of two spellings of a header the last": (
        {"extra_headers": {"X": "1", "x": "2"}},
        {"extra_headers": {"x": "2", "X": "1"}},
    ),
}

KNOWN_WRONG_ANSWERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "extra body left out": ({"guided_json": {"a": 1}}, {"guided_json": {"a": 2}}),
    "extra headers left out": ({"extra_headers": {"anthropic-beta": "a"}}, {"extra_headers": {"anthropic-beta": "b"}}),
    "min_p left out": ({"min_p": 0.1}, {"min_p": 0.9}),
    "parameters joined without separators": ({"user": "xseed: 1"}, {"user": "x", "seed": 1}),
    "parameters joined with separators in their text": ({"user": 'x","seed":1,"z":"'}, {"user": "x", "seed": 1}),
    "message text that imitates the joiner": (
        {"messages": [{"role": "user", "content": "user: a\nassistant: b"}]},
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
    ),
    "only the last message hashed": (
        {"messages": [{"role": "system", "content": "be kind"}, *MESSAGES]},
        {"messages": [{"role": "system", "content": "be rude"}, *MESSAGES]},
    ),
    "only so many messages hashed": (
        {"messages": [{"role": "user", "content": str(n)} for n in range(500)]},
        {"messages": [{"role": "user", "content": str(n)} for n in range(499)] + MESSAGES},
    ),
    "only so much text hashed": (
        {"messages": [{"role": "user", "content": "a" * 10**6 + "b"}]},
        {"messages": [{"role": "user", "content": "a" * 10**6 + "c"}]},
    ),
    "a character and the surrogates of its UTF-16 form": (
        {"messages": [{"role": "user", "content": "\\ud83d\\ude00"}]},
        {"messages": [{"role": "user", "content": "😀"}]},
    ),
}


@pytest.mark.parametrize("case", EQUAL)
def test_equal_requests_share_a_key(case: str) -> None:
    """One row of the rules: two spellings of one request."""
    assert same(*EQUAL[case])


@pytest.mark.parametrize("case", DIFFERENT)
def test_different_requests_do_not(case: str) -> None:
    """One row of the rules: two requests that look alike."""
    assert not same(*DIFFERENT[case])


@pytest.mark.parametrize("case", KNOWN_WRONG_ANSWERS)
def test_wrong_answers_known_from_elsewhere(case: str) -> None:
    """Requests that other caches take for one."""
    assert not same(*KNOWN_WRONG_ANSWERS[case])


def test_key_order_of_keyword_arguments() -> None:
    """Known from elsewhere: the same call with its arguments in another order misses."""
    fields: dict[str, Any] = {"model": "gpt", "messages": MESSAGES, "seed": 1, "min_p": 0.5, "user": "u"}
    assert raw_key(ChatRequest(**fields), b"") == raw_key(ChatRequest(**dict(reversed(fields.items()))), b"")


@pytest.mark.parametrize("name", sorted(DOES_NOT_COUNT_HEADERS))
def test_headers_that_do_not_count(name: str) -> None:
    """Each header of the list, in any case, and none that only begins like one."""
    assert same({}, {"extra_headers": {name.title(): "anything"}})
    assert not same({}, {"extra_headers": {f"{name}-2": "anything"}})


# The candidates, the policy and the routing options.

ONE = CandidateIdentity("openai.chat", "https://a/v1", "gpt", "alice")
TWO = CandidateIdentity("anthropic.messages", "https://b/v1", "claude", "bob")


@pytest.mark.parametrize(
    "other",
    [
        [CandidateIdentity("other.chat", "https://a/v1", "gpt", "alice")],
        [CandidateIdentity("openai.chat", "https://b/v1", "gpt", "alice")],
        [CandidateIdentity("openai.chat", "https://a/v1", "gpt-2", "alice")],
        [CandidateIdentity("openai.chat", "https://a/v1", "gpt", "bob")],
        [CandidateIdentity("openai.chat", "https://a/v1", "gpt", None)],
        [CandidateIdentity("openai.chat", "https://a/v1", "gpt", "alice", {"x-beta": "b"})],
        [CandidateIdentity("openai.chat", "https://a/v1", "gpt", "alice", {"x-beta": None})],
        [CandidateIdentity("openai.chat", "https://a/v1", "gpt", "alice", {}, {"v": "2"})],
        [CandidateIdentity("openai.chathttps://a/v1", "", "gpt", "alice")],
        [ONE, TWO],
        [TWO, ONE],
        [ONE, ONE],
        [],
    ],
)
def test_everything_of_a_candidate_counts(other: list[CandidateIdentity]) -> None:
    """Wire, endpoint, model, credential, number and order."""
    assert candidate_digest(other, None) != candidate_digest([ONE], None)
    assert len(candidate_digest(other, None)) == 32


def test_tenants_do_not_share_entries() -> None:
    """Known from elsewhere: two credentials, one answer."""
    alice, bob = (CandidateIdentity("w", "e", "m", identity) for identity in ("alice", "bob"))
    assert raw_key(request(), candidate_digest([alice], None)) != raw_key(request(), candidate_digest([bob], None))


def test_a_namespace_stands_in_place_of_the_credentials() -> None:
    """Two credentials share within one namespace; another namespace is apart, and all are apart from none."""
    alice, bob = (CandidateIdentity("w", "e", "m", identity) for identity in ("alice", "bob"))
    assert candidate_digest([alice], "team") == candidate_digest([bob], "team")
    other = CandidateIdentity("w", "e", "m", None)
    digests = {candidate_digest([other], namespace) for namespace in (None, "", "team", "team2", "null")}
    assert len(digests) == 5
    assert candidate_digest([alice], "team") != candidate_digest([CandidateIdentity("w", "e", "m2", "alice")], "team")


PARTS = st.tuples(
    st.binary(max_size=4), st.binary(max_size=4), st.dictionaries(st.sampled_from("ab"), st.integers(0, 1), max_size=2)
)


@given(PARTS, PARTS)
def test_the_parts_cannot_be_moved_into_one_another(
    left: tuple[bytes, bytes, dict[str, int]], right: tuple[bytes, bytes, dict[str, int]]
) -> None:
    """Keys are equal only if candidates, policy and routing are each equal."""
    keys = [shared_key(request(), *parts) for parts in (left, right)]
    assert (keys[0] == keys[1]) is (left == right)


@given(st.binary(max_size=8), st.binary(max_size=8))
def test_the_two_keys_are_equal_without_routing_options(candidates: bytes, policy: bytes) -> None:
    """While no shield exists and no routing is asked for, one key serves both look-ups."""
    raw = raw_key(request(), candidates, policy)
    assert raw == shared_key(request(), candidates, policy)
    assert raw == shared_key(request(), candidates, policy, {})
    assert raw != shared_key(request(), candidates, policy, {"fallbacks": ["x"]})


# Properties over whole requests.

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0.0, 1.0, -0.0])
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
MESSAGE = st.dictionaries(st.sampled_from(["role", "content", "name", "x"]), JSON, max_size=3)
FIELDS = st.fixed_dictionaries(
    {"model": st.sampled_from(["a", "b"]), "messages": st.lists(MESSAGE, max_size=3)},
    optional={
        "temperature": st.none() | st.integers(0, 2) | st.floats(0, 2),
        "seed": st.none() | st.integers(0, 2),
        "user": st.none() | st.text(max_size=2),
        "stop": st.none() | st.text(max_size=2) | st.lists(st.text(max_size=2), max_size=2),
        "tools": st.none() | st.lists(MESSAGE, max_size=2),
        "logit_bias": st.dictionaries(st.text(max_size=1), st.integers(0, 2) | st.floats(0, 2), max_size=2),
        "stream": st.none() | st.booleans(),
        "metadata": st.none() | st.dictionaries(st.text(max_size=1), st.text(max_size=1), max_size=1),
        "prompt_cache_key": st.none() | st.text(max_size=2),
        "extra_headers": st.none()
        | st.dictionaries(st.sampled_from(["X-A", "x-a", "TraceParent", "b"]), st.text(max_size=2), max_size=3),
        "extra_query": st.none() | st.dictionaries(st.text(max_size=2), JSON, max_size=2),
        "min_p": JSON,
        "zeta": JSON,
    },
)


def _tagged(value: Any) -> Any:
    """A JSON value such that `==` means equal under the rules."""
    if isinstance(value, dict):
        return ("object", frozenset((name, _tagged(part)) for name, part in value.items()))
    if isinstance(value, list):
        return ("list", tuple(_tagged(part) for part in value))
    return (type(value).__name__, repr(value))


def _equivalence(fields: dict[str, Any]) -> Any:
    """An independent reading of the rules in the module's docstring."""
    known = {name: value for name, value in fields.items() if name in ChatRequest.model_fields and value is not None}
    counted: dict[str, Any] = {name: fields[name] for name in ("min_p", "zeta") if name in fields}
    for name, value in known.items():
        if name in {"stream", "metadata", "prompt_cache_key"}:
            continue
        if name == "temperature":
            value = float(value)
        if name == "logit_bias":
            value = {token: float(bias) for token, bias in value.items()}
        if name == "extra_headers":
            value = {header.lower(): text for header, text in value.items() if header != "TraceParent"}
        if name.startswith("extra_") and not value:
            continue
        counted[name] = value
    return _tagged(counted)


def _shuffled(value: Any, order: Callable[[list[str]], list[str]]) -> Any:
    """The same JSON value with the keys of its objects in another order."""
    if isinstance(value, dict):
        return {name: _shuffled(value[name], order) for name in order(list(value))}
    return [_shuffled(part, order) for part in value] if isinstance(value, list) else value


@given(FIELDS, FIELDS)
def test_keys_are_equal_if_and_only_if_requests_are(left: dict[str, Any], right: dict[str, Any]) -> None:
    """Two random requests: the key agrees with the independent reading of the rules."""
    keys = [raw_key(ChatRequest(**fields), b"") for fields in (left, right)]
    assert (keys[0] == keys[1]) is (_equivalence(left) == _equivalence(right))


@given(FIELDS, st.data())
def test_one_change_changes_the_key_if_it_counts(fields: dict[str, Any], data: st.DataObject) -> None:
    """A request and the same with one field replaced, so that near misses are common."""
    name = data.draw(st.sampled_from(["messages", "temperature", "min_p", "zeta", "stream", "extra_headers", "stop"]))
    changed = {**fields, **{k: v for k, v in data.draw(FIELDS).items() if k == name}}
    keys = [raw_key(ChatRequest(**each), b"") for each in (fields, changed)]
    assert (keys[0] == keys[1]) is (_equivalence(fields) == _equivalence(changed))


@given(FIELDS, st.randoms(use_true_random=False))
def test_key_order_never_matters(fields: dict[str, Any], random: Any) -> None:
    """Objects at every depth, shuffled; headers stay, since of two spellings the last one counts."""
    headers = {"extra_headers": fields["extra_headers"]} if "extra_headers" in fields else {}

    def order(names: list[str]) -> list[str]:
        return sorted(names, key=lambda _: random.random())

    shuffled = {**_shuffled(fields, order), **headers}
    assert raw_key(ChatRequest(**fields), b"") == raw_key(ChatRequest(**shuffled), b"")


@given(st.lists(MESSAGE, min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_message_order_always_matters(messages: list[dict[str, Any]], random: Any) -> None:
    """A permutation that changes the list changes the key."""
    permuted = random.sample(messages, len(messages))
    unchanged = [_tagged(message) for message in messages] == [_tagged(message) for message in permuted]
    assert same({"messages": messages}, {"messages": permuted}) is unchanged


@given(FIELDS)
def test_the_key_is_that_of_the_params(fields: dict[str, Any]) -> None:
    """`key_params` shows what is hashed: plain JSON, and the request is left as it was."""
    asked = ChatRequest(**fields)
    before = asked.model_dump()
    assert json.loads(canonical_json(key_params(asked))) == json.loads(json.dumps(key_params(asked)))
    assert asked.model_dump() == before


@given(JSON, JSON)
def test_canonical_json_is_injective(left: Any, right: Any) -> None:
    """Equal bytes if and only if equal values."""
    assert (canonical_json(left) == canonical_json(right)) is (_tagged(left) == _tagged(right))


# What has no key.

CIRCULAR: list[Any] = []
CIRCULAR.append(CIRCULAR)


def _deep(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"temperature": float("nan")}, "temperature"),
        ({"min_p": float("inf")}, "min_p"),
        ({"user": "\ud83d"}, "user"),
        ({"messages": [*MESSAGES, {"role": "user", "content": "\udc00 x"}]}, "messages[1].content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "x", "v": {1, 2}}]}]},
            "messages[0].content[1].v",
        ),
        (
            {"tools": [{"type": "function", "function": {"parameters": {"default": b"x"}}}]},
            "tools[0].function.parameters.default",
        ),
        ({"extra_query": {"when": object()}}, "extra_query.when"),
        ({"extra_headers": {"X-A": "\ud800"}}, "extra_headers.x-a"),
        ({"min_p": {"a": {1: "x", "y": 2}}}, "min_p.a"),
        ({"min_p": {"\ud800": 1}}, "min_p"),
        ({"min_p": {"a@x.com": object()}}, "min_p[…]"),
        ({"min_p": {"a4111111111111111": [{"b": object()}]}}, "min_p[…][0].b"),
    ],
)
def test_what_json_cannot_hold_is_refused(fields: dict[str, Any], param: str) -> None:
    """The error names the innermost place, and shows no value."""
    with pytest.raises(RequestValidationError) as caught:
        key(**fields)
    assert caught.value.param == param
    assert caught.value.status_code == 400
    assert str(caught.value).startswith(param)


@pytest.mark.parametrize("value", [CIRCULAR, _deep(100_000)], ids=["circular", "deep"])
def test_endless_values_are_refused(value: Any) -> None:
    """No recursion error, no endless search for the place."""
    asked = ChatRequest.model_construct(model="m", messages=MESSAGES, min_p=value)
    with pytest.raises(RequestValidationError) as caught:
        raw_key(asked, b"")
    assert (caught.value.param or "").startswith("min_p[0]")


def test_a_surrogate_pair_is_not_its_character() -> None:
    """Two lone surrogates are no text, though JSON in ASCII would write them like the character they resemble."""
    with pytest.raises(RequestValidationError):
        key(user="\ud83d\ude00")
    assert key(user="😀") != key(user="")


def test_routing_options_that_json_cannot_hold_are_refused() -> None:
    """They are named as options of the call."""
    with pytest.raises(RequestValidationError) as caught:
        shared_key(request(), b"", routing={"fallbacks": [object()]})
    assert caught.value.param == "edge.fallbacks[0]"


def test_keys_of_this_version_do_not_change() -> None:
    """A fixed request has a fixed key: a change of the encoding must change `VERSION`, and this test."""
    asked = request(temperature=1, min_p=0.5, extra_headers={"X-A": "1"})
    assert raw_key(asked, b"c", b"p").hex() == "035756ea01dd8c2fac7d3f8bb39f47ca7ca71dc6f923c03d8be5338db6eb13a4"


@pytest.mark.parametrize("body", ["%20\ud800", "\ud800", ";base64,\ud800"])
def test_half_a_character_in_a_data_url_has_no_key(body: str) -> None:
    """The error is that of any other place, and names this one."""
    part = {"type": "image_url", "image_url": {"url": f"data:text/plain,{body}"}}
    with pytest.raises(RequestValidationError) as caught:
        key(messages=[{"role": "user", "content": [part]}])
    assert caught.value.param == "messages[0].content[0].image_url.url"
