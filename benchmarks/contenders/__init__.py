"""The contenders: one module and one process each.

A contender is a class `Contender(upstream, scratch)` whose methods are calls: they take messages and give the answer's
text. Clients are made on first use, as an application would keep them: once, with connections kept alive.
"""

from __future__ import annotations

__all__: list[str] = []
