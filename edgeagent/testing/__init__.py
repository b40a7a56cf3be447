"""For tests of code that uses edgeagent: providers without a network, faults as they are planned, a look for leaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from edgeagent.testing.fake import FakeProvider

if TYPE_CHECKING:
    from edgeagent.testing import faults
    from edgeagent.testing.fault_server import FaultServer
    from edgeagent.testing.faulty import Faulty
    from edgeagent.testing.leaks import assert_leaks_nothing

__all__ = ["FakeProvider", "FaultServer", "Faulty", "assert_leaks_nothing", "faults"]

_HOMES: Final = {
    "FaultServer": "edgeagent.testing.fault_server",
    "Faulty": "edgeagent.testing.faulty",
    "assert_leaks_nothing": "edgeagent.testing.leaks",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "faults":
        return import_module("edgeagent.testing.faults")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
