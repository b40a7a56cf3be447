"""What models there are: openai's `Model`, and the page that lists them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NoReturn

from edgeagent.types.parameters import Answered, Parameters

if TYPE_CHECKING:
    from edgeagent.types.metadata import ResponseMetadata

__all__ = ["AsyncModelPage", "Model", "ModelPage", "ModelQuery"]


class ModelQuery(Parameters):
    """A question for models: for the one named, or for all."""

    model: str = ""


class Model(Answered):
    """One model. `edge.provider` is who has it; `f"{model.edge.provider}/{model.id}"` is a name that calls take.

    `id` is as that provider calls it, `created` in epoch seconds (0 where it is not told). What the provider says of it
    beyond openai's fields is kept under the provider's own names.
    """

    id: str
    created: int = 0
    object: Literal["model"] = "model"
    owned_by: str

    def _complete(self) -> None:
        self.__pydantic_fields_set__.add("object")


class _Page(Answered):
    """All models of all providers, in the order of the providers; there is no further page."""

    data: list[Model]
    object: Literal["list"] = "list"

    @property
    def errors(self) -> Mapping[str, Exception]:
        """Why providers are missing here: their names, and what asking them raised. Absent from dumps and equality."""
        return MappingProxyType((self.__pydantic_private__ or {}).get("_errors", {}))

    def _tell(self, edge: ResponseMetadata, errors: Mapping[str, Exception]) -> None:
        """Say what the gateway did."""
        private = {"_edge": edge, "_errors": dict(errors)}
        object.__setattr__(self, "__pydantic_private__", private)

    def has_next_page(self) -> bool:
        """No: this is all."""
        return False

    def next_page_info(self) -> None:
        """There is none."""

    def get_next_page(self) -> NoReturn:
        """There is none. Raises `RuntimeError`, as openai's last page does (an async one, too, without `await`)."""
        raise RuntimeError("There is no next page; ask has_next_page() first.")

    def _complete(self) -> None:
        self.__pydantic_fields_set__.add("object")
        for model in self.data:
            model._complete()


class ModelPage(_Page):
    """`client.models.list()`; iterating gives the models."""

    def __iter__(self) -> Iterator[Model]:  # type: ignore[override]  # openai's page iterates over its items, too
        return iter(self.data)

    def iter_pages(self) -> Iterator[ModelPage]:
        """This page."""
        yield self


class AsyncModelPage(_Page):
    """What awaiting an async client's `models.list()` gives; `async for` over it gives the models."""

    async def __aiter__(self) -> AsyncIterator[Model]:
        for model in self.data:
            yield model

    async def iter_pages(self) -> AsyncIterator[AsyncModelPage]:
        """This page."""
        yield self
