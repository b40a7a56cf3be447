"""One server that speaks OpenAI's chat completions, as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edgeagent.errors import ConfigurationError
from edgeagent.providers.base import ALL_CAPABILITIES, Feature
from edgeagent.providers.openai.quirks import COMPATIBLE, Quirks

__all__ = ["Row", "address", "needed"]


@dataclass(frozen=True, slots=True)
class Row:
    """One server, or one kind of server.

    Args:
        name: how model names and `edge.provider` call it.
        base_url: the address before `path`; `{NAME}` stands for the environment variable of that name. None: it has to
            be said (in `base_url_variables`, or by the caller).
        keys: environment variables that may hold the key, the first that is set counts; none: no key is needed.
        docs: where the vendor documents this.
        base_url_variables: environment variables that may hold the address.
        vendor: its id in telemetry and prices; default: the name.
        families: how its own models' names begin.
        reseller: whether it serves many makers' models, by names that need not be theirs.
        features: what at least some of its models can do. A model that cannot is the server's to refuse.
        quirks: how it differs from OpenAI.
        path: of chat requests, below the address.
        responses: the path of OpenAI's Responses API there, where the server has it.
        key_header: the header field that takes the key instead of `Authorization`.
        key_scheme: what stands before the key in that field.
        query: query parameters of every request, unless the caller has others.
        automatic: whether its key in the environment is enough to configure it. Not where the variable usually serves
            something else, or another provider of this package has the same.
    """

    name: str
    base_url: str | None
    keys: tuple[str, ...]
    docs: str
    base_url_variables: tuple[str, ...] = ()
    vendor: str | None = None
    families: tuple[str, ...] = ()
    reseller: bool = False
    features: frozenset[Feature] = ALL_CAPABILITIES.features
    quirks: Quirks = COMPATIBLE
    path: str = "/chat/completions"
    responses: str | None = None
    key_header: str | None = None
    key_scheme: str = ""
    query: tuple[tuple[str, str], ...] = ()
    automatic: bool = True


_PLACE: Final = re.compile(r"\{([A-Z_]+)\}")


def address(row: Row, environment: Mapping[str, str]) -> str | None:
    """Where the server lives, as far as the row and the environment say.

    Raises:
        ConfigurationError: the address needs a variable that is not set.
    """
    for variable in row.base_url_variables:
        if value := environment.get(variable, "").strip():
            return value
    if row.base_url is None:
        return None
    missing = next((name for name in needed(row) if not environment.get(name, "").strip()), None)
    if missing is not None:
        raise ConfigurationError(f"{row.name!r} needs its address: pass base_url=… or set {missing}.")
    url = _PLACE.sub(lambda place: environment[place[1]].strip().rstrip("/"), row.base_url)
    return url if "://" in url else f"https://{url}"


def needed(row: Row) -> list[str]:
    """The environment variables that are parts of its address."""
    return _PLACE.findall(row.base_url or "")
