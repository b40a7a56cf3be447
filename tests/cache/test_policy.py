"""Controls of one call; what is not cached; which answers are stored."""

from __future__ import annotations

from dataclasses import fields
from types import MappingProxyType
from typing import Any

import pytest

from edgeagent.cache.policy import _CHECKS, CacheOptions, parse_cache_options, storable, uncacheable_reason
from edgeagent.errors import RequestValidationError
from edgeagent.types import ChatCompletion, ChatRequest
from edgeagent.types.completion import BROKEN_OFF

MODES = ["on", "off", "read", "write", "refresh"]


@pytest.mark.parametrize(
    ("mode", "reads", "writes"),
    [
        ("on", True, True),
        ("off", False, False),
        ("read", True, False),
        ("write", False, True),
        ("refresh", False, True),
    ],
)
def test_modes(mode: str, reads: bool, writes: bool) -> None:
    """What each mode may do; the word alone and in a dict mean the same."""
    options = parse_cache_options(mode)
    assert (options.reads, options.writes) == (reads, writes)
    assert options == parse_cache_options({"mode": mode})


def test_defaults() -> None:
    """Without options the cache is on, with nothing special; a bool is on or off."""
    assert parse_cache_options({}) == parse_cache_options("on") == parse_cache_options(True) == CacheOptions()
    assert parse_cache_options(False).mode == "off"


def test_all_options_together() -> None:
    """A mapping of any kind, integers and floats as seconds."""
    value = {"mode": "on", "ttl": 60, "max_age": 1.5, "namespace": "team", "sample": 3, "force": True}
    expected = CacheOptions("on", 60, 1.5, "team", 3, True)
    assert parse_cache_options(value) == parse_cache_options(MappingProxyType(value)) == expected


def test_what_is_not_said_is_as_in_the_base() -> None:
    """A call's options over its client's; None is a value."""
    base = CacheOptions(ttl=60, namespace="team")
    assert parse_cache_options({"max_age": 5}, base) == CacheOptions(ttl=60, namespace="team", max_age=5)
    assert parse_cache_options("off", base) == CacheOptions("off", ttl=60, namespace="team")
    assert parse_cache_options({"ttl": None}, base).ttl is None


NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "param"),
    [
        (None, "edge.cache"),
        (1, "edge.cache"),
        (["on"], "edge.cache"),
        ("maybe", "edge.cache.mode"),
        ("", "edge.cache.mode"),
        ({"mode": True}, "edge.cache.mode"),
        ({"mode": None}, "edge.cache.mode"),
        ({"tll": 5}, "edge.cache.tll"),
        ({5: 5}, "edge.cache"),
        *[({"ttl": bad}, "edge.cache.ttl") for bad in (0, -1, "60", True, NAN, float("inf"), 10**400)],
        *[({"max_age": bad}, "edge.cache.max_age") for bad in (-1, "60", True, NAN, float("inf"), 10**400)],
        *[({"namespace": bad}, "edge.cache.namespace") for bad in ("", 5, b"x", "\ud800", "a\nb")],
        *[({"sample": bad}, "edge.cache.sample") for bad in ("", 1.0, True, [1], "\ud800")],
        *[({"force": bad}, "edge.cache.force") for bad in (None, 1, "yes")],
    ],
    ids=repr,
)
def test_unknown_and_ill_typed_controls_are_errors(value: object, param: str) -> None:
    """The error names the option, as a bad request."""
    with pytest.raises(RequestValidationError) as caught:
        parse_cache_options(value)
    assert caught.value.param == param
    assert caught.value.status_code == 400


def test_every_option_is_checked() -> None:
    """A new option of `CacheOptions` needs a check."""
    assert set(_CHECKS) == {field.name for field in fields(CacheOptions)} - {"given"}


