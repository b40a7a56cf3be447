"""What every HTTP vendor has: a name, a credential, a base URL, headers of the caller's own."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict
from urllib.parse import urlencode, urlsplit

from typing_extensions import Self

from edgeagent._version import __version__
from edgeagent.errors import AuthenticationError, ConfigurationError, RequestValidationError
from edgeagent.providers.base import ALL_CAPABILITIES, Capabilities, ChatCodec, Credential, Encoded, Route
from edgeagent.wire.http import Headers, HTTPRequest, names_secret, redact_url

if TYPE_CHECKING:
    from edgeagent.providers.embeddings.base import EmbeddingCodec
    from edgeagent.providers.embeddings.rerank import RerankCodec
    from edgeagent.providers.listing import ModelList
    from edgeagent.providers.moderation import ModerationCodec

__all__ = ["Options", "Vendor", "bearer", "identity_of"]


class Options(TypedDict, total=False):
    """What every vendor takes, for the signature of one that takes more (`**options: Unpack[Options]`)."""

    name: str | None
    api_key: Credential
    base_url: str | None
    default_headers: Mapping[str, str | None] | None
    default_query: Mapping[str, Any] | None
    http_client: Any
    models: Iterable[str]
    cache_identity: str | None
    service_tier: str | None


class Vendor:
    """Base of the built-in HTTP providers: a subclass states the class variables, its codec and its path.

    Args:
        name: how model names and `edge.provider` call it; unique within a client.
        api_key: the key, or a function (sync or async) that gives the current one; default: the environment variable
            that the vendor's own SDK reads.
        base_url: where the API lives; default: the vendor's, or the environment variable its SDK reads.
        default_headers: header fields sent with every request.
        default_query: query parameters sent with every request.
        http_client: an httpx or httpx2 client of the caller's own.
        models: model names this provider is known to serve besides those in the built-in table.
        cache_identity: what stands for the credential in cache keys; needed for the disk and shared tiers when
            `api_key` is a function.
        service_tier: the tier of the vendor's prices that all of it is billed in where neither request nor answer names
            one: `batch` for an address that answers at batch prices, `priority` for a project that has it.

    Raises:
        ConfigurationError: no key was given and the environment has none, or the base URL is not absolute.
    """

    vendor: str
    default_name: ClassVar[str]
    default_base_url: ClassVar[str | None] = None
    key_variables: tuple[str, ...] = ()
    base_url_variables: ClassVar[tuple[str, ...]] = ()
    key_required: bool = True
    families: tuple[str, ...] = ()
    reseller: bool = False
    """Whether it serves many makers' models, by names that need not be theirs: a maker's own name means the maker."""
    codec: ChatCodec
    """The wire format of every model, unless `codec_for` says otherwise."""
    stream_query: ClassVar[Mapping[str, str]] = {}
    """Query parameters of streaming requests."""
    query_lists: ClassVar[str] = ""
    """What stands behind the name of a query parameter for each item of its list."""

    def __init__(
        self,
        *,
        name: str | None = None,
        api_key: Credential = None,
        base_url: str | None = None,
        default_headers: Mapping[str, str | None] | None = None,
        default_query: Mapping[str, Any] | None = None,
        http_client: Any = None,
        models: Iterable[str] = (),
        cache_identity: str | None = None,
        service_tier: str | None = None,
    ) -> None:
        self.name = name or self.default_name
        self.service_tier = service_tier
        self._explicit_key = api_key is not None
        told: object = api_key
        if not (told is None or isinstance(told, str) or callable(told)):
            raise ConfigurationError(f"api_key= is a text, or a function that gives one; got {type(told).__name__}.")
        self.api_key: Credential = self._usable(api_key if api_key is not None else _environment(self.key_variables))
        if self.key_required and not self.api_key:
            raise ConfigurationError(
                f"{type(self).__name__} needs an API key: pass api_key=… or set {' or '.join(self.key_variables)}."
            )
        url = base_url or _environment(self.base_url_variables) or self.default_base_url
        if not url or not _is_absolute(url):
            shown = None if url is None else redact_url(url)
            raise ConfigurationError(f"{type(self).__name__} needs an absolute http(s) base_url; got {shown!r}.")
        self.base_url = url.rstrip("/")
        self.default_headers: dict[str, str | None] = dict(default_headers or {})
        for header, value in self.default_headers.items():
            if not (value is None or isinstance(value, str)):
                raise ConfigurationError(f"default_headers={{{header!r}: …}} is a text; got {type(value).__name__}.")
        self.default_query = dict(default_query or {})
        self.http_client = http_client
        self.models = frozenset(models)
        self._identity = cache_identity

    @property
    def cache_identity(self) -> str | None:
        """A keyed hash of a static key, or what the caller gave; None for rotating credentials without one."""
        if self._identity is not None:
            return self._identity
        if callable(self.api_key):
            return None
        headers = (f"{k}={v}" for k, v in sorted(self.default_headers.items()))
        query = (f"?{k}={v}" for k, v in sorted(self.default_query.items()))
        return identity_of(self.api_key or "", *headers, *query)

    def codec_for(self, model: str) -> ChatCodec:
        """The one codec, unless a subclass has several."""
        return self.codec

    def knows(self, model: str) -> bool:
        """Whether the caller named this model for this provider."""
        return model in self.models

    def family(self, model: str) -> bool:
        """Whether the name begins like the vendor's own."""
        return model.startswith(self.families)

    def in_format(self, wire: str) -> Vendor | None:
        """The same provider as it is asked in another format than its models' usual one; None if it has no such."""
        return None

    def _twin(self, **attributes: Any) -> Self:
        """Another object with the same credential, address and options, and these attributes."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__, **attributes)
        return twin

    def capabilities(self, model: str) -> Capabilities:
        """Everything, unless a subclass knows better."""
        return ALL_CAPABILITIES

    def path(self, model: str) -> str:
        """The path of chat requests below `base_url`."""
        raise NotImplementedError

    def stream_path(self, model: str) -> str:
        """The path of streaming requests below `base_url`; the same, unless a subclass knows better."""
        return self.path(model)

    def auth_headers(self, credential: str | None) -> list[tuple[str, str]]:
        """The header with the credential: a bearer token, unless a subclass knows better."""
        return [bearer(credential, self.name)]

    def endpoint(self, model: str) -> str:
        """The URL without query that chat requests for `model` go to."""
        return self.base_url + self.path(model)

    def http_request(
        self,
        encoded: Encoded,
        credential: Any,
        *,
        model: str,
        stream: bool,
        extra_headers: Mapping[str, str | None] | None = None,
        extra_query: Mapping[str, Any] | None = None,
    ) -> HTTPRequest:
        """The whole HTTP request; later headers of one name replace earlier ones: ours, the codec's, the caller's.

        Raises:
            ConfigurationError: the credential (of a function) is one that no header can hold.
            RequestValidationError: the model's name would lead to another path.
        """
        url = self.base_url + self.stream_path(model) if stream else self.endpoint(model)
        _refuse_steps(url.removeprefix(self.base_url))
        query = {**(self.stream_query if stream else {}), **self.default_query, **(extra_query or {})}
        accept = "text/event-stream" if stream else "application/json"
        fields = self._fields(accept, credential, encoded.headers, extra_headers)
        return HTTPRequest(
            "POST", _with_query(url, query, self.query_lists), Headers(fields.values()), encoded.content()
        )

    def request_to(
        self,
        path: str,
        credential: Any,
        *,
        encoded: Encoded | None = None,
        extra_headers: Mapping[str, str | None] | None = None,
        extra_query: Mapping[str, Any] | None = None,
    ) -> HTTPRequest:
        """The whole HTTP request to a path that is none of chat's; a GET where there is nothing to send.

        Raises like `http_request`.
        """
        fields = self._fields("application/json", credential, {} if encoded is None else encoded.headers, extra_headers)
        _refuse_steps(path)
        url = _with_query(self.base_url + path, {**self.default_query, **(extra_query or {})}, self.query_lists)
        if encoded is None:
            fields.pop("content-type")
            return HTTPRequest("GET", url, Headers(fields.values()))
        return HTTPRequest("POST", url, Headers(fields.values()), encoded.content())

    def _fields(
        self, accept: str, credential: Any, codecs: Mapping[str, str], callers: Mapping[str, str | None] | None
    ) -> dict[str, tuple[str, str]]:
        """The header fields by lower-case name; None takes one away."""
        fields: dict[str, tuple[str, str]] = {
            "accept": ("accept", accept),
            "content-type": ("content-type", "application/json"),
            "user-agent": ("user-agent", f"edgeagent/{__version__}"),
        }
        for name, value in self.auth_headers(self._usable(credential)):
            fields[name.lower()] = (name, value)
        sources: tuple[Mapping[str, str | None], ...] = (codecs, self.default_headers, callers or {})
        for name, told in chain.from_iterable(source.items() for source in sources):
            if told is None:
                fields.pop(name.lower(), None)
            else:
                fields[name.lower()] = (name, told)
        return fields

    # what is no chat

    def chat_path(self, model: str) -> str:
        """Where the vendor's own chat API has `model`; its other APIs are beside it."""
        return self.path(model)

    def embedding_codec(self, model: str) -> EmbeddingCodec | None:
        """The wire format in which `model` embeds; None if it does not."""
        route = self.embedding_route(model)
        return None if route is None else route.codec

    def embedding_path(self, model: str) -> str:
        """The path of embedding requests below `base_url`. Raises `ConfigurationError` where there is none."""
        route = self.embedding_route(model)
        if route is None:
            raise ConfigurationError(f"{type(self).__name__} has no embeddings for {model!r}.")
        return route.path

    def embedding_route(self, model: str) -> Route[EmbeddingCodec] | None:
        """Both, by the vendor's id."""
        from edgeagent.providers.embeddings.table import route

        return route(self.vendor, model, self.chat_path(model))

    def rerank_route(self, model: str) -> Route[RerankCodec] | None:
        """How documents are ordered; None where the vendor does not."""
        from edgeagent.providers.embeddings.table import rerank_route

        return rerank_route(self.vendor, self.chat_path(model))

    def moderation_route(self, model: str) -> Route[ModerationCodec] | None:
        """How texts are moderated; None where the vendor does not."""
        from edgeagent.providers.moderation import moderation_route

        return moderation_route(self.vendor, self.chat_path(model))

    def model_list(self) -> ModelList | None:
        """How its models are listed; None where they cannot be, or not with the same credential."""
        from edgeagent.providers.listing import model_list

        return model_list(self.vendor, self.chat_path(""))

    def __getstate__(self) -> dict[str, Any]:
        if self._explicit_key:
            raise ConfigurationError(
                f"Provider {self.name!r} was given its key as an argument and cannot be pickled with it; "
                f"set {' or '.join(self.key_variables) or 'an environment variable'} instead."
            )
        if self.http_client is not None:
            raise ConfigurationError(f"Provider {self.name!r} holds an HTTP client, which cannot be pickled.")
        secret = next((name for name in (*self.default_headers, *self.default_query) if names_secret(name)), None)
        if secret is not None or "@" in urlsplit(self.base_url).netloc:
            held = "a password in its base_url" if secret is None else f"{secret!r}, which may be a credential,"
            raise ConfigurationError(f"Provider {self.name!r} holds {held} and cannot be pickled with it.")
        return {**self.__dict__, "api_key": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.api_key = self._usable(_environment(self.key_variables))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, base_url={redact_url(self.base_url)!r})"

    def _usable(self, key: Credential) -> Any:
        """The key without white space around it (files and shells add line ends).

        What no header can hold is refused here: the HTTP library's error would quote it.
        """
        if not isinstance(key, str):
            return key
        key = key.strip()
        if not (key.isascii() and key.isprintable()):
            raise ConfigurationError(f"Provider {self.name!r} has a key with characters that no HTTP header can hold.")
        return key


