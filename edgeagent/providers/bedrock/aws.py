"""What Bedrock needs of AWS: region, endpoint, credentials, signatures. All of it is botocore's, loaded when used.

Nothing here calls AWS, but for `SessionCredentials`, which may have to (roles, single sign-on, instance metadata): it
is a credential function, so the pipeline calls it where it blocks nobody.
"""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any, Final

from edgeagent.errors import AuthenticationError, ConfigurationError
from edgeagent.wire.http import Headers, HTTPRequest

__all__ = ["SessionCredentials", "StaticKeys", "botocore_module", "endpoint_url", "is_key_pair", "region_of", "sign"]

SERVICE: Final = "bedrock-runtime"
SIGNING_NAME: Final = "bedrock"
_REGION_VARIABLES: Final = ("AWS_REGION", "AWS_DEFAULT_REGION")


def botocore_module(name: str) -> ModuleType:
    """A module of botocore. Raises `ConfigurationError` where it is not installed."""
    from importlib import import_module

    try:
        return import_module(f"botocore.{name}")
    except ImportError:
        raise ConfigurationError(
            "AWS credentials need botocore: pip install 'edgeagent[bedrock]' (a Bedrock API key needs nothing)."
        ) from None


class StaticKeys:
    """A key pair of the caller's own, as botocore's frozen credentials have it. Calling it gives itself."""

    __slots__ = ("access_key", "secret_key", "token")

    def __init__(self, access_key: str, secret_key: str, token: str | None = None) -> None:
        self.access_key = access_key.strip()
        self.secret_key = secret_key.strip()
        self.token = token.strip() if token else None

    def __call__(self) -> StaticKeys:
        """The keys themselves."""
        return self

    def __repr__(self) -> str:
        return "StaticKeys([redacted])"

    def __reduce__(self) -> Any:
        raise ConfigurationError("AWS keys given as arguments cannot be pickled; set AWS_ACCESS_KEY_ID instead.")


class SessionCredentials:
    """The current credentials of a botocore session: environment, profile, role, container, instance.

    Args:
        session: a botocore session (or boto3's, which has one); default: a new one.
        profile: the profile of a new session; default: `AWS_PROFILE`.
    """

    __slots__ = ("_session",)

    def __init__(self, session: Any = None, profile: str | None = None) -> None:
        if session is None:
            session = botocore_module("session").Session(profile=profile)
        self._session = getattr(session, "_session", session)

    def __call__(self) -> Any:
        """Frozen credentials, refreshed if need be. Raises `AuthenticationError` where there are none."""
        errors = botocore_module("exceptions")
        try:
            found = self._session.get_credentials()
            frozen = None if found is None else found.get_frozen_credentials()
        except errors.BotoCoreError as error:
            raise AuthenticationError(f"AWS credentials cannot be had: {type(error).__name__}.") from None
        if frozen is None or not frozen.access_key:
            raise AuthenticationError("No AWS credentials were found in the environment, a profile, or a role.")
        return frozen

    @property
    def identity(self) -> str | None:
        """The access key's id or the role's ARN, where the configuration names it; None for what rotates."""
        if os.environ.get("AWS_ACCESS_KEY_ID") and not self._session.get_config_variable("profile"):
            return None if os.environ.get("AWS_SESSION_TOKEN") else os.environ["AWS_ACCESS_KEY_ID"]
        config = self._config()
        if isinstance(config.get("role_arn"), str):
            return str(config["role_arn"])
        key = config.get("aws_access_key_id")
        return str(key) if key and not config.get("aws_session_token") else None

    @property
    def region(self) -> str | None:
        """The region of the profile, or of the session."""
        try:
            region = self._session.get_config_variable("region")
        except botocore_module("exceptions").BotoCoreError:
            return None
        return str(region) if region else None

    def _config(self) -> dict[str, Any]:
        try:
            config: dict[str, Any] = self._session.get_scoped_config()
        except botocore_module("exceptions").BotoCoreError:
            return {}
        return config

    def __repr__(self) -> str:
        return "SessionCredentials()"


def region_of(given: str | None, credentials: SessionCredentials | None) -> str:
    """The region: as given, of the environment, of the profile. Raises `ConfigurationError` where none is named."""
    region = given or next((value for name in _REGION_VARIABLES if (value := os.environ.get(name, "").strip())), None)
    region = region or (credentials.region if credentials is not None else None)
    if region is None:
        raise ConfigurationError("Bedrock needs a region: pass region_name=… or set AWS_REGION.")
    if not all(piece.isalnum() for piece in region.split("-")):
        raise ConfigurationError(f"{region!r} is no AWS region.")
    return region


def endpoint_url(region: str, *, fips: bool = False, dualstack: bool = False) -> str:
    """Where the service lives, by AWS's own rules. Raises `ConfigurationError`."""
    try:
        loader = botocore_module("loaders").Loader()
        provider = botocore_module("endpoint_provider")
        errors = botocore_module("exceptions")
    except ConfigurationError:
        if fips or dualstack or not _is_ordinary(region):
            raise
        return f"https://{SERVICE}.{region}.amazonaws.com"
    rules = loader.load_service_model(SERVICE, "endpoint-rule-set-1")
    resolver = provider.EndpointProvider(rules, loader.load_data("partitions"))
    try:
        found = resolver.resolve_endpoint(Region=region, UseFIPS=fips, UseDualStack=dualstack)
    except errors.EndpointProviderError as error:
        raise ConfigurationError(f"Bedrock has no such endpoint in {region}: {error}.") from None
    return str(found.url)


def _is_ordinary(region: str) -> bool:
    return not region.startswith(("cn-", "us-iso", "eu-iso", "eusc-"))


def is_key_pair(credential: Any) -> bool:
    """Whether this has the attributes of botocore's credentials."""
    return all(isinstance(getattr(credential, name, None), str) for name in ("access_key", "secret_key"))


def sign(request: HTTPRequest, credentials: Any, region: str) -> HTTPRequest:
    """The request with AWS's signature (version 4), made by botocore over the bytes that are sent.

    Content type and `x-amz-…` fields are signed; the others may be changed on their way.

    Raises:
        ConfigurationError: botocore is not installed, or the credentials are such as no header can hold.
    """
    for value in (credentials.access_key, getattr(credentials, "token", None) or ""):
        if not (value.isascii() and value.isprintable()):
            raise ConfigurationError("The AWS credentials have characters that no HTTP header can hold.")
    signed = {name: value for name, value in request.headers.items() if _is_signed(name)}
    made = botocore_module("awsrequest").AWSRequest(
        method=request.method, url=request.url, data=request.content, headers=signed
    )
    botocore_module("auth").SigV4Auth(credentials, SIGNING_NAME, region).add_auth(made)
    added = [(name, value) for name, value in made.headers.items() if name.lower() not in signed]
    kept = [
        (name, value) for name, value in request.headers.fields if name.lower() not in {n.lower() for n, _ in added}
    ]
    return HTTPRequest(request.method, request.url, Headers([*kept, *added]), request.content)


def _is_signed(name: str) -> bool:
    return name == "content-type" or (name.startswith("x-amz") and name not in {"x-amz-date", "x-amz-security-token"})
