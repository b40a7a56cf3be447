"""A model's name → the targets it means."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

import anyio
import pytest

from edgeagent import AsyncEdgeClient, EdgeClient
from edgeagent.errors import ConfigurationError, NoTargetError
from edgeagent.routing.failover import FailoverRouter
from edgeagent.routing.names import Names
from edgeagent.testing import FakeProvider
from edgeagent.types import ChatRequest, Target


@dataclass
class P:
    name: str
    models: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    literal: bool = False
    seen: list[str] = field(default_factory=list)
    hosted: tuple[str, ...] = ()

    def knows(self, model: str) -> bool:
        return model in self.models

    def family(self, model: str) -> bool:
        return bool(self.families) and model.startswith(self.families)

    def hosts(self, model: str) -> bool:
        return model in self.hosted


OPENAI = P("openai", ("gpt-4o",), ("gpt-",))
ANTHROPIC = P("anthropic", ("claude-x",), ("claude-",))
GROUPS = {
    "fast": ["openai/gpt-4o", "claude-x"],
    "gpt-4o": ["anthropic/claude-x"],
    "all": ["fast", "other"],
    "self": ["self"],
    "twice": ["gpt-4o-mini", "openai/gpt-4o-mini"],
}


@pytest.mark.parametrize(
    ("model", "targets"),
    [
        ("fast", ["openai/gpt-4o", "anthropic/claude-x"]),
        ("gpt-4o", ["anthropic/claude-x"]),  # a key of `models` comes before everything
        ("openai/gpt-4o", ["openai/gpt-4o"]),
        ("openai/org/model:v1", ["openai/org/model:v1"]),
        ("claude-x", ["anthropic/claude-x"]),
        ("gpt-9", ["openai/gpt-9"]),
        ("claude-9", ["anthropic/claude-9"]),
        ("all", ["openai/gpt-4o", "anthropic/claude-x", "openai/other"]),
        ("self", ["openai/self"]),
        ("twice", ["openai/gpt-4o-mini"]),
    ],
)
@pytest.mark.filterwarnings("ignore:No configured provider")
def test_precedence(model: str, targets: list[str]) -> None:
    """The order of the contract; one target is named once."""
    assert [str(t) for t in Names([OPENAI, ANTHROPIC], GROUPS).resolve(model)] == targets


def test_ties_go_by_provider_order() -> None:
    """Two providers that know the same name."""
    twin = P("azure", ("gpt-4o",), ("gpt-",))
    assert Names([twin, OPENAI], {}).resolve("gpt-4o") == (Target("azure", "gpt-4o"),)
    assert Names([OPENAI, twin], {}).resolve("gpt-4o") == (Target("openai", "gpt-4o"),)


def test_exact_names_come_before_families() -> None:
    """A provider that knows the model wins over an earlier one that only knows its like."""
    compatible = P("mine", ("gpt-oss",))
    assert Names([OPENAI, compatible], {}).resolve("gpt-oss") == (Target("mine", "gpt-oss"),)


def test_who_makes_a_model_comes_before_who_serves_everybodys() -> None:
    """In any order, and by the name's family alone; who was asked is one of those who make it."""
    reseller = P("reseller", hosted=("gpt-4o", "gpt-9", "llama"))
    for providers in ([reseller, OPENAI], [OPENAI, reseller]):
        names = Names(providers, {})
        assert [str(*names.resolve(model)) for model in ("gpt-4o", "gpt-9")] == ["openai/gpt-4o", "openai/gpt-9"]
        assert names.resolve("llama") == (Target("reseller", "llama"),)
        assert names.explains("llama")
        asked = names.addressed(reseller, literal=False).resolve("gpt-4o")
        assert asked == (Target(providers[0].name, "gpt-4o"),)
        assert names.addressed(reseller, literal=False, first=True).resolve("gpt-4o")[0].provider == "reseller"
        assert names.addressed(OPENAI, literal=False).resolve("gpt-4o") == (Target("openai", "gpt-4o"),)


def test_who_was_asked_may_come_first_among_those_who_serve_a_model() -> None:
    """Where it must be that one, whatever their order; an exact name still comes before a family."""
    twin, mine = P("azure", ("gpt-4o",), ("gpt-",)), P("mine", ("gpt-oss",))
    for providers in ([OPENAI, twin, mine], [OPENAI, mine]):
        names = Names(providers, {}).addressed(twin, literal=False)
        assert names.resolve("gpt-4o") == (Target("openai", "gpt-4o"),)
        assert names.resolve("llama") == (Target("azure", "llama"),)
    names = Names([OPENAI, twin, mine], {}).addressed(twin, literal=False, first=True)
    assert names.resolve("gpt-4o") == (Target("azure", "gpt-4o"),)
    assert names.resolve("gpt-9") == (Target("azure", "gpt-9"),)
    assert names.resolve("gpt-oss") == (Target("mine", "gpt-oss"),)
    assert names.resolve("llama") == (Target("azure", "llama"),)


def test_an_unexplained_name() -> None:
    """The first provider, with a warning; an error where names are strict; a sole provider needs no choice."""
    with pytest.warns(UserWarning, match="llama") as caught:
        assert Names([OPENAI, ANTHROPIC], {}).resolve("llama") == (Target("openai", "llama"),)
    assert len(caught) == 1
    with pytest.raises(NoTargetError, match="llama"):
        Names([OPENAI, ANTHROPIC], {}, strict=True).resolve("llama")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Names([OPENAI], {}).resolve("llama") == (Target("openai", "llama"),)


def test_a_first_segment_that_is_no_provider() -> None:
    """It belongs to the model's name."""
    assert Names([OPENAI], {}).resolve("meta/llama") == (Target("openai", "meta/llama"),)
    literal = P("openai", literal=True)
    assert Names([literal], {}).resolve("openai/gpt-4o") == (Target("openai", "openai/gpt-4o"),)


def test_no_provider() -> None:
    """The error says what to do."""
    with pytest.raises(NoTargetError, match="OPENAI_API_KEY"):
        Names([], {}).resolve("gpt-4o")


def test_a_circle_of_groups() -> None:
    """It is found when the client is built."""
    with pytest.raises(ConfigurationError, match="a → b → a"):
        Names([OPENAI], {"a": ["b"], "b": ["a"]})


def test_failover_changes_nothing() -> None:
    """The order is the configured one."""
    targets = [Target("a", "x"), Target("b", "y")]
    request = ChatRequest(model="m", messages=[])
    assert FailoverRouter().plan(request, targets, None) is targets


def test_the_warning_is_at_the_callers_line() -> None:
    """For blocking code and for code that awaits: whoever reads it wants to know which call it was."""
    providers = [FakeProvider("x", name="one"), FakeProvider("y", name="two")]
    question = [{"role": "user", "content": "?"}]

    async def awaiting() -> None:
        async with AsyncEdgeClient(providers=providers) as client:
            await client.chat.completions.create(model="tow/m", messages=question)

    with pytest.warns(UserWarning, match="'tow/m'") as caught:
        EdgeClient(providers=providers).chat.completions.create(model="tow/m", messages=question)
    assert [warning.filename for warning in caught] == [__file__]
    with pytest.warns(UserWarning, match="'tow/m'") as caught:
        anyio.run(awaiting)
    assert [warning.filename for warning in caught] == [__file__]
