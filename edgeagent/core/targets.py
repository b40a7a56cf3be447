"""A model's name → its candidates (known before routing, part of the key) → the targets that can serve a request."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import Any, Final

from edgeagent.cache.key import CandidateIdentity, candidate_digest
from edgeagent.core.ask import chats, is_http
from edgeagent.core.billing import own_tier
from edgeagent.core.call import Call
from edgeagent.core.estimates import Estimates
from edgeagent.core.fitness import lacking, needed, too_long
from edgeagent.core.native import Native, NativeExchange, passes, speaking
from edgeagent.core.operation import Operation, offers
from edgeagent.core.ticket import ROTATING
from edgeagent.core.validate import validate_model
from edgeagent.errors import ContextWindowExceededError, EdgeAgentError, NoTargetError
from edgeagent.providers.base import ALL_CAPABILITIES, Capabilities, HTTPProvider, Provider
from edgeagent.providers.names import Named
from edgeagent.routing.base import Router
from edgeagent.routing.failover import FailoverRouter
from edgeagent.routing.health import Health
from edgeagent.routing.names import Names
from edgeagent.routing.outlook import Outlook
from edgeagent.types import Target

__all__ = ["Candidates", "Targets"]

REMEMBERED: Final = 1024
"""How many resolved names are remembered; names come from callers and must not grow memory without end."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Every target that a request for one model name may reach, and what stands for them in cache keys."""

    targets: tuple[Target, ...]
    digest: bytes
    sharable: bool
    """Whether the answers may go to tiers that outlive the process: each credential has an identity."""
    parts: frozenset[str] = frozenset()
    """Part types beyond OpenAI's that one of them knows."""
    named: Target | None = None
    """The one that the name means; None if it means several: what is said with it is said of none in particular."""


