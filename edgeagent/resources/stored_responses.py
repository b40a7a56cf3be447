"""What `client.responses` asks about responses that a vendor keeps: which provider that is, and how it is asked.

The provider is the one that `edge={"provider": …}` names, else the one before the slash in `"openai/resp_…"`, else the
only configured one that has the Responses API.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from edgeagent.core.requests import given
from edgeagent.core.stored import Stored
from edgeagent.errors import NoTargetError, RequestValidationError, ResponseValidationError
from edgeagent.providers.responses import WIRE
from edgeagent.resources.options import call_options, telling
from edgeagent.types.responses import Response, ResponseItemList

if TYPE_CHECKING:
    from edgeagent.client import AsyncEdgeClient, EdgeClient
    from edgeagent.core.call import CallOptions
    from edgeagent.wire.http import HTTPResponse

__all__ = ["page_of", "response_of", "stored"]

M = TypeVar("M", Response, ResponseItemList)

_OPTIONS: Final = ("extra_headers", "extra_query", "timeout")
_LISTS: Final = frozenset({"include"})
"""Query parameters that are written as `name[]`."""


@telling
def stored(
    client: EdgeClient | AsyncEdgeClient,
    /,
    method: str,
    response_id: str,
    *path: str,
    known: Collection[str] = (),
    **params: Any,
) -> tuple[Stored, CallOptions]:
    """The question and its options; `params` are the `known` query parameters and the options that every method takes.

    Raises:
        TypeError: a parameter that is not known.
        RequestValidationError: no id, or no provider of that name.
        NoTargetError: it is not clear which provider has the response.
    """
    edge = params.pop("edge", None)
    edge = dict(edge) if isinstance(edge, Mapping) else edge
    named = edge.pop("provider", None) if isinstance(edge, dict) else None
    outside: dict[str, Any] = {name: params.pop(name) for name in _OPTIONS if name in params}
    if unknown := sorted(params.keys() - set(known)):
        raise TypeError(f"got an unexpected keyword argument {unknown[0]!r}")
    outside["edge"] = edge
    options, _ = call_options(client, outside)
    query = {
        f"{name}[]" if name in _LISTS else name: list(value) if name in _LISTS else value
        for name, value in params.items()
        if value is not None and given(value)
    }
    provider, own_id = _provider(client, response_id, named)
    headers, more = outside.get("extra_headers") or {}, outside.get("extra_query") or {}
    return Stored(provider, method, (own_id, *path), headers, {**query, **more}), options


def _provider(client: EdgeClient | AsyncEdgeClient, response_id: Any, named: Any) -> tuple[Any, str]:
    if not isinstance(response_id, str) or response_id.rpartition("/")[2] in {"", ".", ".."}:  # no step of a path
        raise RequestValidationError("response_id: must be the id of a response.", param="response_id")
    having = client._engine.here().pipeline.targets.speaking(WIRE)
    prefix, slash, rest = response_id.partition("/")
    if named is None and slash and prefix in having:
        named, response_id = prefix, rest
    if named is not None:
        if named not in having:
            raise RequestValidationError(
                f"edge.provider: no provider {named!r} with the Responses API is configured.", param="edge.provider"
            )
        return having[named], response_id
    if not having:
        raise NoTargetError("No configured provider has the Responses API, so that none keeps responses.")
    if len(having) > 1:
        names = ", ".join(having)
        raise NoTargetError(
            f"Several providers may have this response ({names}): "
            f'write "{next(iter(having))}/{response_id}", or edge={{"provider": …}}.'
        )
    return next(iter(having.values())), response_id


def page_of(answer: HTTPResponse) -> ResponseItemList:
    """A page that the vendor sent. Raises `ResponseValidationError`."""
    page = _read(ResponseItemList, answer, "page of items")
    if not isinstance(page.data, list | None):
        raise ResponseValidationError(answer, None, message="The answer is not a page of items.")
    return page


def response_of(answer: HTTPResponse) -> Response:
    """A response that the vendor sent. Raises `ResponseValidationError`."""
    return _read(Response, answer, "response")


def _read(kind: type[M], answer: HTTPResponse, name: str) -> M:
    try:
        return kind.from_json(answer.content)
    except ValueError:  # pydantic's quotes what it was given
        raise ResponseValidationError(answer, None, message=f"The answer is not a {name}.") from None
