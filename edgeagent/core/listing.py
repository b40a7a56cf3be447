"""What models the providers have: each is asked for its own list, all at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

from edgeagent.core.ask import credential, is_http, sent
from edgeagent.core.attempts import attempt_targets
from edgeagent.core.call import Call, CallOptions
from edgeagent.core.calls import Calls
from edgeagent.core.record import WireRecord
from edgeagent.core.story import tell_attempts
from edgeagent.core.targets import vendor_of
from edgeagent.effects import Flow, Scope, first_of
from edgeagent.errors import APIStatusError, DeadlineExceededError, EdgeAgentError, NoTargetError, NotFoundError
from edgeagent.providers.base import Provider
from edgeagent.providers.listing import ModelList, listed
from edgeagent.types import AsyncModelPage, Model, ModelPage, ModelQuery, ResponseMetadata, Target
from edgeagent.wire.http import HTTPResponse

__all__ = ["Models"]

T = TypeVar("T")
P = TypeVar("P", ModelPage, AsyncModelPage)

MAX_PAGES: Final = 100
"""More than any vendor has."""
_NO_SUCH_PATH: Final = frozenset({404, 405})


class Models(Calls):
    """One client's questions for models. No model is called: observers are not told of them."""

    def list(
        self, query: ModelQuery, options: CallOptions, scope: Scope, *, prefers_async: bool, page: type[P]
    ) -> Flow[P]:
        """The models of all providers that could be asked, in the providers' order.

        Raises:
            NoTargetError: there is no provider.
            Exception: that of the first provider, when all have failed.
        """
        providers = self.targets.providers()
        if not providers:
            raise NoTargetError("No provider is configured: pass providers=[…], or set a vendor's key.")
        calls = [self._call(query, _apart(options), scope, prefers_async=prefers_async) for _ in providers]
        outcomes = yield from _gathered(
            [partial(self._listed, call, provider) for call, provider in zip(calls, providers, strict=True)],
            calls[0].deadline,
        )
        models: list[Model] = []
        errors: dict[str, Exception] = {}
        for provider, outcome in zip(providers, outcomes, strict=True):
            if isinstance(outcome, Exception):
                errors[provider.name] = outcome
            else:
                models += outcome
        attempts = tuple(attempt for call in calls for attempt in call.attempts)
        if len(errors) == len(providers):
            error = errors[providers[0].name]
            if isinstance(error, EdgeAgentError):
                tell_attempts(error, attempts)
            raise error
        found = page(data=models, object="list")
        latency = (self._clock() - calls[0].started) * 1e3
        found._tell(ResponseMetadata(latency_ms=latency, attempts=attempts), errors)
        if options.record is not None:
            options.record.response = _whole(models, zip(calls, outcomes, strict=True))
        return found

    def retrieve(self, query: ModelQuery, options: CallOptions, scope: Scope, *, prefers_async: bool) -> Flow[Model]:
        """The model that `query` names, as its first target's provider tells of it.

        Raises:
            NotFoundError: the provider has no such model.
            NoTargetError: the name means no provider.
        """
        target = self.targets.candidates(query.model, (), None).targets[0]
        provider = self.targets.provider(target)
        call = self._call(query, options, scope, prefers_async=prefers_async)
        lists = _lists(provider)
        refused: APIStatusError | None = None
        if lists is not None and lists.single:
            try:
                path, decode = lists.path_of(target.model), partial(lists.decode_one, owner=vendor_of(provider))
                model = yield from self._asked(call, provider, lists, path, {}, decode, target.model)
                return self._told(model, provider, call)
            except APIStatusError as error:  # some servers list, but do not tell of one
                if error.status_code not in _NO_SUCH_PATH:
                    raise
                refused = error
        models = yield from self._listed(call, provider)
        found = next((model for model in models if model.id == target.model), None)
        if found is None:
            raise refused or _unknown(target)
        call.forget_response()
        return found

    def _call(self, query: ModelQuery, options: CallOptions, scope: Scope, *, prefers_async: bool) -> Call[ModelQuery]:
        return Call(query, options, scope, self._clock, self._wall, prefers_async=prefers_async)

    def _listed(self, call: Call[ModelQuery], provider: Provider) -> Flow[Sequence[Model]]:
        lists, names = _lists(provider), _names(provider)
        models: Sequence[Model]
        if lists is None:
            models = listed(names, vendor_of(provider))
        else:
            try:
                models = yield from self._pages(call, provider, lists)
            except APIStatusError as error:  # a server that has no such path; what the caller said of it counts
                if error.status_code not in _NO_SUCH_PATH or not names:
                    raise
                call.forget_response()
                models = listed(names, vendor_of(provider))
        return [self._told(model, provider, call) for model in models]

    def _pages(self, call: Call[ModelQuery], provider: Provider, lists: ModelList) -> Flow[Sequence[Model]]:
        models: list[Model] = []
        page: dict[str, str] | None = dict(lists.query)
        decode = partial(lists.decode, owner=vendor_of(provider))
        for _ in range(MAX_PAGES):
            assert page is not None
            found, following = yield from self._asked(call, provider, lists, lists.path, page, decode)
            models += found
            if following is None or following == page:
                break
            page = following
        return models

    def _asked(
        self,
        call: Call[ModelQuery],
        provider: Any,
        lists: ModelList,
        path: str,
        query: dict[str, str],
        decode: Callable[[HTTPResponse], T],
        model: str = "",
    ) -> Flow[T]:
        """What one request tells, with its attempts."""

        def attempt(target: Target) -> Flow[T]:
            key = yield from credential(call, provider)
            request = provider.request_to(
                path,
                key,
                extra_headers={**lists.headers, **(call.request.extra_headers or {})},
                extra_query={**query, **(call.request.extra_query or {})},
            )
            response = yield from sent(call, request, provider)
            if not 200 <= response.status_code < 300:
                raise provider.codec_for(target.model).decode_error(response)
            found = decode(response)
            call.received(response)
            return found

        answered = yield from attempt_targets(call, [Target(provider.name, model)], attempt, lambda _: None)
        return answered.answer

    def _told(self, model: Model, provider: Provider, call: Call[ModelQuery]) -> Model:
        edge = ResponseMetadata(provider=provider.name, model=model.id, request_id=call.edge.request_id)
        edge.latency_ms, edge.attempts = (self._clock() - call.started) * 1e3, tuple(call.attempts)
        model._attach(edge)
        return model


