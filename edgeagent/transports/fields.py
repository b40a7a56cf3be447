"""Header fields on their way in and out: what is ours, what is the connection's, what is a credential."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from edgeagent.errors import RequestValidationError
from edgeagent.types import ResponseMetadata
from edgeagent.wire.http import ACCOUNT, names_secret

__all__ = [
    "CREDENTIALS",
    "HOP_BY_HOP",
    "PREFIX",
    "SHIELD_FIELD",
    "account_of",
    "edge_of",
    "facts",
    "goes_with_key",
    "inward",
    "is_credential",
    "outward",
    "retries_of",
]

PREFIX: Final = "x-edgeagent-"

SHIELD_FIELD: Final = PREFIX + "shield"
"""By which a request asks for a shield."""

CREDENTIALS: Final = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
"""Header fields that the SDKs send keys in."""

HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""RFC 9110 §7.6.1: they belong to one connection."""
_OURS_TO_SAY: Final = HOP_BY_HOP | {
    "accept",
    "accept-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
}
_HARMLESS: Final = frozenset({"idempotency-key"})
"""Fields that are no credentials, whatever they are called."""
_NOT_TOLD: Final = HOP_BY_HOP | {"content-encoding", "content-length", "content-type", "date", "server", "set-cookie"}


def inward(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Of the caller's fields (names in lower case) those that any target of the same format is sent besides its own."""
    return {name: value for name, value in headers if _is_callers(name) and not _is_account(name)}


def account_of(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Those that go where the SDK's credential goes, to nobody else: its account, and other credentials."""
    return tuple(sorted((name, value) for name, value in headers if goes_with_key(name)))


def goes_with_key(name: str) -> bool:
    """Whether a header field (its name in lower case) belongs to a credential beside it, or is another one."""
    return _is_callers(name) and _is_account(name)


def is_credential(name: str) -> bool:
    """Whether a query parameter may be a credential; the token of a page of a list is none."""
    return names_secret(name) and "page" not in name.lower()


def _is_callers(name: str) -> bool:
    return name not in _OURS_TO_SAY and name not in CREDENTIALS and not name.startswith(PREFIX)


def _is_account(name: str) -> bool:
    return name in ACCOUNT or (names_secret(name) and name not in _HARMLESS)


def outward(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of the vendor's fields those that say something of the answer, not of the connection or the body's form."""
    return [(name, value) for name, value in headers if name.lower() not in _NOT_TOLD]


# options of a call


def edge_of(headers: Mapping[str, str]) -> dict[str, Any]:
    """`x-edgeagent-…` fields as the `edge={…}` of a call. Raises `RequestValidationError` for an unknown one."""
    edge: dict[str, Any] = {}
    cache: dict[str, Any] = {}
    for field, value in headers.items():
        if not field.startswith(PREFIX):
            continue
        name = field.removeprefix(PREFIX).removeprefix("cache-")
        if name == "cache":
            cache["mode"] = value
        elif name in {"ttl", "max-age"}:
            cache[name.replace("-", "_")] = _number(field, value)
        elif name in {"namespace", "sample"}:
            cache[name] = value
        elif name == "force":
            cache[name] = _flag(field, value)
        elif name in {"tags", "fallbacks"}:
            edge[name] = [item.strip() for item in value.split(",") if item.strip()]
        elif name == "deadline":
            edge[name] = _number(field, value)
        elif name in {"router", "shield"}:
            edge[name] = value
        elif name != "retries":
            raise RequestValidationError(f"{field} is no option of a call; known: {', '.join(_KNOWN)}.", param=field)
    return {**edge, "cache": cache} if cache else edge


_KNOWN: Final = tuple(
    PREFIX + name
    for name in (
        "cache",
        "deadline",
        "fallbacks",
        "force",
        "max-age",
        "namespace",
        "retries",
        "router",
        "sample",
        "shield",
        "tags",
        "ttl",
    )
)


def retries_of(headers: Mapping[str, str]) -> int | None:
    """`x-edgeagent-retries`: extra attempts per target. Raises `RequestValidationError`."""
    value = headers.get(PREFIX + "retries")
    if value is None:
        return None
    if not value.isdecimal():
        raise RequestValidationError(f"{PREFIX}retries: must be a whole number.", param=PREFIX + "retries")
    return int(value)


def _number(field: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise RequestValidationError(f"{field}: must be a number of seconds.", param=field) from None


def _flag(field: str, value: str) -> bool:
    if value.lower() not in {"true", "false", "1", "0"}:
        raise RequestValidationError(f"{field}: must be true or false.", param=field)
    return value.lower() in {"true", "1"}


# what the gateway did


def facts(
    edge: ResponseMetadata, *, ended: bool, attempts: int | None = None, edits: tuple[str, ...] = ()
) -> list[tuple[str, str]]:
    """What the gateway did, as header fields. Of a stream that has not `ended` the cost is not known.

    `edits` are those of the URL.
    """
    told: list[tuple[str, Any]] = [
        ("provider", edge.provider),
        ("model", edge.model),
        ("cache", edge.cache_tier if edge.cached else "flight" if edge.coalesced else "miss"),
        ("attempts", len(edge.attempts) if attempts is None else attempts),
        ("cost-usd", f"{edge.cost_usd:f}" if edge.cost_usd is not None and (ended or edge.cached) else None),
        ("saved-usd", f"{edge.saved_usd:f}" if edge.saved_usd is not None else None),
        ("dropped-params", ", ".join(edge.dropped_params) or None),
        ("edits", "; ".join((*edge.edits, *edits)) or None),
    ]
    return [(PREFIX + name, _header_text(str(value))) for name, value in told if value is not None]


def _header_text(text: str) -> str:
    """Text as a header field can hold it."""
    if text.isascii() and text.isprintable():
        return text
    return text.encode("ascii", "backslashreplace").decode().replace("\n", " ").replace("\r", " ")
