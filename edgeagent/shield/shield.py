"""The shield: detectors, what happens to what they find, and the state that outlives a call."""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from hashlib import sha256
from importlib import import_module
from secrets import token_bytes
from typing import Any, Final, NamedTuple, TypeVar
from uuid import uuid4

from typing_extensions import Self

from edgeagent.errors import ConfigurationError, ShieldBlockedError
from edgeagent.shield.arguments import detectors_of, guards_of
from edgeagent.shield.base import Detector, Match
from edgeagent.shield.guards import Guard
from edgeagent.shield.looking import Looking, looked
from edgeagent.shield.mask import Masking
from edgeagent.shield.memory import remembering
from edgeagent.shield.policy import Action, Media, Outbound, Policy, overridden
from edgeagent.shield.presets import ACCOUNTS, PEOPLE, PRESETS, SECRETS
from edgeagent.shield.vault import Vault
from edgeagent.wire.json import canonical_json

__all__ = ["KEY_VARIABLE", "Preview", "Shield"]

S = TypeVar("S", bound="Shield")

KEY_VARIABLE: Final = "EDGEAGENT_SHIELD_KEY"
"""The environment variable that holds the key of `hash`."""

_VERSION: Final = "1"
"""Changes when the same shield would mask otherwise, so that stored answers are not taken for each other."""

_SHORTEST_KEY: Final = 16


class Preview(NamedTuple):
    """What would happen to a text."""

    text: str
    """What would be sent; empty if it would be refused."""
    blocked: bool
    masked: dict[str, int]
    """How many different values of each type would be replaced."""
    matches: tuple[Match, ...]
    """What was found."""