def test_samples_have_their_own_keys() -> None:
    """Without a sample nothing is added to the key; a number and its text are two samples."""
    assert CacheOptions(ttl=5, max_age=6, mode="refresh", force=True).fingerprint == b""
    prints = {CacheOptions(sample=sample).fingerprint for sample in (None, 0, 1, "0", "1", "a")}
    assert len(prints) == 6


def request(**fields: Any) -> ChatRequest:
    return ChatRequest.model_validate({"model": "m", "messages": [{"role": "user", "content": "?"}], **fields})


FUNCTION = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"store": False},
        {"store": None},
        {"modalities": ["text"]},
        {"tools": []},
        {"tools": [FUNCTION, {"type": "custom", "custom": {"name": "c"}}]},
        {"tools": [{"function": {"name": "f"}}]},
        {"tools": [{"name": "f", "input_schema": {}}]},
        {"background": False},
        {"conversation": None},
        {"mcp_servers": []},
        {"temperature": 1.9},
    ],
)
def test_ordinary_requests_may_be_cached(fields: dict[str, Any]) -> None:
    """Tools that the caller runs, switches that are off, any temperature."""
    assert uncacheable_reason(request(**fields)) is None
    assert CacheOptions().allows(request(**fields))
    assert not CacheOptions("off").allows(request(**fields))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"store": True}, "store"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": {"id": "c"}}, "conversation"),
        ({"background": True}, "background"),
        ({"container": "c_1"}, "container"),
        ({"thread": {"type": "create"}}, "thread"),
        ({"mcp_servers": [{"url": "https://x"}]}, "servers"),
        ({"search_parameters": {"mode": "on"}}, "web"),
        ({"plugins": [{"id": "web"}]}, "plugins"),
        ({"enable_search": True}, "web"),
        ({"model": "openrouter/openai/gpt-4o:online"}, "web"),
        ({"web_search_options": {}}, "web"),
        ({"audio": {"voice": "alloy"}}, "spoken"),
        ({"modalities": ["text", "audio"]}, "spoken"),
        ({"tools": [FUNCTION, {"type": "web_search"}]}, "tool"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tool"),
        ({"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]}, "tool"),
        ({"tools": [{"google_search": {}}]}, "tool"),
        ({"tools": [{"type": ["function"]}]}, "tool"),
    ],
)
def test_requests_that_are_not_cached_unless_forced(fields: dict[str, Any], says: str) -> None:
    """Vendor state, vendor tools, the web, speech: a reason in words, and `force` overrides it."""
    reason = uncacheable_reason(request(**fields))
    assert reason is not None
    assert says in reason
    assert not CacheOptions().allows(request(**fields))
    assert CacheOptions(force=True).allows(request(**fields))
    assert not CacheOptions("off", force=True).allows(request(**fields))


def completion(*reasons: str | None) -> ChatCompletion:
    choices = [
        {"index": i, "message": {"role": "assistant", "content": "x"}, "finish_reason": reason}
        for i, reason in enumerate(reasons)
    ]
    return ChatCompletion.model_validate({"id": "c", "created": 1, "model": "m", "choices": choices})


@pytest.mark.parametrize(
    ("reasons", "stored"),
    [
        (["stop"], True),
        (["tool_calls"], True),
        (["function_call"], True),
        (["stop", "tool_calls"], True),
        (["length"], False),
        (["content_filter"], False),
        ([None], False),
        (["stop", "length"], False),
        (["content_filter", "stop"], False),
        ([], False),
    ],
)
def test_only_complete_answers_are_stored(reasons: list[str | None], stored: bool) -> None:
    """Every choice must have ended on its own account."""
    assert storable(completion(*reasons)) is stored


@pytest.mark.parametrize("word", sorted(BROKEN_OFF))
def test_what_a_vendor_broke_off_is_not_stored(word: str) -> None:
    """OpenAI's word for it may be `stop`; the vendor's own tells that it is no whole answer."""
    answer = completion("stop")
    assert storable(answer)
    answer.choices[0].native_finish_reason = word
    assert not storable(answer)
