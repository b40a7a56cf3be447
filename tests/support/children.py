"""Child processes of tests."""

from __future__ import annotations

import os
import signal
import traceback
import warnings
from collections.abc import Callable

__all__ = ["bare_environment", "forked", "unmeasured_environment"]


def bare_environment(**more: str) -> dict[str, str]:
    """This environment without what would make a child measure its own coverage or load more than it must."""
    dropped = ("COVERAGE_", "COV_CORE", "PYTHON", "PYTEST")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)} | more


def unmeasured_environment() -> dict[str, str]:
    """This environment for a child that does what is measured in this process: it takes half the time without that."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


def forked(works: Callable[[], bool]) -> int:
    """The process id of a child that ends with 0 if that is so in it; one that waits for ever is ended."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads
        child = os.fork()
    if not child:
        signal.alarm(10)
        try:
            os._exit(0 if works() else 1)
        except BaseException:  # the child must not go on with the parent's tests
            traceback.print_exc()
            os._exit(2)
    return child
