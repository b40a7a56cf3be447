"""What `strict` promised the caller and a vendor was not asked to keep is checked here, on the answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from edgeagent.errors import RequestValidationError, ResponseValidationError
from edgeagent.providers.base import Promise
from edgeagent.types import ChatCompletion
from edgeagent.types.completion import ChatCompletionMessage
from edgeagent.wire.http import HTTPResponse

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["check_promises", "require_checker"]


def require_checker(promises: Sequence[Promise]) -> None:
    """Refuse before anything is sent what could not be checked afterwards.

    Raises:
        RequestValidationError: the extra is not installed, or a schema is none.
    """
    for promise in promises:
        _validator(promise)


def check_promises(promises: Iterable[Promise], completion: ChatCompletion) -> None:
    """Check what was promised; an answer that was cut off, filtered or refused is left as it is.

    Raises:
        ResponseValidationError: a content or a call is not what its schema demands. The message says where, and
            quotes nothing of the answer.
    """
    for promise in promises:
        validator = None
        for choice in completion.choices:
            if choice.finish_reason in ("length", "content_filter") or choice.message.refusal:
                continue
            for text in _texts(choice.message, promise.tool):
                validator = validator or _validator(promise)
                _check(validator, text, promise)


def _texts(message: ChatCompletionMessage, tool: str | None) -> list[str]:
    """What the promise is about: the arguments of the tool's calls, or the content of an answer that calls none."""
    functions = [call.function for call in message.tool_calls or () if call.function is not None]
    calls = [(function.name, function.arguments) for function in functions]
    if message.function_call is not None:
        calls.append((message.function_call.name, message.function_call.arguments))
    if tool is not None:
        return [arguments for name, arguments in calls if name == tool]
    return [message.content] if message.content and not calls else []


def _check(validator: Any, text: str, promise: Promise) -> None:
    from pydantic_core import from_json

    what = "The content" if promise.tool is None else f"A call of {promise.tool!r}"
    try:
        value = text if promise.plain else from_json(text, allow_inf_nan=False)
    except ValueError:
        raise _broken(f"{what} is not JSON, though its form was promised.") from None
    error = next(iter(validator.iter_errors(value)), None)
    if error is not None:
        path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.schema_path)
        raise _broken(f"{what} is not of the form that was promised: it breaks the schema at ${path}.")


def _broken(message: str) -> ResponseValidationError:
    return ResponseValidationError(HTTPResponse(200), None, message=message)


def _validator(promise: Promise) -> Any:
    where = "response_format" if promise.tool is None else "tools"
    try:
        library = _library()
    except ImportError:
        raise RequestValidationError(
            f"{where}: this vendor cannot be held to the whole schema, so the answer has to be checked here: "
            "pip install 'edgeagent[schema]', or leave out strict.",
            param=where,
        ) from None
    try:
        return library.validator_for(dict(promise.schema), retriever=_nowhere, validate_formats=True)
    except Exception as error:  # the library's own, and what its reading of regular expressions raises
        raise RequestValidationError(f"{where}: not a JSON Schema: {type(error).__name__}.", param=where) from None


def _library() -> ModuleType:
    from importlib import import_module

    return import_module("jsonschema_rs")


def _nowhere(uri: str) -> Any:
    """A schema that refers to another address is refused: nothing is fetched."""
    raise LookupError(uri)
