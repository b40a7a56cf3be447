"""`client.responses.input_items`: the items that a stored response was made from, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from edgeagent.core.stored import StoredAnswers
from edgeagent.effects import Scope
from edgeagent.resources.stored_responses import page_of, stored

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from edgeagent.client import AsyncEdgeClient, EdgeClient
    from edgeagent.resources.raw_responses import (
        AsyncInputItemsWithRawResponse,
        AsyncInputItemsWithStreamingResponse,
        InputItemsWithRawResponse,
        InputItemsWithStreamingResponse,
    )
    from edgeagent.types.responses import ResponseItemList, ResponseOutputItem
    from edgeagent.types.responses.params import ItemsParams

__all__ = ["AsyncInputItemPage", "AsyncInputItems", "InputItemPage", "InputItems"]


_QUERY: Final = ("after", "include", "limit", "order")


class _Page:
    """What both kinds of page have: the vendor's page, and how its next one is asked for."""

    def __init__(self, client: Any, response_id: str, params: Mapping[str, Any], page: ResponseItemList) -> None:
        self._client = client
        self._response_id = response_id
        self._params = params
        self._page = page

    @property
    def data(self) -> list[ResponseOutputItem]:
        """The items of this page."""
        return self._page.data or []

    @property
    def has_more(self) -> bool | None:
        """Whether there are items behind this page, as far as the vendor says."""
        return self._page.has_more

    @property
    def last_id(self) -> str | None:
        """What the next page begins after."""
        last = self._page.last_id
        return last if last is not None or not self.data else getattr(self.data[-1], "id", None)

    def has_next_page(self) -> bool:
        """Whether there is another page."""
        return bool(self.data) and self.has_more is not False and self.last_id is not None

    def _next(self) -> dict[str, Any]:
        if not self.has_next_page():
            raise RuntimeError("There is no next page; ask has_next_page() first.")
        return {**self._params, "after": self.last_id}

    def to_dict(self, *, mode: Literal["json", "python"] = "python") -> dict[str, Any]:
        """The page as the vendor sent it."""
        return self._page.to_dict(mode=mode)


class InputItemPage(_Page):
    """A page; iterating gives the items of this and of all pages behind it."""

    def get_next_page(self) -> InputItemPage:
        """Ask for the next page. Raises `RuntimeError` if there is none."""
        return InputItems(self._client).list(self._response_id, **self._next())

    def __iter__(self) -> Iterator[ResponseOutputItem]:
        page = self
        yield from page.data
        while page.has_next_page():
            page = page.get_next_page()
            yield from page.data


class AsyncInputItemPage(_Page):
    """A page; `async for` gives the items of this and of all pages behind it."""

    async def get_next_page(self) -> AsyncInputItemPage:
        """Ask for the next page. Raises `RuntimeError` if there is none."""
        return await AsyncInputItems(self._client).list(self._response_id, **self._next())

    async def __aiter__(self) -> AsyncIterator[ResponseOutputItem]:
        page = self
        for item in page.data:
            yield item
        while page.has_next_page():
            page = await page.get_next_page()
            for item in page.data:
                yield item


class _Asking:
    """What an async `list()` gives: awaited it is the first page, with `async for` all items."""

    def __init__(self, ask: Any) -> None:
        self._ask = ask

    def __await__(self) -> Generator[Any, Any, AsyncInputItemPage]:
        page: Generator[Any, Any, AsyncInputItemPage] = self._ask().__await__()
        return page

    async def __aiter__(self) -> AsyncIterator[ResponseOutputItem]:
        async for item in await self:
            yield item


class InputItems:
    """`client.responses.input_items`."""

    def __init__(self, client: EdgeClient) -> None:
        self._client = client

    @property
    def with_raw_response(self) -> InputItemsWithRawResponse:
        """The same call, giving the HTTP response."""
        from edgeagent.resources.raw_responses import InputItemsWithRawResponse

        return InputItemsWithRawResponse(self)

    @property
    def with_streaming_response(self) -> InputItemsWithStreamingResponse:
        """The same call, giving a context manager over the HTTP response."""
        from edgeagent.resources.raw_responses import InputItemsWithStreamingResponse

        return InputItemsWithStreamingResponse(self)

    def list(self, response_id: str, **params: Unpack[ItemsParams]) -> InputItemPage:
        """The items that a response was made from, the newest first unless `order="asc"`.

        Args:
            response_id: as of `responses.retrieve`.
            params: `after`, `include`, `limit`, `order`; `extra_headers`, `extra_query`, `timeout`, `edge`.
        """
        question, options = stored(self._client, "GET", response_id, "input_items", known=_QUERY, **params)
        engine, scope = self._client._engine.here(), Scope()
        flow = StoredAnswers.beside(engine.pipeline).ask(question, page_of, options, scope, prefers_async=False)
        page, _ = engine.runtime.sync_driver.run(flow, scope)
        return InputItemPage(self._client, response_id, params, page)


class AsyncInputItems:
    """`client.responses.input_items` of an async client."""

    def __init__(self, client: AsyncEdgeClient) -> None:
        self._client = client

    @property
    def with_raw_response(self) -> AsyncInputItemsWithRawResponse:
        """The same call, giving the HTTP response."""
        from edgeagent.resources.raw_responses import AsyncInputItemsWithRawResponse

        return AsyncInputItemsWithRawResponse(self)

    @property
    def with_streaming_response(self) -> AsyncInputItemsWithStreamingResponse:
        """The same call, giving a context manager over the HTTP response."""
        from edgeagent.resources.raw_responses import AsyncInputItemsWithStreamingResponse

        return AsyncInputItemsWithStreamingResponse(self)

    def list(self, response_id: str, **params: Unpack[ItemsParams]) -> _Asking:
        """The items that a response was made from; see `InputItems.list`. Await it, or iterate over it."""
        return _Asking(partial(self._first_page, response_id, **params))

    async def _first_page(self, response_id: str, **params: Unpack[ItemsParams]) -> AsyncInputItemPage:
        """What `await list(…)` gives."""
        question, options = stored(self._client, "GET", response_id, "input_items", known=_QUERY, **params)
        engine, scope = self._client._engine.here(), Scope()
        flow = StoredAnswers.beside(engine.pipeline).ask(question, page_of, options, scope, prefers_async=True)
        page, _ = await engine.runtime.async_driver.run(flow, scope)
        return AsyncInputItemPage(self._client, response_id, params, page)
