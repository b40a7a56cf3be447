"""A function call whose arguments are streamed in pieces (`streamFunctionCallArguments`), put together.

The first piece has the name, the last says no `willContinue`; each gives values by a JSONPath (`$.foo.bar[0]`), and the
pieces of a string follow each other. OpenAI's fragments are of the JSON text, so a call is told when it is whole.

Source: https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling (streaming of arguments), and
`FunctionCall` and `PartialArg` of the `google-genai` package.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from edgeagent.providers.gemini.parts import InvalidAnswerError

__all__ = ["PartialCall", "is_fragment"]

_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[([0-9]{1,9})\]|\['((?:[^'\\]|\\.)*)'\]|\[\"((?:[^\"\\]|\\.)*)\"\]")
_ESCAPE: Final = re.compile(r"\\(.)")
_VALUES: Final = ("numberValue", "boolValue")
MAX_PATH: Final = 2000
"""Characters of a path."""
MAX_DEPTH: Final = 64

_Step = str | int


def is_fragment(part: Any) -> bool:
    """Whether a part is a piece of a call, rather than a whole one."""
    call = part.get("functionCall") if isinstance(part, dict) else None
    return isinstance(call, dict) and ("name" not in call or bool(call.get("partialArgs") or call.get("willContinue")))


class PartialCall:
    """One call as far as it has come. `part` is its first piece."""

    __slots__ = ("_id", "_part", "_pieces", "_values")

    def __init__(self, part: Mapping[str, Any]) -> None:
        self._part = dict(part)
        self._id = part["functionCall"].get("id")
        self._values: dict[tuple[_Step, ...], Any] = {}
        self._pieces: dict[tuple[_Step, ...], list[str]] = {}

    def goes_on(self, call: Mapping[str, Any]) -> bool:
        """Whether a piece belongs to this call: it has no name, or the same id."""
        return not call.get("name") or (call.get("id") is not None and call.get("id") == self._id)

    def add(self, part: Mapping[str, Any]) -> None:
        """The next piece. Raises `InvalidAnswerError`."""
        call = part["functionCall"]
        self._part = {**self._part, **{name: value for name, value in part.items() if name != "functionCall"}}
        self._id = self._id or call.get("id")
        pieces = call.get("partialArgs") or []
        if not isinstance(pieces, list):
            raise InvalidAnswerError("functionCall.partialArgs is not a list")
        for piece in pieces:
            if not isinstance(piece, dict) or not isinstance(piece.get("jsonPath"), str):
                raise InvalidAnswerError("functionCall.partialArgs has no path")
            self._set(_steps(piece["jsonPath"]), piece)

    def whole(self) -> dict[str, Any]:
        """The part as it would have come unstreamed. Raises `InvalidAnswerError`: paths contradict each other."""
        first = self._part["functionCall"]
        given = first.get("args")
        arguments: dict[str, Any] = dict(given) if isinstance(given, dict) else {}
        for path, value in self._values.items():
            _put(arguments, path, "".join(self._pieces[path]) if path in self._pieces else value)
        call = {"id": self._id, "name": first.get("name"), "args": arguments}
        return {**self._part, "functionCall": {name: value for name, value in call.items() if value is not None}}

    def _set(self, path: tuple[_Step, ...], piece: Mapping[str, Any]) -> None:
        if "stringValue" in piece:
            if not isinstance(piece["stringValue"], str):
                raise InvalidAnswerError("functionCall.partialArgs has a stringValue that is none")
            self._pieces.setdefault(path, []).append(piece["stringValue"])
            self._values.setdefault(path, None)
        else:
            self._values[path] = next((piece[name] for name in _VALUES if name in piece), None)


def _steps(path: str) -> tuple[_Step, ...]:
    """`$.foo['bar'][0]` → `("foo", "bar", 0)`."""
    if len(path) > MAX_PATH or path[:1] != "$":
        raise InvalidAnswerError("functionCall.partialArgs has a path that cannot be read")
    place, steps = 1, list[_Step]()
    while place < len(path):
        found = _STEP.match(path, place)
        if found is None or len(steps) >= MAX_DEPTH:
            raise InvalidAnswerError("functionCall.partialArgs has a path that cannot be read")
        name, index, single, double = found.groups()
        quoted = single if single is not None else double
        steps.append(int(index) if index is not None else name if name is not None else _ESCAPE.sub(r"\1", quoted))
        place = found.end()
    if not steps:
        raise InvalidAnswerError("functionCall.partialArgs has a path to nothing")
    return tuple(steps)


def _put(place: Any, path: tuple[_Step, ...], value: Any) -> None:
    """Set a value in nested objects and lists, which are made on the way; a list grows by one at most."""
    for step, following in zip(path, (*path[1:], None), strict=True):
        fresh = value if following is None else [] if isinstance(following, int) else {}
        if isinstance(step, int) and isinstance(place, list) and step <= len(place):
            if step == len(place):
                place.append(fresh)
            elif following is None:
                place[step] = fresh
        elif isinstance(step, str) and isinstance(place, dict):
            if following is None or step not in place:
                place[step] = fresh
        else:
            raise InvalidAnswerError("functionCall.partialArgs has paths that contradict each other")
        place = place[step]
