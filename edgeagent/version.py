"""The version, under the name that openai has for it: `from edgeagent.version import VERSION`."""

from __future__ import annotations

from edgeagent._version import __version__

__all__ = ["VERSION"]

VERSION = __version__
