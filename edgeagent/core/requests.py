"""A caller's keyword arguments → one `ChatRequest` that shares nothing with the caller.

What `openai` accepts is accepted: one-shot iterables, `omit` and `NOT_GIVEN`, message objects (openai's and ours),
`extra_body`. None is the same as absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from edgeagent.errors import RequestValidationError
from edgeagent.types import ChatRequest
from edgeagent.types.faults import first_fault

__all__ = ["KNOWN_PARAMETERS", "UnwritableError", "chat_request", "copied", "dumped", "given", "unwritable"]

KNOWN_PARAMETERS: Final = frozenset(ChatRequest.model_fields)
_SCALARS: Final = (str, int, float)
_BUILTIN: Final = frozenset({str, int, float, bool, list, dict, tuple, type(None)})
_MARKERS: Final = ("openai", "edgeagent")
DEPTH: Final = 200
"""Levels that all writers of JSON on the way take; some take a few more."""
_ITERABLES: Final = frozenset({"messages", "tools", "functions", "stop", "modalities"})


class UnwritableError(Exception):
    """An object holds what JSON cannot."""


def chat_request(params: Mapping[str, Any], extra_body: Mapping[str, Any] | None = None) -> ChatRequest:
    """Validate the shape and the types.

    Raises:
        RequestValidationError: a missing or ill-typed parameter; `.param` names it, as in `messages[0].role`.
    """
    try:
        values = {
            name: value if type(value) is str else _plain(name, value)
            for name, value in params.items()
            if value is not None and (type(value) in _BUILTIN or given(value))
        }
        if extra_body:
            if not isinstance(extra_body, Mapping):
                raise RequestValidationError("extra_body must be a mapping.", param="extra_body")
            values.update(copied(extra_body))
        # model_validate without its options, which take a fifth of its time
        request: ChatRequest = ChatRequest.__pydantic_validator__.validate_python(values)
    except ValidationError as error:
        raise _refused(error) from None
    except (RecursionError, UnwritableError):
        raise unwritable({**params, "extra_body": extra_body}) from None
    return request


def unwritable(params: Mapping[str, Any]) -> RequestValidationError:
    """The error for values that are nested beyond measure, hold themselves, or hold what JSON cannot."""
    param = next((name for name, value in params.items() if not _can_becopied(value)), None)
    return RequestValidationError(
        f"{param or 'The request'} cannot be sent as JSON: it is nested deeper than {DEPTH} levels, holds itself, or "
        "has an object in it that is no JSON value. Give such a part as JSON text in a string.",
        param=param,
    )


def dumped(value: BaseModel, *, by_alias: bool = False) -> dict[str, Any]:
    """What a pydantic object was set to, as JSON values. Raises `UnwritableError`."""
    try:
        return value.model_dump(mode="json", by_alias=by_alias, exclude_unset=True)
    except ValueError:  # of pydantic's own: circular, too deep, of no type that it knows, bytes that are no text
        raise UnwritableError from None


def _can_becopied(value: Any) -> bool:
    try:
        copied(value)
    except (RecursionError, UnwritableError):
        return False
    return True


def given(value: object) -> bool:
    """Whether a value is one, and not a marker (openai's or ours) for an argument that was left out."""
    kind = type(value)
    return kind in _BUILTIN or not (kind.__name__ in {"NotGiven", "Omit"} and kind.__module__.startswith(_MARKERS))


def _plain(name: str, value: Any) -> Any:
    if type(value) is not list and name in _ITERABLES and _is_one_shot(value):
        value = list(value)
    if name == "messages" and isinstance(value, list):
        return [_message(message) for message in value]
    return copied(value)


def _is_one_shot(value: object) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, (str, list, Mapping))


def _message(message: Any) -> Any:
    if type(message) is dict and type(message.get("content")) is str and len(message) == 2:
        return message  # the model copies this level; there is no other
    return copied(message)


def copied(value: Any) -> Any:
    """A copy all the way down, pydantic objects turned into what they were set to."""
    if isinstance(value, _SCALARS) or value is None:
        return value
    if isinstance(value, Mapping):
        return {key: copied(item) for key, item in value.items() if given(item)}
    if isinstance(value, BaseModel):
        return {k: v for k, v in dumped(value).items() if v is not None}
    if isinstance(value, list | tuple) or (isinstance(value, Iterable) and not isinstance(value, bytes | bytearray)):
        return [copied(item) for item in value]
    return value


def _refused(error: ValidationError) -> RequestValidationError:
    param, reason = first_fault(error)
    if param == "response_format":
        reason += "; an answer of a Python type is what parse() asks for"
    return RequestValidationError(f"{param}: {reason}.", param=param)
