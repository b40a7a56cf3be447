"""What a client was given to ask: providers by their names, and groups of models, both checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from edgeagent.core.operation import OWN_METHODS
from edgeagent.errors import ConfigurationError

if TYPE_CHECKING:
    from edgeagent.providers.base import Provider

__all__ = ["groups_of", "providers_of"]


def providers_of(providers: Iterable[Provider]) -> dict[str, Provider]:
    """The providers by their names.

    Raises:
        ConfigurationError: one is none, or two have one name; the message says what to give instead.
    """
    if isinstance(providers, str | Mapping) or not isinstance(providers, Iterable):
        raise ConfigurationError(f"providers= is a list of provider objects; got {_kind(providers)}.")
    by_name: dict[str, Provider] = {}
    for provider in providers:
        name = _name(provider)
        if name in by_name:
            raise ConfigurationError(f"Two providers are called {name!r}: give one of them another name=….")
        by_name[name] = provider
    return by_name


def _name(provider: Provider) -> str:
    """A provider's name. Raises `ConfigurationError` where it is no provider."""
    if isinstance(provider, str | type):
        hint = f"{provider.__name__}(…)" if isinstance(provider, type) else "OpenAI()"
        raise ConfigurationError(f"providers= takes provider objects such as {hint}; got {_kind(provider)}.")
    name = getattr(provider, "name", None)
    if not isinstance(name, str) or not name:
        raise ConfigurationError(
            f"A provider needs a .name; {_kind(provider)} has {name!r}. (Does a subclass call super().__init__()?)"
        )
    if "/" in name:
        raise ConfigurationError(f"A provider's name stands before the slash of a model name; {name!r} has one.")
    if not hasattr(provider, "codec_for") and not any(
        callable(getattr(provider, method, None)) for method in OWN_METHODS
    ):
        raise ConfigurationError(f"Provider {name!r} has none of {', '.join(OWN_METHODS)}.")
    return name


def _kind(value: object) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__


def groups_of(models: Mapping[str, str | Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Aliases and groups, each as the model names that it means.

    Raises:
        ConfigurationError: they are something else.
    """
    if not isinstance(models, Mapping):
        raise ConfigurationError(
            f'models= is a mapping such as {{"fast": ["openai/gpt-4o-mini"]}}; got {_kind(models)}.'
        )
    groups: dict[str, tuple[str, ...]] = {}
    for name, members in models.items():
        group = (members,) if isinstance(members, str) else tuple(members) if isinstance(members, Iterable) else ()
        if not group or not all(isinstance(member, str) and member for member in group):
            raise ConfigurationError(f"models[{name!r}] must be one or more model names; got {members!r}.")
        groups[name] = group
    return groups