def _refuse_steps(path: str) -> None:
    """HTTP libraries walk the steps of a path, so that `models/../files` would be asked for files, with the key."""
    if not {".", ".."}.isdisjoint(path.split("/")):
        raise RequestValidationError('model: must not have "." or ".." between slashes.', param="model")


def _with_query(url: str, query: Mapping[str, Any], listed: str) -> str:
    pairs = [pair for name, value in query.items() for pair in _query_pairs(name, value, listed)]
    return f"{url}?{urlencode(pairs)}" if pairs else url


def bearer(credential: str | None, name: str) -> tuple[str, str]:
    """The `Authorization` header. Raises `AuthenticationError` when there is no credential."""
    if not credential:
        raise AuthenticationError(f"Provider {name!r} has no API key: its function gave none.")
    return ("authorization", f"Bearer {credential}")


def identity_of(*parts: str) -> str:
    """A keyed hash that tells two credentials apart and gives neither away."""
    digest = hashlib.blake2b(key=b"edgeagent cache identity", digest_size=16)
    for part in parts:
        raw = part.encode()
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()


def _environment(names: Iterable[str]) -> str | None:
    return next((value for name in names if (value := os.environ.get(name, "").strip())), None)


def _is_absolute(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


def _query_pairs(name: str, value: Any, listed: str) -> Iterator[tuple[str, Any]]:
    """As openai writes it: `true`, `false`, nothing for None, `name[key]=` for a mapping's."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _query_pairs(f"{name}[{key}]", each, listed)
    elif isinstance(value, list | tuple):
        name = name if name.endswith("[]") else name + listed
        for each in value:
            yield from _query_pairs(name, each, listed)
    elif value is not None:
        yield name, str(value).lower() if isinstance(value, bool) else value