class Targets:
    """Candidates and plans of one client.

    Args:
        providers: by name.
        names: resolves model names.
        router: orders the targets.
        windows: the context window in tokens of a vendor's model, for providers that do not say it themselves.
        priced: whether the price table has a vendor's model.
        health: made from this client's targets, whose static credentials it is told; default: breakers never open.
        estimates: made likewise; default: no prices are known.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider],
        names: Names,
        router: Router,
        windows: Callable[[str, str], int | None] = lambda *_: None,
        priced: Callable[[str, str], bool] = lambda *_: False,
        *,
        health: Callable[[Callable[[Target], object]], Health] | None = None,
        estimates: Callable[[Targets], Estimates] | None = None,
    ) -> None:
        self._providers = providers
        self._names = names
        self._router = router
        self._windows = windows
        self._priced = priced
        self._new_estimates = estimates
        self.health = Health(None, time.monotonic, random.random) if health is None else health(self._credential)
        self.estimates = Estimates(None, self.vendor) if estimates is None else estimates(self)
        self._remembered: dict[tuple[str, tuple[str, ...], str | None, str | None], Candidates] = {}

    def addressed(self, provider: Provider, *, literal: bool, first: bool = False) -> Targets:
        """The same for calls that were sent to `provider`, which may be a new one; see `Names.addressed`."""
        named = Named(provider, vendor_of(provider), self._priced)
        names = self._names.addressed(named, literal=literal, first=first)
        found = Targets(
            {**self._providers, provider.name: provider},
            names,
            self._router,
            self._windows,
            self._priced,
            estimates=self._new_estimates,
        )
        if self._providers.get(provider.name) is provider:  # else it has a key of its caller's, and no breaker
            found.health, found.estimates = self.health, self.estimates
        return found

    def explains(self, model: str) -> bool:
        """Whether a model's name itself says which provider is meant."""
        return self._names.explains(model)

    def provider(self, target: Target, exchange: NativeExchange | None = None) -> Provider:
        """The provider that a target names, as it is asked in the format of a native call."""
        provider = self._providers[target.provider]
        return provider if exchange is None else speaking(provider, exchange.asked.wire)

    def vendor(self, target: Target) -> str:
        """The vendor's id of a target in telemetry and prices."""
        return vendor_of(self._providers[target.provider])

    def service_tier(self, target: Target) -> str | None:
        """What all that a target's provider serves is billed in; None if it says nothing."""
        return own_tier(self._providers[target.provider])

    def _credential(self, target: Target) -> object:
        """What stands for a target's credential now: a hash; `ROTATING` if a function gives it; None without one."""
        provider = self._providers.get(target.provider)
        key = getattr(provider, "api_key", None)
        if callable(key):
            return ROTATING
        return blake2b(key.encode(), digest_size=16).digest() if isinstance(key, str) else None

    def after_fork(self) -> None:
        """In the child: no lock is held by a thread that does not exist here, and nothing is under way."""
        self.health.after_fork()
        self.estimates.estimator.after_fork()

    def speaking(self, wire: str) -> dict[str, HTTPProvider]:
        """The providers that can be asked in a format whatever the model, as they are asked in it, by name."""
        able = {name: provider for name, provider in self._providers.items() if hasattr(provider, "in_format")}
        found = {name: provider.in_format(wire) for name, provider in able.items()}
        return {name: provider for name, provider in found.items() if provider is not None}

    def providers(self) -> tuple[Provider, ...]:
        """The configured providers, in their order."""
        return tuple(self._providers.values())

    def provider_names(self) -> tuple[str, ...]:
        """The configured providers, in their order."""
        return tuple(self._providers)

    def named(self, models: Sequence[str]) -> Sequence[Target]:
        """Every target that these names may reach; of none, those of all groups and those that were ever asked.

        Raises `NoTargetError`.
        """
        found = dict.fromkeys(target for name in models or self._names.groups for target in self._names.resolve(name))
        return [*found] if models else [*found | dict.fromkeys(self.health.asked())]

    def candidates(
        self, model: str, fallbacks: tuple[str, ...], namespace: str | None, wire: str | None = None
    ) -> Candidates:
        """Resolve a name and its fallbacks; `wire` is the format of a native call.

        Raises `NoTargetError`; `RequestValidationError` if there is no name.
        """
        key = (model, fallbacks, namespace, wire)
        found = self._remembered.get(key)
        if found is None:
            if model or wire is None:
                validate_model(model)
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            found = self._remembered[key] = self._resolve(model, fallbacks, namespace, wire)
        return found

    def _resolve(self, model: str, fallbacks: tuple[str, ...], namespace: str | None, wire: str | None) -> Candidates:
        targets: dict[Target, None] = {}
        if not model and wire is not None:
            targets[self._unnamed(wire)] = None
        named = self._names.resolve(model) if model else ()
        targets.update(dict.fromkeys(named))
        for name in fallbacks:
            targets.update(dict.fromkeys(self._names.resolve(name)))
        identities = [self._identity(target, wire) for target in targets]
        sharable = namespace is not None or all(identity.identity is not None for identity in identities)
        parts = frozenset[str]().union(*(self.capabilities(target, wire).parts for target in targets))
        digest = candidate_digest(identities, namespace)
        return Candidates(tuple(targets), digest, sharable, parts, named[0] if len(named) == 1 else None)

    def _unnamed(self, wire: str) -> Target:
        """Who is meant by a native call that leaves the model to its vendor (a stored prompt names it)."""
        able = tuple(self.speaking(wire))
        if len(able) != 1:
            validate_model("")
        return Target(able[0], "")

    def _identity(self, target: Target, wire: str | None) -> CandidateIdentity:
        provider = speaking(self._providers[target.provider], wire)
        if is_http(provider):
            endpoint = provider.endpoint(target.model)
            return CandidateIdentity(
                provider.codec_for(target.model).wire,
                endpoint,
                target.model,
                provider.cache_identity,
                getattr(provider, "default_headers", None) or {},
                getattr(provider, "default_query", None) or {},
            )
        kind = type(provider)
        own = getattr(provider, "cache_identity", None) or f"{kind.__module__}.{kind.__qualname__}"
        return CandidateIdentity("direct", provider.name, target.model, own)

    def plan(self, call: Call, candidates: Candidates, *, stream: bool) -> Sequence[Target]:
        """The targets that can serve this request, in the router's order. Raises `NoTargetError`."""
        return self._planned(call, candidates, self.lacks(call, stream=stream))

    def lacks(self, call: Call, *, stream: bool) -> Callable[[Target], Collection[str]]:
        """A function that tells what a target lacks to serve this chat."""
        features = needed(call.request, stream=stream)
        wire = None if call.native is None else call.native.asked.wire

        def lacks(target: Target) -> Collection[str]:
            if not chats(self._providers[target.provider]):
                return ("chat",)
            missing = lacking(features, self.capabilities(target, wire))
            if missing or call.native is not None:
                return missing
            window = self.window(target)
            if window is None or not too_long(call.request, window):
                return missing
            tokens = self.estimates.tokens(call, target)
            return () if tokens.at_least <= window else (f"{CONTEXT} (about {tokens.tokens:,} tokens into {window:,})",)

        return lacks

    def plan_operation(
        self, call: Call[Any], candidates: Candidates, operation: Operation[Any, Any]
    ) -> Sequence[Target]:
        """The targets that offer an operation, in the router's order. Raises `NoTargetError`."""

        def lacks(target: Target) -> Collection[str]:
            return () if offers(operation, self._providers[target.provider], target.model) else (operation.name,)

        return self._planned(call, candidates, lacks)

    def _planned(
        self, call: Call[Any], candidates: Candidates, lacks: Callable[[Target], Collection[str]]
    ) -> Sequence[Target]:
        fit: list[Target] = []
        missing: dict[Target, Collection[str]] = {}
        for target in self.possible(call, candidates):
            lacked = lacks(target) or (() if call.admission is None else call.admission.lacks(call, target))
            if lacked:
                missing[target] = lacked
            else:
                fit.append(target)
        if not fit and call.native is not None:
            fit = self.passing(call.native.asked, candidates)  # the vendor knows best what its models can do
        if not fit:
            raise _nobody(call.request.model, missing)
        return self.ordered(call, fit)

    def possible(self, call: Call[Any], candidates: Candidates) -> Sequence[Target]:
        """The candidates that may be asked in the form in which the call was made."""
        return candidates.targets if call.native is None else self._natively(call.native, candidates)

    def ordered(self, call: Call[Any], fit: Sequence[Target], *, looking: bool = False) -> Sequence[Target]:
        """The router's order. Raises `NoTargetError` if it leaves none."""
        router = self.router(call)
        if type(router) is FailoverRouter:
            return fit
        planned = router.plan(call.request, fit, self.outlook(call, looking=looking))
        if not planned:
            raise NoTargetError(f"The router {type(router).__name__} left no target for {call.request.model!r}.")
        return planned

    def router(self, call: Call[Any]) -> Router:
        """The call's own router, or the client's."""
        return call.options.router or self._router

    def outlook(self, call: Call[Any], *, looking: bool = False) -> Outlook:
        """What a router is told; `looking`: nobody will be asked."""
        estimates = self.estimates
        return Outlook(
            self.health,
            call.options.tags,
            call.streams,
            partial(estimates.tokens, call),
            partial(estimates.output, call),
            partial(estimates.price, call),
            self.window,
            looking,
        )

    def _natively(self, exchange: NativeExchange, candidates: Candidates) -> Sequence[Target]:
        return self.passing(exchange.asked, candidates) if exchange.only else candidates.targets

    def passing(self, native: Native, candidates: Candidates) -> list[Target]:
        """The targets that would be sent the caller's own body."""
        found = []
        for target in candidates.targets:
            provider = speaking(self._providers[target.provider], native.wire)
            if is_http(provider) and passes(native, provider, provider.codec_for(target.model)):
                found.append(target)
        return found

    def capabilities(self, target: Target, wire: str | None = None) -> Capabilities:
        """What a target can do, as far as its provider says; `wire` is the format of a native call."""
        provider: Any = speaking(self._providers[target.provider], wire)
        capabilities = getattr(provider, "capabilities", None)
        return capabilities(target.model) if callable(capabilities) else ALL_CAPABILITIES

    def window(self, target: Target) -> int | None:
        """A target's context window in tokens, None when not known."""
        said = self.capabilities(target).context_window
        return said if said is not None else self._windows(vendor_of(self.provider(target)), target.model)


CONTEXT: Final = "context length"


def _nobody(model: str, missing: Mapping[Target, Collection[str]]) -> EdgeAgentError:
    """The error that says what each target lacked."""
    reasons = [f"{target} cannot do {', '.join(sorted(lacked))}" for target, lacked in missing.items()]
    message = f"No target can serve this request for {model!r}: {'; '.join(reasons)}."
    if missing and all(name.startswith(CONTEXT) for lacked in missing.values() for name in lacked):
        return ContextWindowExceededError(message)
    return NoTargetError(message)


def vendor_of(provider: Provider) -> str:
    """The vendor's id in telemetry and prices; a provider of the caller's own goes by its name."""
    return getattr(provider, "vendor", None) or provider.name
