"""What an HTTP library raises → our errors.

httpcore, httpx and httpx2 name their exceptions alike; they are told apart by these names, so that none of the three
has to be imported to read another's.
"""

from __future__ import annotations

import zlib
from typing import Final
from urllib.parse import urlsplit

from edgeagent.errors import APIConnectionError, APITimeoutError, DeadlineExceededError
from edgeagent.wire.http import HTTPRequest

__all__ = ["connection_fault", "deadline_fault", "is_fault", "is_timeout"]

_LIBRARIES: Final = ("httpcore", "httpx")
_NEVER_SENT: Final = frozenset(
    {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol", "LocalProtocolError"}
)
_WAITED: Final = {
    "ConnectTimeout": "connecting took too long",
    "PoolTimeout": "no connection became free in time",
    "WriteTimeout": "sending took too long",
}


def is_fault(error: BaseException) -> bool:
    """Whether an HTTP library raised this, or the socket or the decompression below it."""
    return isinstance(error, OSError | zlib.error) or type(error).__module__.startswith(_LIBRARIES)


def is_timeout(error: BaseException) -> bool:
    """Whether a wait took too long."""
    return type(error).__name__.endswith("Timeout") or isinstance(error, TimeoutError)


def connection_fault(
    error: Exception, request: HTTPRequest, *, past_deadline: bool, sending: bool = True
) -> APIConnectionError:
    """Our error for it, its cause kept; `sending` is False once the response has begun.

    To be raised outside of the `except` clause that caught `error`: h11 quotes the header field that it refuses, with
    the credential in it, so that error is neither quoted nor kept.
    """
    name = type(error).__name__
    sent = not sending or name not in _NEVER_SENT
    if past_deadline:
        fault: APIConnectionError = deadline_fault(request, sent=sent)
    elif is_timeout(error):
        fault = APITimeoutError(request)
        fault.message += f" {_host(request)}: {_WAITED.get(name, 'nothing came for too long')}."
        fault.args = (fault.message,)
    else:
        reason = "the request is not valid HTTP" if name == "LocalProtocolError" else _reason(error)
        fault = APIConnectionError(message=f"Connection error: {_host(request)}: {reason}", request=request)
    fault.sent = sent
    fault.__cause__ = None if name == "LocalProtocolError" else error
    return fault


def deadline_fault(request: HTTPRequest | None = None, *, sent: bool) -> DeadlineExceededError:
    """The call's deadline passed; `sent` is False if the request certainly never left."""
    fault = DeadlineExceededError(request)
    fault.sent = sent
    return fault


def _host(request: HTTPRequest) -> str:
    return urlsplit(request.url).netloc.rpartition("@")[2]


def _reason(error: BaseException) -> str:
    """What it says, or what the errors that it came from say."""
    told: BaseException | None = error
    while told is not None:
        if str(told):
            return str(told)
        told = told.__cause__ or told.__context__
    return type(error).__name__
