"""Requests that came before, each found by the very arguments that it was made of.

To check a request against its model and to make its key take a third of a memory hit. Both depend on nothing but the
arguments, so for equal ones (see `edgeagent.cache.known_keys` for what that means) they are not done a third time. What
is kept is a copy of what was checked; each call gets another, so that nobody's changes reach a later call.

All of it is in memory alone, as long as the client lives, and no more than its bound allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.cache.key import raw_key
from edgeagent.cache.known_keys import KnownKeys, is_plain, is_short, written
from edgeagent.cache.policy import uncacheable_reason
from edgeagent.core.requests import chat_request, copied
from edgeagent.types import ChatRequest

__all__ = ["KnownRequest", "KnownRequests"]

MAX_BYTES: Final = 8 * 2**20
"""Of all arguments together; when they are more, it begins anew."""
MOST_SEEN: Final = 10_000
"""How many that came once are told from new ones, by a number each."""
MOST_KEYS: Final = 8
"""Of one request: callers with other candidates or policies each have their own."""
_ABSENT: Final = dict.fromkeys(ChatRequest.model_fields)
"""Every field, as it is where it was not given."""


class KnownRequest:
    """One request as it was checked, and what was made of it.

    Attributes:
        uncacheable: whether it is cached only where a call forces that.
        fits: for candidates with which parts beyond OpenAI's its contents were looked at, and found right.
    """

    __slots__ = ("_flat", "_keys", "_nested", "_values", "fits", "uncacheable")

    def __init__(self, request: ChatRequest) -> None:
        self._values = {name: copied(value) for name, value in request.__dict__.items() if value is not None}
        self._flat = not any(type(part) in (dict, list) for one in request.messages for part in one.values())
        nested = {name for name, value in self._values.items() if type(value) in (dict, list)}
        self._nested = tuple(nested - {"messages"} if self._flat else nested)
        self._keys: dict[tuple[bytes, bytes], bytes] = {}
        self.uncacheable = uncacheable_reason(request) is not None
        self.fits: set[frozenset[str]] = set()

    def again(self) -> ChatRequest:
        """The request anew, which shares nothing that can be changed."""
        values = self._values
        fields = {**_ABSENT, **values}
        if self._flat:  # as most are; the rest takes its time
            fields["messages"] = [message.copy() for message in values["messages"]]
        for name in self._nested:
            fields[name] = copied(values[name])
        request = ChatRequest.__new__(ChatRequest)
        put = object.__setattr__  # the model is frozen
        put(request, "__dict__", fields)
        put(request, "__pydantic_fields_set__", set(values))
        put(request, "__pydantic_extra__", {})
        put(request, "__pydantic_private__", None)
        return request

    def key(self, request: ChatRequest, candidates: bytes, policy: bytes) -> bytes:
        """`edgeagent.cache.key.raw_key` of the request, which is this one; raises what that raises."""
        place = (candidates, policy)
        key = self._keys.get(place)
        if key is None:
            key = raw_key(request, candidates, policy)
            if len(self._keys) >= MOST_KEYS:
                self._keys.clear()
            self._keys[place] = key
        return key


class KnownRequests:
    """Makes requests, and remembers those that came a second time. Threads may share it.

    Attributes:
        keys: of calls whose requests are made elsewhere.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self.keys = KnownKeys()
        self._max_bytes = max_bytes
        self._left = max_bytes
        self._seen: set[int] = set()
        self._requests: dict[bytes, KnownRequest] = {}

    def request(self, params: Mapping[str, Any]) -> tuple[ChatRequest, KnownRequest | None]:
        """`edgeagent.core.requests.chat_request`, and what is known of it; raises what that raises."""
        values = written(params) if is_short(params.get("messages")) else None
        if values is None:
            return chat_request(params), None
        known = self._requests.get(values)
        if known is not None:
            return known.again(), known
        request = chat_request(params)
        return request, self._met(values, params, request)

    def _met(self, values: bytes, params: Mapping[str, Any], request: ChatRequest) -> KnownRequest | None:
        """Remember it if it came before: most requests of a batch never come again."""
        first = hash(values)
        if first not in self._seen:
            if len(self._seen) >= MOST_SEEN:
                self._seen.clear()
            self._seen.add(first)
            return None
        if request.__pydantic_extra__ or not is_plain(params) or written(params) != values:  # another thread's doing
            return None
        known = KnownRequest(request)
        self._left -= len(values)  # threads may lose each other's count: a bound that is met nearly is met
        if self._left < 0:
            self._begin_anew()
        self._requests[values] = known
        return known

    def forget(self) -> None:
        """Let go of all of them."""
        self.keys.forget()
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._seen.clear()
        self._requests.clear()
        self._left = self._max_bytes
