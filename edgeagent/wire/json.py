"""JSON as it goes onto the wire, and as it is compared."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any, Final

from pydantic_core import from_json, to_json

__all__ = ["canonical_json", "dump_json", "parsed_json"]


def dump_json(value: Any) -> bytes:
    """Compact UTF-8 JSON, keys in their order. Raises `ValueError` for NaN, infinities and what JSON cannot hold."""
    return to_json(value, inf_nan_mode="constants")


def parsed_json(content: bytes) -> Any:
    """The value of JSON text; None for what is none (`null` is None, too)."""
    try:
        return from_json(content)
    except ValueError:
        return None


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces: equal bytes if and only if the values are equal as JSON.

    An integer and the float of equal value are different texts (`1`, `1.0`), and so different. Raises `ValueError` for
    NaN, infinities, lone surrogates and circular values, `TypeError` for what is not JSON, `RecursionError` for what is
    nested too deeply.
    """
    return to_json(_sorted(value))


_EXTENDED: Final[tuple[tuple[type, Callable[[Any], Any]], ...]] = (
    (str, str.__str__),
    (int, int),
    (float, float),
    (dict, dict),
    (list, list),
    (tuple, tuple),
)
"""Enumerations and other subclasses count as what they extend."""


def _sorted(value: Any) -> Any:
    """A copy with sorted keys and nothing but JSON's own types, which all writers of JSON agree about.

    Sorting here and writing there takes a third of the standard library's time for a prompt of a few KB.
    """
    kind = type(value)
    if kind is dict:
        return {name: part if type(part := value[name]) is str else _sorted(part) for name in sorted(value)}
    if kind is list or kind is tuple:
        return [part if type(part) is str else _sorted(part) for part in value]
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is float:
        if not isfinite(value):
            raise ValueError("NaN and infinities have no JSON form")
        return value
    for base, plain in _EXTENDED:
        if isinstance(value, base):
            return _sorted(plain(value))
    raise TypeError(f"{kind.__name__} has no JSON form")
