"""What `client.responses` of both kinds shares: arguments → a call, an answer → a response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from edgeagent.core.requests import given
from edgeagent.resources.options import call_options, is_shielded, telling, unknown_argument
from edgeagent.resources.response_request import KNOWN, asked
from edgeagent.types.left_out import omit
from edgeagent.types.responses import Response

if TYPE_CHECKING:
    from edgeagent.client import AsyncEdgeClient, EdgeClient
    from edgeagent.core.call import CallOptions
    from edgeagent.core.native import Native, NativeAnswer
    from edgeagent.resources.response_parsing import ResponseStructure
    from edgeagent.types import ChatRequest
    from edgeagent.types.responses import ParsedResponse

__all__ = ["NOT_HERE", "QUERY", "opening", "prepared", "read", "structured", "whole"]

QUERY: Final = ("include", "include_obfuscation", "starting_after", "stream")
"""Query parameters of a stored response."""
NOT_HERE: Final = frozenset({"compact", "connect", "input_tokens"})
"""What openai's `client.responses` has besides."""
_STORED: Final = ("response_id", "starting_after")
_WITH_STORED: Final = frozenset({"edge", "extra_headers", "extra_query", "include", "response_id", "timeout", "tools"})
"""Arguments of `stream` that go with a stored response; its tools are not sent, but their arguments are read."""


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
def structured(
    client: EdgeClient | AsyncEdgeClient, text_format: Any, params: Mapping[str, Any], parse_as: Any = omit
) -> ResponseStructure:
    """What one call wants to have read. Raises as `ResponseStructure`."""
    from edgeagent.resources.response_parsing import ResponseStructure

    if "stream" in params:
        raise TypeError("parse() and stream() take no stream=.")
    return ResponseStructure(text_format, params, parse_as=parse_as, hides=is_shielded(client, params))


class Opening(NamedTuple):
    """What `stream()` opens.

    Attributes:
        structure: what is to be read.
        arguments: of `retrieve` where they have a `response_id`, else of `create`.
        starting_after: the number of the last event that is not shown; None: all are.
    """

    structure: ResponseStructure
    arguments: dict[str, Any]
    starting_after: int | None = None


@telling
def opening(client: EdgeClient | AsyncEdgeClient, text_format: Any, params: Mapping[str, Any]) -> Opening:
    """What the arguments of `stream()` mean.

    A stored response is asked for from its beginning, so that the text so far is whole.

    Raises:
        TypeError: an argument that has no meaning for a response that is there already, or only for such.
        Exception: what `structured` raises.
    """
    stored = {name: value for name, value in params.items() if value is not None and given(value)}
    start = stored.pop("starting_after", None)
    if "response_id" not in stored:
        if start is not None:
            raise TypeError("stream() takes starting_after= with response_id= only.")
        structure = structured(client, text_format, {n: v for n, v in params.items() if n not in _STORED})
        return Opening(structure, structure.arguments())
    if wrong := sorted(stored.keys() - _WITH_STORED):
        raise TypeError(f"stream() takes no {wrong[0]}= with response_id=: that response is there already.")
    structure = structured(client, text_format, {name: stored[name] for name in ("edge", "tools") if name in stored})
    stored.pop("tools", None)
    return Opening(structure, stored, start)


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
