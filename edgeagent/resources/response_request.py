"""A caller's arguments of `responses.create` → the body as openai's SDK would send it, and what it means to us."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from edgeagent.core.native import Native
from edgeagent.core.requests import UnwritableError, dumped, given, unwritable
from edgeagent.errors import RequestValidationError
from edgeagent.providers.responses import ResponsesCodec
from edgeagent.types.responses.params import ResponseParams

if TYPE_CHECKING:
    from edgeagent.types import ChatRequest

__all__ = ["KNOWN", "asked"]

KNOWN: Final = frozenset(ResponseParams.__annotations__)
_OUTSIDE: Final = ("extra_headers", "extra_query")
_READ: Final = {"message": ("content", "parsed"), "function_call": (None, "parsed_arguments")}
"""What `parse` puts into the items of an answer, by their type; it is not sent back."""


def asked(params: Mapping[str, Any], extra_body: Any, *, stream: bool) -> tuple[ChatRequest, Native]:
    """The request and the body that it was decoded from; neither shares anything with the caller.

    Raises:
        RequestValidationError: a missing or ill-typed parameter; `.param` names it, as in `input[0]`.
    """
    if extra_body is not None and not isinstance(extra_body, Mapping):
        raise RequestValidationError("extra_body must be a mapping.", param="extra_body")
    try:
        body = {name: _plain(value) for name, value in params.items() if given(value) and name not in _OUTSIDE}
        body.update({name: _plain(value) for name, value in (extra_body or {}).items()})
    except (RecursionError, UnwritableError):
        raise unwritable({**params, "extra_body": extra_body}) from None
    if stream:
        body["stream"] = True
    codec = ResponsesCodec(asked=body)
    request, fault = _decoded(codec, body)
    changes = {name: params[name] for name in _OUTSIDE if params.get(name) is not None}
    if body.get("store") is None:  # OpenAI stores then; it is not what the caller asked for, and no reason not to cache
        changes["store"] = None
    request.__dict__.update(changes)  # it was made just now; a copy takes a sixth of a hit's time
    request.__pydantic_fields_set__.update(changes)
    return request, Native(codec, body, fault=fault)


def _decoded(codec: ResponsesCodec, body: Mapping[str, Any]) -> tuple[ChatRequest, RequestValidationError | None]:
    """What the body means; and the fault of an item that may be right for a vendor who knows more than we do."""
    try:
        return codec.decode_request(body), None
    except RequestValidationError as fault:
        if not str(fault.param).startswith("input["):
            raise
        return codec.decode_request({**body, "input": ""}), fault


def _plain(value: Any) -> Any:
    """A copy as JSON values; objects of either library as what was set in them."""
    if isinstance(value, str | int | float) or value is None:
        return value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if given(item)}
    if isinstance(value, BaseModel):
        return _unread(dumped(value, by_alias=True))
    if isinstance(value, list | tuple) or (isinstance(value, Iterable) and not isinstance(value, bytes | bytearray)):
        return [_plain(item) for item in value]
    return value


def _unread(item: dict[str, Any]) -> dict[str, Any]:
    """An item of an answer without what `parse` read from it."""
    inside, name = _READ.get(str(item.get("type")), (None, ""))
    for one in item.get(inside) or () if inside else (item,):
        one.pop(name, None)
    return item
