"""Which value has which placeholder: for one request, or for all turns of a conversation."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from secrets import randbelow, token_bytes
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from edgeagent.errors import ConfigurationError
from edgeagent.shield.labels import canonical, label_of
from edgeagent.shield.placeholders import is_placeholder, placeholder

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Entity", "Style", "Vault"]

Style: TypeAlias = Literal["mask", "pseudonymise"]

_MAGIC: Final = b"EAv\x01"
_NONCE: Final = 12
_TRIES: Final = 64
_MOST_DAYS: Final = 1000


class Entity(NamedTuple):
    """One value, and what stands for it. Its repr does not show the value."""

    type: str
    value: str
    """As it was first written."""
    token: str
    style: Style

    def __repr__(self) -> str:
        return f"Entity(type={self.type!r}, token={self.token!r}, style={self.style!r})"

    @property
    def in_brackets(self) -> bool:
        """Whether a placeholder stands for it; else a stand-in."""
        return is_placeholder(self.token)


class Vault:
    """Keeps placeholders stable: give one to a shield (`shield.session(vault)`) for the length of a conversation.

    May be used from several threads. It holds the values in the clear in memory; its repr shows none, and pickling it
    is refused. `seal` and `save` encrypt (AES-256-GCM; `pip install 'edgeagent[encrypted]'`).
    """

    def __init__(self) -> None:
        self._locks: dict[int, Lock] = {}
        self._entities: dict[tuple[str, str, str], Entity] = {}
        self._texts: dict[tuple[str, str], Entity] = {}
        self._tokens: dict[str, Entity] = {}
        self._counts: dict[str, int] = {}
        self._days = 0

    def __len__(self) -> int:
        return len(self._tokens)

    def __bool__(self) -> bool:
        """Always: an empty vault is one, too."""
        return True

    def __repr__(self) -> str:
        return f"<Vault of {len(self)} values>"

    def __reduce__(self) -> Any:
        raise ConfigurationError("A vault holds values in the clear and cannot be pickled: use seal(key).")

    def known(self, kind: str, value: str, style: Style) -> Entity | None:
        """The entity of a value, in any of its spellings, if it has one."""
        found = self._texts.get((style, value))
        return found or self._entities.get((style, label_of(kind), canonical(kind, value)))

    def entity(self, kind: str, value: str, make: Callable[[int], str | None] | None = None) -> Entity:
        """The entity of a value; a new one if there is none.

        Args:
            kind: the type of the match.
            value: as it is written.
            make: number → a stand-in of the value's form, None if it has none; without it a placeholder is made.
        """
        style: Style = "mask" if make is None else "pseudonymise"
        with self._lock():
            found = self.known(kind, value, style)
            if found is None:
                token = None if make is None else self._standin(kind, value, make)
                found = Entity(kind, value, token or self._placeholder(label_of(kind)), style)
                self._keep(found)
            self._texts[style, value] = found
            return found

    def days(self) -> int:
        """By how many days dates are shifted: the same for all of a vault, so that intervals stay; never 0."""
        with self._lock():
            if not self._days:
                self._days = (1 + randbelow(_MOST_DAYS)) * (1 if randbelow(2) else -1)
            return self._days

    def entities(self) -> tuple[Entity, ...]:
        """All of them, in the order in which they came."""
        with self._lock():
            return tuple(self._tokens.values())

    def spellings(self) -> tuple[tuple[str, Entity], ...]:
        """Every way in which each value was written."""
        with self._lock():
            return tuple((text, entity) for (_, text), entity in self._texts.items())

    def copy(self) -> Vault:
        """Another that knows the same; what either learns from then on the other does not."""
        made = Vault()
        with self._lock():
            made._entities, made._texts = {**self._entities}, {**self._texts}
            made._tokens, made._counts = {**self._tokens}, {**self._counts}
            made._days = self._days
        return made

    def _lock(self) -> Lock:
        """This process's: the parent's may have been held by a thread that the child does not have."""
        pid = os.getpid()
        return self._locks.get(pid) or self._locks.setdefault(pid, Lock())

    def _keep(self, entity: Entity) -> None:
        key = entity.style, label_of(entity.type), canonical(entity.type, entity.value)
        self._entities[key] = self._tokens[entity.token] = entity

    def _placeholder(self, label: str) -> str:
        letters = label.replace("_", "")  # as a model may write it: A_BC_1 and AB_C_1 must not be the same
        number = self._counts[letters] = self._counts.get(letters, 0) + 1
        return placeholder(label, number)

    def _standin(self, kind: str, value: str, make: Callable[[int], str | None]) -> str | None:
        counter = f"{kind}?"  # no label has a question mark
        for _ in range(_TRIES):
            number = self._counts[counter] = self._counts.get(counter, 0) + 1
            token = make(number)
            if token is None:
                return None
            if token != value and token not in self._tokens:
                return token
        return None

    # at rest

    def seal(self, key: bytes) -> bytes:
        """Everything in it, encrypted under 32 bytes of key.

        Raises:
            ConfigurationError: the key has another length, or `cryptography` is not installed.
        """
        with self._lock():
            held = {
                "entities": [list(entity) for entity in self._tokens.values()],
                "texts": [[style, text, entity.token] for (style, text), entity in self._texts.items()],
                "counts": {**self._counts},  # others may count on while it is written
                "days": self._days,
            }
        nonce = token_bytes(_NONCE)
        sealed: bytes = _cipher(key).encrypt(nonce, json.dumps(held).encode(), _MAGIC)
        return _MAGIC + nonce + sealed

    @classmethod
    def unseal(cls, data: bytes, key: bytes) -> Self:
        """What `seal` wrote.

        Raises:
            ConfigurationError: it is not that, or was written under another key.
        """
        cipher, start = _cipher(key), len(_MAGIC) + _NONCE
        try:
            if data[: len(_MAGIC)] != _MAGIC:
                raise ValueError
            held = json.loads(cipher.decrypt(data[len(_MAGIC) : start], data[start:], _MAGIC))
        except Exception:  # noqa: BLE001  # cryptography's own, which tells nothing
            raise ConfigurationError("This is no sealed vault, or it was sealed under another key.") from None
        vault = cls()
        vault._fill(held)
        return vault

    def _fill(self, held: Mapping[str, Any]) -> None:
        for kind, value, token, style in held["entities"]:
            self._keep(Entity(kind, value, token, style))
        for style, text, token in held["texts"]:
            self._texts[style, text] = self._tokens[token]
        self._counts, self._days = dict(held["counts"]), held["days"]

    def save(self, path: str | Path, key: bytes) -> None:
        """Write it, encrypted, to a file that only its owner may read. Raises like `seal`, and `OSError`."""
        data, target = self.seal(key), Path(path)
        beside = target.with_name(f"{target.name}.{token_bytes(4).hex()}")
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
            beside.replace(target)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise

    @classmethod
    def load(cls, path: str | Path, key: bytes) -> Self:
        """What `save` wrote; an empty vault if there is no such file. Raises like `unseal`, and `OSError`."""
        try:
            data = Path(path).read_bytes()
        except FileNotFoundError:
            return cls()
        return cls.unseal(data, key)


def _cipher(key: bytes) -> Any:
    if not isinstance(key, bytes) or len(key) != 32:
        raise ConfigurationError("A vault's key is 32 random bytes: secrets.token_bytes(32).")
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise ConfigurationError("A sealed vault needs cryptography: pip install 'edgeagent[encrypted]'.") from None
    return AESGCM(key)
