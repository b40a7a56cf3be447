"""`python -m edgeagent`: the commands that the package itself has."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from edgeagent._version import __version__

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the result is the exit code."""
    parser = argparse.ArgumentParser(prog="python -m edgeagent", description="An LLM gateway that is a library.")
    parser.add_argument("--version", action="version", version=f"edgeagent {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="a short tour, on a machine without keys")
    demo.add_argument("--quick", action="store_true", help="answer by rules instead of a language model")
    options = parser.parse_args(arguments)
    from edgeagent.demo import run

    try:
        return run(quick=options.quick)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `… | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main())