def _apart(options: CallOptions) -> CallOptions:
    """The options of one provider's part: what it answers is not yet the answer."""
    return options if options.record is None else replace(options, record=WireRecord(body=False))


def _whole(
    models: Sequence[Model], parts: Iterable[tuple[Call[ModelQuery], Sequence[Model] | Exception]]
) -> HTTPResponse | None:
    """The response that tells of all models, if one does."""
    for call, outcome in parts:
        found = None if call.options.record is None else call.options.record.response
        if found is not None and not isinstance(outcome, Exception) and len(outcome) == len(models):
            return found
    return None


def _lists(provider: Any) -> ModelList | None:
    """How the provider's own list is asked for; None where there is only what its `models` says."""
    find = getattr(provider, "model_list", None) if is_http(provider) else None
    found: ModelList | None = None if find is None else find()
    return found


def _names(provider: Any) -> Sequence[str]:
    """The models that the provider object itself says it has."""
    names = getattr(provider, "models", None) or ()
    return sorted(names) if isinstance(names, set | frozenset) else tuple(names)


def _unknown(target: Target) -> NotFoundError:
    message = f"Provider {target.provider!r} lists no model {target.model!r}."
    body = {"message": message, "type": "invalid_request_error", "param": "model", "code": "model_not_found"}
    return NotFoundError(message, body=body)


class _Over(Exception):  # noqa: N818  # no error: how a flow ends that lets the others go on
    """One of several flows has come to its end."""


def _gathered(flows: Sequence[Callable[[], Flow[T]]], deadline: float | None) -> Flow[list[T | Exception]]:
    """Run all flows beside each other: what each returned or raised, in their order."""
    outcomes: list[T | Exception] = [DeadlineExceededError() for _ in flows]

    def one(place: int, _: Scope | None = None) -> Flow[None]:
        try:
            outcomes[place] = yield from flows[place]()
        except Exception as error:
            outcomes[place] = error
        raise _Over

    try:
        if len(flows) == 1:
            yield from one(0)
        else:  # a race that nobody wins goes on until everybody is at the end
            yield from first_of([partial(one, place) for place in range(len(flows))], 0.0, deadline)
    except (_Over, DeadlineExceededError):
        pass
    return outcomes
