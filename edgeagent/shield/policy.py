"""What happens to what was found: an action for each type, and what is done with what no detector can read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from inspect import iscoroutinefunction
from types import FunctionType
from typing import Any, Final, Literal, TypeAlias, get_args

from edgeagent.errors import ConfigurationError

__all__ = ["ACTIONS", "Action", "Media", "Outbound", "Policy", "Redactor", "overridden"]

Action: TypeAlias = Literal["mask", "pseudonymise", "hash", "redact", "block", "allow", "report"]
"""
- `mask`: a numbered placeholder, `<EMAIL_1>`; restored in the answer.
- `pseudonymise`: a stand-in of the same form; restored in the answer.
- `hash`: `<EMAIL_#…>`, the same for the same value under the same key; not restored.
- `redact`: `<EMAIL>`; not restored.
- `block`: the request is refused.
- `allow`: it goes out as it is. `report`: the same, and it is counted in `edge.reported`.
"""

ACTIONS: Final[tuple[Action, ...]] = get_args(Action)

Redactor: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]
"""A content part with an image, a sound or a file → the part that is sent in its place."""

Media: TypeAlias = Literal["allow", "block"] | Redactor

Outbound: TypeAlias = Literal["allow", "report", "mask", "block"]
"""What is done with what is found in an answer and did not stand in the request."""


@dataclass(frozen=True)
class Policy:
    """What a shield does.

    Attributes:
        actions: for types by name; in a name `*` stands for anything (`*_TOKEN`). A type's own name comes first, then
            the patterns in their order.
        default: for every other type.
        threshold: matches with a lower score are ignored.
        images: what is done with pictures and videos, which no detector reads.
        audio: the same for sounds.
        files: the same for documents that are not text. Those that are text are read and masked.
        outbound: what is done with findings in an answer.
        dry_run: nothing is changed or refused; what would be is counted in `edge.reported`.
    """

    actions: Mapping[str, Action] = field(default_factory=dict)
    default: Action = "mask"
    threshold: float = 0.0
    images: Media = "allow"
    audio: Media = "allow"
    files: Media = "allow"
    outbound: Outbound = "allow"
    dry_run: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.actions, Mapping):
            raise ConfigurationError(f"shield: actions must map types to actions; got {type(self.actions).__name__}.")
        object.__setattr__(self, "actions", dict(self.actions))
        for kind, action in self.actions.items():
            if not isinstance(kind, str):
                raise ConfigurationError(f"shield: actions must name each type by a text; got {type(kind).__name__}.")
            _one_of(action, ACTIONS, f"actions[{kind!r}]")
        _one_of(self.default, ACTIONS, "default")
        _one_of(self.outbound, get_args(Outbound), "outbound")
        for name in ("images", "audio", "files"):
            if not callable(getattr(self, name)):
                _one_of(getattr(self, name), ("allow", "block"), name)
            elif iscoroutinefunction(getattr(self, name)):
                raise ConfigurationError(f"shield: {name}= takes a function that is not async.")
        threshold = self.threshold
        if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
            raise ConfigurationError(f"shield: threshold must be a number from 0 to 1; got {threshold!r}.")
        if not isinstance(self.dry_run, bool):
            raise ConfigurationError(f"shield: dry_run must be true or false; got {type(self.dry_run).__name__}.")

    def action(self, kind: str) -> Action:
        """What happens to a match of this type."""
        known = self.actions.get(kind)
        if known is not None:
            return known
        return next((action for name, action in self.actions.items() if fnmatchcase(kind, name)), self.default)

    def uses(self, *actions: Action) -> bool:
        """Whether any type may be treated so."""
        return self.default in actions or any(action in actions for action in self.actions.values())

    def identity(self, token: str) -> dict[str, Any]:
        """Everything that can change what is sent or answered, as JSON.

        A redactor goes by its `fingerprint`, or by its name if that is all there is to it: if it is a function of a
        module. Any other (a lambda, a method, a partial) may hold something, and `token` makes it like no other.
        """
        media = {name: _named(getattr(self, name), token) for name in ("images", "audio", "files")}
        return {
            "actions": [[kind, action] for kind, action in self.actions.items()],
            "default": self.default,
            "threshold": float(self.threshold),
            "outbound": self.outbound,
            "dry_run": self.dry_run,
            **media,
        }


def overridden(actions: Mapping[str, Action], by: Any) -> Any:
    """Actions of which others take precedence: types that a pattern of `by` fits have no action of their own any more.

    What is no mapping is given as it is: a policy refuses it.
    """
    if not isinstance(by, Mapping):
        return by
    names = [name for name in by if isinstance(name, str)]
    kept = {
        kind: action
        for kind, action in actions.items()
        if "*" in kind or not any(fnmatchcase(kind, name) for name in names)
    }
    return {**by, **{kind: action for kind, action in kept.items() if kind not in by}}


def _named(media: Media, token: str) -> str:
    if isinstance(media, str):
        return media
    said = getattr(media, "fingerprint", None)
    if isinstance(said, str):
        return said
    kind = media if isinstance(media, FunctionType) else type(media)
    name = f"{kind.__module__}.{kind.__qualname__}"
    return name if kind is media and "<" not in name else f"{name} {token}"


def _one_of(value: object, known: tuple[str, ...], name: str) -> None:
    if value not in known:
        raise ConfigurationError(f"shield: {name} must be one of {', '.join(known)}; got {value!r}.")
