"""The base of all response models: openai's field names, unknown fields kept."""

from __future__ import annotations

from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from typing_extensions import Self

    from edgeagent.types.metadata import ResponseMetadata

M = TypeVar("M", bound="Model")

__all__ = ["Answer", "Model", "own"]


class Model(BaseModel):
    """A pydantic model that accepts and keeps fields it does not know."""

    model_config = ConfigDict(extra="allow", defer_build=True, protected_namespaces=())

    def __str__(self) -> str:
        """As `repr`, with the class's name: openai's objects are printed so."""
        return repr(self)

    @classmethod
    def from_json(cls, data: str | bytes) -> Self:
        """`model_validate_json` without its options, which take a tenth of its time. Raises `ValidationError`."""
        made: Self = cls.__pydantic_validator__.validate_json(data)
        return made

    def as_json(self) -> bytes:
        """`model_dump_json` of what was set, without its other options. Raises `PydanticSerializationError`."""
        return self.__pydantic_serializer__.to_json(self, exclude_unset=True)

    def _complete(self) -> None:
        """Have a dump of what was set say what openai's always says, where another vendor said nothing of it."""

    def to_dict(
        self,
        *,
        mode: Literal["json", "python"] = "python",
        use_api_names: bool = True,
        exclude_unset: bool = True,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
        warnings: bool = True,
    ) -> dict[str, Any]:
        """The fields that were set, as a dict; unknown ones included. The arguments are openai's."""
        self._complete()
        return self.model_dump(
            mode=mode,
            by_alias=use_api_names,
            exclude_unset=exclude_unset,
            exclude_defaults=exclude_defaults,
            exclude_none=exclude_none,
            warnings=warnings,
        )

    def to_json(
        self,
        *,
        indent: int | None = 2,
        use_api_names: bool = True,
        exclude_unset: bool = True,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
        warnings: bool = True,
    ) -> str:
        """The fields that were set, as JSON text. The arguments are openai's."""
        self._complete()
        return self.model_dump_json(
            indent=indent,
            by_alias=use_api_names,
            exclude_unset=exclude_unset,
            exclude_defaults=exclude_defaults,
            exclude_none=exclude_none,
            warnings=warnings,
        )


_PLAIN: Final = frozenset({bool, float, int, str, NoneType})


def own(model: M) -> M:
    """A copy that shares nothing that can be changed: models, lists and dicts all the way down.

    It is on the way of each chunk of a stream: it looks at those fields alone that may hold such a thing.
    """
    kind = type(model)
    fields = model.__dict__.copy()
    for name in _changeable(kind):
        value = fields.get(name)  # one that was made without validation may lack it
        if value is not None:
            fields[name] = _own(value)
    extra = model.__pydantic_extra__
    copy = kind.__new__(kind)
    put = object.__setattr__
    put(copy, "__dict__", fields)
    put(copy, "__pydantic_fields_set__", model.__pydantic_fields_set__.copy())
    put(copy, "__pydantic_extra__", None if extra is None else _own(extra))
    put(copy, "__pydantic_private__", model.__pydantic_private__)
    return copy


def _own(value: Any) -> Any:
    kind = type(value)
    if kind is list:
        return [_own(item) for item in value]
    if kind is dict:
        return {name: _own(item) for name, item in value.items()}
    return own(value) if isinstance(value, Model) else value


@cache
def _changeable(kind: type[Model]) -> tuple[str, ...]:
    """The fields whose values can be changed in their place."""
    return tuple(name for name, field in kind.model_fields.items() if not _is_plain(field.annotation))


def _is_plain(annotation: Any) -> bool:
    if get_origin(annotation) is Literal:
        return True
    options = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ()
    return all(map(_is_plain, options)) if options else annotation in _PLAIN


_FACTS: Final = frozenset(
    {"completed_at", "created", "created_at", "id", "model", "object", "service_tier", "status", "usage"}
)
"""Fields that say nothing of what was asked and what was answered."""
_SAID: Final = ("choices", "output")
"""Fields without which there is no answer."""


class Answer(Model):
    """A model that what the gateway did can be attached to: copied and pickled with it, absent from dumps.

    A declared private attribute would do the same, but makes pydantic call back into Python for each object (0.7 µs for
    each chunk of a stream); the place of private attributes is used without declaring one.
    """

    @property
    def _edge(self) -> ResponseMetadata | None:
        private = self.__pydantic_private__
        return None if private is None else private["_edge"]

    @_edge.setter
    def _edge(self, edge: ResponseMetadata | None) -> None:
        self._attach(edge)

    def _leaving(self) -> Self:
        """What of it an exception takes along into a pickle: if a shield put values back, nothing that holds text."""
        if self._edge is None or not self._edge.masked:
            return self
        kept: dict[str, Any] = {name: [] for name in _SAID if name in type(self).model_fields}
        copy = type(self).model_construct(**kept, **{name: value for name, value in self if name in _FACTS})
        copy._attach(self._edge)
        return copy

    def _attach(self, edge: ResponseMetadata | None) -> None:
        """Say what the gateway did."""
        object.__setattr__(self, "__pydantic_private__", {"_edge": edge})
