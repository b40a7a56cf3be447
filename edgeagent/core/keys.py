"""The cache keys of one call: of a request in the unified model, or of one in a vendor's own format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from edgeagent.cache.entry import Entry
from edgeagent.cache.key import MakeKey, make_key, native_key, raw_key, shared_key
from edgeagent.cache.known_keys import LARGEST, KnownKeys
from edgeagent.core.call import Call
from edgeagent.core.native import Native
from edgeagent.routing.base import Router

__all__ = ["Keys", "policy_of", "raw_key_of", "routing_of", "shared_key_of"]


class Keys(NamedTuple):
    """Where one call may look and store."""

    raw: bytes
    """Of the request as the caller wrote it."""
    shared: bytes
    """Of the masked request."""
    read: bool
    write: bool
    far: bool
    """Whether the tiers that outlive the process take part."""
    candidates: bytes
    """The digest of who may answer."""
    near_form: Callable[[Entry], bytes | None] | None = None
    """How memory holds a masked entry under `raw`, if not as it is."""


def policy_of(call: Call[Any]) -> bytes:
    """What of the call's policies is part of its keys: an answer is for no other."""
    shield, cache = call.options.shield, call.options.cache
    return cache.fingerprint if shield is None else b"%s\nshield %s" % (cache.fingerprint, shield.fingerprint)


def raw_key_of(call: Call, candidates: bytes, native_keys: KnownKeys | None = None) -> bytes | None:
    """The request's own key; None if the call has nothing to do with the cache or with other calls.

    That of one in a vendor's own format is looked for among `native_keys`, if it is not so large that this takes longer
    than to make the key.
    """
    cache, known = call.options.cache, call.known
    if call.native is None and known is not None:
        if cache.mode == "off" or (known.uncacheable and not cache.force):
            return None
        return known.key(call.request, candidates, policy_of(call))
    if not cache.allows(call.request):
        return None
    if call.native is None:
        return raw_key(call.request, candidates, policy_of(call))
    native = call.native.asked
    if not cache.allows_native(native.body):
        return None
    short = native.content is not None and len(native.content) <= LARGEST
    make: MakeKey = native_keys if native_keys is not None and short else make_key
    return native_key(_params(call, native), candidates, policy_of(call), make=make)


def shared_key_of(call: Call, candidates: bytes, raw: bytes) -> bytes:
    """The key of the request as it is by now: masked, if there is a shield; else it is the request's own.

    A router of the call's own may prefer another target than the client's, and so is part of it.
    """
    router = call.options.router
    if router is None and call.options.shield is None:
        return raw
    routing = None if router is None else routing_of(router)
    policy = policy_of(call)
    if call.native is None:
        return shared_key(call.request, candidates, policy, routing)
    return native_key(_params(call, call.native.asked), candidates, policy, routing)


def routing_of(router: Router) -> dict[str, str]:
    """What of a call's own router is part of the shared key."""
    kind = type(router)
    name = f"{kind.__module__}.{kind.__qualname__}"
    return {"router": f"{name} {router!r}" if kind.__module__.startswith("edgeagent.") else name}


_DOES_NOT_COUNT = frozenset({"stream", "stream_options"})
"""Fields of a body that say how the answer travels: a streamed and an unstreamed call share."""


def _params(call: Call, native: Native) -> dict[str, Any]:
    """Everything of the call that can change its answer."""
    request = call.request
    return {
        "wire": native.wire,
        "vendor": native.vendor,
        "model": request.model,
        "body": {name: value for name, value in native.body.items() if name not in _DOES_NOT_COUNT},
        "extra_headers": {**native.headers, **(request.extra_headers or {})},
        "extra_query": {**native.query, **(request.extra_query or {})},
    }
