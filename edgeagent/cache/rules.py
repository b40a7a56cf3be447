"""What a client says once about all its calls: defaults of the cache controls, and rules by model, tag and request.

What governs one call, each over the one before: the defaults, the rules of its model, the rules of its tags (in the
order in which the call has them), what the call or its view says itself. Then `cacheable` has a word.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from edgeagent.cache.policy import CacheOptions, cache_controls
from edgeagent.errors import ConfigurationError, RequestValidationError

__all__ = ["CachePolicy"]

Controls: TypeAlias = Mapping[str, Any] | str | bool
"""As `edge={"cache": …}` of a call has it: a dict, a mode, on or off."""


@dataclass(frozen=True)
class CachePolicy:
    """How a client's calls use the cache, unless they say otherwise.

    Attributes:
        controls: the defaults of every call.
        models: a model's name, as callers write it, or a pattern (`gpt-4o*`) → what is different for it.
        tags: a tag (`edge={"tags": […]}`) → what is different for calls that have it.
        cacheable: is asked about each request; one that it returns False for has nothing to do with the cache or with
            other calls, as in mode `off`, unless the call says `force`. It is on the path of every call.

    Raises:
        ConfigurationError: a control is unknown or has the wrong type; the message says where.
    """

    controls: Controls = field(default_factory=dict)
    models: Mapping[str, Controls] = field(default_factory=dict)
    tags: Mapping[str, Controls] = field(default_factory=dict)
    cacheable: Callable[[Any], bool] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "controls", _checked("controls", self.controls))
        for name in ("models", "tags"):
            rules = getattr(self, name)
            if not isinstance(rules, Mapping) or not all(isinstance(key, str) for key in rules):
                raise ConfigurationError(f"CachePolicy({name}=…) is a dict of cache controls by name.")
            checked = {key: _checked(f"{name}[{key!r}]", controls) for key, controls in rules.items()}
            object.__setattr__(self, name, checked)
        if self.cacheable is not None and not callable(self.cacheable):
            raise ConfigurationError("CachePolicy(cacheable=…) is a function of a request.")

    @property
    def distinguishes(self) -> bool:
        """Whether it says anything of some calls and not of others."""
        return bool(self.models or self.tags) or self.cacheable is not None

    def defaults(self, namespace: str | None) -> CacheOptions:
        """The options of a call of which no rule knows anything, and which says nothing itself."""
        options = CacheOptions(**cache_controls(self.controls))
        return options if namespace is None else replace(options, namespace=namespace)

    def applied(self, options: CacheOptions, request: Any, tags: Iterable[str]) -> CacheOptions:
        """The options of one call.

        Args:
            options: the defaults, with what the call said itself.
            request: of any kind; its `model` is what the rules go by, if it names one.
            tags: of the call.

        Raises:
            Exception: whatever `cacheable` raises.
        """
        changes: dict[str, Any] = {}
        model = request.model or ""
        for pattern, controls in self.models.items():
            if fnmatchcase(model, pattern):
                changes.update(cache_controls(controls))
        for tag in tags:
            changes.update(cache_controls(self.tags.get(tag, {})))
        changes = {name: value for name, value in changes.items() if name not in options.given}
        if changes:
            options = replace(options, **changes)
        if self.cacheable is not None and options.mode != "off" and not options.force and not self.cacheable(request):
            options = replace(options, mode="off")
        return options

    def __getstate__(self) -> dict[str, Any]:
        try:
            pickle.dumps(self.cacheable)
        except Exception as error:
            raise ConfigurationError(
                "CachePolicy(cacheable=…) cannot be pickled: give a function that stands in a module."
            ) from error
        return dict(self.__dict__)


def _checked(where: str, controls: object) -> Mapping[str, Any]:
    try:
        return dict(cache_controls(controls))
    except RequestValidationError as error:
        told = error.message.replace("edge.cache", where, 1)
        raise ConfigurationError(f"CachePolicy: {told}") from None
