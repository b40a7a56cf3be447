"""Google Cloud's credentials as a function that gives the current access token.

The `google-auth` package does the work and is imported at the first call, not before. A token is refreshed only when it
is missing or about to expire, by one thread at a time.
"""

from __future__ import annotations

from threading import Lock
from typing import Any, Final

from edgeagent.errors import AuthenticationError, ConfigurationError

__all__ = ["GoogleToken"]

SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)


class GoogleToken:
    """Called, it gives a token. Thread-safe.

    Args:
        credentials: a `google.auth.credentials.Credentials`; None: the application default credentials
            (https://cloud.google.com/docs/authentication/application-default-credentials), looked up at the first call.
    """

    def __init__(self, credentials: Any = None) -> None:
        self._credentials = credentials
        self._lock = Lock()

    def __call__(self) -> str:
        """The current token.

        Raises:
            ConfigurationError: the `google-auth` package is missing, or there are no default credentials.
            AuthenticationError: Google gave no token for these credentials.
        """
        with self._lock:
            if self._credentials is None:
                self._credentials = _default_credentials()
            credentials = self._credentials
            if not credentials.valid:
                _refresh(credentials)
            token = credentials.token
        if not isinstance(token, str) or not token:
            raise AuthenticationError("Google's credentials gave no access token.")
        return token

    @property
    def account(self) -> str | None:
        """The e-mail address of the service account, where it is known without asking anybody."""
        for name in ("service_account_email", "signer_email"):
            email = getattr(self._credentials, name, None)
            if isinstance(email, str) and "@" in email:
                return email
        return None

    @property
    def project(self) -> str | None:
        """The project that the credentials name."""
        project = getattr(self._credentials, "project_id", None)
        return project if isinstance(project, str) and project else None

    @property
    def quota_project(self) -> str | None:
        """The project that is billed, where it is another one."""
        project = getattr(self._credentials, "quota_project_id", None)
        return project if isinstance(project, str) and project else None

    def __repr__(self) -> str:
        return "<GoogleToken>"


def _default_credentials() -> Any:
    try:
        import google.auth
        from google.auth.exceptions import DefaultCredentialsError
    except ImportError:
        raise _missing() from None
    try:
        credentials, _ = google.auth.default(scopes=SCOPES)
    except DefaultCredentialsError:
        raise ConfigurationError(
            "VertexAI found no Google Cloud credentials: run `gcloud auth application-default login`, set "
            "GOOGLE_APPLICATION_CREDENTIALS, or pass credentials=… or api_key=…."
        ) from None
    return credentials


def _refresh(credentials: Any) -> None:
    try:
        from google.auth.exceptions import GoogleAuthError
        from google.auth.transport.requests import Request
    except ImportError:
        raise _missing() from None
    if getattr(credentials, "requires_scopes", False):
        raise ConfigurationError(f"These Google credentials need scopes: credentials.with_scopes([{SCOPES[0]!r}]).")
    try:
        credentials.refresh(Request())
    except GoogleAuthError as error:  # its text may quote the answer of the token server
        raise AuthenticationError(f"Google refused to refresh the credentials ({type(error).__name__}).") from None


def _missing() -> ConfigurationError:
    return ConfigurationError("VertexAI needs the google-auth package: pip install 'edgeagent[vertex]'.")
