"""What `client.responses` of both kinds shares: arguments → a call, an answer → a response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from edgeagent.resources.options import call_options, is_shielded, telling, unknown_argument
from edgeagent.resources.response_request import KNOWN, asked
from edgeagent.types.responses import Response

if TYPE_CHECKING:
    from edgeagent.client import AsyncEdgeClient, EdgeClient
    from edgeagent.core.call import CallOptions
    from edgeagent.core.native import Native, NativeAnswer
    from edgeagent.resources.response_parsing import ResponseStructure
    from edgeagent.types import ChatRequest
    from edgeagent.types.responses import ParsedResponse

__all__ = ["QUERY", "prepared", "read", "structured", "whole"]

QUERY: Final = ("include", "include_obfuscation", "starting_after", "stream")
"""Query parameters of a stored response."""


@telling
def prepared(
    client: EdgeClient | AsyncEdgeClient, params: dict[str, Any], *, stream: bool
) -> tuple[ChatRequest, Native, CallOptions]:
    """What one call's arguments mean.

    Raises:
        TypeError: an unknown argument.
        RequestValidationError: a missing or ill-typed one.
    """
    if not KNOWN.issuperset(params):
        raise unknown_argument(params, KNOWN)
    options, extra_body = call_options(client, params)
    request, native = asked(params, extra_body, stream=stream)
    return request, native, options


@telling
def structured(client: EdgeClient | AsyncEdgeClient, text_format: Any, params: Mapping[str, Any]) -> ResponseStructure:
    """What one call wants to have read. Raises as `ResponseStructure`."""
    from edgeagent.resources.response_parsing import ResponseStructure

    if "stream" in params:
        raise TypeError("parse() and stream() take no stream=.")
    return ResponseStructure(text_format, params, hides=is_shielded(client, params))


@telling
def read(
    client: EdgeClient | AsyncEdgeClient,  # noqa: ARG001  # whose errors these are
    structure: ResponseStructure,
    response: Response,
) -> ParsedResponse[Any]:
    """The response with everything read. Raises as `ResponseStructure.parsed`."""
    return structure.parsed(response)


def whole(answer: NativeAnswer) -> Response:
    """The response in an answer."""
    response = Response.from_json(answer.body)
    response._attach(answer.completion.edge)
    return response
