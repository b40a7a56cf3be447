"""What a client says once about all its calls."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from edgeagent.cache import Cache, CachePolicy
from edgeagent.cache.policy import CacheOptions, parse_cache_options
from edgeagent.errors import ConfigurationError
from edgeagent.types import ChatRequest


def request(model: str = "m") -> ChatRequest:
    return ChatRequest(model=model, messages=[{"role": "user", "content": "hello"}])


def applied(policy: CachePolicy, model: str = "m", tags: tuple[str, ...] = (), call: Any = None) -> CacheOptions:
    """The options of a call that says `call`."""
    options = policy.defaults(None)
    return policy.applied(options if call is None else parse_cache_options(call, options), request(model), tags)


POLICY = CachePolicy(
    {"ttl": 100},
    models={"gpt-*": {"ttl": 10, "max_age": 5}, "gpt-4o": {"ttl": 20}},
    tags={"slow": {"ttl": 30}, "never": "off"},
)


@pytest.mark.parametrize(
    ("model", "tags", "call", "expected"),
    [
        ("m", (), None, CacheOptions(ttl=100)),
        ("gpt-3", (), None, CacheOptions(ttl=10, max_age=5)),
        ("gpt-4o", (), None, CacheOptions(ttl=20, max_age=5)),
        ("GPT-4o", (), None, CacheOptions(ttl=100)),
        ("gpt-4o", ("slow",), None, CacheOptions(ttl=30, max_age=5)),
        ("gpt-4o", ("other", "never"), None, CacheOptions("off", ttl=20, max_age=5)),
        ("gpt-4o", ("slow", "never"), {"ttl": 1, "mode": "on"}, CacheOptions(ttl=1, max_age=5)),
        ("gpt-4o", (), {"max_age": None}, CacheOptions(ttl=20)),
        ("gpt-4o", ("never",), True, CacheOptions(ttl=20, max_age=5)),
    ],
)
def test_what_counts_more(model: str, tags: tuple[str, ...], call: Any, expected: CacheOptions) -> None:
    """Defaults, the model's rules in their order, the tags', the call itself."""
    assert applied(POLICY, model, tags, call) == expected


def test_a_request_that_names_no_model() -> None:
    """Only a rule for every name is its."""

    class Nameless:
        model = None

    policy = CachePolicy(models={"gpt-*": "off", "*": {"ttl": 7}})
    assert policy.applied(policy.defaults(None), Nameless(), ()) == CacheOptions(ttl=7)


def test_a_predicate_has_the_last_word() -> None:
    """Except where the call forces it, or is off anyway (then it is not asked)."""
    asked: list[str] = []

    def cacheable(request: Any) -> bool:
        asked.append(request.model)
        return bool(request.model != "secret")

    policy = CachePolicy(cacheable=cacheable)
    assert applied(policy).mode == "on"
    assert applied(policy, "secret").mode == "off"
    assert asked == ["m", "secret"]
    assert applied(policy, "secret", call={"force": True}).mode == "on"
    assert applied(policy, "secret", call="off").mode == "off"
    assert len(asked) == 2


def test_what_a_predicate_raises_is_the_callers() -> None:
    """It is his function: neither guess would be right."""
    with pytest.raises(ZeroDivisionError):
        applied(CachePolicy(cacheable=lambda _: 1 / 0 > 0))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"controls": {"tll": 1}}, "controls has no option 'tll'"),
        ({"controls": {"ttl": -1}}, "controls.ttl must be"),
        ({"models": {"gpt-*": {"ttl": "1"}}}, r"models\['gpt-\*'\].ttl must be"),
        ({"tags": {"t": 7}}, r"tags\['t'\] must be"),
        ({"tags": {7: "off"}}, "dict of cache controls by name"),
        ({"models": ["off"]}, "dict of cache controls by name"),
        ({"cacheable": True}, "a function of a request"),
    ],
)
def test_a_wrong_policy_is_a_configuration_error(arguments: dict[str, Any], says: str) -> None:
    """When it is made, and says where."""
    with pytest.raises(ConfigurationError, match=says):
        CachePolicy(**arguments)


def test_a_cache_takes_a_policy_or_its_arguments() -> None:
    """As a TOML file has them; anything else is an error."""
    made = Cache(policy={"controls": {"ttl": 5}, "models": {"m": "off"}})
    assert made == Cache(policy=CachePolicy({"ttl": 5}, {"m": "off"}))
    assert made.defaults("team") == CacheOptions(ttl=5, namespace="team")
    assert Cache(policy=CachePolicy({"namespace": "own"})).defaults(None).namespace == "own"
    assert Cache().defaults("team") == CacheOptions(namespace="team")
    for wrong in ("off", {"nonsense": 1}):
        with pytest.raises(ConfigurationError, match=r"Cache\(policy"):
            Cache(policy=wrong)  # type: ignore[arg-type]


def test_only_rules_are_asked_for_each_call() -> None:
    """A policy that has none costs a call nothing."""
    assert Cache(policy=CachePolicy({"ttl": 5})).rules is None
    assert Cache(policy=POLICY).rules is POLICY


def module_function(_: Any) -> bool:
    """A predicate that pickle can find."""
    return True


def test_it_can_be_pickled_if_its_predicate_can() -> None:
    """Otherwise the error says what to do."""
    policy = CachePolicy({"ttl": 5}, cacheable=module_function)
    assert pickle.loads(pickle.dumps(Cache(policy=policy))) == Cache(policy=policy)
    with pytest.raises(ConfigurationError, match="stands in a module"):
        pickle.dumps(Cache(policy=CachePolicy(cacheable=lambda _: True)))
