"""How connections leave this machine: TLS, limits, proxies. Shared by the pools of threads and of every event loop."""

from __future__ import annotations

import importlib.util
import socket
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from edgeagent.errors import ConfigurationError

if TYPE_CHECKING:
    import ssl

    import httpcore

__all__ = ["Egress", "Route"]

MAX_CONNECTIONS: Final = 1000
MAX_KEEPALIVE: Final = 100
KEEPALIVE_EXPIRY: Final = 30.0

PROBE_SECONDS: Final = 60
"""TCP keep-alive: a model may think for minutes, and a NAT on the way forgets a connection that is silent."""


class Route(NamedTuple):
    """What connections of one pool have in common."""

    tls: bool
    proxy: str | None


class Egress:
    """Finds the route to an origin and the options of its pool.

    The environment is read once per origin, as httpx reads it once per client: `HTTP_PROXY`, `HTTPS_PROXY`,
    `ALL_PROXY`, `NO_PROXY`, and `SSL_CERT_FILE` or `SSL_CERT_DIR`.

    Args:
        proxies: URLs by scheme, or for "all"; where there are any, the environment's are not asked.
    """

    def __init__(self, proxies: Mapping[str, str] | None = None) -> None:
        self._proxies = proxies or {}
        self._lock = threading.Lock()
        self._routes: dict[tuple[bytes, bytes, int | None], Route] = {}
        self._context: ssl.SSLContext | None = None

    def route(self, url: httpcore.URL) -> Route:
        """Where requests to this URL go first."""
        key = (url.scheme, url.host, url.port)
        route = self._routes.get(key)
        if route is None:
            proxy = _named(self._proxies, url.scheme) if self._proxies else _proxy(*key)
            route = self._routes[key] = Route(url.scheme == b"https", proxy)
        return route

    def options(self, route: Route) -> dict[str, Any]:
        """Arguments for httpcore's pools. Raises `ConfigurationError` for a proxy that needs what is not installed."""
        options: dict[str, Any] = {
            "max_connections": MAX_CONNECTIONS,
            "max_keepalive_connections": MAX_KEEPALIVE,
            "keepalive_expiry": KEEPALIVE_EXPIRY,
            "socket_options": _probes(),
        }
        if route.tls:
            options["ssl_context"] = self._tls()
        if route.proxy is not None:
            options["proxy"] = _core_proxy(route.proxy)
        return options

    def _tls(self) -> ssl.SSLContext:
        with self._lock:
            if self._context is None:
                import httpx

                self._context = httpx.create_ssl_context()
            return self._context


def _proxy(scheme: bytes, host: bytes, port: int | None) -> str | None:
    name = host.decode("ascii")
    proxy = _named(getproxies(), scheme)
    return None if proxy is None or proxy_bypass(name if port is None else f"{name}:{port}") else proxy


def _named(proxies: Mapping[str, str], scheme: bytes) -> str | None:
    proxy = proxies.get(scheme.decode("ascii")) or proxies.get("all")
    if not proxy:
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _core_proxy(url: str) -> httpcore.Proxy:
    import httpcore

    parts = urlsplit(url)
    if parts.scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        raise ConfigurationError("The environment names a SOCKS proxy: pip install 'httpx[socks]'.")
    auth = None
    if parts.username is not None:
        auth = (unquote(parts.username), unquote(parts.password or ""))
    return httpcore.Proxy(url, auth=auth)


def _probes() -> list[tuple[int, int, int]]:
    wanted = [("TCP_KEEPIDLE", PROBE_SECONDS), ("TCP_KEEPINTVL", PROBE_SECONDS), ("TCP_KEEPCNT", 5)]
    options = [(socket.IPPROTO_TCP, getattr(socket, name), value) for name, value in wanted if hasattr(socket, name)]
    return [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *options]