class Shield:
    """Masks personal data and secrets in requests, restores them in answers, refuses what must not be sent.

    Args:
        detectors: what finds them; default: all patterns of this package.
        actions: what happens to matches, by type (`{"EMAIL_ADDRESS": "pseudonymise", "US_SSN": "block"}`).
        default: what happens to every other type.
        threshold: matches with a lower score are ignored.
        images: `"allow"`, `"block"`, or a function from the content part to the one that is sent; as part of cache keys
            it goes by its name, or by a text `fingerprint` if it has one.
        audio: the same for sounds.
        files: the same for documents that are not text; text is read.
        outbound: what is done with findings in an answer that did not stand in the request.
        guards: looked at before and after the call, in this order; see `edgeagent.shield.guards`.
        key: at least 16 bytes for `hash`; default: the variable `EDGEAGENT_SHIELD_KEY`, else a random one.
        vault: keeps placeholders the same over several calls; default: each call has its own.
        dry_run: nothing is changed or refused; `edge.reported` counts what would be.

    Raises:
        ConfigurationError: an argument is not what it can be.
    """

    def __init__(
        self,
        detectors: Sequence[Detector] | None = None,
        *,
        actions: Mapping[str, Action] | None = None,
        default: Action = "mask",
        threshold: float = 0.0,
        images: Media = "allow",
        audio: Media = "allow",
        files: Media = "allow",
        outbound: Outbound = "allow",
        guards: Sequence[Guard] = (),
        key: bytes | None = None,
        vault: Vault | None = None,
        dry_run: bool = False,
    ) -> None:
        self.policy = Policy(actions or {}, default, threshold, images, audio, files, outbound, dry_run)
        self.guards = guards_of(guards)
        if vault is not None and not isinstance(vault, Vault):
            raise ConfigurationError(f"shield: vault= takes a Vault; got {type(vault).__name__}.")
        self.vault = vault
        self._given = None if detectors is None else detectors_of(detectors)
        self._detectors: tuple[Detector, ...] | None = self._given
        self.readers = tuple(map(remembering, self._given if self._given is not None else (_Lazy("Standard"),)))
        """The detectors as requests are read by them: what is repeatable has a memory."""
        self._key_is_given = key is not None
        self.key = _key(key)
        """Of `hash`."""
        self._token = uuid4().hex
        self.fingerprint = self._fingerprint()

    # looking

    @property
    def detectors(self) -> tuple[Detector, ...]:
        """What finds things; the package's own are loaded when first asked for."""
        if self._detectors is None:
            self._detectors = (_builtin("Standard"),)
        return self._detectors

    def find(self, text: str) -> list[Match]:
        """What is in a text, in order of place, whatever would happen to it."""
        found = {
            match
            for detector in self.detectors
            for match in looked(detector, text)
            if match.score >= self.policy.threshold
        }
        return sorted(found, key=lambda match: (match.start, match.end, match.type))

    def preview(self, text: str) -> Preview:
        """What would happen to a text, by itself, as a user's message."""
        masking = Masking(self.policy, [*map(Looking, self.detectors)], Vault(), self.key)
        matches = tuple(self.find(text))
        try:
            sent = masking.run({"text": text})["text"]
        except ShieldBlockedError:
            return Preview("", True, {}, matches)
        return Preview(sent, False, masking.masked, matches)

    def masking(self, vault: Vault | None = None) -> Masking:
        """The state of one request; `vault` in place of the shield's own, or of a fresh one."""
        return Masking(self.policy, self.readers, _first(vault, self.vault), self.key)

    # others like it

    def session(self, vault: Vault | None = None) -> Self:
        """The same shield with a vault (default: a new one) for the length of a conversation."""
        return self._with(vault=Vault() if vault is None else vault)

    def with_actions(self, actions: Mapping[str, Action]) -> Self:
        """The same shield with other actions for some types; they take precedence, patterns in them too."""
        return self._with(actions=overridden(self.policy.actions, actions))

    def dry(self) -> Self:
        """The same shield, which only counts."""
        return self._with(dry_run=True)

    def _with(self, **changes: Any) -> Self:
        policy = self.policy
        arguments: dict[str, Any] = {
            "detectors": self._given,
            "actions": policy.actions,
            "default": policy.default,
            "threshold": policy.threshold,
            "images": policy.images,
            "audio": policy.audio,
            "files": policy.files,
            "outbound": policy.outbound,
            "guards": self.guards,
            "vault": self.vault,
            "dry_run": policy.dry_run,
            **changes,
        }
        made = type(self)(**arguments)
        made.key, made._key_is_given, made._token = self.key, self._key_is_given, self._token
        made.fingerprint = made._fingerprint()
        if made._given == self._given:
            made.readers = self.readers
        return made

    # presets

    @classmethod
    def default(cls, **changes: Any) -> Self:
        """Masks all personal data and secrets that have a form; media and files that are not text go through."""
        return cls(**changes)

    @classmethod
    def strict(cls, **changes: Any) -> Self:
        """Masks personal data, refuses secrets, media and files that no detector reads; masks what answers leak."""
        return _made(
            cls,
            changes,
            actions=dict.fromkeys(SECRETS, "block"),
            images="block",
            audio="block",
            files="block",
            outbound="mask",
        )

    @classmethod
    def secrets_only(cls, **changes: Any) -> Self:
        """Masks keys, tokens, passwords, connection strings; personal data goes through."""
        return _made(cls, changes, detectors=(_Lazy("Secrets"),))

    @classmethod
    def gdpr(cls, **changes: Any) -> Self:
        """Pseudonymises names, addresses of all kinds, numbers of people and dates; masks the rest, answers too.

        Names and places need a detector of the caller's own (`PresidioDetector`). Makes nobody compliant.
        """
        return _made(cls, changes, actions=dict.fromkeys(PEOPLE, "pseudonymise"), outbound="mask")

    @classmethod
    def hipaa(cls, **changes: Any) -> Self:
        """Masks identifiers of 45 CFR 164.514(b)(2) that have a form; shifts dates; refuses media and files.

        Names and places need a detector of the caller's own (`PresidioDetector`). Makes nobody compliant.
        """
        dates: dict[str, Action] = {"DATE_TIME": "pseudonymise", "DATE_OF_BIRTH": "pseudonymise"}
        return _made(cls, changes, actions=dates, images="block", audio="block", files="block", outbound="mask")

    @classmethod
    def pci(cls, **changes: Any) -> Self:
        """Redacts card numbers and their codes, masks bank accounts and secrets, lets other personal data through.

        Makes nobody compliant.
        """
        actions: dict[str, Action] = dict.fromkeys((*ACCOUNTS, *SECRETS), "mask")
        actions |= {"CREDIT_CARD": "redact", "CARD_CODE": "redact"}
        return _made(cls, changes, actions=actions, default="allow", outbound="mask")

    @classmethod
    def preset(cls, name: str, *, patterns: Sequence[Mapping[str, Any]] = (), **changes: Any) -> Self:
        """A preset by its name, with arguments of the constructor that change it.

        Args:
            name: of the preset.
            patterns: arguments of `Pattern`, each of a pattern that is looked for besides.
            changes: arguments of the constructor.

        Raises:
            ConfigurationError: there is no such preset, or an argument is not what it can be.
        """
        if name not in PRESETS:
            raise ConfigurationError(f"there is no preset {name!r}; known: {', '.join(PRESETS)}.")
        made: Self = getattr(cls, name)(**changes)
        if not patterns:
            return made
        own = made._given if made._given is not None else (_Lazy("Standard"),)
        return made._with(detectors=[*own, *(_pattern(pattern) for pattern in patterns)])

    @classmethod
    def of(cls, value: Any) -> Shield | None:
        """What `shield=` accepts: a shield, a preset's name, True (the default one), None or False (none).

        Raises:
            ConfigurationError: it is nothing of these.
        """
        if value is None or value is False:
            return None
        if value is True:
            return cls.default()
        if isinstance(value, Shield):
            return value
        if isinstance(value, str) and value in PRESETS:
            return cls.preset(value)
        raise ConfigurationError(
            f"shield= takes a Shield object or one of {', '.join(map(repr, PRESETS))}; got {type(value).__name__}."
        )

    # what it is

    def _fingerprint(self) -> bytes:
        """Stands for everything that decides what is sent and what an answer must pass."""
        if self._given is None:
            detectors: Any = f"standard {_VERSION}"
        else:
            detectors = [self._identity(detector) for detector in self._given]
        told: dict[str, Any] = {
            "version": _VERSION,
            "detectors": detectors,
            "policy": self.policy.identity(self._token),
            "guards": [self._identity(guard) for guard in self.guards],
        }
        if self.policy.uses("hash"):
            told["key"] = hmac.new(self.key, b"fingerprint", sha256).hexdigest()
        return sha256(canonical_json(told)).digest()

    def _identity(self, part: Any) -> str:
        """What a detector or guard says of itself; the package's own by their names, others are like no other."""
        said = getattr(part, "fingerprint", None)
        if isinstance(said, str):
            return said
        kind = type(part)
        name = f"{kind.__module__}.{kind.__qualname__}"
        if kind.__module__.startswith("edgeagent.shield.detect."):
            if is_dataclass(part):  # a `Pattern`, which shows all that it is made of
                return f"{name} {part!r}"
            if not getattr(part, "__dict__", None):
                return name
        return f"{name} {self._token}"

    def __reduce__(self) -> tuple[Any, ...]:
        if self.vault is not None:
            raise ConfigurationError("A shield with a vault cannot be pickled: make the session in the worker.")
        if self._key_is_given:
            raise ConfigurationError(
                f"A shield that was given key= cannot be pickled: set {KEY_VARIABLE} in the environment instead."
            )
        return _rebuilt, (type(self), self._given, self.policy, self.guards)

    def __repr__(self) -> str:
        policy = self.policy
        vault = "" if self.vault is None else f" {self.vault!r}"
        return f"<{type(self).__name__} default={policy.default!r} actions={len(policy.actions)}{vault}>"


