"""What both kinds of client are: defaults of calls over one engine, and views of it with other defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, cast

from edgeagent.errors import ConfigurationError, EdgeAgentError

if TYPE_CHECKING:
    from os import PathLike

    from typing_extensions import Self

    from edgeagent.cache.tiers import Cache
    from edgeagent.core.call import CallOptions
    from edgeagent.core.hedging import HedgePolicy
    from edgeagent.core.retry import RetryPolicy
    from edgeagent.limits import Accounts, Budget, Limit, Meters
    from edgeagent.pricing.base import PriceSource
    from edgeagent.providers.base import Provider
    from edgeagent.routing.base import Router
    from edgeagent.routing.breaker import BreakerPolicy
    from edgeagent.routing.health import TargetReport
    from edgeagent.shield.shield import Shield
from edgeagent.engine import Engine

__all__ = ["UNSET", "BaseClient", "default_options", "hinting"]

C = TypeVar("C", bound="BaseClient")
F = TypeVar("F", bound=Callable[..., Any])


class _Unset:
    """An option that was left out; None is a value of its own."""

    def __repr__(self) -> str:
        return "<unset>"


UNSET: Final = _Unset()


def hinting(method: F) -> F:
    """For what takes keywords only: an unknown one is told where it belongs, if that is known."""
    known = frozenset(method.__kwdefaults__ or ())

    @wraps(method)
    def checked(self: Any, *args: Any, **params: Any) -> Any:
        if not known.issuperset(params):
            from edgeagent.resources.options import unknown_setting

            call = type(self).__name__ if method.__name__ == "__init__" else method.__name__
            raise unknown_setting(call, params, known)
        return method(self, *args, **params)

    return cast("F", checked)


class BaseClient:
    """What both kinds of client have.

    Args:
        providers: provider objects, each with a unique `.name`; default: every built-in provider whose key is in the
            environment, in the order of `edgeagent.config.ENVIRONMENT`.
        models: aliases and groups: a name → one or more model names, tried in their order.
        router: a strategy's name (`"failover"`, `"latency"`, …) or a Router object.
        breaker: when a failing target is left alone: True, False (never), or a `BreakerPolicy`.
        tokens: what counts a text's tokens in place of the estimate: a function, tiktoken's encoding or a tokenizer of
            `tokenizers`; or several by pattern of `"vendor/model"`.
        cache: True: memory; False: none; a path: memory, and disk there; or a `Cache`.
        shield: a `Shield`, or a preset's name: masks what must not leave, restores it in answers.
        retry: extra attempts per target, or a `RetryPolicy`.
        hedge: whether a second target is asked beside a slow first one: True, the seconds after which it is, or a
            `HedgePolicy`.
        timeout: one attempt: seconds (connecting 5 s at most; wait for the first chunk; gap between two), None for no
            limit, or an `httpx.Timeout`.
        deadline: seconds for the whole call, over all attempts and targets.
        http_client: an httpx or httpx2 client of the caller's own, used for every HTTP provider; never closed here.
        namespace: cache namespace; replaces the credentials' identities in the key.
        pricing: a `PriceSource`; default: the table shipped with the package.
        observers: objects of the `Observer` protocol, besides OpenTelemetry.
        strict_models: whether a model name that nothing explains is an error instead of a warning.
        max_body_bytes: the largest request that is sent.
        errors: whose exception classes are raised: `"edgeagent"`'s, or those of the installed `"openai"` package, with
            ours as their `__cause__`.
        limits: `edgeagent.limits.Limit` objects: how many calls and tokens, and how many at once.
        budgets: `edgeagent.limits.Budget` objects: how much may be spent.
        state: where limits and budgets are kept: None: in memory; a path: budgets in a SQLite file there; a `redis://`
            URL: both there, for many processes and machines; or a store object.

    Raises:
        ConfigurationError: something is not what it can be; the message says what to do.
        TypeError: an argument that does not exist; the message says where it belongs, if that is known.
    """

    _engine: Engine
    options: CallOptions
    default_headers: Mapping[str, str]
    default_query: Mapping[str, Any]

    @hinting
    def __init__(
        self,
        *,
        providers: Sequence[Provider] | None = None,
        models: Mapping[str, str | Sequence[str]] | None = None,
        router: str | Router = "failover",
        breaker: BreakerPolicy | bool = True,
        tokens: Any = None,
        cache: bool | str | PathLike[str] | Cache | None = True,
        shield: Shield | str | bool | None = None,
        retry: int | RetryPolicy = 2,
        hedge: HedgePolicy | float | bool = False,
        timeout: Any = 600.0,
        deadline: float | None = None,
        http_client: Any = None,
        namespace: str | None = None,
        pricing: PriceSource | None = None,
        observers: Sequence[Any] = (),
        strict_models: bool = False,
        max_body_bytes: int = 10 * 1024 * 1024,
        errors: Literal["edgeagent", "openai"] = "edgeagent",
        limits: Sequence[Limit] = (),
        budgets: Sequence[Budget] = (),
        state: str | PathLike[str] | Accounts | Meters | None = None,
    ) -> None:
        arguments = {name: value for name, value in locals().items() if name not in {"self", "__class__"}}
        arguments["models"] = dict(models) if isinstance(models, Mapping) else models or {}  # else refused below
        engine = Engine(arguments)
        self._adopt(engine, default_options(engine))

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """A client as a TOML file describes it; see `edgeagent.config_file.load_file`."""
        from edgeagent.config_file import load_file

        return cls(**load_file(path))

    def _adopt(
        self,
        engine: Engine,
        options: CallOptions,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> None:
        self._engine = engine
        self.options = options
        self.default_headers = headers or {}
        self.default_query = query or {}

    def _view(self, kind: type[C], options: CallOptions | None = None) -> C:
        view = kind.__new__(kind)
        view._adopt(self._engine, options or self.options, self.default_headers, self.default_query)
        return view

    def _told(self, error: EdgeAgentError) -> Exception:
        """An error that no driver raises, as the caller is to see it."""
        if self._engine.settings.errors == "edgeagent":
            return error
        from edgeagent.resources.openai_errors import translated

        return translated(error)

    @hinting
    def with_options(
        self,
        *,
        timeout: Any = UNSET,
        max_retries: int | _Unset = UNSET,
        retry: int | RetryPolicy | _Unset = UNSET,
        deadline: float | _Unset | None = UNSET,
        cache: Any = UNSET,
        shield: Any = UNSET,
        namespace: str | _Unset | None = UNSET,
        fallbacks: Sequence[str] | _Unset = UNSET,
        router: str | Router | _Unset = UNSET,
        tags: Sequence[str] | _Unset = UNSET,
        priority: Literal["high", "normal", "low"] | _Unset = UNSET,
        default_headers: Mapping[str, str] | None = None,
        set_default_headers: Mapping[str, str] | None = None,
        default_query: Mapping[str, Any] | None = None,
        set_default_query: Mapping[str, Any] | None = None,
    ) -> Self:
        """A view of this client with other defaults; it shares pools, caches and health.

        Args:
            timeout: seconds or an httpx.Timeout for one attempt.
            max_retries: openai's name for `retry`.
            retry: extra attempts per target, or a `RetryPolicy`.
            deadline: seconds for the whole call.
            cache: a mode, False, True, or a mapping of cache controls.
            shield: another one, False for none, or a mapping of types to actions, which changes this client's.
            namespace: cache namespace.
            fallbacks: model names tried after the first.
            router: a strategy's name or a Router object.
            tags: names of the call in telemetry, and for limits and budgets.
            priority: the class in which calls wait before limits.
            default_headers: header fields added to every request, besides those of this client.
            set_default_headers: the same, in their place.
            default_query: query parameters added to every request, besides those of this client.
            set_default_query: the same, in their place.

        Raises:
            RequestValidationError: an option has the wrong type.
            TypeError: there is no such option.
        """
        from dataclasses import replace

        from edgeagent.config import edge_options, timeout_of
        from edgeagent.core.retry import RetryPolicy

        edge = {"deadline": deadline, "cache": cache, "fallbacks": fallbacks, "router": router, "tags": tags}
        edge["priority"] = priority
        edge["shield"] = False if shield is None else shield
        options = edge_options(self.options, {k: v for k, v in edge.items() if not isinstance(v, _Unset)})
        if not isinstance(timeout, _Unset):
            options = replace(options, timeout=timeout_of(timeout))
        for value in (max_retries, retry):
            if not isinstance(value, _Unset):
                options = replace(options, retry=RetryPolicy.of(value))
        if not isinstance(namespace, _Unset):
            own = options.cache.given | {"namespace"}
            options = replace(options, cache=replace(options.cache, namespace=namespace, given=own))
        if deadline is None:
            options = replace(options, deadline=None)
        view = self._view(type(self), options)
        view.default_headers = _replaced(self.default_headers, default_headers, set_default_headers, "headers")
        view.default_query = _replaced(self.default_query, default_query, set_default_query, "query")
        return view

    copy = with_options

    @property
    def shield(self) -> Shield:
        """What masks requests: `client.shield.preview(text)` shows what would happen to a text.

        Raises:
            ConfigurationError: this client has none.
        """
        if self.options.shield is None:
            raise ConfigurationError('This client has no shield: make it with shield="default", or another one.')
        return self.options.shield

    def is_closed(self) -> bool:
        """Whether this client, or a view that shares its engine, was closed and has not been used since."""
        return self._engine.closed

    def health(self) -> dict[str, TargetReport]:
        """What is known of each target that was ever asked, by `"provider/model"`; shared by all views."""
        return self._engine.here().pipeline.targets.health.report()

    def reset_health(self) -> None:
        """Close every breaker: whatever was wrong has been put right."""
        self._engine.here().pipeline.targets.health.reset()

    def __reduce__(self) -> tuple[Any, ...]:
        arguments = self._engine.arguments
        for name in ("http_client", "pricing"):
            if arguments.get(name) is not None:
                raise ConfigurationError(
                    f"A client that was given {name}= cannot be pickled: build the client in the worker instead."
                )
        if arguments.get("observers"):
            raise ConfigurationError("A client with observers cannot be pickled: build the client in the worker.")
        if arguments.get("budgets") and arguments.get("state") is None:
            raise ConfigurationError(
                "A client whose budgets are kept in memory cannot be pickled, since each process would spend them "
                "again: give state= a path or a redis:// URL."
            )
        return (_rebuilt, (type(self), arguments, self.options, self.default_headers, self.default_query))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} providers={list(self._engine.pipeline.targets.provider_names())}>"


def _replaced(
    old: Mapping[str, Any], more: Mapping[str, Any] | None, other: Mapping[str, Any] | None, name: str
) -> Mapping[str, Any]:
    """The defaults of a view: more of them, or others."""
    if more is not None and other is not None:
        raise ConfigurationError(f"default_{name}= adds, set_default_{name}= replaces: give one of them.")
    return {**old, **(more or {})} if other is None else dict(other)


def _rebuilt(
    kind: type[BaseClient],
    arguments: dict[str, Any],
    options: CallOptions,
    headers: Mapping[str, str],
    query: Mapping[str, Any],
) -> BaseClient:
    client = kind.__new__(kind)
    client._adopt(Engine(arguments), options, headers, query)
    return client


def default_options(engine: Engine) -> CallOptions:
    """The options of a call that says nothing of its own, as the engine's settings have them."""
    from edgeagent.cache.tiers import Cache
    from edgeagent.config import call_options, timeout_of
    from edgeagent.core.retry import RetryPolicy

    settings = engine.settings
    return call_options(
        settings,
        Cache.of(settings.cache).defaults(settings.namespace),
        timeout_of(settings.timeout),
        RetryPolicy.of(settings.retry),
    )
