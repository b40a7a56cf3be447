"""What requests and answers beside chat share: openai's manner of parameters, and `answer.edge`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgeagent.errors import RequestValidationError
from edgeagent.types._model import Answer
from edgeagent.types.faults import first_fault
from edgeagent.types.request import NOT_IN_BODY

if TYPE_CHECKING:
    from edgeagent.types.metadata import ResponseMetadata

__all__ = ["Answered", "Parameters", "check_model", "refuse", "validated"]

_ITERABLES: Final = ("input", "documents")


class Parameters(BaseModel):
    """A request that is no chat. A field that is None is the same as an absent one; unknown ones are kept."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, defer_build=True, protected_namespaces=())

    model: str
    extra_headers: dict[str, str | None] | None = Field(default=None, repr=False)
    extra_query: dict[str, Any] | None = Field(default=None, repr=False)

    def params(self) -> dict[str, Any]:
        """The JSON body: every parameter that is set, unknown ones included, in a fresh top-level dict."""
        body = {k: v for k, v in self.__dict__.items() if v is not None and k not in NOT_IN_BODY}
        if self.model_extra:
            body.update(self.model_extra)
        return body


class Answered(Answer):
    """An answer that tells what the gateway did."""

    @property
    def edge(self) -> ResponseMetadata:
        """What the gateway did for this answer; absent from dumps and equality."""
        edge = self._edge
        if edge is None:
            from edgeagent.types.metadata import ResponseMetadata

            edge = ResponseMetadata()
            self._attach(edge)
        return edge

    @property
    def _request_id(self) -> str | None:
        """The provider's id of the request, under openai's name."""
        return self.edge.request_id

    def __eq__(self, other: object) -> bool:
        """Equal answers are equal whatever the gateway did to get them."""
        if type(other) is not type(self) or not isinstance(other, Answered):
            return NotImplemented
        return self.__dict__ == other.__dict__ and self.model_extra == other.model_extra


_P = TypeVar("_P", bound=Parameters)


def validated(kind: type[_P], params: Mapping[str, Any], extra_body: Any) -> _P:
    """Keyword arguments → a request that shares no list with the caller. Raises `RequestValidationError`."""
    values = {name: value for name, value in params.items() if value is not None}
    if extra_body is not None and not isinstance(extra_body, Mapping):
        refuse("must be a mapping", "extra_body")
    values.update(extra_body or {})
    for name in _ITERABLES:
        if name in values:
            values[name] = _listed(values[name])
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        param, reason = first_fault(error)
        raise RequestValidationError(f"{param}: {reason}.", param=param) from None


def _listed(value: Any) -> Any:
    """openai takes any iterable, also of iterables."""
    if isinstance(value, (str, bytes, bytearray, Mapping)) or not isinstance(value, Iterable):
        return value
    return [_listed(item) for item in value]


def check_model(request: Parameters) -> None:
    """Raise `RequestValidationError` if no model is named."""
    if not request.model.strip():
        refuse("must name a model", "model")


def refuse(reason: str, param: str) -> NoReturn:
    """Raise `RequestValidationError`; `reason` quotes no value."""
    raise RequestValidationError(f"{param}: {reason}.", param=param)