def _rebuilt(kind: type[Shield], detectors: Any, policy: Policy, guards: tuple[Guard, ...]) -> Shield:
    return kind(
        detectors,
        actions=policy.actions,
        default=policy.default,
        threshold=policy.threshold,
        images=policy.images,
        audio=policy.audio,
        files=policy.files,
        outbound=policy.outbound,
        guards=guards,
        dry_run=policy.dry_run,
    )


def _made(kind: type[S], changes: Mapping[str, Any], **preset: Any) -> S:
    """A preset with what the caller says besides; his actions take precedence of its own."""
    actions = overridden(preset.get("actions", {}), changes.get("actions") or {})
    return kind(**{**preset, **changes, "actions": actions})


def _key(given: bytes | None) -> bytes:
    if given is not None:
        if not isinstance(given, bytes) or len(given) < _SHORTEST_KEY:
            raise ConfigurationError(f"shield: key= must be at least {_SHORTEST_KEY} bytes.")
        return given
    said = os.environ.get(KEY_VARIABLE, "").encode("utf-8", "surrogateescape")
    if said and len(said) < _SHORTEST_KEY:  # who guesses it can try all telephone numbers
        raise ConfigurationError(f"shield: the key in {KEY_VARIABLE} must be at least {_SHORTEST_KEY} bytes.")
    return said or token_bytes(32)


def _builtin(name: str) -> Detector:
    """One of the package's own detectors, by name; none is loaded before it is needed."""
    make: Callable[[], Detector] = getattr(import_module("edgeagent.shield.detect"), name)
    return make()


def _pattern(arguments: Mapping[str, Any]) -> Detector:
    """A pattern of the caller's own."""
    make: Callable[..., Detector] = import_module("edgeagent.shield.detect").Pattern
    try:
        return make(**arguments)
    except TypeError as error:  # an argument that there is not, or that is missing
        raise ConfigurationError(f"shield: patterns: {error}.") from None


def _first(*vaults: Vault | None) -> Vault:
    """The first that there is; else a new one."""
    return next((vault for vault in vaults if vault is not None), Vault())


class _Lazy:
    """One of the package's own detectors, loaded when it is first asked."""

    repeatable: Final = True

    def __init__(self, name: str) -> None:
        self.name = name
        self.fingerprint = f"{name} {_VERSION}"
        self._made: Detector | None = None

    def find(self, text: str, /) -> Sequence[Match]:
        if self._made is None:
            self._made = _builtin(self.name)
        return self._made.find(text)
