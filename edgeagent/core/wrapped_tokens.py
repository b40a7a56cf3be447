"""The tokens of a text of which only a part is shown: those of that part, so that they say what the text says.

Positions are counted in bytes of UTF-8, since a token may be a part of a character.
"""

from __future__ import annotations

from collections import deque

from edgeagent.types.completion import ChatCompletionTokenLogprob

__all__ = ["Tokens"]

Token = ChatCompletionTokenLogprob


class Tokens:
    """Tokens as they come, until it is known whether they are shown."""

    __slots__ = ("_place", "_waiting")

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, Token]] = deque()  # with where they begin
        self._place = 0

    def add(self, tokens: list[Token]) -> None:
        """The next ones."""
        for token in tokens:
            self._waiting.append((self._place, token))
            self._place += _length(token)

    def rest(self) -> list[Token]:
        """All that wait: the whole text is shown."""
        found = [token for _, token in self._waiting]
        self._waiting.clear()
        return found

    def between(self, start: int, end: int, *, last: bool) -> list[Token]:
        """Those of the bytes from `start` to `end` that have not been given.

        One that goes beyond `end` waits, since more may be shown, or is cut off there where these are the `last` bytes.
        """
        found = []
        while self._waiting:
            place, token = self._waiting[0]
            stop = place + _length(token)
            if stop > start and (place >= end or (stop > end and not last)):
                break
            self._waiting.popleft()
            if stop > start:
                found.append(_cut(token, max(start - place, 0), min(end, stop) - place))
        if last:
            self._waiting.clear()
        return found


def _length(token: Token) -> int:
    return len(_raw(token))


def _raw(token: Token) -> bytes:
    if token.bytes is None:
        return token.token.encode("utf-8", "surrogatepass")
    return bytes(token.bytes)


def _cut(token: Token, start: int, end: int) -> Token:
    """The token without what is not shown of it; what else might have stood in its place is as it was."""
    raw = _raw(token)
    if start == 0 and end == len(raw):
        return token
    kept = raw[start:end]
    told = None if token.bytes is None else list(kept)
    return token.model_copy(update={"token": kept.decode("utf-8", "replace"), "bytes": told})
