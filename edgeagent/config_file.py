"""A client as a TOML file describes it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edgeagent.errors import ConfigurationError

if TYPE_CHECKING:
    from edgeagent.limits import Budget, Limit
    from edgeagent.shield.shield import Shield

__all__ = ["load_file"]

_IN_FILES: Final = frozenset(
    {
        "models",
        "router",
        "breaker",
        "cache",
        "retry",
        "hedge",
        "timeout",
        "deadline",
        "namespace",
        "strict_models",
        "providers",
        "errors",
        "limits",
        "budgets",
        "state",
        "shield",
    }
)


def load_file(path: str | Path) -> dict[str, Any]:
    """Keyword arguments for a client from a TOML file.

    `[[providers]]` tables have a `type` (a class of `edgeagent.providers`) and that class's arguments; keys come from
    the environment and must not stand in the file. Everything else has the arguments' own names.

    Raises:
        ConfigurationError: the file is missing, is not TOML, or says something that no argument means.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        with Path(path).open("rb") as file:
            data: dict[str, Any] = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
    unknown = sorted(data.keys() - _IN_FILES)
    if unknown:
        raise ConfigurationError(f"{path}: unknown setting {unknown[0]!r}; known: {', '.join(sorted(_IN_FILES))}.")
    if "providers" in data:
        data["providers"] = [_provider_from(table, path) for table in data["providers"]]
    _read_rules(data, path)
    if isinstance(data.get("cache"), dict):
        from edgeagent.cache.tiers import Cache

        data["cache"] = Cache(**data["cache"])
    if isinstance(data.get("shield"), dict):
        data["shield"] = _shield_from(data["shield"], path)
    return data


def _read_rules(data: dict[str, Any], path: str | Path) -> None:
    """Tables of limits and budgets as objects, in place."""
    from edgeagent.limits.budget import Budget
    from edgeagent.limits.limit import Limit

    kinds: tuple[tuple[str, type[Limit | Budget]], ...] = (("limits", Limit), ("budgets", Budget))
    for name, kind in kinds:
        if name in data:
            try:
                data[name] = [kind(**table) for table in data[name]]
            except TypeError as error:
                raise ConfigurationError(f"{path}: {name}: {error}") from None


def _shield_from(table: dict[str, Any], path: str | Path) -> Shield:
    """`[shield]`: a `preset`, arguments of `Shield` that TOML can say, and `[[shield.patterns]]` of the file's own."""
    from edgeagent.shield.shield import Shield

    arguments = dict(table)
    if "key" in arguments:
        raise ConfigurationError(f"{path}: a key does not belong in a file; set it in the environment.")
    preset, patterns = arguments.pop("preset", "default"), arguments.pop("patterns", ())
    try:
        return Shield.preset(preset, patterns=patterns, **arguments)
    except (TypeError, ConfigurationError) as error:
        raise ConfigurationError(f"{path}: shield: {error}") from None


def _provider_from(table: Any, path: str | Path) -> Any:
    import edgeagent.providers as builtin

    if not isinstance(table, dict) or table.get("type") not in builtin.__all__:
        raise ConfigurationError(f"{path}: a provider needs a type, one of {', '.join(sorted(builtin.__all__))}.")
    arguments = {name: value for name, value in table.items() if name != "type"}
    if "api_key" in arguments:
        raise ConfigurationError(f"{path}: an api_key does not belong in a file; set it in the environment.")
    try:
        return getattr(builtin, table["type"])(**arguments)
    except TypeError as error:
        raise ConfigurationError(f"{path}: {table['type']}: {error}") from None
