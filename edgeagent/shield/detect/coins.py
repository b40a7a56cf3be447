"""Addresses of crypto currencies: by their checksum, or where there is none by their shape and a word near them."""

from __future__ import annotations

import re
from typing import Final

from edgeagent.shield.base import Match
from edgeagent.shield.detect.checks import RIPPLE, base58, base58_bytes, bech32, ss58, strkey

__all__ = ["NETWORKS", "coin"]

_ETHEREUM: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_MONERO: Final = re.compile(r"[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93}")
_VERSIONS: Final = "13LMDTX"
"""How addresses in Base58Check start: Bitcoin's, Litecoin's, Dogecoin's, Tron's, Dash's."""
NETWORKS: Final = frozenset({
    "bc", "tb", "ltc", "addr", "addr_test", "stake", "bnb", "celestia", "cosmos", "erd", "inj", "kava", "one", "osmo",
    "sei", "terra", "zil",
})  # fmt: skip
"""How those in Bech32 start, before the `1` (SLIP 173)."""
_SOLANA: Final = re.compile(r"\bsolana\b|\bsol\b|\bspl\b|\bphantom\b", re.IGNORECASE)
_NEAR: Final = 48


def coin(text: str, start: int, end: int, value: str) -> Match | None:
    """A wallet's address: Bitcoin's and of those that have taken its form, Ethereum's, and those of others."""
    size = len(value)
    if 25 <= size <= 35 and (base58(value) if value[0] in _VERSIONS else value[0] == "r" and base58(value, RIPPLE)):
        return Match("CRYPTO", start, end, 1.0, "bitcoin")
    if size == 42 and _ETHEREUM.fullmatch(value):
        return Match("CRYPTO", start, end, 0.95, "ethereum")
    if size <= 120 and "1" in value and value.rpartition("1")[0].lower() in NETWORKS and bech32(value):
        return Match("CRYPTO", start, end, 1.0, "bitcoin")
    if (size == 56 and value[0] == "G" and strkey(value)) or (46 <= size <= 48 and ss58(value)):
        return Match("CRYPTO", start, end, 1.0, "wallet")
    if size == 95 and _MONERO.fullmatch(value):
        return Match("CRYPTO", start, end, 0.95, "wallet")
    if 32 <= size <= 44 and "0" not in value and _is_solanas(text, start, value):
        return Match("CRYPTO", start, end, 0.85, "wallet")
    return None


def _is_solanas(text: str, start: int, value: str) -> bool:
    """Whether 32 bytes in Base58 are named as an address: they have no checksum."""
    return _SOLANA.search(text, max(0, start - _NEAR), start) is not None and base58_bytes(value, 32) is not None
