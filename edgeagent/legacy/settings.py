"""The module's settings: `edgeagent.api_key` and its like, read at each call.

A name that was never assigned has the value that openai<1 took from the environment; one that was assigned, None
included, has that value.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

import edgeagent
from edgeagent import error

__all__ = ["SETTINGS", "Edge", "Settings", "default", "groups", "settings_of"]

Kind = Literal["open_ai", "azure", "azure_ad"]

KINDS: Final[Mapping[str, Kind]] = {
    "open_ai": "open_ai",
    "openai": "open_ai",
    "azure": "azure",
    "azure_ad": "azure_ad",
    "azuread": "azure_ad",
}
SESSION: Final[ContextVar[Any]] = ContextVar("aiohttp-session", default=None)


def _version() -> str | None:
    azure = KINDS.get(os.environ.get("OPENAI_API_TYPE", ""), "open_ai") != "open_ai"
    return os.environ.get("OPENAI_API_VERSION", "2023-05-15" if azure else None)


SETTINGS: Final[Mapping[str, Any]] = {
    "api_base": partial(os.environ.get, "OPENAI_API_BASE", "https://api.openai.com/v1"),
    "api_key": partial(os.environ.get, "OPENAI_API_KEY"),
    "api_key_path": partial(os.environ.get, "OPENAI_API_KEY_PATH"),
    "api_type": partial(os.environ.get, "OPENAI_API_TYPE", "open_ai"),
    "api_version": _version,
    "organization": partial(os.environ.get, "OPENAI_ORGANIZATION"),
    "edge": lambda: None,
    "proxy": lambda: None,
    "requestssession": lambda: None,
    "aiosession": lambda: SESSION,
    "app_info": lambda: None,
    "ca_bundle_path": lambda: None,
    "debug": lambda: False,
    "enable_telemetry": lambda: False,
    "log": lambda: None,
    "verify_ssl_certs": lambda: True,
}
"""Every setting of openai<1, and `edge`: how its value is made where it was not assigned. Those from `aiosession` on
are accepted and have no effect."""


def default(name: str) -> Any:
    """What a setting is where it was not assigned."""
    return SETTINGS[name]()


class Edge:
    """The options of `edgeagent.edge`, hashed and compared by identity: they are told apart by who assigned them."""

    __slots__ = ("options",)

    def __init__(self, options: Mapping[str, Any] | None) -> None:
        self.options = options

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Edge) and other.options is self.options

    def __hash__(self) -> int:
        return id(self.options)


@dataclass(frozen=True)
class Settings:
    """What decides which client serves a call. `proxy` is pairs of scheme and URL."""

    kind: Kind
    api_base: str
    api_key: str = field(repr=False)
    api_version: str | None
    organization: str | None
    proxy: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    edge: Edge = field(default=Edge(None), repr=False)


def groups() -> Collection[str]:
    """The names that `edgeagent.edge` gives to models."""
    found = (edgeagent.edge or {}).get("models")
    return found if isinstance(found, Mapping) else ()


def settings_of(call: dict[str, Any]) -> Settings:
    """The settings for one call; its own are taken out of `call`.

    Raises:
        error.InvalidAPIType: `api_type` is none of the known ones.
        error.AuthenticationError: there is no key, or its file does not hold one.
        error.InvalidRequestError: a setting that cannot be honoured.
    """
    own = {name: call.pop(name, None) for name in ("api_key", "api_base", "api_type", "api_version", "organization")}
    given = {name: own[name] or getattr(edgeagent, name) for name in own if name != "api_key"}
    if edgeagent.requestssession is not None:
        raise error.InvalidRequestError(
            "openai.requestssession: connections are edgeagent's own here; use proxy, or edge={'http_client': …}.",
            "requestssession",
        )
    kind = _kind(given["api_type"])
    if kind != "open_ai" and not given["api_version"]:
        raise error.InvalidRequestError("An API version is required for Azure: set openai.api_version.", "api_version")
    return Settings(
        kind=kind,
        api_base=str(given["api_base"]),
        api_key=own["api_key"] or _key(),
        api_version=given["api_version"],
        organization=given["organization"],
        proxy=_proxy(edgeagent.proxy),
        edge=Edge(edgeagent.edge),
    )


def _kind(value: Any) -> Kind:
    kind = KINDS.get(value.lower()) if isinstance(value, str) else None
    if kind is None:
        raise error.InvalidAPIType(
            "The API type provided is invalid: it must be 'open_ai', 'azure' or 'azure_ad' (openai.api_type)."
        )
    return kind


def _key() -> str:
    path, key = edgeagent.api_key_path, edgeagent.api_key
    if path:
        return _from_file(path)
    if not key:
        raise error.AuthenticationError(
            "No API key provided: set openai.api_key, or the environment variable OPENAI_API_KEY, or "
            "openai.api_key_path to a file that holds it."
        )
    return key


def _from_file(path: str) -> str:
    try:
        key = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise error.AuthenticationError(f"openai.api_key_path: {path} cannot be read.") from fault
    if not key.startswith("sk-"):
        raise error.AuthenticationError(f"openai.api_key_path: {path} does not hold a key that begins with 'sk-'.")
    return key


def _proxy(value: Any) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (("all", value),)
    if isinstance(value, Mapping) and all(isinstance(url, str) for url in value.values()):
        return tuple(sorted(value.items()))
    raise error.InvalidRequestError("openai.proxy must be a URL, or a dict of URLs by 'http' and 'https'.", "proxy")
