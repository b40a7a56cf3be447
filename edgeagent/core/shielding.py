"""The steps of the shield in a call: mask before anything is shared or sent, check what comes back, restore at the end.

    the caller's request ──guards──▶ masked request ──▶ flight, shared tiers, provider
                                                                │
    the caller's answer  ◀─restore── checked ◀── masked answer ◀┘

From `shielded` on, the call's request is the masked one. What stands in a flight, in a far tier, in telemetry, in a
pickled error is masked; only what the caller gets, and memory under the caller's own key, is restored. A call without a
shield has `shielding` None and passes none of this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from edgeagent.cache.entry import Entry, encode_entry
from edgeagent.core.ask import OpenedStream, advance
from edgeagent.core.call import Call
from edgeagent.core.native import Native
from edgeagent.core.verdict import forbid
from edgeagent.effects import Flow, close, invoke
from edgeagent.errors import ConfigurationError, RequestValidationError, ResponseValidationError, ShieldBlockedError
from edgeagent.shield.answers import ChunkRestorer, restored_completion
from edgeagent.shield.beside import found_beside
from edgeagent.shield.mask import Masking
from edgeagent.shield.outbound import Outgoing
from edgeagent.shield.shield import Shield
from edgeagent.shield.vault import Vault
from edgeagent.types import ChatCompletion, ChatRequest, CompletionUsage
from edgeagent.types.assembly import assemble, to_chunks
from edgeagent.wire.json import dump_json

__all__ = ["Shielding", "masked_operation", "opened", "passed", "prepared", "shielded", "vault_knows"]

_FIRST: Final = ("messages", "tools", "functions", "response_format", "tool_choice", "function_call")
"""What placeholders are numbered by: the conversation first, since it is what stays the same as it grows."""

_NOT_READ: Final = frozenset({"model", "stream", "stream_options", "extra_headers", "extra_query", "logit_bias"})
"""Fields without text of the caller's, and those that travel outside the body."""


class Shielding:
    """What the shield did to one call, and what puts it back.

    Args:
        shield: whose policy it is.
        request: as the caller wrote it.
        native: the same in a vendor's own format, if it was written in one.
    """

    def __init__(self, shield: Shield, request: Any, native: Native | None) -> None:
        self.shield = shield
        self.asked = self.written = request
        """What is masked is `asked`: what guards made of the request as it was `written`."""
        self.native_asked: Any = None
        """The same in a vendor's own format, as the caller wrote it."""
        self.watches = bool(shield.guards) or shield.policy.outbound != "allow"
        """Whether answers are looked at as a whole."""
        self._vault = Vault() if shield.vault is None else shield.vault
        self._masking = shield.masking(self._vault)
        self._beside = found_beside(shield, *_beside(request, native))
        self._parts, self._body = self._run(request, None if native is None else native.body)
        self.restorer = self._masking.restorer()
        self.answer: Any = None
        """The masked answer, once there is one."""
        self.found: dict[str, int] = {}
        """What was found in the answer, by type."""
        self.refused: dict[str, int] = {}
        """What guards would have refused, had it been no dry run."""

    @property
    def is_new(self) -> bool:
        """Whether the vault learned anything from this request."""
        return self._masking.is_new

    @property
    def masked(self) -> dict[str, int]:
        """How many different values of each type were replaced."""
        return self._masking.masked

    @property
    def reported(self) -> dict[str, int]:
        """What was found and let through, by type, in the request and in the answer."""
        counts = dict(self._masking.reported)
        for kind, number in (*self._beside.items(), *self.refused.items(), *self.found.items()):
            counts[kind] = counts.get(kind, 0) + number
        return counts

    def _run(self, request: Any, body: Mapping[str, Any] | None) -> tuple[dict[str, Any], dict[str, Any] | None]:
        parts = _read_parts(request)
        if body is not None:
            parts["body"] = {name: value for name, value in body.items() if name != "model"}
        masked = self._masking.run(parts)
        told = masked.pop("body", None)
        return masked, None if body is None else {**body, **told}

    def request(self) -> Any:
        """The masked request."""
        return self.asked.model_copy(update=self._parts)

    def body(self) -> dict[str, Any]:
        """The masked body in the vendor's format."""
        assert self._body is not None
        return self._body

    def again(self, request: ChatRequest) -> tuple[ChatRequest, Callable[[ChatCompletion], ChatCompletion]] | None:
        """Another request of the same call, masked with the same placeholders; and what makes of its answer one to the
        first: what stands for values that only this request holds is restored, as nobody else could do it.

        None: the policy forbids sending it.
        """
        masking = Masking(self.shield.policy, self.shield.readers, self._vault, self.shield.key)
        try:
            masked = masking.run(_read_parts(request))
        except ShieldBlockedError:
            return None
        more, structured = masking.restorer_besides(self._masking), _is_structured(request)
        return request.model_copy(update=masked), partial(restored_completion, restorer=more, structured=structured)

    # the way back

    def restored(self, completion: ChatCompletion) -> ChatCompletion:
        """The answer as the caller gets it."""
        self.answer = completion
        if not self.restorer:
            return completion
        return restored_completion(completion, self.restorer, structured=_is_structured(self.asked))

    def operation(self, answer: Any) -> Any:
        """The answer to a call that is no chat, as the caller gets it."""
        self.answer = answer
        if not self.restorer:
            return answer
        return type(answer).model_validate(self.restorer.tree(answer.to_dict()))

    def chunks(self) -> ChunkRestorer | None:
        """The same for a stream; None if nothing has to be put back."""
        return ChunkRestorer(self.restorer, structured=_is_structured(self.asked)) if self.restorer else None

    def entry(self, entry: Entry) -> Entry:
        """A masked entry as the caller's own."""
        if not self.restorer:
            return entry
        completion = self.restored(ChatCompletion.from_json(entry.completion)).as_json()
        native = b"" if entry.native_streamed else self.native(entry.native)
        return entry._replace(completion=completion, native=native, native_streamed=False, chunks=b"")

    def near(self, entry: Entry) -> bytes | None:
        """A masked entry as memory holds it under the caller's own key; None if it cannot be written."""
        try:
            return encode_entry(self.entry(entry), restored=True)
        except ValueError:
            return None

    def native(self, raw: bytes) -> bytes:
        """A masked answer in a vendor's format, restored; empty if it is no JSON document."""
        if not raw or not self.restorer:
            return raw
        from pydantic_core import from_json

        try:
            return dump_json(self.restorer.tree(from_json(raw), structured=_is_structured(self.asked)))
        except ValueError:
            return b""

    def strange(self, entry: Entry) -> bool:
        """Whether an answer to a similar question speaks of a value that this request does not hold."""
        if self.restorer.misses(entry.completion.decode()):
            return True
        if not self.shield.policy.uses("pseudonymise"):
            return False
        try:
            completion = ChatCompletion.from_json(entry.completion)
        except ValueError:  # no answer that can be read
            return True
        return Outgoing(self.shield, self.restorer, self._parts).has_standins(completion)

    def checked(self, completion: ChatCompletion) -> ChatCompletion:
        """The masked answer after the policy for what comes back. Raises `ShieldBlockedError`."""
        if self.shield.policy.outbound == "allow":
            return completion
        outgoing = Outgoing(self.shield, self.restorer, self._parts)
        completion = outgoing.checked(completion)
        self.found = outgoing.found
        return completion


