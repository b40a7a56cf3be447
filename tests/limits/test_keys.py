"""Whose calls are counted together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.errors import ConfigurationError
from edgeagent.limits.keys import Facts, account_of, by_of, matches, parts_of, tags_of
from edgeagent.types import ChatRequest, Target

REQUEST = ChatRequest(model="m", messages=[], user="ann")
FACTS = Facts(Target("openai", "gpt-4o"), REQUEST, ("batch", "tenant=acme", "night"))


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        ((), [()]),
        ("user", [("ann",)]),
        ("target", [("openai/gpt-4o",)]),
        (("provider", "model"), [("openai", "gpt-4o")]),
        ("tenant", [("acme",)]),
        ("session", [("",)]),
        ("tag", [("batch",), ("tenant=acme",), ("night",)]),
        (("user", "tenant"), [("ann", "acme")]),
        (lambda facts: facts.request.model, [("m",)]),
        (lambda facts: None, [("",)]),
    ],
)
def test_parts_of_a_call(by: object, keys: list[tuple[str, ...]]) -> None:
    """Each way to say it, and what it means for one call."""
    assert parts_of(by_of(by, "Limit"), FACTS) == keys  # type: ignore[arg-type]


def test_a_call_without_tags_or_user_is_nobodys() -> None:
    """Leaving it out is no way around: such calls share one account."""
    bare = Facts(FACTS.target, ChatRequest(model="m", messages=[]))
    assert parts_of(("tag",), bare) == parts_of(("user",), bare) == [("",)]


@pytest.mark.parametrize("by", [3, None, [""], ["user", 4]])
def test_what_names_no_part_is_refused(by: object) -> None:
    """The message says what can be given."""
    with pytest.raises(ConfigurationError, match="Budget: by="):
        by_of(by, "Budget")  # type: ignore[arg-type]


@pytest.mark.parametrize("tags", ["a", 3, [1]])
def test_tags_are_texts(tags: object) -> None:
    """A text alone is no list of them."""
    with pytest.raises(ConfigurationError, match="list of texts"):
        tags_of(tags, "Limit")


@pytest.mark.parametrize(
    ("pattern", "tags", "fits"),
    [("*", (), True), ("openai/*", ("batch",), True), ("anthropic/*", (), False), ("*", ("batch", "day"), False)],
)
def test_which_calls_a_rule_is_about(pattern: str, tags: tuple[str, ...], fits: bool) -> None:
    """Its pattern of targets and all of its tags must fit."""
    assert matches(pattern, tags, FACTS) is fits


texts = st.lists(st.text(), max_size=3).map(tuple)


@given(texts, texts)
def test_accounts_differ_as_their_keys_do(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    """No two keys have the same account, however their texts are cut."""
    assert (account_of("n", "p", one) == account_of("n", "p", other)) == (one == other)


def test_an_account_does_not_tell_whose_it_is() -> None:
    """Only a hash of the user stands in a store."""
    assert "ann" not in account_of("team", "2026-11-26", ("ann@example.org",))
