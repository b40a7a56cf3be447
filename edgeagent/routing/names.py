"""A model's name → the targets it means.

In this order: a key of the client's `models`; `"provider/model"` when the first segment is a configured provider's
name; an exact model known to a configured provider; the name's family; a model that a provider is known to serve as one
of many makers'; the first provider, with a warning.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import Final, Protocol

from edgeagent.errors import ConfigurationError, NoTargetError
from edgeagent.types import Target

__all__ = ["Names", "ProviderNames"]

_PACKAGE: Final = __name__.partition(".")[0]


class ProviderNames(Protocol):
    """What a provider says of model names."""

    name: str
    """The provider's own name."""
    literal: bool
    """Whether `"name/…"` is a model name of its own, and not this provider's name before a model's."""

    def knows(self, model: str, /) -> bool:
        """Whether this is an exact model that it serves."""
        ...

    def family(self, model: str, /) -> bool:
        """Whether the name looks like one of its models."""
        ...

    def hosts(self, model: str, /) -> bool:
        """Whether it is known to serve this model of another maker's, who comes first."""
        ...


class Names:
    """Resolves names against the configured providers and groups.

    Args:
        providers: in the order in which ties are decided.
        groups: aliases and groups: a name → one or more model names.
        strict: whether a name that nothing explains is an error.
    """

    def __init__(
        self, providers: Sequence[ProviderNames], groups: Mapping[str, Sequence[str]], *, strict: bool = False
    ):
        self._providers = tuple(providers)
        self._groups = groups
        self._strict = strict
        self._addressed: str | None = None
        self._literal = False
        for group in groups:
            self._group(group, ())  # a circle is found when the client is built

    @property
    def groups(self) -> Collection[str]:
        """The names that the caller made."""
        return self._groups.keys()

    def addressed(self, provider: ProviderNames, *, literal: bool, first: bool = False) -> Names:
        """The same for calls that were sent to one provider, which may be a new one.

        Args:
            provider: it is meant by every name that nothing else explains.
            literal: and by every name that is no key of `models`: names are its own affair.
            first: and before others that serve the same model, whatever the order.
        """
        known = any(provider.name == other.name for other in self._providers)
        order = self._providers if known else [*self._providers, provider]
        if first:
            order = sorted(order, key=lambda one: one.name != provider.name)
        names = Names(order, self._groups)
        names._addressed, names._literal = provider.name, literal
        return names

    def resolve(self, model: str) -> tuple[Target, ...]:
        """The targets, first choice first.

        Raises:
            NoTargetError: there is no provider, or `strict` and nothing explains the name.
        """
        if not self._providers:
            raise NoTargetError(
                "No provider is configured: pass providers=[…], or set a vendor's key in the environment "
                "(OPENAI_API_KEY, ANTHROPIC_API_KEY, …)."
            )
        if model in self._groups:
            names = self._group(model, ())
            return tuple(dict.fromkeys(self._one(name) for name in names))
        if self._literal and self._addressed is not None:
            return (Target(self._addressed, model),)
        return (self._one(model),)

    def _group(self, group: str, above: tuple[str, ...]) -> list[str]:
        """The plain names that a group means, groups within it opened."""
        if group in above:
            raise ConfigurationError(f"models: {' → '.join((*above, group))} is a circle.")
        names: list[str] = []
        for member in self._groups[group]:
            inner = member in self._groups and member != group
            names.extend(self._group(member, (*above, group)) if inner else [member])
        return names

    def explains(self, model: str) -> bool:
        """Whether the name itself says who is meant."""
        return model in self._groups or self._explained(model) is not None

    def _one(self, model: str) -> Target:
        explained = self._explained(model)
        if explained is not None:
            return explained
        if self._addressed is not None:
            return Target(self._addressed, model)
        if self._strict:
            raise NoTargetError(f"No configured provider is known to serve {model!r} (have: {self._have()}).")
        provider = self._providers[0]
        if len(self._providers) > 1:
            warnings.warn(
                f"No configured provider is known to serve {model!r}; using the first, {provider.name!r}. "
                f'Write "provider/model" to choose one (have: {self._have()}); strict_models=True refuses such names.',
                stacklevel=_callers_level(),
            )
        return Target(provider.name, model)

    def _explained(self, model: str) -> Target | None:
        first, slash, rest = model.partition("/")
        if slash and rest:
            for provider in self._providers:
                if provider.name == first and not provider.literal:
                    return Target(first, rest)
        for provider in self._providers:
            if provider.knows(model) or (provider.name == self._addressed and provider.hosts(model)):
                return Target(provider.name, model)
        for provider in self._providers:
            if provider.family(model):
                return Target(provider.name, model)
        for provider in self._providers:
            if provider.hosts(model):
                return Target(provider.name, model)
        return None

    def _have(self) -> str:
        return ", ".join(provider.name for provider in self._providers)


def _callers_level() -> int:
    """The `stacklevel` of a warning that points at the caller's line, and not at one of this package."""
    level, frame = 1, sys._getframe(1)
    while frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE and frame.f_back is not None:
        level, frame = level + 1, frame.f_back
    return level
