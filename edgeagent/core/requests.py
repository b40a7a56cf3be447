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

__all__ = ["KNOWN_PARAMETERS", "chat_request", "given"]

KNOWN_PARAMETERS: Final = frozenset(ChatRequest.model_fields)
_SCALARS: Final = (str, int, float)
_BUILTIN: Final = frozenset({str, int, float, bool, list, dict, tuple, type(None)})
_MARKERS: Final = ("openai", "edgeagent")
_ITERABLES: Final = frozenset({"messages", "tools", "functions", "stop", "modalities"})


def chat_request(params: Mapping[str, Any], extra_body: Mapping[str, Any] | None = None) -> ChatRequest:
    """Validate the shape and the types.

    Raises:
        RequestValidationError: a missing or ill-typed parameter; `.param` names it, as in `messages[0].role`.
    """
    values = {
        name: value if type(value) is str else _plain(name, value)
        for name, value in params.items()
        if value is not None and (type(value) in _BUILTIN or given(value))
    }
    if extra_body:
        if not isinstance(extra_body, Mapping):
            raise RequestValidationError("extra_body must be a mapping.", param="extra_body")
        values.update(_copied(extra_body))
    try:
        # model_validate without its options, which take a fifth of its time
        request: ChatRequest = ChatRequest.__pydantic_validator__.validate_python(values)
    except ValidationError as error:
        raise _refused(error) from None
    return request


def given(value: object) -> bool:
    """Whether a value is one, and not a marker (openai's or ours) for an argument that was left out."""
    kind = type(value)
    return kind in _BUILTIN or not (kind.__name__ in {"NotGiven", "Omit"} and kind.__module__.startswith(_MARKERS))


def _plain(name: str, value: Any) -> Any:
    if type(value) is not list and name in _ITERABLES and _is_one_shot(value):
        value = list(value)
    if name == "messages" and isinstance(value, list):
        return [_message(message) for message in value]
    return _copied(value)


def _is_one_shot(value: object) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, (str, list, Mapping))


def _message(message: Any) -> Any:
    if type(message) is dict and type(message.get("content")) is str and len(message) == 2:
        return message  # the model copies this level; there is no other
    return _copied(message)


def _copied(value: Any) -> Any:
    """A copy all the way down, pydantic objects turned into what they were set to."""
    if isinstance(value, _SCALARS) or value is None:
        return value
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items() if given(item)}
    if isinstance(value, BaseModel):
        return {k: v for k, v in value.model_dump(mode="json", exclude_unset=True).items() if v is not None}
    if isinstance(value, list | tuple) or (isinstance(value, Iterable) and not isinstance(value, bytes | bytearray)):
        return [_copied(item) for item in value]
    return value


def _refused(error: ValidationError) -> RequestValidationError:
    param, reason = first_fault(error)
    if param == "response_format":
        reason += "; an answer of a Python type is what parse() asks for"
    return RequestValidationError(f"{param}: {reason}.", param=param)
