"""openai's markers for an argument that was left out, so that code which passes them on keeps working."""

from __future__ import annotations

from typing import Final, TypeAlias

__all__ = ["NOT_GIVEN", "LeftOut", "NotGiven", "Omit", "not_given", "omit"]


class Omit:
    """The class of `omit`: as if the argument were not there; in `extra_headers`, a default header is not sent."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "omit"


class NotGiven:
    """The class of `NOT_GIVEN`, which is what openai 1.x called `omit`."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "NOT_GIVEN"


omit: Final = Omit()
NOT_GIVEN: Final = NotGiven()
not_given: Final = NOT_GIVEN

LeftOut: TypeAlias = Omit | NotGiven