def _read_parts(request: Any) -> dict[str, Any]:
    """The parts of a request that are read, in the order in which their values are numbered."""
    values = {**request.__dict__, **(request.model_extra or {})}
    names = [*(name for name in _FIRST if name in values), *(name for name in values if name not in _FIRST)]
    found = {name: values[name] for name in names if name not in _NOT_READ}
    more = request.model_extra or {}  # what is known to be a number is a setting
    return {name: value for name, value in found.items() if isinstance(value, str | list | dict) or name in more}


def _beside(request: Any, native: Native | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header fields and query parameters that the caller added."""
    headers, query = getattr(request, "extra_headers", None) or {}, getattr(request, "extra_query", None) or {}
    return ({**headers}, {**query}) if native is None else ({**native.headers, **headers}, {**native.query, **query})


def _is_structured(request: Any) -> bool:
    """Whether the content of the answer is JSON."""
    wanted = getattr(request, "response_format", None)
    return isinstance(wanted, Mapping) and wanted.get("type") in {"json_object", "json_schema"}


# the steps


def prepared(call: Call[Any]) -> Shielding:
    """The call's shielding, made once. Raises `ShieldBlockedError`."""
    shielding: Shielding | None = call.shielding
    if shielding is None:
        shield = call.options.shield
        assert shield is not None
        native = None if call.native is None else call.native.asked
        shielding = call.shielding = Shielding(shield, call.request, native)
    return shielding


def vault_knows(call: Call[Any]) -> bool:
    """Whether memory may be asked: without a vault always; with one, if an answer would teach it nothing."""
    shield = call.options.shield
    return shield is None or shield.vault is None or not prepared(call).is_new


def shielded(call: Call[Any]) -> Flow[None]:
    """Ask the guards, then mask the call's request.

    Raises:
        ShieldBlockedError: the policy or a guard forbids sending it.
    """
    shield, written = call.options.shield, call.request
    assert shield is not None
    refused: dict[str, int] = {}
    if isinstance(call.request, ChatRequest):
        for guard in shield.guards:
            if shield.policy.dry_run:
                _tried(partial(_before, call, guard, dry=True), guard, refused)
            else:
                yield from _asked(call, guard)
    shielding = prepared(call)
    shielding.refused, shielding.written = refused, written
    call.request = shielding.request()
    if call.native is not None:
        shielding.native_asked = call.native.asked
        call.native.asked = replace(call.native.asked, body=shielding.body(), content=None)  # nor the bytes as written
    call.edge.masked, call.edge.reported = shielding.masked, shielding.reported


def _before(call: Call[Any], guard: Any, *, dry: bool = False) -> Any:
    """Show the guard what is asked, and of whom besides; in a dry run one that would ask somebody must not."""
    models, before = getattr(guard, "models", None), getattr(guard, "before", None)
    if dry:
        before = getattr(guard, "rehearse", before)
    if models is not None and call.options.fallbacks:
        models(call.options.fallbacks)
    return None if before is None else before(call.request)


def _tried(look: Callable[[], Any], guard: Any, refused: dict[str, int]) -> None:
    """Let a guard look in a dry run: what it refuses is counted, by type or else by the guard's name."""
    try:
        look()
    except ConfigurationError:  # it cannot look at all
        raise
    except Exception as error:
        found = error.findings if isinstance(error, ShieldBlockedError) else ()
        for kind in [finding[0] for finding in found] or [type(guard).__name__]:
            refused[kind] = refused.get(kind, 0) + 1


def _asked(call: Call[Any], guard: Any) -> Flow[None]:
    changed = _before(call, guard)
    if isinstance(changed, ChatRequest) and changed is not call.request:
        call.request, call.shielding = changed, None  # what was masked for the vault's sake was another request
    approve = getattr(guard, "approve", None)
    if approve is not None and not (yield from invoke(partial(approve, call.request), call.deadline)):
        raise ShieldBlockedError("The request was not approved.")


def passed(
    call: Call, completion: ChatCompletion, again: Callable[[], Flow[ChatCompletion]] | None = None
) -> Flow[ChatCompletion]:
    """The masked answer, if it may be given to the caller.

    Args:
        call: whose answer it is.
        completion: as the model wrote it.
        again: asks the same target once more, with the call's request as it then is; None: there is one try.

    Raises:
        ShieldBlockedError, ResponseValidationError: the policy or a guard refuses it.
    """
    shielding = call.shielding
    written = completion
    completion = shielding.checked(completion)
    if completion is not written and call.native is not None:
        call.native.raw = b""  # it says what was redacted
    call.edge.reported = shielding.reported
    restored = shielding.restored(completion)
    for guard in shielding.shield.guards:
        after = getattr(guard, "after", None)
        if after is None:
            continue
        if shielding.shield.policy.dry_run:
            _tried(partial(after, shielding.asked, restored), guard, shielding.refused)
            call.edge.reported = shielding.reported
            continue
        try:
            after(shielding.asked, restored)
        except Exception as error:
            if not isinstance(error, ResponseValidationError):
                forbid(error)  # else it passes for the provider's, as an attempt is under way
            repair = getattr(guard, "repair", None)
            wanted = None if repair is None or again is None else repair(shielding.asked, restored, error)
            if wanted is None:
                raise
            other = shielding.again(wanted)
            if other is None:
                raise
            second = other[1]((yield from _repaired(call, other[0], again)))
            second.usage = _sum(completion.usage, second.usage)
            return (yield from passed(call, second))
    return completion


def _repaired(call: Call, request: ChatRequest, again: Any) -> Flow[ChatCompletion]:
    """Ask once more with another request."""
    first = call.request
    call.request = request
    try:
        answer: ChatCompletion = yield from again()
        return answer
    finally:
        call.request = first


def _sum(one: CompletionUsage | None, two: CompletionUsage | None) -> CompletionUsage | None:
    """What two answers used together; of the details the second's."""
    if one is None or two is None:
        return two or one
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    return two.model_copy(update={name: getattr(one, name) + getattr(two, name) for name in names})


def opened(call: Call, stream: OpenedStream) -> Flow[None]:
    """A stream that has begun: what the policy wants to see whole is waited for, and what is over is checked.

    Raises:
        ShieldBlockedError, ResponseValidationError: the policy or a guard refuses it.
    """
    shielding = call.shielding
    if shielding.restorer:
        stream.raw = None  # bytes in the vendor's format cannot be restored as they come: chunks are told in it
    try:
        policy = shielding.shield.policy
        if policy.outbound in {"mask", "block"} and not policy.dry_run:
            while not stream.ended:
                yield from advance(stream, call.deadline)
        if stream.ended:
            written = assemble(stream.chunks)
            completion = yield from passed(call, written)
            if completion is not written:
                stream.chunks, stream.raw = to_chunks(completion), None
    except Exception:
        if stream.source is not None:
            yield from close(stream.source)
        raise


def masked_operation(call: Call[Any]) -> Flow[None]:
    """The same for calls that are no chats: their texts are masked, what is no text is refused.

    Raises:
        ShieldBlockedError: the policy forbids sending it.
        RequestValidationError: it holds token numbers, which no detector can read.
    """
    items = getattr(call.request, "items", ())
    unread = sum(isinstance(item, list) and bool(item) and isinstance(item[0], int) for item in items)
    dry = call.options.shield is not None and call.options.shield.policy.dry_run
    if unread and not dry:
        raise RequestValidationError(
            "input: with a shield, texts are embedded, since token numbers cannot be read by it.", param="input"
        )
    yield from shielded(call)
    if unread:
        call.shielding.refused["TOKENS"] = unread
        call.edge.reported = call.shielding.reported
