"""Token counts of requests that another provider answers: its vendor has no such path, so they are estimated.

The vendor that a request was sent to counts its own model's tokens itself: such a request passes through, unless it has
something that another vendor signed, which is for that one alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from edgeagent.providers.sealed import has_seal
from edgeagent.transports.fields import PREFIX
from edgeagent.transports.incoming import Incoming, NotUnderstoodError, read
from edgeagent.wire.json import dump_json

if TYPE_CHECKING:
    from edgeagent.client import AsyncEdgeClient, EdgeClient
    from edgeagent.transports.addressing import Addresses
    from edgeagent.transports.wires import Route

__all__ = ["counted"]


def counted(
    client: EdgeClient | AsyncEdgeClient, addresses: Addresses, came: Incoming, route: Route, content: bytes
) -> tuple[list[tuple[str, str]], bytes]:
    """The header fields and the body of the answer, in the format of the question.

    `x-edgeagent-estimate` says that it is an estimate, and the relative error that is to be expected.

    Raises:
        NotUnderstoodError: the vendor that was asked can tell.
        RequestValidationError: there is nothing to count.
        NoTargetError: the name means no provider.
    """
    options, body, model, address = read(client, addresses, came, route, content)
    targets = address.pipeline.targets
    target = targets.candidates(model, options.fallbacks, options.cache.namespace, route.wire).targets[0]
    own = address.provider is not None and (target.provider, target.model) == (address.provider.name, model)
    if own and not has_seal(content):
        raise NotUnderstoodError("the vendor counts the tokens of its own models")
    request = route.codec.decode_request(_asked(body))
    name = targets.estimates.model(target)
    estimator = targets.estimates.estimator
    estimate = estimator.estimate(estimator.size(request, name), name)
    told = {"provider": target.provider, "model": target.model, "estimate": f"{estimate.error:.2f}"}
    fields = [("content-type", "application/json"), *((PREFIX + name, value) for name, value in told.items())]
    key = "totalTokens" if route.family == "google" else "input_tokens"
    return fields, dump_json({key: estimate.tokens})


def _asked(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The request whose tokens are to be counted: Google's question may wrap it."""
    whole = body.get("generateContentRequest")
    return whole if isinstance(whole, Mapping) else body
