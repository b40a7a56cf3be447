"""Encryption at rest: a tier that gives another one nothing but ciphertext.

AES-256 in Galois/counter mode, with 96 random bits for each entry as nonce (NIST SP 800-38D §8.2.2). It is one pass in
hardware, it authenticates what it encrypts, and it takes associated data, by which an entry is bound to its key: one
that was moved to another place is a miss. Fernet has no associated data and makes entries a third longer; AES-GCM-SIV
would forgive a repeated nonce, but needs OpenSSL 3.2. Random nonces are good for 2³² entries under one key.

The format: magic with version (4 bytes), the id of the key (4), nonce (12), ciphertext with its tag (16). The id only
says which key to try. An entry under a key that is not there, a damaged or a plain one is no entry.

What stays visible to who can read the store: how many entries there are, how long each is, when it was stored, and its
name: the hash of the request, by which somebody who can guess a whole request could see that it was made.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from hashlib import sha256
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from edgeagent.cache.base import CacheTier, Grant, Listing, Put
from edgeagent.errors import ConfigurationError
from edgeagent.types.metadata import CacheTierName

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from edgeagent.effects import Place

__all__ = ["EncryptedCache", "parse_keys"]

VARIABLE: Final = "EDGEAGENT_CACHE_KEY"

MAGIC: Final = b"EAx\x01"
_KEY_BYTES: Final = 32
_ID_BYTES: Final = 4
_NONCE_BYTES: Final = 12
_NONCE_AT: Final = len(MAGIC) + _ID_BYTES
_START: Final = _NONCE_AT + _NONCE_BYTES


class EncryptedCache:
    """A tier whose entries are encrypted. Implements `CacheTier`, and `Leases` and `Batches` as the inner tier does.

    Args:
        tier: holds the ciphertext: `DiskCache(…)`, `RedisCache(…)`, or one of your own.
        keys: one key or several, each 32 bytes, or their base64 as `EncryptedCache.generate_key()` gives it. The first
            encrypts, all decrypt: to rotate, put a new one in front, and drop the old one when its entries are gone.
            None: the environment variable `EDGEAGENT_CACHE_KEY`, several separated by commas.

    Raises:
        ConfigurationError: the extra is not installed, there is no key, or one is not 32 bytes.
    """

    def __init__(self, tier: CacheTier, keys: str | bytes | Sequence[str | bytes] | None = None) -> None:
        if not isinstance(tier, CacheTier):
            raise ConfigurationError(f"EncryptedCache wraps a tier object, not {type(tier).__name__}.")
        if find_spec("cryptography") is None:
            raise ConfigurationError("Encryption needs the cryptography library: pip install 'edgeagent[encrypted]'.")
        self.tier = tier
        self.name: CacheTierName = tier.name
        self.blocking = tier.blocking
        self._given = keys is not None
        self._keys = parse_keys(keys)

    @staticmethod
    def generate_key() -> str:
        """A new random key, in base64."""
        return base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)).decode()

    def get(self, key: bytes, /) -> bytes | None:
        """The bytes under `key`; None if there are none, or none that any of the keys opens."""
        data = self.tier.get(key)
        return None if data is None else self._opened(key, data)

    def put(self, key: bytes, value: bytes, /, ttl: float | None = None) -> bool | None:
        """Encrypt and store `value` for `ttl` seconds (None: as the inner tier has it); False: it is not kept."""
        return self.tier.put(key, self._sealed(key, value), ttl)

    def delete(self, key: bytes, /) -> None:
        """Forget `key`."""
        self.tier.delete(key)

    def clear(self) -> None:
        """Forget everything in the inner tier."""
        self.tier.clear()

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Each key with its bytes, opened, of an inner tier that is a `Listing`; nothing in place of what no key opens.

        That is an entry, too, which others may have the key of: whoever forgets entries has to know that it is there.
        """
        assert isinstance(self.tier, Listing)
        for key, data in self.tier.items():
            yield key, self._opened(key, data) or b""

    def usage(self) -> tuple[int | None, int | None]:
        """The inner tier's, or nothing."""
        return self.tier.usage() if isinstance(self.tier, Listing) else (None, None)

    def close(self) -> None:
        """Close the inner tier."""
        self.tier.close()

    @property
    def batches(self) -> bool:
        """Whether the inner tier has batches."""
        return bool(getattr(self.tier, "batches", False))

    def get_many(self, keys: Sequence[bytes], /) -> list[bytes | None]:
        """See `Batches`."""
        found = zip(keys, self._inner.get_many(keys), strict=True)
        return [None if data is None else self._opened(key, data) for key, data in found]

    @property
    def awaits(self) -> bool:
        """Whether the inner tier's look-ups can be awaited."""
        return bool(getattr(self.tier, "awaits", False))

    async def aget(self, key: bytes, place: Place, bound: float | None = None, /) -> bytes | None:
        """See `Awaits`."""
        data = await self._inner.aget(key, place, bound)
        return None if data is None else self._opened(key, data)

    async def aget_many(self, keys: Sequence[bytes], place: Place, bound: float | None = None, /) -> list[bytes | None]:
        """See `Awaits`."""
        found = zip(keys, await self._inner.aget_many(keys, place, bound), strict=True)
        return [None if data is None else self._opened(key, data) for key, data in found]

    def put_many(self, puts: Sequence[Put], /) -> list[Exception | None]:
        """See `Batches`."""
        sealed = [put._replace(value=self._sealed(put.key, put.value)) for put in puts]
        faults: list[Exception | None] = self._inner.put_many(sealed)
        return faults

    @property
    def leases(self) -> bool:
        """Whether the inner tier has leases."""
        return bool(getattr(self.tier, "leases", False))

    @property
    def lease_seconds(self) -> float:
        """The inner tier's."""
        return float(self._inner.lease_seconds)

    def acquire(self, key: bytes, /, *, anyway: bool = False) -> Grant:
        """See `Leases`."""
        grant: Grant = self._inner.acquire(key, anyway=anyway)
        return grant

    def renew(self, key: bytes, token: str, /) -> bool:
        """See `Leases`."""
        return bool(self._inner.renew(key, token))

    def release(self, key: bytes, token: str, /) -> None:
        """See `Leases`."""
        self._inner.release(key, token)

    def abandon(self, key: bytes, token: str, /) -> None:
        """See `Leases`."""
        self._inner.abandon(key, token)

    def put_leased(self, key: bytes, value: bytes, token: str, /, ttl: float | None = None) -> bool:
        """See `Leases`."""
        return bool(self._inner.put_leased(key, self._sealed(key, value), token, ttl))

    @property
    def _inner(self) -> Any:
        return self.tier

    @cached_property
    def _ciphers(self) -> list[tuple[bytes, AESGCM]]:
        """The keys' ids and ciphers, in order."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return [(_id(key), AESGCM(key)) for key in self._keys]

    def _sealed(self, key: bytes, value: bytes) -> bytes:
        number, cipher = self._ciphers[0]
        head, nonce = MAGIC + number, os.urandom(_NONCE_BYTES)
        return b"".join((head, nonce, cipher.encrypt(nonce, value, head + key)))

    def _opened(self, key: bytes, data: bytes) -> bytes | None:
        from cryptography.exceptions import InvalidTag

        head = data[:_NONCE_AT]
        if head[: len(MAGIC)] != MAGIC or len(data) < _START:
            return None
        for number, cipher in self._ciphers:
            if head[len(MAGIC) :] == number:
                try:
                    return cipher.decrypt(data[_NONCE_AT:_START], memoryview(data)[_START:], head + key)
                except InvalidTag:  # damaged, moved, or another key with this id
                    continue
        return None

    def __reduce__(self) -> tuple[Any, ...]:
        if self._given:
            raise ConfigurationError(
                f"An EncryptedCache that was given its keys cannot be pickled: leave them out and set the environment "
                f"variable {VARIABLE}."
            )
        return (EncryptedCache, (self.tier,))

    def __repr__(self) -> str:
        return f"EncryptedCache({self.tier!r})"


def parse_keys(keys: object) -> list[bytes]:
    """What `keys=` accepts, as bytes. Raises `ConfigurationError`, whose message shows no key."""
    if keys is None:
        keys = [part.strip() for part in os.environ.get(VARIABLE, "").split(",") if part.strip()]
        if not keys:
            raise ConfigurationError(f"Encryption needs a key: give keys=[…] or set {VARIABLE}.")
    given = [keys] if isinstance(keys, str | bytes) else list(keys) if isinstance(keys, Sequence) else [keys]
    if not given:
        raise ConfigurationError(f"Encryption needs a key: give keys=[…] or set {VARIABLE}.")
    return [_key(one, position) for position, one in enumerate(given, 1)]


def _key(given: object, position: int) -> bytes:
    key = given
    if isinstance(given, str):
        try:
            key = base64.b64decode(given.translate({ord("-"): "+", ord("_"): "/"}), validate=True)
        except (binascii.Error, ValueError):
            key = None
    if not isinstance(key, bytes) or len(key) != _KEY_BYTES:
        raise ConfigurationError(
            f"Key {position} of the encryption is not 32 bytes (or their base64): "
            "EncryptedCache.generate_key() makes one."
        )
    return key


def _id(key: bytes) -> bytes:
    return sha256(b"edgeagent cache key id\n" + key).digest()[:_ID_BYTES]
